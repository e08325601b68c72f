"""A synthetic district of any size, with the truth: what every parcel was planted as."""

from lowland_gis.sample.district import Delivery, write_district
from lowland_gis.sample.spoil import SpoiltShares

__all__ = ["Delivery", "SpoiltShares", "write_district"]
