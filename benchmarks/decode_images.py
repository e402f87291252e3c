"""What decoding costs and what it loses: the figures of docs/decisions/0005-image-decoding.md and 0008-signals-in-files.md.

    python benchmarks/make_images.py images 4000 --cache photographs
    python benchmarks/decode_images.py images --photographs photographs

Four tables: CPU time of several ways from a JPEG to a 256-pixel JPEG; what looking for reservations in metadata takes of it;
quality, measured against the pixels the JPEG was made of; and what the decoder processes add. Times are the least of several
rounds for each image, which is the best guess on a machine that others use as well.
"""

import argparse
import asyncio
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import cv2
import make_images
import numpy as np
import simplejpeg
from peers import CACHE
from PIL import Image

from allmende.media import image, packets, probe, raster, resize
from allmende.media.decoder import DecoderPool
from allmende.recipe import Images

SIZE = 256
OPTIONS = Images(size=SIZE, min_bytes=0)
Array = np.ndarray
Way = Callable[[bytes, tuple[int, int]], Array]
"""From a file to pixels of width x height, in OpenCV's channel order."""


def target(body: bytes) -> tuple[int, int]:
    height, width = simplejpeg.decode_jpeg_header(body)[:2]
    plan = resize.plan(OPTIONS, width, height)
    return plan.width, plan.height


def area(pixels: Array, size: tuple[int, int]) -> Array:
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)


def opencv(body: bytes, size: tuple[int, int]) -> Array:
    return area(cv2.imdecode(np.frombuffer(body, np.uint8), cv2.IMREAD_UNCHANGED), size)


def opencv_reduced(body: bytes, size: tuple[int, int]) -> Array:
    flags = {1: cv2.IMREAD_COLOR, 2: cv2.IMREAD_REDUCED_COLOR_2, 4: cv2.IMREAD_REDUCED_COLOR_4}
    height, width = simplejpeg.decode_jpeg_header(body)[:2]
    factor = next(f for f in (4, 2, 1) if f == 1 or min(width / size[0], height / size[1]) >= f)
    return area(cv2.imdecode(np.frombuffer(body, np.uint8), flags[factor]), size)


def pillow_draft(body: bytes, size: tuple[int, int]) -> Array:
    picture = Image.open(BytesIO(body))
    picture.draft("RGB", size)
    return np.asarray(picture.convert("RGB").resize(size, Image.Resampling.BOX))[:, :, ::-1]


def turbo_full(body: bytes, size: tuple[int, int]) -> Array:
    return area(simplejpeg.decode_jpeg(body, "BGR"), size)


def turbo_any_scale(body: bytes, size: tuple[int, int]) -> Array:
    return area(simplejpeg.decode_jpeg(body, "BGR", min_width=size[0], min_height=size[1]), size)


