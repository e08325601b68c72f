import geopandas
import shapely

import lowland_gis

lots = shapely.box([515_000, 515_100], 4_345_000, [515_100, 515_200], 4_345_100)
parcels = geopandas.GeoDataFrame({"ZDDM": ["B", "A"]}, geometry=lots, crs="EPSG:4548")
use = shapely.box(515_050, 4_345_000, 515_150, 4_345_100)
zones = geopandas.GeoDataFrame({"DLBM": ["0601"]}, geometry=[use], crs="EPSG:4548")
table = lowland_gis.tabulate(parcels, zones, id="ZDDM", by="DLBM")
print(table.to_csv(index=False))
