"""Environments of their own for the peers we measure against, and a clock that counts CPU time of whole process trees."""

import compileall
import os
import platform
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache" / "bench"

# What pip does with packages that it installs, the peers too; an editable one stays uncompiled with PYTHONDONTWRITEBYTECODE.
compileall.compile_dir(ROOT / "src", quiet=1)


def peer(name: str, *packages: str) -> Path:
    """The `bin` folder of an environment that holds a peer, made on first use."""
    home = CACHE / "peers" / name
    if not (home / "made").exists():
        print(f"installing {name}: {' '.join(packages)}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", home], check=True)
        pip = [home / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *packages], check=True)
        (home / "made").touch()
    return home / "bin"


@dataclass(frozen=True)
class Cost:
    """What a command took."""

    wall: float
    cpu: float
    rss: int
    """Largest single process, bytes."""


def run(command: list[str], **environment: str) -> Cost:
    """Runs a command to its end; its output goes to a log in the cache."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    with (CACHE / "last.log").open("wb") as log:
        code = subprocess.run(
            command, stdout=log, stderr=subprocess.STDOUT, check=False, env={**os.environ, **environment}
        ).returncode
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if code:
        sys.exit(f"{' '.join(map(str, command))} ended with {code}:\n{(CACHE / 'last.log').read_text()[-3000:]}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(wall, cpu, after.ru_maxrss * 1024)


def machine() -> str:
    """A line that names the machine."""
    model = next(
        (line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        "",
    )
    return (
        f"{model}, {os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()} {platform.release()}"
    )
