"""Allmende turns snapshots of the open web into open, documented training datasets."""

__version__ = "0.1.0"
