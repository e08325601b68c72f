"""KML, KMZ and their kin of 奥维 (ovKML): read by the project's own reader, since GDAL loses attributes with Chinese names."""
