"""The snippets of docs/how-to/use-a-dataset.md do what the page says."""

import re
from pathlib import Path

import pytest

from allmende.publish import Shard, load_sink, sink_names
from allmende.testing.samples import sample

PAGE = (Path(__file__).parents[3] / "docs" / "how-to" / "use-a-dataset.md").read_text()
SNIPPETS = [text for text in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if "load_dataset" not in text]


@pytest.fixture
def release(tmp_path, monkeypatch):
    (tmp_path / "shards").mkdir()
    for number in range(2):
        load_sink("webdataset").write(Shard(number), (sample(seed) for seed in range(30)), tmp_path / "shards")
    (tmp_path / "shards" / "part-00000.json").write_text("{}")
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("release")
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("snippet", SNIPPETS, ids=[snippet.splitlines()[0] for snippet in SNIPPETS])
def test_snippets_run(snippet, capsys):
    names: dict = {}
    exec(compile(snippet, "use-a-dataset.md", "exec"), names)
    capsys.readouterr()
    if "image" in names and isinstance(names["image"], bytes):
        assert names["image"] == sample(3)[1]
    if "wanted" in names:
        assert 0 < len(names["wanted"]) < 60


def test_the_page_names_every_sink():
    assert all(f"| `{name}` |" in PAGE for name in sink_names())


def test_the_key_in_the_text_is_right():
    assert Shard(1).key(42) == "000010042"
