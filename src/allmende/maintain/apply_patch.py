"""Brings a copy of a release, and nothing but a copy, to the next version.

Everything is checked before anything is touched: whose patch it is, that it is whole, that it leads away from this very release, and
that the copy's files are what they should be. Then the new files are made in a hidden folder of the copy, and when
all are there and have the right digest, each takes the place of the old one in one step; the manifest comes last. A process that
dies leaves either the old release, untouched, or a folder from which the same command finishes.
"""

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import msgspec

from allmende.errors import LakeError, RecipeError, Untrusted
from allmende.maintain.delta import unpack
from allmende.maintain.patch import Change, Packed, Patch
from allmende.publish import manifest as form
from allmende.publish.manifest import ReleaseManifest
from allmende.storage import explained

_BLOCK = 1 << 20
_READY = "ready"


class Applied(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a copy."""

    copy: str
    version_before: str
    version: str
    changed: int
    """Files that are new or different."""
    gone: int
    """Files that went."""


def find_copy(folder: Path) -> Path:
    """The folder of the release: this one, or `release` in it.

    Raises:
        LakeError: if there is none, or it belongs to the lake that it was built from.
    """
    for found in (folder / "release", folder):
        if (found / form.NAME).is_file():
            if any((found.parent / step / "plan.json").is_file() for step in ("samples", "documents")):
                raise LakeError(
                    f"{folder} has the lake of this release: a patch would leave what was taken down in there. "
                    f"Instead: allmende takedown {folder} --continue"
                )
            return found
    raise LakeError(f"{folder}: no release: neither {form.NAME} nor release/{form.NAME} is there.")


def check(copy: Path, patch: Patch) -> ReleaseManifest:
    """Makes sure that the patch is meant for this copy, and changed by nobody.

    Returns:
        The manifest of the copy as it is.

    Raises:
        Untrusted: if the patch or the copy is not what it should be.
        RecipeError: if the patch leads away from another release.
    """
    manifest = read_manifest(copy)
    patch.check_signature(manifest.tombstones.key)
    old, new = patch.header.old, patch.header.new
    if form.digest(manifest) not in {old.sha256, new.sha256}:
        raise RecipeError(
            f"{patch.path.name} leads from {old.version} to {new.version}; this copy is {manifest.version}. "
            "Patches are applied in their order; releases/feed.xml of the dataset lists them."
        )
    patch.check_pieces()
    return manifest


def read_manifest(copy: Path) -> ReleaseManifest:
    """The manifest of a copy, which must be spelled as we write it: its digest is what patches refer to."""
    path = copy / form.NAME
    with explained("Reading", str(path)):
        content = path.read_bytes()
    manifest = form.decode(content, str(path))
    if form.encode(manifest) != content:
        raise Untrusted(f"{path} was changed after it was written.")
    return manifest


def apply(folder: Path, location: Path) -> Applied:
    """Applies a patch to a copy; a copy that is there already stays as it is.

    Args:
        folder: The copy: the folder of a release, or one that has it in `release`.
        location: The patch.

    Raises:
        Untrusted, RecipeError: see `check`; or a file of the copy is not what its manifest says.
        LakeError: if files can't be read or written.
    """
    copy, patch = find_copy(folder), Patch(location)
    before = check(copy, patch)
    stage = copy / f".patch-{patch.header.new.sha256[:16]}"
    done = Applied(
        copy=str(copy),
        version_before=before.version,
        version=patch.header.new.version,
        changed=len(patch.header.files),
        gone=len(patch.header.gone),
    )
    with explained("Writing", str(copy)):
        if form.digest(before) != patch.header.new.sha256:
            if not (stage / _READY).exists():
                _check_sources(copy, patch)
                _make(copy, patch, stage)
            _move(copy, patch, stage)
        shutil.rmtree(stage, ignore_errors=True)
    return done


def _check_sources(copy: Path, patch: Patch) -> None:
    """Makes sure that all files that the patch builds on are there and unchanged."""
    for path, wanted in sorted({(c.source, c.source_sha256) for c in patch.header.files if c.source}):
        place = copy / path
        if not place.is_file() or _digest(place) != wanted:
            raise Untrusted(
                f"{place} is missing or was changed, so the patch can't build on it. Nothing was touched. Fetch this file again."
            )


def _make(copy: Path, patch: Patch, stage: Path) -> None:
    """Makes all new files aside; says so when all are there."""
    stage.mkdir(exist_ok=True)
    pieces = patch.pieces()
    for number, change in enumerate(patch.header.files):
        with ExitStack() as stack:
            old = stack.enter_context((copy / change.source).open("rb")) if change.source else None
            _write(stage / str(number), _content(change, islice(pieces, len(change.pieces)), old), change)
    with (stage / _READY).open("wb") as file:
        os.fsync(file.fileno())
    _sync(stage)


def _content(change: Change, pieces: Iterable[Packed], old: BinaryIO | None) -> Iterator[bytes]:
    """The bytes of a new file."""
    if old is not None and change.source_sha256 == change.sha256:
        while block := old.read(_BLOCK):
            yield block
    for _, piece, packed in pieces:
        yield unpack(piece, packed, old)


def _write(place: Path, content: Iterator[bytes], change: Change) -> None:
    found = hashlib.sha256()
    with place.open("wb") as file:
        for block in content:
            found.update(block)
            file.write(block)
        file.flush()
        os.fsync(file.fileno())
    if found.hexdigest() != change.sha256:
        raise Untrusted(f"The patch makes another {change.path} than it says. Nothing was touched.")


def _move(copy: Path, patch: Patch, stage: Path) -> None:
    """Puts the new files into their places and removes those that are gone; the manifest last."""
    *files, manifest = enumerate(patch.header.files)
    for number, change in files:
        _place(stage / str(number), copy / change.path)
    for path in patch.header.gone:
        (copy / path).unlink(missing_ok=True)
    for folder in {(copy / path).parent for path in (*patch.header.gone, *(c.path for _, c in files))}:
        _sync(folder)
    _place(stage / str(manifest[0]), copy / manifest[1].path)
    _sync(copy)


def _place(made: Path, place: Path) -> None:
    if made.exists():  # else an earlier run has put it there
        place.parent.mkdir(parents=True, exist_ok=True)
        made.replace(place)


def _sync(folder: Path) -> None:
    """Makes renames last through a power cut."""
    if not folder.is_dir():
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
