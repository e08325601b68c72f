"""Pure functions: arrays and frames in, frames out; no file, database, clock or random state."""
