"""Coordinate text of land approvals (勘测定界 TXT) out of its text: pure, no file."""
