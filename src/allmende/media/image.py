"""One image, from the bytes of its file to what a dataset stores, or to the Reason why not. Pure and in-process.

The bytes come from strangers: run this where a crash does no harm (`allmende.media.decoder`).
"""

import hashlib
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from allmende.media import colour, encode, exif, packets, phash, preview, probe, raster, resize, strip
from allmende.media.probe import Header
from allmende.media.raster import Opened, Raster
from allmende.media.resize import Pixels, Plan
from allmende.media.sample import Digest, ImageSample
from allmende.permission import Signal, c2pa, xmp
from allmende.reason import Reason
from allmende.recipe import Images

SINGLE_COLOUR_RANGE = 8
"""An image whose channels span no more steps than this (of 255) shows nothing.

A flat area has noise of up to 3 steps after JPEG compression at quality 50.
"""

MOST_SIGNALS = 16
"""More different ones are not kept of a file; reservations first. Real files have one or two."""


def process(body: bytes, options: Images, digests: Sequence[Digest] = ()) -> ImageSample | Reason:
    """Check, decode, scale and encode one image.

    Args:
        body: The file as it was fetched.
        options: What images must be and how they are stored.
        digests: Further digests of the file to make.

    Returns:
        The sample, or why there is none. Damaged, hostile or oversized input is a Reason, never an exception.
    """
    header = probe.probe(body)
    if header is None:
        return Reason.IMAGE_FORMAT
    reason = _too_few_bytes(body, options) or _refused(header.width, header.height, options)
    if reason is not None:
        return reason
    try:
        return _sample(body, header, options, digests)
    except MemoryError:
        return Reason.DECODER_CRASHED
    except cv2.error as error:
        if error.code != cv2.Error.StsNoMem:
            raise
        return Reason.DECODER_CRASHED


def _too_few_bytes(body: bytes, options: Images) -> Reason | None:
    return Reason.IMAGE_FEW_BYTES if len(body) < options.min_bytes else None


def _refused(width: int, height: int, options: Images) -> Reason | None:
    """The rules about size, which need no pixels."""
    if width <= 0 or height <= 0:
        return Reason.IMAGE_UNDECODABLE
    if width * height > options.max_pixels:
        return Reason.IMAGE_LARGE
    if min(width, height) < options.min_side:
        return Reason.IMAGE_SMALL
    if max(width, height) > options.max_aspect_ratio * min(width, height):
        return Reason.IMAGE_ASPECT_RATIO
    return None


def _sample(body: bytes, header: Header, options: Images, digests: Sequence[Digest]) -> ImageSample | Reason:
    opened = raster.open_file(body, header, options.max_pixels)
    if isinstance(opened, Reason):
        return opened
    reason = _refused(opened.width, opened.height, options)  # the decoder's own view may differ from the header's
    if reason is not None:
        return reason
    plan = resize.plan(options, *opened.upright)
    decoded = raster.decode(opened, *_as_stored(opened, plan.width, plan.height))
    if isinstance(decoded, Reason):
        return decoded
    pixels = _finished(opened, decoded, plan)
    thumbnail = resize.scale(pixels, phash.SIDE, phash.SIDE)
    luma = colour.luma(thumbnail)
    if options.drop_single_colour and _is_single_colour(pixels, luma):
        return Reason.IMAGE_SINGLE_COLOUR
    stored = resize.squared(pixels, plan.square) if plan.square else pixels
    data = _file(opened, decoded, stored, plan, options)
    digest, quality = phash.pdq(luma)
    width, height = opened.upright
    return ImageSample(
        data=data,
        sha256=hashlib.sha256(body).hexdigest(),
        phash=digest,
        phash_quality=quality,
        preview=preview.blurhash(thumbnail),
        original_format=header.format,
        original_width=width,
        original_height=height,
        original_bytes=len(body),
        width=stored.shape[1],
        height=stored.shape[0],
        format=options.format,
        exif=exif.facts(opened.exif),
        signals=_signals(packets.find(body, header, opened.xmp)),
        md5=hashlib.md5(body, usedforsecurity=False).hexdigest() if "md5" in digests else None,
        sha1=hashlib.sha1(body, usedforsecurity=False).hexdigest() if "sha1" in digests else None,
    )


def _signals(found: packets.Packets) -> tuple[Signal, ...]:
    """What the file's metadata say about mining and training; nearly always nothing."""
    if found is packets.NONE:
        return ()
    said = [signal for packet in found.xmp for signal in xmp.signals(packet)]
    said += [signal for store in found.c2pa for signal in c2pa.signals(store)]
    different = dict.fromkeys(said)
    return tuple(sorted(different, key=lambda signal: signal.says != "deny")[:MOST_SIGNALS])


def _as_stored(opened: Opened, width: int, height: int) -> tuple[int, int]:
    """The same size in the file's own orientation."""
    return (height, width) if opened.orientation >= 5 else (width, height)


def _finished(opened: Opened, decoded: Raster, plan: Plan) -> Pixels:
    """Scaled, in sRGB and upright, but neither cut nor padded."""
    width, height = _as_stored(opened, plan.width, plan.height)
    scaled = resize.scale(decoded.pixels, width, height, decoded.extent)
    return resize.upright(colour.to_srgb(scaled, decoded.kind, opened.icc), opened.orientation)


def _is_single_colour(pixels: Pixels, luma: NDArray[np.float32]) -> bool:
    """The thumbnail decides for nearly all images; of the others every pixel is looked at."""
    if np.ptp(luma) > SINGLE_COLOUR_RANGE:
        return False
    flat = pixels.reshape(pixels.shape[0] * pixels.shape[1], -1)[:, :3]
    return int(np.ptp(flat, axis=0).max()) <= SINGLE_COLOUR_RANGE


def _file(opened: Opened, decoded: Raster, stored: Pixels, plan: Plan, options: Images) -> bytes:
    """The original without metadata where the recipe wants it and the pixels are as they were, else encoded anew."""
    same_format = opened.format == {"jpg": "jpeg"}.get(options.format, options.format)
    untouched = not plan.resized and opened.orientation == 1 and decoded.opaque
    plain = decoded.kind == "grey" or (decoded.kind == "rgb" and colour.is_srgb(opened.icc))
    if options.skip_reencode and same_format and untouched and plain:
        stripped = strip.without_metadata(opened.body, opened.format)
        if stripped is not None:
            return stripped
    return encode.encode(stored, options)
