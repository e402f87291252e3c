"""Conformance suites: what every implementation of a seam has to pass.

A plug-in's test file is three lines:

    class TestMySink(SinkSuite):
        def sink(self):
            return MySink()

The suites need pytest, and nothing of Allmende's own test folder.
"""

import hashlib
import itertools
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from allmende.publish.member import BUILD_COLUMNS
from allmende.publish.sink import Release, Sample, Shard, Sink, WrittenShard
from allmende.schema import DOCUMENTS, SAMPLES
from allmende.testing.samples import document, sample

_MEGABYTE = 1 << 20


class _WriterSuite:
    """What sinks promise, whatever the rows are."""

    schema: pa.Schema
    """Columns of the rows."""

    words: str
    """The column that holds what people wrote."""

    def sink(self) -> Sink:
        """Makes the sink under test."""
        raise NotImplementedError

    def sample(self, seed: int, **changes: Any) -> Sample:
        """A row of `schema` and its image."""
        raise NotImplementedError

    def large(self) -> Iterator[Sample]:
        """Samples of one megabyte each, without end."""
        raise NotImplementedError

    def written(self, folder: Path, samples: Sequence[Sample], number: int = 0) -> WrittenShard:
        """Writes samples into a new folder."""
        folder.mkdir()
        return self.sink().write(Shard(number, schema=self.schema), iter(samples), folder)

    def test_what_is_written_is_read_back_in_order(self, tmp_path: Path) -> None:
        """Rows, bytes and order survive; keys are shard number and index."""
        samples = [self.sample(seed) for seed in range(23)]
        self.written(tmp_path / "out", samples, number=7)
        read = list(self.sink().read(str(tmp_path / "out"), "00007"))
        assert [image for _, image in read] == [image for _, image in samples]
        assert [row["key"] for row, _ in read] == [f"00007{index:04d}" for index in range(23)]
        for (row, _), (original, _) in zip(read, samples, strict=True):
            assert {name: row[name] for name in self._released()} == {name: original[name] for name in self._released()}

    def test_the_files_are_those_it_names(self, tmp_path: Path) -> None:
        """Nothing more and nothing less, with the right sizes and digests."""
        shard = self.written(tmp_path / "out", [self.sample(seed) for seed in range(5)])
        assert shard.rows == 5
        found = {path.relative_to(tmp_path / "out").as_posix(): path.read_bytes() for path in _files(tmp_path / "out")}
        assert {file.name: file.bytes for file in shard.files} == {name: len(found[name]) for name in found}
        assert {file.name: file.sha256 for file in shard.files} == {
            name: hashlib.sha256(content).hexdigest() for name, content in found.items()
        }

    def test_the_same_samples_give_the_same_bytes(self, tmp_path: Path, monkeypatch: Any) -> None:
        """Whenever and wherever they are written."""
        samples = [self.sample(seed) for seed in range(5)]
        first = self.written(tmp_path / "first", samples)
        later = time.time() + 1e6
        monkeypatch.setattr(time, "time", lambda: later)
        assert self.written(tmp_path / "a-longer-folder-name", samples) == first

    def test_shards_may_share_a_folder(self, tmp_path: Path) -> None:
        """No file of one shard has the name of another's."""
        shards = [
            self.sink().write(Shard(number, schema=self.schema), [self.sample(number)], tmp_path)
            for number in (0, 1, 100_000)
        ]
        names = [file.name for shard in shards for file in shard.files]
        assert len(names) == len(set(names))

    def test_an_empty_shard_is_a_shard(self, tmp_path: Path) -> None:
        """A bucket may turn out empty."""
        assert self.written(tmp_path / "out", []).rows == 0
        assert list(self.sink().read(str(tmp_path / "out"), "00000")) == []

    def test_odd_words_survive(self, tmp_path: Path) -> None:
        """Missing captions, line ends, quotes, markup, every plane of Unicode."""
        captions = [
            None,
            "",
            "two\nlines\r\n",
            "\"'\\<script>{{ }}\t",
            "日本語 🚲 \N{RIGHT-TO-LEFT MARK}",
            "x" * 70_000,
        ]
        self.written(tmp_path / "out", [self.sample(0, **{self.words: caption}) for caption in captions])
        assert [row[self.words] for row, _ in self.sink().read(str(tmp_path / "out"), "00000")] == captions

    def test_columns_of_later_steps_travel_along(self, tmp_path: Path) -> None:
        """A score that a model added is a column like any other."""
        schema = self.schema.append(pa.field("similarity", pa.float64()))
        self.sink().write(Shard(0, schema=schema), [self.sample(0, similarity=0.25)], tmp_path)
        assert [row["similarity"] for row, _ in self.sink().read(str(tmp_path), "00000")] == [0.25]

    def test_keys_never_run_into_the_next_shard(self, tmp_path: Path) -> None:
        """More samples than the index has digits for are refused."""
        message = _error(
            lambda: self.sink().write(Shard(0, index_digits=1, schema=self.schema), [self.sample(0)] * 11, tmp_path)
        )
        assert "index_digits" in message

    def test_memory_does_not_grow_with_the_shard(self, tmp_path: Path) -> None:
        """400 MB of images or words pass through; less than 150 MB are ever held."""
        fresh = self.large()
        arrow_before = pa.total_allocated_bytes()
        peak_arrow = 0

        def watched() -> Iterator[Sample]:
            nonlocal peak_arrow
            for one in itertools.islice(fresh, 400):
                peak_arrow = max(peak_arrow, pa.total_allocated_bytes() - arrow_before)
                yield one

        tracemalloc.start()
        try:
            self.sink().write(Shard(0, schema=self.schema), watched(), tmp_path)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak + peak_arrow < 150 * _MEGABYTE

    def test_usage_tells_how_to_load_it(self, tmp_path: Path) -> None:
        """The glob matches files of the release, and every snippet has a heading."""
        shard = self.written(tmp_path / "out", [self.sample(0)])
        usage = self.sink().usage(Release(("00000",), 1, schema=self.schema, folder="out"))
        assert [file.name for file in shard.files if Path("out", file.name).match(usage.data_files)]
        assert usage.markdown.startswith("### ")

    def _released(self) -> list[str]:
        return [name for name in self.schema.names if name not in BUILD_COLUMNS]


