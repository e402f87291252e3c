"""What `tools/make_demo_crawl.py` is made of: pictures out of packages, pages about them, and servers that misbehave."""
