"""What an image becomes. Apart from the modules that make it, so that who only stores samples imports no decoder."""

from typing import Literal

import msgspec

from allmende.permission.signal import Signal

Digest = Literal["md5", "sha1"]
"""Digests of the original bytes that are made on request. SHA-256 always is."""


class ImageSample(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The stored image, the columns of `allmende.schema.IMAGE_FACTS`, which documents them, and what judges it."""

    data: bytes
    """The stored image's file."""
    sha256: str
    phash: str
    phash_quality: int
    preview: str
    original_format: str
    original_width: int
    original_height: int
    original_bytes: int
    width: int
    height: int
    format: str
    exif: str
    signals: tuple[Signal, ...] = ()
    """What the original file says about mining and training: its XMP and C2PA metadata."""
    md5: str | None = None
    """Of the original bytes, hex; None if nobody asked for it. Likewise `sha1`."""
    sha1: str | None = None
