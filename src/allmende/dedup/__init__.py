"""Which rows are the same, and which are there too often."""
