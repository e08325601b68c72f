"""What became of parcels between two states of the land, and of their areas; arrays and frames in, frames out."""
