"""Write a file geodatabase with titles and a list of codes, by the GDAL of the system: type `python3 described_geodatabase.py FILE.gdb`."""

import sys

from osgeo import gdal, ogr, osr

gdal.UseExceptions()
made = gdal.GetDriverByName("OpenFileGDB").Create(sys.argv[1], 0, 0, 0, gdal.GDT_Unknown)
system = osr.SpatialReference()
system.ImportFromEPSG(4548)
codes = {"10": "国有土地所有权", "20": "国有土地使用权", "30": "集体土地所有权"}
made.AddFieldDomain(
    ogr.CreateCodedFieldDomain("权属性质字典", "权属性质", ogr.OFTString, ogr.OFSTNone, codes)
)
layer = made.CreateLayer(
    "DLTB", system, ogr.wkbMultiPolygon, ["LAYER_ALIAS=地类图斑", "FEATURE_DATASET=TDDC"]
)
for name, title, codes in (
    ("BSM", "标识码", None),
    ("QSXZ", "权属性质", "权属性质字典"),
    ("DLBM", "DLBM", None),
):
    field = ogr.FieldDefn(name, ogr.OFTString)
    field.SetAlternativeName(title)
    if codes:
        field.SetDomainName(codes)
    layer.CreateField(field)
feature = ogr.Feature(layer.GetLayerDefn())
feature.SetField("BSM", "1")
feature.SetField("QSXZ", "20")
feature.SetGeometry(
    ogr.CreateGeometryFromWkt(
        "MULTIPOLYGON (((515000 4345000, 515000 4345100, 515100 4345100, 515000 4345000)))"
    )
)
layer.CreateFeature(feature)
made.CreateLayer("QSDW", None, ogr.wkbNone, ["LAYER_ALIAS=权属单位"]).CreateField(
    ogr.FieldDefn("BSM", ogr.OFTString)
)
