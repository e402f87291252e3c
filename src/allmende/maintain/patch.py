r"""A patch: everything that brings the files of one release to those of the next, byte for byte, in one signed file.

    allmende patch 1\n
    {header: JSON}\n
    signature of the header, Base64\n
    packed pieces, one behind the other

The header names the two releases by version and digest of their manifest, every file that changes, and for each piece its size
and digest (`allmende.maintain.delta`); so one signature covers all. It is signed with the key of the take-down log, which
the manifest of the copy names: a patch by anybody else is refused.

A patch has no byte of what was removed, and no list of it. Who has the old release can still compare the two; no patch can prevent
that (docs/decisions/0010-releases-and-take-downs.md).
"""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

import msgspec

from allmende.errors import Untrusted
from allmende.lake import Lake
from allmende.maintain.delta import PIECE, Piece, pack
from allmende.maintain.unfinished import BEFORE
from allmende.publish import manifest as form
from allmende.publish.manifest import Earlier, Released, ReleaseManifest, Sha256
from allmende.safety.keys import Signer, verified
from allmende.steps.release_manifest import HISTORY, PATCHES
from allmende.storage import explained

FORMAT = 1
MAGIC = b"allmende patch 1\n"
LONGEST_HEADER = 1 << 28
_BLOCK = 1 << 20

Files = dict[str, Released]


