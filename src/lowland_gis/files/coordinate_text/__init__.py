"""Coordinate text of land approvals (勘测定界 TXT) out of files: encodings, and folders of files as one delivery."""
