"""Maps and sheets, and what they are drawn with."""
