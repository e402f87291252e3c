"""Common Crawl's archives: which there are, how to get them, how to read them."""
