"""Make the input of the image benchmarks: N JPEG files as web servers hold them, cut from real photographs.

    python benchmarks/make_images.py OUT N [--seed 0] [--cache FOLDER]

The photographs are wallpapers from Debian packages (free licences; each package's own copyright file lists
them), fetched by name with `apt-get download` and unpacked with `dpkg-deb`. From each the same number of
random windows is cut, scaled down to 480..1600 pixels on the longer side and saved with quality 85, so
no two files are alike and the files are as sharp as scaled-down photographs on the web are. About 134 KB
each on average. The same seed and the same packages give the same files, byte for byte.

Files are named by number (`000000.jpg`), and are in random order as regards the photograph they come from.
"""

import argparse
import random
import subprocess
import sys
from pathlib import Path

import cv2

PACKAGES = (
    "lomiri-wallpapers-16.04",
    "lomiri-wallpapers-20.04",
    "mate-backgrounds",
    "plasma-workspace-wallpapers",
    "ukui-wallpapers",
)
SHAPES = ((4, 3), (3, 2), (16, 9), (1, 1), (3, 4), (2, 3))
SHAPE_WEIGHTS = (4, 4, 3, 1, 1, 1)
LONGER_SIDES = (480, 640, 800, 1024, 1200, 1280, 1600)
SIDE_WEIGHTS = (1, 1, 2, 2, 4, 4, 7)
QUALITY = 85
SMALLEST = 6_000
"""Bytes. An empty sky makes smaller files, which the recipe's default `min_bytes` would drop."""


def photographs(cache: Path) -> list[Path]:
    """Paths of the photographs, sorted; downloads and unpacks the packages that `cache` lacks."""
    cache.mkdir(parents=True, exist_ok=True)
    found = {}
    for package in PACKAGES:
        folder = cache / package
        if not folder.exists():
            subprocess.run(["apt-get", "download", "-qq", package], cwd=cache, check=True)
            archive = next(cache.glob(f"{package}_*.deb"))
            subprocess.run(["dpkg-deb", "-x", archive.name, package], cwd=cache, check=True)
            archive.unlink()
        for path in sorted(folder.rglob("*.jpg")):
            if path.stat().st_size > 60_000 and path.name != "screenshot.jpg":
                found[path.resolve()] = None  # plasma links one file under a name for each screen size
    return sorted(found)


def cut(photo: cv2.typing.MatLike, rng: random.Random) -> cv2.typing.MatLike:
    """One random window of the photograph, scaled down."""
    height, width = photo.shape[:2]
    across, down = rng.choices(SHAPES, SHAPE_WEIGHTS)[0]
    longer = rng.choices(LONGER_SIDES, SIDE_WEIGHTS)[0]
    scale = longer / max(across, down)
    out_width, out_height = round(across * scale), round(down * scale)
    largest = min(width / out_width, height / out_height)
    zoom = rng.uniform(min(largest, 1.3), largest)
    window_width, window_height = min(int(out_width * zoom), width), min(int(out_height * zoom), height)
    left, top = rng.randint(0, width - window_width), rng.randint(0, height - window_height)
    window = photo[top : top + window_height, left : left + window_width]
    if rng.random() < 0.5:
        window = cv2.flip(window, 1)
    return cv2.resize(window, (out_width, out_height), interpolation=cv2.INTER_AREA)


def written(pixels: cv2.typing.MatLike) -> bytes:
    """The pixels as a JPEG file."""
    return cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="folder to write to")
    parser.add_argument("count", type=int, help="number of files")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cache", type=Path, help="folder for the unpacked packages (default: beside OUT)")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    sources = photographs(args.cache or args.out.parent / "photographs")
    numbers = list(range(args.count))
    random.Random(args.seed).shuffle(numbers)
    cv2.setNumThreads(1)
    total = 0
    for index, path in enumerate(sources):
        photo = cv2.imread(str(path), cv2.IMREAD_COLOR)
        for number in numbers[index :: len(sources)]:
            rng = random.Random(f"{args.seed}/{number}")
            while len(body := written(cut(photo, rng))) < SMALLEST:
                pass  # the next window of the same random numbers
            total += len(body)
            (args.out / f"{number:06d}.jpg").write_bytes(body)
        print(f"{index + 1}/{len(sources)} {path.name}", file=sys.stderr)
    print(f"{args.count} files, {total / args.count / 1000:.1f} KB on average, from {len(sources)} photographs")


if __name__ == "__main__":
    main()
