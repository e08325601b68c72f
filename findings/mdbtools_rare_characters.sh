#!/bin/sh
# mdb-export writes "??" for each character beyond 16 bits (𠀋, 𰻞 …: rare ones in names of people and villages), with exit code 0 and no word.
#
# Package:  mdbtools 1.0.0+dfsg-1.1 (Debian 12), beside Jackcess 4.0.8 (Maven); source: https://github.com/mdbtools/mdbtools (src/libmdb/iconv.c:
#           texts of Access 2000 and later are converted from "UCS-2LE", which has no pairs of halves)
# Expected: a text of Access is UTF-16; either the character comes, as from Jackcess, or the program says that one could not be converted.
# Happens:  张𠀋 and 张𠀍, two owners, both come as 张??, by mdb-export and mdb-json alike; exit code 0, nothing on stderr. So what GDAL reads
#           through odbc-mdbtools is the same.
# Seen:     2026-12-01, Debian 12, Linux x86_64. Needs apt-get install mdbtools maven default-jdk-headless. Exits non-zero when the characters come.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > pom.xml <<'POM'
<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion><groupId>made</groupId><artifactId>made</artifactId><version>1</version>
<dependencies><dependency><groupId>com.healthmarketscience.jackcess</groupId><artifactId>jackcess</artifactId><version>4.0.8</version></dependency></dependencies></project>
POM
cat > Made.java <<'JAVA'
import com.healthmarketscience.jackcess.*;
import java.io.*;

public class Made {
    public static void main(String[] arguments) throws Exception {
        try (Database db = DatabaseBuilder.create(Database.FileFormat.V2000, new File("made.mdb"))) {
            Table table = new TableBuilder("owners").addColumn(new ColumnBuilder("name", DataType.TEXT)).toTable(db);
            table.addRow("张\ud840\udc0b");
            table.addRow("张\ud840\udc0d");
            PrintStream out = new PrintStream(System.out, true, "UTF-8");
            for (Row row : db.getTable("owners")) out.println("Jackcess: " + row.get("name"));
        }
    }
}
JAVA
mvn -q -B dependency:copy-dependencies -DoutputDirectory=jars > /dev/null
java -Dfile.encoding=UTF-8 -cp "jars/*" Made.java 2> /dev/null
export LC_ALL=C.UTF-8
mdb-export -H made.mdb owners > exported.csv 2> said.txt
echo "mdb-export, exit code $?, on stderr: $(cat said.txt)"
cat exported.csv
test "$(grep -c '??' exported.csv)" = 2 && test ! -s said.txt && test "$(sort -u exported.csv | wc -l)" = 1
