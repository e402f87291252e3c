"""The steps of a build, one file each: what its parts are, and how a worker makes one.

A step turns what lies in the lake before it into its own parts. `build.py` lists them in order.
"""
