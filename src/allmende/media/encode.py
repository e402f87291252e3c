"""Pixels to a file, without any metadata."""

from io import BytesIO
from typing import cast

import numpy as np
import simplejpeg

from allmende.media.colour import as_picture
from allmende.media.resize import Pixels
from allmende.recipe import Images


def encode(pixels: Pixels, options: Images) -> bytes:
    """Encode grey or RGBX pixels in `options.format`.

    jpg is baseline 4:2:0 at libjpeg's quality, as OpenCV and thereby img2dataset write it.
    """
    if options.format == "jpg":
        return _jpg(pixels, max(1, options.quality))
    settings = {
        "png": {"compress_level": min(9, options.quality)},
        "webp": {"quality": options.quality, "method": 4},
        "avif": {"quality": options.quality, "speed": 8, "max_threads": 1},
    }[options.format]
    out = BytesIO()
    picture = as_picture(pixels, "grey" if pixels.ndim == 2 else "rgb")
    picture.save(out, format=options.format.upper(), **settings)
    return out.getvalue()


def _jpg(pixels: Pixels, quality: int) -> bytes:
    """Encode with libjpeg-turbo."""
    pixels = np.ascontiguousarray(pixels)
    if pixels.ndim == 2:
        encoded = simplejpeg.encode_jpeg(pixels[:, :, None], quality, "GRAY", "Gray")
    else:
        encoded = simplejpeg.encode_jpeg(pixels, quality, "RGBX", "420")
    return cast("bytes", encoded)
