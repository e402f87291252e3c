"""The value that an inspection returns, and its form for a terminal."""

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from allmende.schema import CANDIDATES, DOCUMENTS, FAILURES, SAMPLES

_SHOWN_CHARS = 300
"""Longer values are cut in examples."""


class Column(msgspec.Struct, frozen=True):
    """A column of a table, or a field of its rows."""

    name: str
    type: str
    doc: str = ""
    """What it means, if the file says so, or has the columns of a table of Allmende."""


class Finding(msgspec.Struct, kw_only=True):
    """What is in a file or folder."""

    kind: str
    """In words: WARC archive, WebDataset shard, Parquet table ..."""
    location: str = ""
    bytes: int | None = None
    """Size as stored, if known."""
    facts: dict[str, int | str] = {}
    """Numbers and names, in the order in which they should be read."""
    counts: dict[str, dict[str, int]] = {}
    """How often what occurs, under a heading: record types, HTTP status, members by extension ..."""
    columns: tuple[Column, ...] = ()
    examples: tuple[dict[str, str], ...] = ()
    """The first records, rows or samples; long values are cut, binary ones described."""
    problems: tuple[str, ...] = ()
    """What is damaged or missing."""
    complete: bool = True
    """False if reading stopped at the limit, so that counts are those of the beginning."""


def shown(value: Any) -> str:
    """A value as an example shows it: one line, no control characters, cut at some length; bytes by their size."""
    if isinstance(value, bytes | bytearray | memoryview):
        return f"<{len(value):,} bytes>"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {shown(inner)}" for key, inner in value.items()) + "}"
    words = " ".join(printable(str(value)).split())
    return words if len(words) <= _SHOWN_CHARS else words[: _SHOWN_CHARS - 1] + "…"


def printable(words: str) -> str:
    """Words without characters that could steer a terminal or turn a line around."""
    return "".join(letter if letter.isprintable() else " " for letter in words)


def examples(rows: Iterable[Mapping[str, Any]]) -> tuple[dict[str, str], ...]:
    """Rows as examples, without fields that are null or empty."""
    return tuple(
        {printable(str(name)): shown(value) for name, value in row.items() if value is not None and value != ""}
        for row in rows
    )


def text_columns(kinds: Mapping[str, str]) -> tuple[Column, ...]:
    """Columns of a table in text form, which can't carry what they mean: that is told only if it is one of Allmende's.

    Args:
        kinds: Type of each column by its name.
    """
    names = kinds.keys() - {"key"}  # of a released document
    ours = (s for s in (DOCUMENTS, SAMPLES, FAILURES, CANDIDATES) if "uid" in names and names <= set(s.names))
    schema = next(ours, None)
    docs = {field.name: field.metadata[b"doc"].decode() for field in schema} if schema else {}
    return tuple(Column(name, kind, docs.get(name, "")) for name, kind in kinds.items())


def render_text(finding: Finding, width: int = 100) -> str:
    """The finding for a terminal of that width."""
    return "\n".join(_lines(finding, width)) + "\n"


def _lines(finding: Finding, width: int) -> Iterator[str]:
    size = f" · {finding.bytes:,} bytes" if finding.bytes is not None else ""
    yield f"{printable(finding.location)}: {finding.kind}{size}"
    for problem in finding.problems:
        yield f"! {printable(problem)}"
    if not finding.complete:
        yield "! Reading stopped at the limit: the counts are those of the beginning."
    yield from _pairs({name: _number(value) for name, value in finding.facts.items()}, width)
    for heading, counts in finding.counts.items():
        yield f"\n{heading}"
        yield from _counts(counts)
    if finding.columns:
        yield f"\n{len(finding.columns)} columns"
        yield from _columns(finding.columns, width)
    for number, example in enumerate(finding.examples, 1):
        yield f"\nExample {number}"
        yield from _pairs(example, width)


def _number(value: int | str) -> str:
    return f"{value:,}" if isinstance(value, int) else shown(value)


def _pairs(pairs: Mapping[str, str], width: int) -> Iterator[str]:
    indent = min(30, max((len(name) for name in pairs), default=0) + 4)
    for name, value in pairs.items():
        yield from textwrap.wrap(
            f"  {printable(name):<{indent - 4}}  {value}",
            width,
            subsequent_indent=" " * indent,
            drop_whitespace=True,
            break_on_hyphens=False,
        )


def _counts(counts: Mapping[str, int]) -> Iterator[str]:
    widest = max((len(name) for name in counts), default=0)
    for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        yield f"  {printable(name):<{widest}} {count:>12,}"


def _columns(columns: Iterable[Column], width: int) -> Iterator[str]:
    for column in columns:
        yield from textwrap.wrap(
            f"  {printable(column.name):<21} {column.type:<12} {printable(column.doc)}".rstrip(),
            width,
            subsequent_indent=" " * 37,
        )
