"""Evaluation sets in documents: runs of 13 words that both have (GPT-3: Brown et al. 2020, appendix C).

An index has a hash for each run of each example; a document is contaminated by a set if enough of the set's runs are in it. What
counts as the same is what `simplify.py` says: GPT-3 ignores case, punctuation and white space; here accents and numbers don't
count either, so that "3,5" finds "3.5".

As in GPT-3 the whole example counts, all its fields in order, answers included, and examples shorter than a run are not looked
for (there are `Index.short` of them). Unlike there, a document is dropped whole, not cut around the run; and runs that
many documents have, such as quotations, are not spared, because what was removed is published and can be looked through.
"""

import gzip
import io
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import Any, BinaryIO, NamedTuple, cast

import fsspec
import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import zstandard
from numpy.typing import NDArray

from allmende.dedup.simplify import run_hashes, simple_words, word_hashes
from allmende.errors import RecipeError, SourceError

Hashes = NDArray[np.uint64]
Sets = NDArray[np.uint16]

FORMATS = ("jsonl", "parquet", "txt")
MOST_SETS = 1 << 16
MOST_STRETCHES = 20
"""Told of a document, for each set."""
MOST_WORDS = 200
"""Words of a stretch that are told."""
_BATCH = 1_000
_PARAGRAPH = 1 << 20
"""Bytes of a paragraph of a text file; a longer one is several examples."""


REMOVED = pa.schema(
    [
        pa.field("uid", pa.string(), nullable=False),
        pa.field("set", pa.string(), nullable=False),
        pa.field("position", pa.int32(), nullable=False),
        pa.field("words", pa.int32(), nullable=False),
        pa.field("text", pa.string(), nullable=False),
    ]
)
"""The list of what was removed: the document's uid, and its matches as `Match` has them."""

