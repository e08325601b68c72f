"""Frames in, a file out: packages, workbooks and maps."""
