"""Boost.Geometry behind an R-tree, every zone cut down to the box of the parcel first: a native program as its own process (`native/overlay.cpp`)."""

from native import run

run("trimmed")
