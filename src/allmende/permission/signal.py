"""What a machine-readable statement about mining or training says: the value that every parser of this room returns."""

from datetime import datetime
from typing import Literal

import msgspec

Says = Literal["deny", "allow", "unknown"]
"""deny: reserves the file, or forbids asking for it. allow: says that it may be taken. unknown: says something that we
can't read. Silence is no signal."""

VALUE_CHARS = 500
"""Longer values are cut: evidence, not an archive. Bodies of robots.txt and the like are stored whole elsewhere."""


class Signal(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One statement, as it was read: the evidence for a verdict."""

    name: str
    """Which of `allmende.permission.policy.SIGNALS`."""
    says: Says
    """What it means for a dataset that models are trained on."""
    value: str
    """The statement as written, at most `VALUE_CHARS` characters."""
    url: str = ""
    """Of the document or file that it stood in; empty for the file itself."""
    field: str = ""
    """The header, element or property: `header:x-robots-tag`, `meta:robots`, `xmp:plus:DataMining`. Empty for a line of
    a file such as robots.txt."""
    line: int | None = None
    """Line number from 1, in files that have lines."""
    at: datetime | None = None
    """When it was read off the web (clock column) or captured."""
