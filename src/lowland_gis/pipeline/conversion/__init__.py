"""One kind of file out of another, read again and held against what was read first."""