class SinkSuite(_WriterSuite):
    """What every sink for images promises (`allmende.publish.sink.Sink`)."""

    schema = SAMPLES
    words = "caption"

    def sample(self, seed: int, **changes: Any) -> Sample:
        """A sample of images."""
        return sample(seed, **changes)

    def large(self) -> Iterator[Sample]:
        """Large images, all different."""
        row, image = self.sample(0)
        image += bytes(_MEGABYTE)
        return ((row, image + bytes([index % 256])) for index in itertools.count())

    def test_every_format_is_stored_as_it_is(self, tmp_path: Path) -> None:
        """The sink looks at `format`, never into the image."""
        formats = ["jpg", "png", "webp", "avif"]
        content = [self.sample(0, format=name)[0] for name in formats]
        self.written(tmp_path / "out", [(row, row["format"].encode() * 700) for row in content])
        read = [image for _, image in self.sink().read(str(tmp_path / "out"), "00000")]
        assert read == [name.encode() * 700 for name in formats]


class DocumentSinkSuite(_WriterSuite):
    """What every sink for text promises (`allmende.publish.sink.Sink`)."""

    schema = DOCUMENTS
    words = "text"

    def sample(self, seed: int, **changes: Any) -> Sample:
        """A document; it has no image."""
        return document(seed, **changes), b""

    def large(self) -> Iterator[Sample]:
        """Long texts, all different."""
        row, _ = self.sample(0)
        return (({**row, "text": f"{index} words and words " * (_MEGABYTE // 20)}, b"") for index in itertools.count())


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def _error(action: Callable[[], object]) -> str:
    try:
        action()
    except ValueError as error:
        return str(error)
    return ""
