"""What an image becomes. Apart from the modules that make it, so that who only stores samples imports no decoder."""

import msgspec


class ImageSample(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The stored image, and the columns of `allmende.schema.IMAGE_FACTS`, which documents them."""

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
