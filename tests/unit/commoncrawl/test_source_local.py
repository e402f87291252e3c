"""Local archives: paths, globs, mirrors; and locations."""

import os
from pathlib import Path

import pytest

from allmende.commoncrawl.source import expand, locate, open_archive, read_range
from allmende.errors import SourceError, SourceMissing, SourceRefused


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.warc.gz", "a.warc.gz", "sub/c.warc.gz", "sub/notes.txt", "[odd].warc.gz"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    return tmp_path


def names(found: list[str]) -> list[str]:
    return [Path(path).name for path in found]


def test_paths_and_globs_are_sorted_and_each_once(folder: Path) -> None:
    found = expand([f"{folder}/b.*", f"{folder}/a.warc.gz", f"{folder}/?.warc.gz"])
    assert names(found) == ["a.warc.gz", "b.warc.gz"]


def test_two_stars_go_into_folders(folder: Path) -> None:
    assert names(expand([f"{folder}/**/*.gz"])) == ["[odd].warc.gz", "a.warc.gz", "b.warc.gz", "c.warc.gz"]


def test_a_file_with_brackets_in_its_name(folder: Path) -> None:
    assert names(expand([f"{folder}/[odd].warc.gz"])) == ["[odd].warc.gz"]


def test_home_and_file_urls(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder))
    assert expand(["~/a.warc.gz"]) == [str(folder / "a.warc.gz")]
    assert expand([(folder / "[odd].warc.gz").as_uri()]) == [str(folder / "[odd].warc.gz")]


def test_relative_paths_stay_relative(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert expand(["sub/*.gz"]) == ["sub/c.warc.gz"]


@pytest.mark.parametrize("pattern", ["nothing.warc.gz", "*.zip", "sub/*/x", "a\0b"])
def test_what_matches_nothing_is_an_error(folder: Path, pattern: str) -> None:
    with pytest.raises(SourceMissing, match=r"no (such file|file matches)"):
        expand([f"{folder}/{pattern}"])


def test_a_folder_is_answered_with_the_glob_to_type(folder: Path) -> None:
    with pytest.raises(SourceError, match=r"is a folder. To take the files in it: .*sub/\*\*/\*\.gz"):
        expand([f"{folder}/sub"])


def test_urls_are_taken_as_they_are() -> None:
    assert expand(["https://example.org/a.warc.gz?x=*"]) == ["https://example.org/a.warc.gz?x=*"]
    assert expand(["s3://bucket/a.warc.gz"]) == ["s3://bucket/a.warc.gz"]


def test_web_servers_have_no_globs() -> None:
    with pytest.raises(SourceError, match="can't be asked which files match"):
        expand(["https://example.org/*.warc.gz"])


@pytest.mark.parametrize(
    ("source", "location"),
    [
        ("https", "https://data.commoncrawl.org/crawl-data/x.gz"),
        ("s3", "s3://commoncrawl/crawl-data/x.gz"),
        ("http://127.0.0.1:80/cc/", "http://127.0.0.1:80/cc/crawl-data/x.gz"),
        ("s3://mirror/cc", "s3://mirror/cc/crawl-data/x.gz"),
        ("/data/mirror", "/data/mirror/crawl-data/x.gz"),
        ("file:///data/my%20mirror/", "/data/my mirror/crawl-data/x.gz"),
    ],
)
def test_locate(source: str, location: str) -> None:
    assert locate("crawl-data/x.gz", source) == location


def test_open_and_seek(folder: Path) -> None:
    with open_archive(str(folder / "a.warc.gz")) as archive:
        assert archive.size == 9
        assert archive.read() == b"a.warc.gz"
        archive.seek(2)
        assert archive.read(4) == b"warc"


def test_read_range(folder: Path) -> None:
    assert read_range(str(folder / "a.warc.gz"), 2, 4) == b"warc"
    assert read_range(str(folder / "a.warc.gz"), 2, 0) == b""
    with pytest.raises(SourceError, match="ends 3 bytes before the end of the range"):
        read_range(str(folder / "a.warc.gz"), 2, 10)


def test_errors_of_the_disk_are_ours(folder: Path) -> None:
    with pytest.raises(SourceMissing), open_archive(str(folder / "none")):
        pass
    with pytest.raises(SourceError, match="Is a directory"), open_archive(str(folder)):
        pass
    with pytest.raises(SourceError, match="null byte"), open_archive("a\0b"):
        pass


def test_a_file_that_may_not_be_read(folder: Path) -> None:
    (folder / "a.warc.gz").chmod(0)
    user = os.geteuid()
    if user == 0:  # root may read everything
        os.seteuid(65534)
    try:
        with pytest.raises(SourceRefused, match="may not be read"), open_archive(str(folder / "a.warc.gz")):
            pass
    finally:
        os.seteuid(user)


def test_a_failing_disk() -> None:
    with (
        open_archive("/proc/self/mem") as archive,  # opens, but its first page can't be read
        pytest.raises(SourceError, match="can't be read any further"),
    ):
        archive.read()


def test_errors_of_the_reader_pass_through(folder: Path) -> None:
    with pytest.raises(ZeroDivisionError), open_archive(str(folder / "a.warc.gz")):
        1 / 0  # noqa: B018
    with pytest.raises(OSError, match="mine"), open_archive(str(folder / "a.warc.gz")):
        raise OSError("mine")
