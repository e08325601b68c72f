"""What comes in: inspect, mappings, ingest, and how a delivery differs from the one before."""
