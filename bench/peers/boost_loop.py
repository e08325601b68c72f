"""Boost.Geometry behind an R-tree, pair by pair: a native program as its own process (`native/overlay.cpp`)."""

from native import run

run("plain")
