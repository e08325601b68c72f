"""A synthetic district of any size, with the truth: what every parcel was planted as."""

from lowland_gis.sample.decisions import Decision
from lowland_gis.sample.district import Delivery, check_size, write_district
from lowland_gis.sample.second import SecondYear, write_second_year
from lowland_gis.sample.spoil import SpoiltShares

__all__ = [
    "Decision",
    "Delivery",
    "SecondYear",
    "SpoiltShares",
    "check_size",
    "write_district",
    "write_second_year",
]
