"""Drawings (DXF): read by ezdxf in a process of its own, brought to layers of rows."""
