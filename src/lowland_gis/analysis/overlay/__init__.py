"""How much of each parcel lies in which zone: the hot loop."""
