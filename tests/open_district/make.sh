#!/bin/sh
# Make incoming/ anew from the plots in momepy's wheel, with ogr2ogr alone (GDAL 3.6 with SpatiaLite, GEOS 3.11).
#   pip download --no-deps momepy==0.11.0 && sh make.sh momepy-0.11.0-py3-none-any.whl
set -eu
wheel=$(realpath "$1")
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
rm -rf incoming corrected && mkdir incoming corrected
unzip -q -o "$wheel" momepy/datasets/bubenec.gpkg -d "$work"
export OGR_CURRENT_DATE=2024-01-01T00:00:00.000Z

# 1. Onto a plane in metres (S-JTSK / Krovak East North), then the whole of it moved: x + 1,244,000 m, y + 5,390,000 m.
ogr2ogr "$work/metres.gpkg" "$work/momepy/datasets/bubenec.gpkg" plots -t_srs EPSG:5514
ogr2ogr "$work/moved.gpkg" "$work/metres.gpkg" -nln plots -a_srs EPSG:4548 -dialect sqlite -sql '
  SELECT ID, ID_2, TYPPPD_KOD, KATUZE_KOD, OBEC_KOD, ST_Translate(geom, 1244000, 5390000, 0) AS geom FROM plots'
mkdir "$work/zip"
ogr2ogr "$work/zip/plots.shp" "$work/moved.gpkg" plots -lco ENCODING=UTF-8
(cd "$work/zip" && zip -q -X plots.zip plots.*) && mv "$work/zip/plots.zip" incoming/

# 2. Blocks: plots that touch. What the other files say is invented, and given to whole blocks by where they lie.
ogr2ogr "$work/blocks.gpkg" "$work/moved.gpkg" -nln blocks -explodecollections -nlt POLYGON -a_srs EPSG:4548 -dialect sqlite \
  -sql 'SELECT ST_Buffer(ST_Union(ST_Buffer(geom, 0.5, 2)), 1.5, 2) AS geom FROM plots'
ogr2ogr "$work/uses.gpkg" "$work/blocks.gpkg" -nln uses -a_srs EPSG:4548 -dialect sqlite -sql "
  SELECT CASE WHEN x > 500310 THEN 'VV'
              WHEN x BETWEEN 500130 AND 500310 AND y BETWEEN 4348600 AND 4348860 THEN 'VN'
              WHEN x BETWEEN 500100 AND 500310 AND y BETWEEN 4348940 AND 4349150 THEN 'SV'
              ELSE 'OB' END AS FUNKCE, x, y, geom
  FROM (SELECT ST_X(ST_Centroid(geom)) AS x, ST_Y(ST_Centroid(geom)) AS y, geom FROM blocks)"
ogr2ogr incoming/land_use.fgb "$work/uses.gpkg" -nln land_use -nlt MULTIPOLYGON -dialect sqlite -sql "
  SELECT FUNKCE, CASE FUNKCE WHEN 'VV' THEN 'veřejné vybavení' WHEN 'VN' THEN 'nerušící výroba'
                             WHEN 'SV' THEN 'všeobecně smíšené' ELSE 'čistě obytné' END AS POPIS, ST_SimplifyPreserveTopology(geom, 0.3) AS geom FROM uses"

# 3. Two towns, of whole blocks.
ogr2ogr incoming/towns.shp "$work/uses.gpkg" -nlt MULTIPOLYGON -lco ENCODING=UTF-8 -dialect sqlite -sql "
  SELECT CASE WHEN y < 4348790 THEN '5547822' ELSE '5547821' END AS KOD,
         CASE WHEN y < 4348790 THEN 'Bubeneč jih' ELSE 'Bubeneč sever' END AS NAZEV,
         ST_Union(ST_SimplifyPreserveTopology(geom, 0.3)) AS geom FROM uses GROUP BY y < 4348790"

# 4. Firms on works and shops; tax in thousands. One plot in fifteen has none.
ogr2ogr "$work/places.gpkg" "$work/moved.gpkg" -nln places -nlt NONE -dialect sqlite -sql "
  SELECT CAST(ID AS INTEGER) AS n, ID_2 AS parcela, ST_Area(geom) * 0.0015 AS mu, ST_X(ST_PointOnSurface(geom)) AS x,
         ST_Y(ST_PointOnSurface(geom)) AS y FROM plots WHERE ST_Area(geom) > 60"
ogr2ogr incoming/firms.xlsx "$work/places.gpkg" -nln firms -dialect sqlite -sql "
  SELECT parcela, 2023 AS rok, 'Firma ' || n AS firma,
         ROUND(10 * mu * CASE WHEN y < 4348790 THEN 1 + n % 4 ELSE 4 + n % 5 END, 2) AS dan_tis,
         CASE WHEN y > 4348900 AND x < 500170 THEN 12 + n % 5 ELSE n % 4 END AS bez_provozu
  FROM places WHERE n % 15 > 0 AND ((x BETWEEN 500060 AND 500310 AND y BETWEEN 4348560 AND 4348930)
                                OR (x BETWEEN 500040 AND 500340 AND y BETWEEN 4348900 AND 4349170)) ORDER BY n"

# 5. The southern town surveyed anew: plot 46209918010 went into its neighbour, plot 2402223101 is parted in two.
ogr2ogr -update "$work/moved.gpkg" incoming/towns.shp -nln towns -nlt MULTIPOLYGON
ogr2ogr "$work/south.gpkg" "$work/moved.gpkg" -nln south -nlt MULTIPOLYGON -dialect sqlite -sql "
  WITH town AS (SELECT plots.* FROM plots, towns WHERE KOD = '5547822' AND ST_Intersects(ST_PointOnSurface(plots.geom), towns.geom)),
  west AS (SELECT ST_Translate(ST_Envelope(geom), -20, 0, 0) AS half FROM town WHERE ID_2 = '2402223101')
  SELECT ID, ID_2, TYPPPD_KOD, KATUZE_KOD, OBEC_KOD, geom FROM town
  WHERE ID_2 NOT IN ('46209918010', '46209919010', '2402223101')
  UNION ALL SELECT '3016', '46209919010', '9100301', 730106, 554782, ST_Union(geom) FROM town
  WHERE ID_2 IN ('46209918010', '46209919010')
  UNION ALL SELECT '208', '2402223101', '9100301', 730106, 554782, ST_Intersection(geom, half) FROM town, west
  WHERE ID_2 = '2402223101'
  UNION ALL SELECT '5001', '99000001010', '9100301', 730106, 554782, ST_Difference(geom, half) FROM town, west
  WHERE ID_2 = '2402223101'"
mkdir "$work/zip2"
ogr2ogr "$work/zip2/plots_south.shp" "$work/south.gpkg" south -lco ENCODING=UTF-8 -a_srs EPSG:4548
(cd "$work/zip2" && zip -q -X plots_south.zip plots_south.*) && mv "$work/zip2/plots_south.zip" corrected/
