"""The commands that the README shows, run as they stand there: offline, in an empty folder, one after the other."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from allmende.demo.server import DATA
from allmende.testing.text_pages import text_archive

README = Path(__file__).parents[2] / "README.md"

SHOWN = [
    line.partition(" # ")[0].strip()
    for line in README.read_text("utf-8").splitlines()
    if re.match(r"    allmende ", line)  # in sentences commands stand in code spans
]

ELSEWHERE = {"allmende demo", "allmende demo --kind text"}
"""`test_demo.py` and `test_demo_text.py` run these."""

INSTEAD = {
    "patch apply COPY 1.0.0-2.0.0.patch": "patch apply copy german-images/releases/patches/1.0.0-2.0.0.patch",
    "diff OLD NEW": "diff german-images/releases/1.0.0.json german-images",
    "verify german-images --online": "verify german-images",
    "crawls": f"crawls --source {DATA}",
    "inspect FILE": "inspect german-images/release/shards/00000.tar",
}
"""Where a word stands for something of the user's, or the web would be asked."""


TEXT = """
[dataset]
name = "german-text"
kind = "text"
[select]
archives = ["0.warc.gz"]
[quality]
signals = true
"""


@pytest.mark.slow
def test_the_commands_of_the_readme_run(allmende, tmp_path):
    assert set(SHOWN) >= ELSEWHERE | {f"allmende {line}" for line in INSTEAD}
    pq.write_table(pa.table({"url": ["http://127.0.0.1/1.jpg"], "caption": ["words"]}), tmp_path / "urls.parquet")
    rows = [{"text": f"{label} words of text number {i}", "label": label} for i in range(200) for label in ("a", "b")]
    (tmp_path / "labelled.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "0.warc.gz").write_bytes(text_archive(0, pages=12).to_bytes())
    (tmp_path / "text.toml").write_text(TEXT)
    allmende("build", "text.toml")
    for shown in SHOWN:
        line = INSTEAD.get(shown.removeprefix("allmende "), shown.removeprefix("allmende "))
        if shown in ELSEWHERE or ("classifier" in line and not find_spec("fasttext")):
            continue
        arguments = shlex.split(line)
        if arguments[0] == "takedown":
            shutil.copytree(tmp_path / "german-images/release", tmp_path / "copy")
            arguments[arguments.index("--url") + 1] = url_in(tmp_path / "german-images")
        done = subprocess.run(
            [sys.executable, "-m", "allmende", *arguments],
            cwd=tmp_path,
            input="y\n",
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        if arguments[0] == "init":
            read_archives_that_are_here(tmp_path / arguments[1])


def url_in(dataset):
    [first, *_] = sorted(dataset.glob("release/shards/*.parquet"))
    return pq.read_table(first, columns=["url"]).to_pylist()[0]["url"]


def read_archives_that_are_here(recipe):
    """Has the recipe read the demo's crawl, and images from there, instead of the web."""
    text = recipe.read_text("utf-8")
    text, crawls = re.subn(
        r'(?m)^crawl = ".*"$', f'archives = ["{DATA}/crawl-data/**/*.warc.gz", "{DATA}/web.warc.gz"]', text
    )
    text, sources = re.subn(r'(?m)^#: from = "web"$', 'from = "archive"', text)
    assert (crawls, sources) == (1, 1)
    recipe.write_text(text, "utf-8")