def halves(least: float, finish: Callable[..., Array]) -> Way:
    """libjpeg-turbo at 1/2, 1/4 or 1/8, so that `least` times the target is left; then `finish`."""

    def way(body: bytes, size: tuple[int, int]) -> Array:
        height, width = simplejpeg.decode_jpeg_header(body)[:2]
        most = min(width / size[0], height / size[1]) / least
        factor = next((f for f in (8, 4, 2) if f <= most), 1)
        smallest = {"min_width": width // factor, "min_height": height // factor} if factor > 1 else {}
        pixels = simplejpeg.decode_jpeg(body, "BGRX", min_factor=factor, **smallest)
        return finish(pixels, size, width / factor, height / factor)

    return way


def naive_area(pixels: Array, size: tuple[int, int], _across: float, _down: float) -> Array:
    return area(pixels, size)


def exact_area(pixels: Array, size: tuple[int, int], across: float, down: float) -> Array:
    scaled = cv2.resize(pixels, None, fx=size[0] / across, fy=size[1] / down, interpolation=cv2.INTER_AREA)
    return scaled[: size[1], : size[0]]


def twice(how: int) -> Callable[..., Array]:
    """Interpolate to twice the target, average 2 x 2."""

    def finish(pixels: Array, size: tuple[int, int], across: float, down: float) -> Array:
        fx, fy = 2 * size[0] / across, 2 * size[1] / down
        larger = cv2.resize(pixels, None, fx=fx, fy=fy, interpolation=how)
        return area(larger[: 2 * size[1], : 2 * size[0]], size)

    return finish


def allmende(body: bytes, size: tuple[int, int]) -> Array:
    opened = raster.open_file(body, probe.probe(body), OPTIONS.max_pixels)
    decoded = raster.decode(opened, *size)
    return resize.scale(decoded.pixels, *size, decoded.extent)


WAYS: dict[str, Way] = {
    "OpenCV, full size, area (img2dataset)": opencv,
    "OpenCV, reduced by 2 or 4, area": opencv_reduced,
    "Pillow draft, box": pillow_draft,
    "simplejpeg, full size, area": turbo_full,
    "simplejpeg, any n/8 above the target, area": turbo_any_scale,
    "1/2^n >= 1 x target, area": halves(1, naive_area),
    "1/2^n >= 2 x, area": halves(2, naive_area),
    "1/2^n >= 2 x, area, exact extent": halves(2, exact_area),
    "1/2^n >= 1.5 x, area, exact extent": halves(1.5, exact_area),
    "1/2^n >= 1.5 x, linear to 2 x, mean": halves(1.5, twice(cv2.INTER_LINEAR)),
    "1/2^n >= 1 x, cubic to 2 x, mean": halves(1, twice(cv2.INTER_CUBIC)),
    "1/2^n >= 1.25 x, cubic to 2 x, mean": halves(1.25, twice(cv2.INTER_CUBIC)),
    "1/2^n >= 1.5 x, cubic to 2 x, mean": halves(1.5, twice(cv2.INTER_CUBIC)),
    "1/2^n >= 2 x, cubic to 2 x, mean": halves(2, twice(cv2.INTER_CUBIC)),
    "Allmende (1.25 x, cubic, halved by area before)": allmende,
}


def least_seconds(calls: list[Callable[[], object]], rounds: int = 5) -> float:
    """Mean over the calls of the least time of each."""
    best = np.full(len(calls), np.inf)
    for _ in range(rounds):
        for k, call in enumerate(calls):
            start = time.perf_counter()
            call()
            best[k] = min(best[k], time.perf_counter() - start)
    return float(best.mean())


def encoded(pixels: Array) -> bytes:
    return cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()


def speed(bodies: list[bytes]) -> None:
    """First table: from file to file."""
    print(f"## {len(bodies)} files of {np.mean([len(b) for b in bodies]) / 1000:.0f} KB; ms for an image, CPU")
    sizes = [target(body) for body in bodies]
    for name, way in WAYS.items():
        calls = [lambda b=b, s=s, way=way: encoded(way(b, s)) for b, s in zip(bodies, sizes, strict=True)]
        print(f"{name:50} {least_seconds(calls) * 1e3:6.2f}")
    calls = [lambda b=b: image.process(b, OPTIONS) for b in bodies]
    print(f"{'image.process (with sha256, PDQ, BlurHash, rules)':50} {least_seconds(calls) * 1e3:6.2f}")


XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
    b'xmlns:plus="http://ns.useplus.org/ldf/xmp/1.0/" xmlns:e="http://ns.adobe.com/xap/1.0/sType/ResourceEvent#" %s>'
    + b'<e:event e:action="saved" e:when="2026-01-01T00:00:00Z" e:softwareAgent="Editor" e:changed="/"/>' * 120
    + b"</rdf:Description></rdf:RDF></x:xmpmeta>"
)
"""12 KB, as editors write it; `%s` makes room for a reservation."""

SIGNED = Path(__file__).parents[1] / "tests/unit/permission/c2pa_files/cawg.jpeg"


