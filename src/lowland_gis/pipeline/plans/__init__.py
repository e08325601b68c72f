"""The annual plans of the towns: sent out, read back, recorded, and held against what is there."""
