"""Overlaps on Apache Spark with Apache Sedona: the plane in cells, the kernel of this program in the tasks."""
