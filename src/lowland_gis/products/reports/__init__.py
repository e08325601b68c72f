"""Reports of the district (简报、报告): figures in words, tables and charts, as Word documents and workbooks."""
