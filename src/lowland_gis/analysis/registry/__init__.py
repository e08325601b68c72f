"""What people decide, without a database: which moves there are, and what each of them asks."""
