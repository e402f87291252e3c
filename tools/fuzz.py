"""Feeds parsers with inputs that nobody means well with, for as long as you like.

    python tools/fuzz.py --list
    python tools/fuzz.py html --seconds 300
    python tools/fuzz.py all --seconds 60 --engine mutation

Each target runs in a process of its own, which may crash, hang (10 s for one input) or run out of memory (2 GB): all of
that is found. Inputs that break something are made shorter and put into tests/fuzz/corpus/TARGET/, where `make test`
replays them; rename them after their defect. With `atheris` installed (pip install atheris) inputs are guided by
coverage; without it they are mutations of samples.
"""

import argparse
import hashlib
import importlib.util
import mmap
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Iterator
from pathlib import Path

CORPUS = Path(__file__).resolve().parent.parent / "tests" / "fuzz" / "corpus"
HANG_SECONDS = 10
MEMORY_BYTES = 2_000_000_000
SLOW_SECONDS = 2.0
"""An input of at most 128 KiB that takes longer, in CPU time, is a finding."""


def main() -> int:
    """Runs the targets; exit code 1 if something was found."""
    options = _options()
    from allmende.testing.fuzz import TARGETS

    if options.list:
        print("\n".join(TARGETS))
        return 0
    if options.target not in {"all", *TARGETS}:
        sys.exit(f"No target {options.target!r}. There are: all, {', '.join(TARGETS)}.")
    if options.child:
        return _child(options.target, options)
    names = list(TARGETS) if options.target == "all" else [options.target]
    return max(_parent(name, options) for name in names)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", nargs="?", default="all")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0, help="Of the mutations.")
    parser.add_argument("--engine", choices=["auto", "atheris", "mutation"], default="auto")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--child", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.engine == "auto":
        options.engine = "atheris" if importlib.util.find_spec("atheris") else "mutation"
    return options


def _parent(name: str, options: argparse.Namespace) -> int:
    """Starts the process again and again until the time is over; what it was at when it died is a finding."""
    end, seed, found, runs = time.monotonic() + options.seconds, options.seed, 0, 0
    folder = Path(tempfile.mkdtemp(prefix="allmende-fuzz-"))
    scratch = folder / name
    scratch.write_bytes(bytes(4 + (1 << 18)))
    while (left := end - time.monotonic()) > 1:
        command = [sys.executable, __file__, name, "--child", str(scratch), "--seconds", str(left)]
        command += ["--seed", str(seed), "--engine", options.engine]
        code = subprocess.run(command, check=False, stderr=subprocess.DEVNULL).returncode
        stored = scratch.read_bytes()
        runs += int.from_bytes(stored[-8:], "little")
        if code == 0:
            break
        data = stored[4 : 4 + int.from_bytes(stored[:4], "little")]
        found += _keep(name, data, f"the process ended with {code}")
        seed += 1_000_003
    shutil.rmtree(folder)
    print(f"{name}: {runs:,} inputs, {found} findings", flush=True)
    return int(found > 0)


def _keep(name: str, data: bytes, why: str) -> int:
    folder = CORPUS / name
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"found-{hashlib.sha256(data).hexdigest()[:8]}"
    if path.exists():
        return 0
    path.write_bytes(data)
    print(f"{name}: {why}: {path} ({len(data)} bytes)", flush=True)
    return 1


class Watched:
    """A target that notes what it is at, and ends the process when that breaks something."""

    def __init__(self, name: str, scratch: Path):
        from allmende.testing.fuzz import TARGETS

        self.name = name
        self.target = TARGETS[name]
        self._file = scratch.open("r+b")
        self._map = mmap.mmap(self._file.fileno(), 0)
        self._runs = 0
        self._map[-8:] = bytes(8)

    def __call__(self, data: bytes) -> None:
        """Runs it. Slow inputs are findings, too, but no reason to end."""
        data = data[: 1 << 17]
        self._map[: 4 + len(data)] = len(data).to_bytes(4, "little") + data
        self._runs += 1
        self._map[-8:] = self._runs.to_bytes(8, "little")
        signal.setitimer(signal.ITIMER_REAL, HANG_SECONDS)
        began = time.process_time()
        self.target.run(data)
        if time.process_time() - began > SLOW_SECONDS:
            _keep(self.name, data, f"took {time.process_time() - began:.1f} s")


def _child(name: str, options: argparse.Namespace) -> int:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    warnings.simplefilter("ignore")
    watched = Watched(name, Path(options.child))
    if options.engine == "atheris":
        return _guided(watched, options)
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))
    choice = random.Random(options.seed)
    from allmende.testing.fuzz import inputs_of, minimised, mutate

    inputs = inputs_of(watched.target, _kept(name))
    end, seen = time.monotonic() + options.seconds, set()
    while time.monotonic() < end:
        data = mutate(choice, inputs, watched.target.words)
        error = _error(watched, data)
        if error and error not in seen:
            seen.add(error)
            _keep(name, minimised(lambda shorter, error=error: _error(watched, shorter) == error, data), error)
    return 0


def _error(watched: Watched, data: bytes) -> str:
    """What is raised and where; empty if nothing is."""
    try:
        watched(data)
    except Exception as error:  # noqa: BLE001 - that is what we are here for
        last = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}: {str(error)[:100]!r:.60}"
    return ""


def _kept(name: str) -> Iterator[bytes]:
    for path in sorted((CORPUS / name).glob("*")):
        yield path.read_bytes()


def _guided(watched: Watched, options: argparse.Namespace) -> int:
    import atheris

    # What is imported from here on is instrumented; the target imports its parser when it first runs.
    folder = Path(options.child + "-corpus")
    folder.mkdir(exist_ok=True)
    from allmende.testing.fuzz import inputs_of

    for number, data in enumerate(inputs_of(watched.target, _kept(watched.name))):
        (folder / str(number)).write_bytes(data)
    with atheris.instrument_imports(include=["allmende"]):
        watched.target.run(watched.target.seeds()[0])
    words = folder.with_suffix(".words")
    escaped = ("".join(rf"\x{byte:02x}" for byte in word) for word in watched.target.words)
    words.write_text("".join(f'"{word}"\n' for word in escaped))
    flags = [
        f"-max_total_time={int(options.seconds)}",
        f"-dict={words}",
        "-max_len=65536",
        f"-rss_limit_mb={MEMORY_BYTES >> 20}",
    ]
    atheris.Setup([sys.argv[0], *flags, f"-timeout={HANG_SECONDS}", f"-seed={options.seed + 1}", str(folder)], watched)
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
