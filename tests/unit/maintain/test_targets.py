"""What people write becomes what the log hashes, or an error that says what is wrong."""

import pytest

from allmende.errors import RecipeError, SourceMissing
from allmende.maintain.targets import Targets, read_list


def test_targets_have_the_spelling_of_the_dataset():
    found = Targets.of(
        urls=["HTTP://A.Example:80/x/../1.jpg#top"],
        domains=["Bücher.Example", "*.b.example", "c.example.", "127.0.0.1"],
        sha256s=["AB" * 32],
        phashes=["cd" * 32],
        uids=["EF" * 16],
    )
    assert found.values() == [
        ("url", "http://a.example/1.jpg"),
        ("domain", "xn--bcher-kva.example"),
        ("domain", "b.example"),
        ("domain", "c.example"),
        ("domain", "127.0.0.1"),
        ("sha256", "ab" * 32),
        ("phash", "cd" * 32),
        ("uid", "ef" * 16),
    ]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("urls", "a.example/1.jpg"),
        ("urls", "data:image/png,x"),
        ("domains", "com"),
        ("domains", "https://a.example/"),
        ("domains", "a.example/x"),
        ("domains", "me@a.example"),
        ("domains", "a b.example"),
        ("domains", "a.example:8080"),
        ("domains", ""),
        ("sha256s", "ab" * 16),
        ("phashes", "xy" * 32),
        ("uids", "ab"),
    ],
)
def test_what_is_none_is_refused(kind, value):
    with pytest.raises(RecipeError):
        Targets.of(**{kind: [value]})


def test_a_list_is_read_by_form_or_by_kind(tmp_path):
    (tmp_path / "list.txt").write_text(
        f"\ufeff# a comment\n\nhttps://a.example/1.jpg\na.example\n{'ab' * 32}\n{'cd' * 16}\nphash {'ef' * 32}\n"
    )
    kinds = [kind for kind, _ in read_list(tmp_path / "list.txt").values()]
    assert sorted(kinds) == ["domain", "phash", "sha256", "uid", "url"]


@pytest.mark.parametrize("line", ["two words", "phash 12", "com", "url a.example"])
def test_a_bad_line_is_named(tmp_path, line):
    (tmp_path / "list.txt").write_text(f"a.example\n{line}\n")
    with pytest.raises(RecipeError, match="line 2"):
        read_list(tmp_path / "list.txt")


def test_a_list_that_is_not_there_is_missing(tmp_path):
    with pytest.raises(SourceMissing):
        read_list(tmp_path / "none.txt")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(RecipeError, match="UTF-8"):
        read_list(tmp_path / "binary")
