"""Pictures made on the spot: like photographs in what matters (soft areas, edges, colours, noise), the same every time."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image


def picture(width=640, height=480, seed=0):
    """RGB image: coloured clouds, a few sharp shapes and noise. Not symmetrical, so a wrong turn shows."""
    rng = np.random.default_rng(seed)
    clouds = cv2.resize(rng.integers(0, 256, (6, 8, 3), np.uint8), (width, height), interpolation=cv2.INTER_CUBIC)
    cv2.rectangle(clouds, (width // 8, height // 8), (width // 3, height // 2), (250, 30, 60), -1)
    cv2.circle(clouds, (3 * width // 4, height // 3), min(width, height) // 6, (20, 200, 90), -1)
    cv2.line(clouds, (0, height - 1), (width - 1, height // 2), (255, 255, 255), max(1, width // 100))
    noisy = clouds + rng.normal(0, 4, clouds.shape)
    return Image.fromarray(noisy.clip(0, 255).astype(np.uint8))


def written(image, format, **settings):
    """The image as a file's bytes."""
    out = io.BytesIO()
    image.save(out, format=format, **settings)
    return out.getvalue()


def opened(body):
    """Stored bytes as an RGB array."""
    with Image.open(io.BytesIO(body)) as image:
        return np.asarray(image.convert("RGB"))


def psnr(one, other):
    """Peak signal-to-noise ratio of two arrays, dB; 99 if they are equal."""
    error = np.mean((np.asarray(one, float) - np.asarray(other, float)) ** 2)
    return 99.0 if error == 0 else float(10 * np.log10(255**2 / error))


class Pictures:
    """The functions above, for tests."""

    make = staticmethod(picture)
    write = staticmethod(written)
    open = staticmethod(opened)
    psnr = staticmethod(psnr)


@pytest.fixture(scope="session")
def pictures():
    return Pictures


@pytest.fixture(scope="session")
def files():
    """One file of each format, with sizes that differ: name -> (bytes, format, width, height)."""

    def entry(format, kind, width, height, **settings):
        return written(picture(width, height), format, **settings), kind, width, height

    return {
        "baseline": entry("JPEG", "jpeg", 321, 243, quality=90),
        "progressive": entry("JPEG", "jpeg", 322, 242, progressive=True),
        "png": entry("PNG", "png", 323, 241),
        "webp": entry("WEBP", "webp", 324, 240, quality=80),
        "webp-lossless": entry("WEBP", "webp", 325, 239, lossless=True),
        "webp-extended": entry("WEBP", "webp", 326, 238, exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"),
        "gif": entry("GIF", "gif", 327, 237),
        "avif": entry("AVIF", "avif", 328, 236, speed=10),
        "bmp": entry("BMP", "bmp", 329, 235),
        "tiff": entry("TIFF", "tiff", 330, 234),
        "tiff-big-endian": entry("TIFF", "tiff", 331, 233, big_tiff=False, compression="tiff_lzw"),
    }