class Change(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A file that is new or different."""

    path: str
    bytes: int
    sha256: Sha256
    source: str = ""
    """The file of the old release that it is made from; empty for none."""
    source_sha256: str = ""
    pieces: tuple[Piece, ...] = ()
    """Empty if it is a copy of its source, or has no bytes."""


Packed = tuple[Change, Piece, bytes]
"""A piece, the file it belongs to, and its packed bytes."""


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """What a patch does."""

    format: int = FORMAT
    dataset: str
    old: Earlier
    new: Earlier
    files: tuple[Change, ...]
    """The manifest is the last."""
    gone: tuple[str, ...]
    """Paths of files that are no longer there."""

    @property
    def bytes(self) -> int:
        """Size of all packed pieces."""
        return sum(piece.packed for change in self.files for piece in change.pieces)


class Patch:
    """A patch file, opened and checked as far as that goes without the copy.

    Args:
        path: The file.

    Raises:
        Untrusted: if it is no patch, or not whole.
    """

    def __init__(self, path: Path):
        self.path = path
        with explained("Reading", str(path)), path.open("rb") as file:
            self.line, self.signature, self.begin = _lines(file, path)
        self.header = _header(self.line, path)
        if path.stat().st_size != self.begin + self.header.bytes:
            raise Untrusted(f"{path} is not whole: {path.stat().st_size:,} bytes, it should have {self._size:,}.")

    @property
    def _size(self) -> int:
        return self.begin + self.header.bytes

    def check_signature(self, key: str) -> None:
        """Makes sure that the patch was made by who has this key.

        Raises:
            Untrusted: if not.
        """
        if not verified(key, "patch", self.line, self.signature):
            raise Untrusted(
                f"{self.path} is not signed with the key that the manifest of this copy names. Nothing was changed."
            )

    def check_pieces(self) -> None:
        """Makes sure that no piece was changed: reads the whole file.

        Raises:
            Untrusted: if one was.
        """
        for change, piece, packed in self.pieces():
            if sha256(packed).hexdigest() != piece.sha256:
                raise Untrusted(f"{self.path} was changed: the piece for {change.path} has another digest.")

    def pieces(self) -> Iterator[Packed]:
        """All pieces, in their order, with their packed bytes."""
        with explained("Reading", str(self.path)), self.path.open("rb") as file:
            file.seek(self.begin)
            for change in self.header.files:
                for piece in change.pieces:
                    yield change, piece, file.read(piece.packed)


def _lines(file: BinaryIO, path: Path) -> tuple[bytes, str, int]:
    """Header, signature, and where the pieces begin."""
    if file.read(len(MAGIC)) != MAGIC:
        raise Untrusted(f"{path} is no patch that this Allmende can read.")
    line, signature = file.readline(LONGEST_HEADER), file.readline(200)
    if not (line.endswith(b"\n") and signature.endswith(b"\n")):
        raise Untrusted(f"{path} is not whole: it ends in its header.")
    return line[:-1], signature[:-1].decode("latin-1"), file.tell()


def _header(line: bytes, path: Path) -> Header:
    try:
        header = msgspec.json.decode(line, type=Header)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Untrusted(f"{path} is damaged ({error}).") from error
    for name in (*(c.path for c in header.files), *(c.source for c in header.files if c.source), *header.gone):
        form.check_path(name, str(path))
    if any(not 0 <= p.size <= PIECE or p.packed < 0 for change in header.files for p in change.pieces):
        raise Untrusted(f"{path} is damaged: a piece has a size that no piece has.")
    return header


def write_patch(lake: Lake, old: ReleaseManifest, new: ReleaseManifest, signer: Signer) -> str:
    """Writes the patch from one release to the next.

    Args:
        lake: Has the new release in `release/`, and what it changed of the old one in `releases/before/`.
        old: Manifest of the old release.
        new: Of the new one.
        signer: Has the key that `old` names.

    Returns:
        Its name in the dataset.
    """
    name = f"{PATCHES}/{old.version}-{new.version}.patch"
    files, before = (manifest.files | {form.NAME: _manifest_file(manifest)} for manifest in (new, old))
    origin = _Origin(lake, old.version, before)
    with explained("Writing", lake.url(name)), tempfile.TemporaryDirectory(dir=_beside(lake)) as folder:
        packed = Path(folder) / "pieces"
        with packed.open("wb") as out:
            changes = tuple(_change(origin, path, files[path], out.write) for path in _changed(before, files))
        header = Header(
            dataset=new.dataset,
            old=Earlier(version=old.version, sha256=form.digest(old)),
            new=Earlier(version=new.version, sha256=form.digest(new)),
            files=changes,
            gone=tuple(sorted(before.keys() - files.keys())),
        )
        line = msgspec.json.encode(header, order="sorted")
        whole = Path(folder) / "patch"
        with whole.open("wb") as out, packed.open("rb") as pieces:
            out.write(MAGIC + line + b"\n" + signer.sign("patch", line).encode() + b"\n")
            while block := pieces.read(_BLOCK):
                out.write(block)
        lake.put(whole, name)
    return name


def _changed(old: Files, new: Files) -> list[str]:
    """Paths of files that differ, the manifest last."""
    changed = [path for path, file in new.items() if old.get(path) != file]
    return sorted(changed, key=lambda path: (path == form.NAME, path))


class _Origin:
    """The files of the old release, while the new one already lies in its place."""

    def __init__(self, lake: Lake, version: str, files: Files):
        self.lake = lake
        self.files = files
        self._manifest = f"{HISTORY}/{version}.json"
        self._by_content = {file.sha256: path for path, file in files.items()}

    def source(self, path: str, file: Released) -> str:
        """The file with the same content under any name; else the one of the same name; else none."""
        return self._by_content.get(file.sha256, path if path in self.files else "")

    def open(self, path: str) -> AbstractContextManager[BinaryIO]:
        """Opens it."""
        if path == form.NAME:
            return self.lake.open(self._manifest)
        kept = f"{BEFORE}/{path}"
        return self.lake.open(kept if self.lake.exists(kept) else f"release/{path}")


def _change(origin: _Origin, path: str, file: Released, write: Callable[[bytes], int]) -> Change:
    source = origin.source(path, file)
    before = origin.files[source] if source else Released(bytes=0, sha256="0" * 64)
    change = Change(path=path, bytes=file.bytes, sha256=file.sha256, source=source)
    if source:
        change = msgspec.structs.replace(change, source_sha256=before.sha256)
    if before.sha256 == file.sha256:
        return change
    pieces = []
    with ExitStack() as stack:
        new = stack.enter_context(origin.lake.open(f"release/{path}"))
        old = stack.enter_context(origin.open(source)) if source else None
        for piece, packed in pack(new, file.bytes, old, before.bytes):
            write(packed)
            pieces.append(piece)
    return msgspec.structs.replace(change, pieces=tuple(pieces))


def _manifest_file(manifest: ReleaseManifest) -> Released:
    content = form.encode(manifest)
    return Released(bytes=len(content), sha256=sha256(content).hexdigest())


def _beside(lake: Lake) -> Path | None:
    if lake.local is None:
        return None
    (lake.local / PATCHES).mkdir(parents=True, exist_ok=True)
    return lake.local / PATCHES
