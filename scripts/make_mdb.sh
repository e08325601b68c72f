#!/bin/sh
# Make the personal geodatabase of the tests anew: sh scripts/make_mdb.sh tests/data/二调.mdb.xz  (Java 17, Maven, xz; once in a while)
set -eu
target=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
here=$(cd "$(dirname "$0")/mdb" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/pom.xml" <<'POM'
<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion><groupId>made</groupId><artifactId>made</artifactId><version>1</version>
<dependencies><dependency><groupId>com.healthmarketscience.jackcess</groupId><artifactId>jackcess</artifactId><version>4.0.8</version></dependency></dependencies></project>
POM
mvn -q -f "$folder/pom.xml" dependency:copy-dependencies -DoutputDirectory="$folder/jars"
java -Dfile.encoding=UTF-8 -cp "$folder/jars/*" "$here/MakeMdb.java" "$folder/made.mdb" 
xz -9 --stdout "$folder/made.mdb" > "$target"
