"""Imports point one way, and importing the package is free. See docs/architecture.md."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import allmende

ROOT = Path(allmende.__file__).parent

LAYERS = [
    {"reason"},
    {"errors", "schema", "identity", "child_process", "http_content", "__init__"},
    {"recipe"},
    {"recipe_file"},
    {"permission", "safety"},
    {"commoncrawl", "dedup", "media", "url_table"},
    {"extract"},
    {"fetch", "filters"},
    {"publish"},
    {"storage"},
    {"parts"},
    {"lake"},
    {"lock", "engine", "dataset", "progress", "tables"},
    {"inspect", "steps"},
    {"building"},
    {"maintain"},
    {"retrying"},
    {"api", "frame"},
    {"testing"},
    {"demo"},
    {"cli"},
    {"__main__"},
]
"""From the ground up; a room imports from below, and from its own files."""

ENGINE_USERS = {"engine", "dataset", "frame"}
"""The only rooms that import Daft or Ray."""


def room(path):
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def level(name):
    return next(i for i, layer in enumerate(LAYERS) if name in layer)


def imported(path):
    """Modules that a file imports, and whether at module level."""
    tree = ast.parse(path.read_text("utf-8"))
    checked = {
        id(n)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for n in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in checked:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names if node.module == "allmende")


FILES = sorted(ROOT.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_down(path):
    here = room(path)
    for name in imported(path):
        parts = name.split(".")
        if parts[0] != "allmende" or len(parts) < 2 or here == "__init__":
            continue
        there = parts[1] if (ROOT / parts[1]).exists() or (ROOT / f"{parts[1]}.py").exists() else "__init__"
        if there == here:
            continue
        assert level(there) < level(here), f"{here} imports {there}, which is not below it"


def test_only_the_engine_and_dataframes_import_daft():
    users = {room(p) for p in FILES if any(name.split(".")[0] in {"daft", "ray"} for name in imported(p))}
    assert users <= ENGINE_USERS


def test_importing_is_free():
    code = "import sys, allmende; sys.exit(' '.join(sorted(m for m in sys.modules if m.split('.')[0] in HEAVY)) or 0)"
    heavy = {"daft", "ray", "pyarrow", "numpy", "aiohttp", "pycurl", "PIL", "cv2", "msgspec", "fsspec", "click"}
    result = subprocess.run(
        [sys.executable, "-c", code.replace("HEAVY", repr(heavy))], capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stderr) == (0, "")


def test_the_public_surface_is_what_it_says():
    for name in allmende.__all__:
        assert getattr(allmende, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        allmende.nonsense  # noqa: B018
    assert set(dir(allmende)) == set(allmende.__all__)
