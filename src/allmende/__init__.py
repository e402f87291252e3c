"""Allmende turns snapshots of the open web into open, documented training datasets."""

__version__ = "0.1.0"
__url__ = "https://github.com/allmende-data/allmende"
"""Home of the project; part of every User-Agent, so that a server's operator can see who asks."""