def segment(marker: int, data: bytes) -> bytes:
    return bytes([0xFF, marker]) + (2 + len(data)).to_bytes(2) + data


def with_metadata(bodies: list[bytes]) -> dict[str, list[bytes]]:
    """The files as they are, in other formats, and as JPEG files that carry packets."""
    header = b"http://ns.adobe.com/xap/1.0/\0"
    signed = SIGNED.read_bytes()
    store = b"".join(signed[s.start : s.end] for s in probe.probe(signed).jpeg.carriers)
    packed = {
        "JPEG, 12 KB of XMP about other things": segment(0xE1, header + XMP % b""),
        "JPEG, 12 KB of XMP that reserves": segment(0xE1, header + XMP % b'plus:DataMining="DMI-PROHIBITED"'),
        "JPEG, C2PA that reserves": store,
    }
    files = {"JPEG": bodies}
    files |= {name: [body[:2] + extra + body[2:] for body in bodies] for name, extra in packed.items()}
    for kind in ("PNG", "WEBP", "GIF", "TIFF", "AVIF"):
        files[kind] = []
        for body in bodies[:10]:
            out = BytesIO()
            Image.open(BytesIO(body)).save(out, kind)
            files[kind].append(out.getvalue())
    return files


def reservations(bodies: list[bytes]) -> None:
    """Second table: what it costs to look into the metadata of each image."""
    print(f"\n## what metadata say about training; {len(bodies)} files (10 of other formats); us for an image, CPU")
    print(f"{'':50} {'KB':>6} {'header':>7} {'packets':>8} {'signals':>8}")
    for name, files in with_metadata(bodies).items():
        headers = [probe.probe(body) for body in files]
        found = [packets.find(body, header) for body, header in zip(files, headers, strict=True)]
        ways = (
            [lambda b=body: probe.probe(b) for body in files],
            [lambda b=body, h=header: packets.find(b, h) for body, header in zip(files, headers, strict=True)],
            [lambda f=one: image._signals(f) for one in found],
        )
        shown = [least_seconds(calls) * 1e6 for calls in ways]
        print(f"{name:50} {np.mean([*map(len, files)]) / 1000:6.0f} " + "{:7.1f} {:8.1f} {:8.1f}".format(*shown))


def psnr(one: Array, other: Array) -> float:
    error = np.mean((one.astype(float) - other) ** 2)
    return 99.0 if error == 0 else float(10 * np.log10(255**2 / error))


def ssim(one: Array, other: Array) -> float:
    """Structural similarity of luma (Wang et al. 2004): Gaussian window of 11, sigma 1.5."""
    x, y = (cv2.cvtColor(a, cv2.COLOR_BGR2GRAY).astype(float) for a in (one, other))

    def blur(a: Array) -> Array:
        return cv2.GaussianBlur(a, (11, 11), 1.5)

    mean_x, mean_y = blur(x), blur(y)
    var_x, var_y = blur(x * x) - mean_x**2, blur(y * y) - mean_y**2
    both = blur(x * y) - mean_x * mean_y
    first = (2 * mean_x * mean_y + 6.5025) / (mean_x**2 + mean_y**2 + 6.5025)
    return float(np.mean(first * (2 * both + 58.5225) / (var_x + var_y + 58.5225)))


def pristine(cache: Path, each: int) -> tuple[list[Array], list[bytes]]:
    """Windows of photographs as pixels, and as the JPEG files the benchmark uses."""
    windows, bodies = [], []
    for index, path in enumerate(make_images.photographs(cache)):
        photo = cv2.imread(str(path), cv2.IMREAD_COLOR)
        for k in range(each):
            window = make_images.cut(photo, random.Random(f"quality/{index}/{k}"))
            windows.append(window)
            bodies.append(make_images.written(window))
    return windows, bodies


