"""What people decide: determinations and what is still to do."""
