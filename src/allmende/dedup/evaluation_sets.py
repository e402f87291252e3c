"""What is told of evaluation sets: names, digests of their files, and how many examples they have."""

from collections.abc import Sequence
from hashlib import sha256
from pathlib import PurePosixPath

import fsspec
import msgspec

from allmende.dedup.decontaminate import Index, set_name
from allmende.errors import SourceError

_READ = 1 << 22


class EvaluationSet(msgspec.Struct, frozen=True, kw_only=True):
    """A set that documents are compared with."""

    name: str
    files: tuple[tuple[str, str], ...]
    """Name, without folder, and SHA-256 of each file, in the order of the recipe."""
    examples: int
    short: int
    """Examples with fewer words than a run, which are not looked for."""
    contaminated: int = 0
    """Documents that have a run of it."""


def described(locations: Sequence[str], index: Index) -> tuple[EvaluationSet, ...]:
    """The sets of an index that was read from these files, by name.

    Raises:
        SourceError: if a file can't be read.
    """
    files: dict[str, list[tuple[str, str]]] = {name: [] for name in index.names}
    for location in locations:
        files[set_name(location)].append((PurePosixPath(location).name, _digest(location)))
    return tuple(
        EvaluationSet(name=name, files=tuple(files[name]), examples=examples, short=short)
        for name, examples, short in zip(index.names, index.examples, index.short, strict=True)
    )


def _digest(location: str) -> str:
    found = sha256()
    try:
        with fsspec.open(location, "rb") as file:
            while block := file.read(_READ):
                found.update(block)
    except (OSError, ValueError, ImportError) as error:
        raise SourceError(f"{location} can't be read: {error}") from error
    return found.hexdigest()
