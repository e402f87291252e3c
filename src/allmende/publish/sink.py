"""The seam for output formats: what a sink is given, what it gives back, and how one is found.

Sinks are entry points of the group `allmende.sinks`; the built-in ones are registered in the same way as those of a
plug-in. A plug-in is a package with

    [project.entry-points."allmende.sinks"]
    my-format = "my_package:MySink"

and a test class that derives from `allmende.testing.suites.SinkSuite`, or for text from `DocumentSinkSuite`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from allmende.errors import RecipeError
from allmende.schema import SAMPLES

GROUP = "allmende.sinks"
"""Entry point group of sinks."""

Row = Mapping[str, Any]
"""One row of `Shard.schema`, as `pyarrow.RecordBatch.to_pylist` gives it."""

Sample = tuple[Row, bytes]
"""A row and the stored image."""


@dataclass(frozen=True, slots=True)
class Shard:
    """Which shard to write, and how its samples are named."""

    number: int
    """Number of the shard, from 0."""

    index_digits: int = 4
    """Digits of a sample's index within its shard; `index_digits` gives the number that fits the largest shard."""

    schema: pa.Schema = SAMPLES
    """Columns of the rows: those of `allmende.schema.SAMPLES`, and whatever later steps added."""

    @property
    def name(self) -> str:
        """Five digits or more, as img2dataset names shards."""
        return f"{self.number:05d}"

    def key(self, index: int) -> str:
        """Name of the sample at `index`: shard number, then index, as img2dataset builds keys.

        Raises:
            ValueError: if the index has more than `index_digits` digits. img2dataset would go on with the keys
                of the next shard, and loaders that group members by key would mix two samples.
        """
        if index >= 10**self.index_digits:
            raise ValueError(f"Shard {self.name}: more than {10**self.index_digits} samples; use more index_digits.")
        return f"{self.number * 10**self.index_digits + index:0{5 + self.index_digits}d}"


def index_digits(largest: int) -> int:
    """Digits for the index of a sample, given the number of samples in the largest shard of a release.

    At least 4, which gives the nine-digit keys of img2dataset's default of 10,000 samples per shard.
    """
    return max(4, len(str(max(0, largest - 1))))


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """A file of a shard."""

    name: str
    """Path relative to the output folder, with forward slashes."""

    bytes: int
    """Size."""

    sha256: str
    """SHA-256 of the content, hex."""


@dataclass(frozen=True, slots=True)
class WrittenShard:
    """What a sink wrote for one shard."""

    number: int
    rows: int
    files: tuple[WrittenFile, ...]


@dataclass(frozen=True, slots=True)
class Release:
    """What a release consists of, for those who describe it."""

    shards: tuple[str, ...]
    """Names of the shards, such as `00000`."""

    samples: int
    image_format: str = "jpg"
    schema: pa.Schema = SAMPLES

    folder: str = "shards"
    """Where the shards lie, relative to the dataset card."""


@dataclass(frozen=True, slots=True)
class Usage:
    """How a release of this format is read; goes into the dataset card."""

    data_files: str
    """Glob of the files that Hugging Face `datasets` should load, relative to the dataset card."""

    features: tuple[Mapping[str, Any], ...]
    """The columns that `datasets` finds in them, in the YAML form of a dataset card; empty if the files tell."""

    markdown: str
    """Snippets for readers, each under its own `###` heading, to be run in the folder of the card."""


class Sink(Protocol):
    """Writes shards in one format. Made without arguments; holds no state between calls.

    Every shard is complete in itself, so that shards can be written by different processes in any order. In those, Arrow
    takes a series of pandas for a plain sequence: hand it over in a dataframe.
    `allmende.testing.suites.SinkSuite` checks what is promised here.
    """

    def write(self, shard: Shard, samples: Iterable[Sample], directory: Path) -> WrittenShard:
        """Writes one shard into an existing local folder and says what it wrote.

        `samples` is consumed once, in order; sample `i` is named `shard.key(i)`. Memory is bounded: no more than
        some 64 MB of samples are held, however many there are. The same samples give the same bytes: nothing
        written depends on the clock, the machine or the folder. Errors of the iterator and of the disk pass
        through; then the folder's content is worthless.
        """

    def read(self, folder: str, shard: str) -> Iterator[tuple[dict[str, Any], bytes]]:
        """Yields the rows and images of a shard, in order.

        Args:
            folder: Path or fsspec URL of the folder that holds the shard's files.
            shard: Name of the shard, such as `00000`.

        Each row has `key` and all columns of `Shard.schema` but `data_offset` and `data_size`, which
        have no meaning outside the build.

        Raises:
            OSError, pyarrow.ArrowException: if a file of the shard is missing or damaged.
        """

    def usage(self, release: Release) -> Usage:
        """Says how to load a release."""


def load_sink(name: str) -> Sink:
    """The sink that is registered under `name`. Only its own module is imported.

    Raises:
        RecipeError: as `find_sink`.
    """
    return _made(find_sink(name))


def find_sink(name: str) -> EntryPoint:
    """Where the sink is that is registered under `name`; nothing is imported.

    Raises:
        RecipeError: if there is none, or if two packages claim the name.
    """
    found = {entry.value: entry for entry in entry_points(group=GROUP, name=name)}
    if not found:
        raise RecipeError(f"publish.sink = {name!r}: no such sink. Installed: {', '.join(sink_names())}.")
    if len(found) > 1:
        raise RecipeError(f"publish.sink = {name!r}: claimed by {' and '.join(sorted(found))}. Uninstall one of them.")
    return next(iter(found.values()))


def _made(entry: EntryPoint) -> Sink:
    sink: Sink = entry.load()()
    return sink


def sink_names() -> tuple[str, ...]:
    """Names of all installed sinks, sorted."""
    return tuple(sorted({entry.name for entry in entry_points(group=GROUP)}))
