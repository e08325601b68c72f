"""lowland_gis: a PostGIS parcel database and analysis toolkit for low-efficiency land (低效用地)."""

__version__ = "0.1.0"
