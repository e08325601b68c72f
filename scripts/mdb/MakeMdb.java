// Writes the personal geodatabase that the tests read, by Jackcess: the tables that ArcGIS makes, as GDAL's documentation and Esri's
// description of the extended shape buffer give them. No program of Esri's is needed, or was at hand.
import com.healthmarketscience.jackcess.*;
import java.io.*;
import java.nio.*;
import java.time.LocalDateTime;
import java.util.*;

public class MakeMdb {
    static final double E = 515000.125, N = 4345300.5;
    static final String WKT = "PROJCS[\"CGCS2000_3_Degree_GK_CM_117E\",GEOGCS[\"GCS_China_Geodetic_Coordinate_System_2000\",DATUM[\"D_China_2000\","
        + "SPHEROID[\"CGCS2000\",6378137.0,298.257222101]],PRIMEM[\"Greenwich\",0.0],UNIT[\"Degree\",0.0174532925199433]],PROJECTION[\"Gauss_Kruger\"],"
        + "PARAMETER[\"False_Easting\",500000.0],PARAMETER[\"False_Northing\",0.0],PARAMETER[\"Central_Meridian\",117.0],PARAMETER[\"Scale_Factor\",1.0],"
        + "PARAMETER[\"Latitude_Of_Origin\",0.0],UNIT[\"Meter\",1.0]]";

    static double[][] box(double x, double y, double w, double h, boolean hole) {
        double[][] ring = {{E + x, N + y}, {E + x, N + y + h}, {E + x + w, N + y + h}, {E + x + w, N + y}, {E + x, N + y}};
        if (hole) Collections.reverse(Arrays.asList(ring));
        return ring;
    }

    static byte[] polygon(int type, double[] z, byte[] curves, double[][]... rings) {
        int points = 0;
        for (double[][] ring : rings) points += ring.length;
        ByteBuffer out = ByteBuffer.allocate(44 + 4 * rings.length + 16 * points + (z == null ? 0 : 16 + 8 * points) + curves.length);
        out.order(ByteOrder.LITTLE_ENDIAN).putInt(type);
        double[] bounds = {1e30, 1e30, -1e30, -1e30};
        for (double[][] ring : rings) for (double[] point : ring) for (int axis = 0; axis < 2; axis++) {
            bounds[axis] = Math.min(bounds[axis], point[axis]);
            bounds[axis + 2] = Math.max(bounds[axis + 2], point[axis]);
        }
        for (double bound : bounds) out.putDouble(bound);
        out.putInt(rings.length).putInt(points);
        int start = 0;
        for (double[][] ring : rings) { out.putInt(start); start += ring.length; }
        for (double[][] ring : rings) for (double[] point : ring) out.putDouble(point[0]).putDouble(point[1]);
        if (z != null) { out.putDouble(z[0]).putDouble(z[0]); for (int each = 0; each < points; each++) out.putDouble(z[0]); }
        return out.put(curves).array();
    }

    static byte[] arc(int from, double x, double y, int bits) {
        return ByteBuffer.allocate(4 + 28).order(ByteOrder.LITTLE_ENDIAN).putInt(1).putInt(from).putInt(1).putDouble(x).putDouble(y).putInt(bits).array();
    }

    static Table survey(Database db, String name) throws IOException {
        return new TableBuilder(name)
            .addColumn(new ColumnBuilder("OBJECTID", DataType.LONG).setAutoNumber(true))
            .addColumn(new ColumnBuilder("SHAPE", DataType.OLE))
            .addColumn(new ColumnBuilder("BSM", DataType.TEXT).setLengthInUnits(18))
            .addColumn(new ColumnBuilder("DLBM", DataType.TEXT).setLengthInUnits(4))
            .addColumn(new ColumnBuilder("DLMC", DataType.TEXT).setLengthInUnits(60))
            .addColumn(new ColumnBuilder("TBMJ", DataType.DOUBLE))
            .addColumn(new ColumnBuilder("KCXS", DataType.FLOAT))
            .addColumn(new ColumnBuilder("XH", DataType.INT))
            .addColumn(new ColumnBuilder("变更日期", DataType.SHORT_DATE_TIME))
            .addColumn(new ColumnBuilder("是否举证", DataType.BOOLEAN))
            .addColumn(new ColumnBuilder("BZ", DataType.MEMO))
            .addColumn(new ColumnBuilder("SHAPE_Area", DataType.DOUBLE))
            .toTable(db);
    }