_shard = re.compile(r"[-_]\d+[-_]of[-_]\d+$")
_part_of_set = re.compile(r"(train|test|dev|val|valid|validation|data|part|[-_\d]*)[-_\d]*$")


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What counts as contaminated."""

    ngram: int = 13
    """Words in a run (GPT-3: 13)."""
    least: int = 1
    """Different runs of one set that a document must have."""


class Match(NamedTuple):
    """A stretch of a document that is in an evaluation set."""

    name: str
    """The set."""
    position: int
    """Its first word: how many words of the simplified document are before it."""
    words: int
    """How many words the runs that follow each other cover."""
    text: str
    """These words, simplified; at most 200."""


class Index:
    """The runs of evaluation sets.

    Args:
        options: What counts.
        names: The sets.
        hashes: Of their runs, sorted; a run of two sets is there twice.
        sets: For each of them the set's place in `names`.
        short: For each set: examples with fewer words than a run.
        examples: For each set: how many it has.
    """

    def __init__(
        self, options: Options, names: list[str], hashes: Hashes, sets: Sets, short: list[int], examples: list[int]
    ):
        self.options = options
        self.names = names
        self.short = short
        self.examples = examples
        self._hashes = hashes
        self._sets = sets
        self._sieve = _Sieve(hashes)

    def __len__(self) -> int:
        """Different runs, counted in each set."""
        return len(self._hashes)

    def contaminated(self, text: str) -> list[Match]:
        """What a document has of the sets, set by set, in its order; empty if it is clean."""
        runs = run_hashes(word_hashes(text), self.options.ngram)
        places = np.flatnonzero(self._sieve.may_have(runs))
        begins, ends = (np.searchsorted(self._hashes, runs[places], side=side) for side in ("left", "right"))
        count = ends - begins
        if not count.any():
            return []
        within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        sets = self._sets[np.repeat(begins, count) + within]
        places = np.repeat(places, count)
        found: list[Match] = []
        for number in np.unique(sets).tolist():
            own = places[sets == number]
            if len(np.unique(runs[own])) >= self.options.least:
                found += self._stretches(self.names[number], own, text)
        return found

    def _stretches(self, name: str, places: NDArray[np.int64], text: str) -> Iterator[Match]:
        """Runs that follow each other or overlap, as one."""
        words = simple_words(text)
        length = self.options.ngram
        breaks = np.flatnonzero(np.diff(places) > length) + 1
        for stretch in np.split(places, breaks)[:MOST_STRETCHES]:
            begin, end = int(stretch[0]), int(stretch[-1]) + length
            yield Match(name, begin, end - begin, " ".join(words[begin : min(end, begin + MOST_WORDS)]))

    def save(self, path: str) -> None:
        """Writes a file from which workers map the index into memory, once for all of them."""
        about = {
            "options": self.options,
            "names": self.names,
            "short": self.short,
            "examples": self.examples,
        }
        schema = pa.schema([("run", pa.uint64()), ("set", pa.uint16())], {"about": msgspec.json.encode(about)})
        with pa.ipc.new_file(path, schema) as writer:
            writer.write_batch(pa.record_batch([pa.array(self._hashes), pa.array(self._sets)], schema))

    @classmethod
    def load(cls, path: str) -> "Index":
        """Reads what `save` wrote.

        Raises:
            SourceError: if it isn't there or isn't an index.
        """
        try:
            file = pa.ipc.open_file(pa.memory_map(path))
            about = msgspec.json.decode(file.schema.metadata[b"about"])
            batch = file.get_batch(0)
        except (OSError, pa.ArrowException, TypeError, KeyError, msgspec.DecodeError) as error:
            raise SourceError(f"{path} is no index of evaluation sets: {error}") from error
        options = msgspec.convert(about["options"], Options)
        hashes, sets = (column.to_numpy() for column in batch.columns)
        return cls(options, about["names"], hashes, sets, about["short"], about["examples"])


class _Sieve:
    """A bit for the first bits of each hash, so that nearly all runs need not be looked up: that is slow in a large index.

    Args:
        hashes: Sorted. There are at least eight bits for each.
    """

    def __init__(self, hashes: Hashes):
        bits = max(6, len(hashes).bit_length() + 3)
        self._shift = np.uint64(64 - bits)
        self._bits = np.zeros(1 << (bits - 3), np.uint8)
        if len(hashes):
            at = hashes >> self._shift
            places = at >> np.uint64(3)
            starts = np.flatnonzero(np.concatenate(([True], places[1:] != places[:-1])))
            self._bits[places[starts]] = np.bitwise_or.reduceat(_bit(at), starts)

    def may_have(self, hashes: Hashes) -> NDArray[np.bool_]:
        """False for what is not there; seldom true for it."""
        at = hashes >> self._shift
        found: NDArray[np.bool_] = (self._bits[at >> np.uint64(3)] & _bit(at)) != 0
        return found


def _bit(at: Hashes) -> NDArray[np.uint8]:
    return np.uint8(1) << (at & np.uint64(7)).astype(np.uint8)


def build(sets: Iterable[tuple[str, Iterable[str]]], options: Options) -> Index:
    """Makes an index.

    Args:
        sets: Names, each with its examples; the same name may come several times, as when a set has several files.
        options: What counts.

    Raises:
        RecipeError: if there are more than 65,536 sets.
    """
    runs: dict[str, Hashes] = {}
    short: dict[str, int] = {}
    examples: dict[str, int] = {}
    for name, texts in sets:
        parts = [runs.get(name, np.empty(0, np.uint64))]
        for text in texts:
            found = run_hashes(word_hashes(text), options.ngram)
            examples[name] = examples.get(name, 0) + 1
            short[name] = short.get(name, 0) + (not len(found))
            parts.append(found)
            if len(parts) > _BATCH:
                parts = [np.unique(np.concatenate(parts))]
        runs[name] = np.unique(np.concatenate(parts))
    names = sorted(runs)
    if len(names) > MOST_SETS:
        raise RecipeError(f"{len(names):,} evaluation sets are more than an index can have ({MOST_SETS:,})")
    hashes = np.concatenate([np.empty(0, np.uint64), *(runs[name] for name in names)])
    numbers = np.repeat(np.arange(len(names), dtype=np.uint16), [len(runs[name]) for name in names])
    order = np.argsort(hashes, kind="stable")
    return Index(
        options,
        names,
        hashes[order],
        numbers[order],
        [short.get(name, 0) for name in names],
        [examples.get(name, 0) for name in names],
    )


def read_sets(locations: Iterable[str], options: Options) -> Index:
    """An index of the evaluation sets in files; those of one name are one set.

    Raises:
        RecipeError: if a file has another format.
        SourceError: if one can't be read.
    """
    return build(((set_name(location), read_examples(location)) for location in locations), options)


def set_name(location: str) -> str:
    """The name of the set in a file: the file's, without endings; with its folder's before it, if it only tells which part this is."""
    parts = PurePosixPath(location.split("?", maxsplit=1)[0]).parts[-2:]
    stem = _shard.sub("", parts[-1].split(".", maxsplit=1)[0])
    return f"{parts[0]}/{stem}" if len(parts) == 2 and _part_of_set.match(stem) else stem


def removed_table(rows: Iterable[tuple[str, list[Match]]]) -> pa.Table:
    """What is published of contaminated documents: a row for each match.

    Args:
        rows: uid of each document, and what was found in it.
    """
    told = [
        {"uid": uid, "set": m.name, "position": m.position, "words": m.words, "text": m.text}
        for uid, ms in rows
        for m in ms
    ]
    return pa.Table.from_pylist(told, schema=REMOVED)


def read_examples(location: str) -> Iterator[str]:
    """The examples of a file.

    Of a line of JSON or a row of Parquet these are all texts in it, lists and groups included, in the order of its fields; of
    a txt file, paragraphs (parts between empty lines).

    Args:
        location: Path or fsspec URL; its name ends in .jsonl, .parquet or .txt, or .gz or .zst of the first and last.

    Raises:
        RecipeError: if the name has another ending.
        SourceError: if the file can't be read; names the line.
    """
    packing = next((ending for ending in (".gz", ".zst") if location.endswith(ending)), "")
    kind = location.removesuffix(packing).rsplit(".", maxsplit=1)[-1]
    if kind not in FORMATS or (packing and kind == "parquet"):
        raise RecipeError(
            f"{location}: not an evaluation set by its name. Names end in {', '.join(FORMATS)}; text may be .gz or .zst."
        )
    try:
        with fsspec.open(location, "rb") as file:
            if kind == "parquet":
                yield from _parquet(cast(BinaryIO, file))
            else:
                yield from (_jsonl if kind == "jsonl" else _paragraphs)(_unpacked(cast(BinaryIO, file), packing))
    except (OSError, EOFError, ValueError, ImportError, pa.ArrowException, zstandard.ZstdError) as error:
        raise SourceError(f"{location} can't be read: {error}") from error


def _unpacked(file: BinaryIO, packing: str) -> BinaryIO:
    if packing == ".gz":
        return cast(BinaryIO, gzip.GzipFile(fileobj=file))
    if packing == ".zst":
        return cast(BinaryIO, io.BufferedReader(zstandard.ZstdDecompressor().stream_reader(file)))
    return file


def _jsonl(file: BinaryIO) -> Iterator[str]:
    for number, line in enumerate(file, start=1):
        if line.strip():
            try:
                value = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise ValueError(f"line {number}: {error}") from error
            yield " ".join(_texts(value))


def _parquet(file: BinaryIO) -> Iterator[str]:
    for batch in pq.ParquetFile(file).iter_batches(_BATCH):
        for row in batch.to_pylist():
            yield " ".join(_texts(row))


def _paragraphs(file: BinaryIO) -> Iterator[str]:
    lines: list[bytes] = []
    size = 0
    while line := file.readline(_PARAGRAPH):
        size += len(line)
        if line.strip() and size < _PARAGRAPH:
            lines.append(line)
        elif lines or line.strip():
            yield b"".join([*lines, line]).decode("utf-8", "replace")
            lines, size = [], 0
    if lines:
        yield b"".join(lines).decode("utf-8", "replace")


def _texts(value: Any) -> Iterator[str]:
    """All texts in a value, in order."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)
