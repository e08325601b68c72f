"""Workbooks as they are stored: sheets, cells, merged and hidden ones."""