    public static void main(String[] arguments) throws Exception {
        try (Database db = DatabaseBuilder.create(Database.FileFormat.V2000, new File(arguments[0]))) {
            Table systems = new TableBuilder("GDB_SpatialRefs").addColumn(new ColumnBuilder("SRID", DataType.LONG))
                .addColumn(new ColumnBuilder("SRTEXT", DataType.MEMO)).addColumn(new ColumnBuilder("FalseX", DataType.DOUBLE)).toTable(db);
            systems.addRow(1, WKT, -5123200.0);
            Table geometries = new TableBuilder("GDB_GeomColumns").addColumn(new ColumnBuilder("TableName", DataType.TEXT))
                .addColumn(new ColumnBuilder("FieldName", DataType.TEXT)).addColumn(new ColumnBuilder("ShapeType", DataType.LONG))
                .addColumn(new ColumnBuilder("SRID", DataType.LONG)).addColumn(new ColumnBuilder("HasZ", DataType.BOOLEAN))
                .addColumn(new ColumnBuilder("HasM", DataType.BOOLEAN)).toTable(db);
            geometries.addRow("地类图斑", "SHAPE", 4, 1, false, false);
            geometries.addRow("XZQ", "SHAPE", 4, 1, false, false);
            Table classes = new TableBuilder("GDB_ObjectClasses").addColumn(new ColumnBuilder("ID", DataType.LONG))
                .addColumn(new ColumnBuilder("Name", DataType.TEXT)).addColumn(new ColumnBuilder("AliasName", DataType.TEXT)).toTable(db);
            classes.addRow(1, "地类图斑", "地类图斑");
            classes.addRow(2, "XZQ", "行政区");

            // As ArcGIS 10 has it: what a layer is called, and the list that the codes of a field are of.
            Table items = new TableBuilder("GDB_Items").addColumn(new ColumnBuilder("Name", DataType.TEXT))
                .addColumn(new ColumnBuilder("Definition", DataType.MEMO)).toTable(db);
            items.addRow("地类图斑", "<DEFeatureClassInfo><Name>地类图斑</Name><GPFieldInfoExs><GPFieldInfoEx><Name>DLBM</Name>"
                + "<AliasName>地类编码</AliasName><DomainName>地类</DomainName></GPFieldInfoEx></GPFieldInfoExs><AliasName>二调地类图斑</AliasName></DEFeatureClassInfo>");
            items.addRow("地类", "<GPCodedValueDomain2><DomainName>地类</DomainName><CodedValues><CodedValue><Name>工业用地</Name><Code>0601</Code>"
                + "</CodedValue></CodedValues></GPCodedValueDomain2>");

            Table lots = survey(db, "地类图斑");
            char[] long_ = new char[3090];
            Arrays.fill(long_, '汪');
            LocalDateTime day = LocalDateTime.of(2009, 12, 31, 0, 0);
            lots.addRow(Column.AUTO_NUMBER, polygon(5, null, new byte[0], box(0, 0, 100, 80, false)), "120113001001000123", "0701", "城镇住宅用地",
                8000.123456789012, 0.1f, 1, day, true, "他说：\"甲,乙\"\r\n第二行", 8000.0);
            lots.addRow(Column.AUTO_NUMBER, polygon(5, null, new byte[0], box(200, 0, 100, 100, false), box(220, 20, 20, 20, true), box(225, 25, 5, 5, false)),
                "120113001001000124", "0601", "工业用地㐀䶮汪𠀋", 9625.0, null, null, LocalDateTime.of(2009, 12, 31, 8, 30, 15), false, new String(long_), 9625.0);
            lots.addRow(Column.AUTO_NUMBER, polygon(0x80000033, new double[] {3.5}, new byte[0], box(400, 0, 10, 10, false)), "120113001001000125", "", null,
                100.0, 0.5f, -1, null, false, "", 100.0);
            // A half circle above a base of 20 m, by a point on the way, and one by its centre, clockwise.
            lots.addRow(Column.AUTO_NUMBER, polygon(0x20000033, null, arc(0, E + 510, N + 10, 0x80),
                new double[][] {{E + 500, N}, {E + 520, N}, {E + 500, N}}), "120113001001000126", "1201", "", 157.08, 0f, 0, day, true, null, 157.08);
            lots.addRow(Column.AUTO_NUMBER, polygon(0x20000033, null, arc(0, E + 610, N, 0),
                new double[][] {{E + 600, N}, {E + 620, N}, {E + 600, N}}), "120113001001000127", "1202", "", 157.08, 0f, 0, day, true, null, 157.08);
            lots.addRow(Column.AUTO_NUMBER, null, "120113001001000128", "0601", "", 1.0, 0f, 0, day, true, null, null);
            byte[] cut = Arrays.copyOf(polygon(5, null, new byte[0], box(0, 0, 1, 1, false)), 90);
            lots.addRow(Column.AUTO_NUMBER, cut, "120113001001000129", "0601", "", 1.0, 0f, 0, day, true, null, null);
            Table towns = survey(db, "XZQ");
            towns.addRow(Column.AUTO_NUMBER, polygon(5, null, new byte[0], box(-100, -100, 1000, 1000, false)), "1", "", "天穆镇", 1e6, 0f, 0, day, true, "", 1e6);
            Row gone = null;
            for (int extra = 0; extra < 3; extra++)
                towns.addRow(Column.AUTO_NUMBER, polygon(5, null, new byte[0], box(extra, 0, 1, 1, false)), "gone", "", "", 0.0, 0f, 0, day, true, "", 0.0);
            for (Row row : new ArrayList<>(towns.stream().toList())) if ("gone".equals(row.get("BSM"))) towns.deleteRow(row);
            Table owners = new TableBuilder("权属单位").addColumn(new ColumnBuilder("QSDWDM", DataType.TEXT)).addColumn(new ColumnBuilder("QSDWMC", DataType.TEXT)).toTable(db);
            owners.addRow("1201130010010000000", "天穆村");
        }
    }
}
