"""The docs say what the code does."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from allmende.cli import COMMANDS
from allmende.schema import Reason

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def test_the_reference_is_that_of_the_code():
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "make_reference.py", "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_readme_shows_every_command():
    readme = (ROOT / "README.md").read_text("utf-8")
    assert [name for name in COMMANDS if f"allmende {name}" not in readme] == []


def test_every_reason_has_a_heading():
    page = (ROOT / "docs" / "reference" / "reasons.md").read_text("utf-8")
    assert [reason for reason in Reason if f"### {reason}\n" not in page] == []


def test_every_command_has_an_example_in_its_help():
    for name in COMMANDS:
        help_text = subprocess.run(
            [sys.executable, "-m", "allmende", name, "--help"], capture_output=True, text=True, check=True
        ).stdout
        assert f"Examples:\n    allmende {name}" in help_text


def test_architecture_names_every_room():
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    rooms = {p.name for p in (ROOT / "src" / "allmende").iterdir() if not p.name.startswith(("_", "py.typed"))}
    assert sorted(room for room in rooms if f"{room}/" not in page and room not in page) == []
