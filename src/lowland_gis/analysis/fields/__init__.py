"""What a delivery's fields say: headings, values, quantities, and which layer they make."""
