"""Measures of every parcel, with their kinds and inputs."""
