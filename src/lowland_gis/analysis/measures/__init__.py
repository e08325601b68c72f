"""Values of parcels: out of overlaps, lines, plans and enterprises; the town of each."""