def quality(cache: Path, each: int) -> None:
    """Third table: distance to the original pixels scaled by Lanczos; before and after encoding."""
    windows, bodies = pristine(cache, each)
    sizes = [target(body) for body in bodies]
    ideal = [
        np.asarray(Image.fromarray(window).resize(size, Image.Resampling.LANCZOS))
        for window, size in zip(windows, sizes, strict=True)
    ]
    theirs = [opencv(body, size) for body, size in zip(bodies, sizes, strict=True)]
    print(f"\n## {len(bodies)} windows; dB and SSIM against Lanczos of the original, dB against img2dataset")
    print(f"{'':50} {'dB':>6} {'SSIM':>7} {'q95 dB':>7} {'q95 SSIM':>8} | {'median':>6} {'p5':>5} {'least':>5}")
    for name, way in WAYS.items():
        pixels = [np.ascontiguousarray(way(b, s)[:, :, :3]) for b, s in zip(bodies, sizes, strict=True)]
        files = [cv2.imdecode(np.frombuffer(encoded(p), np.uint8), cv2.IMREAD_COLOR) for p in pixels]
        means = [
            np.mean([measure(one, other) for one, other in zip(some, ideal, strict=True)])
            for some in (pixels, files)
            for measure in (psnr, ssim)
        ]
        near = np.array([psnr(one, other) for one, other in zip(pixels, theirs, strict=True)])
        shown = "{:6.2f} {:7.4f} {:7.2f} {:8.4f}".format(*means)
        print(f"{name:50} {shown} | {np.median(near):6.1f} {np.percentile(near, 5):5.1f} {near.min():5.1f}")


def cpu_ms(pid: int | str) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / 100


async def pool(bodies: list[bytes]) -> None:
    """Fourth table: what the processes add, by bodies that are refused at once; and their life."""
    start = time.perf_counter()
    async with DecoderPool(2, OPTIONS) as decoders:
        await decoders.process(b"")
        print(f"\n## decoder processes\nfirst answer after {time.perf_counter() - start:.2f} s")
        await asyncio.gather(*(decoders.process(b"") for _ in range(100)))
        pids = [worker.process.pid for worker in decoders._decoders]
        nothing = bytes(134_000)
        for name, given in (("134 KB that are no image", [nothing] * 4_000), ("the images", bodies)):
            before, began = [cpu_ms(pid) for pid in ("self", *pids)], time.perf_counter()
            for first in range(0, len(given), 500):
                await asyncio.gather(*(decoders.process(body) for body in given[first : first + 500]))
            wall = time.perf_counter() - began
            spent = [(cpu_ms(pid) - b) / len(given) for pid, b in zip(("self", *pids), before, strict=True)]
            print(
                f"{name}: {len(given) / wall:.0f} a second; CPU ms for each: "
                f"parent {spent[0]:.3f}, decoders {sum(spent[1:]):.3f}"
            )
        for pid in pids:
            status = Path(f"/proc/{pid}/status").read_text().split("VmHWM:")[1].split()[0]
            print(f"peak memory of a decoder: {int(status) / 1000:.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    images = CACHE / "images"
    parser.add_argument("folder", type=Path, nargs="?", default=images, help="what make_images.py made")
    parser.add_argument("--count", type=int, default=300, help="files timed one by one")
    parser.add_argument("--photographs", type=Path, help="make_images.py's cache: measures quality, too")
    parser.add_argument("--each", type=int, default=3, help="windows of each photograph")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    if args.folder == images and not images.exists():
        maker = Path(make_images.__file__)
        subprocess.run([sys.executable, maker, images, "4000"], check=True)
    paths = sorted(args.folder.glob("*.jpg"))
    speed([path.read_bytes() for path in paths[: args.count]])
    reservations([path.read_bytes() for path in paths[: args.count]])
    if args.photographs:
        quality(args.photographs, args.each)
    asyncio.run(pool([path.read_bytes() for path in paths[:2_000]]))
    print(f"peak memory of this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000:.0f} MB")


if __name__ == "__main__":
    main()
