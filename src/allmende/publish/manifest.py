"""The manifest of a release: its version, what it consists of, and which release it follows.

A release is immutable: a version never means other bytes. The manifest lies in the release as `manifest.json`, and in the
dataset's history as `releases/VERSION.json`, so that any two releases can be compared after the older one is gone.
It is written with sorted keys, so the same release has the same manifest and the manifest a digest of its own.

Versions follow semver.org, read for data as Croissant 1.0 does: what was there may be gone or different: MAJOR; only new
samples: MINOR; the same samples, described better: PATCH.
"""

from hashlib import sha256
from typing import Annotated, Any

import msgspec

from allmende.errors import LakeTooNew, Untrusted
from allmende.safety.tombstones import Head

FORMAT = 1
NAME = "manifest.json"
SHARDS = "shards/"
_VERSION = r"^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)$"

Version = Annotated[str, msgspec.Meta(pattern=_VERSION)]
Sha256 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


class Released(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a release."""

    bytes: int
    sha256: Sha256


class Earlier(msgspec.Struct, frozen=True, kw_only=True):
    """The release that one follows."""

    version: Version
    sha256: Sha256
    """Of its manifest."""


class ReleaseManifest(msgspec.Struct, frozen=True, kw_only=True):
    """What one version of a dataset consists of."""

    format: int = FORMAT
    dataset: str
    """Its name."""
    version: Version
    previous: Earlier | None
    released: str
    """When, RFC 3339, UTC."""
    allmende: str
    """Version of Allmende."""
    samples: int
    taken_down: int
    """Rows that take-downs have removed from it, or kept out, since it began."""
    removed: dict[str, int] = {}
    """Samples that the take-down behind this version removed, by class of reason."""
    data: str
    """Digest of everything that decides which samples could be in it."""
    form: str
    """Digest of everything that decides how they are stored."""
    policy: str
    """Permission policy, name/version."""
    lists: Any = None
    """Safety lists that were asked: name, date and digest of each."""
    tombstones: Head
    """How far the take-down log reached, and the public key that signs it and the patches."""
    files: dict[str, Released]
    """All files of the release but this manifest, by path."""


def encode(manifest: ReleaseManifest) -> bytes:
    """As it is written: JSON with sorted keys."""
    return msgspec.json.format(msgspec.json.encode(manifest, order="sorted"), indent=1) + b"\n"


def digest(manifest: ReleaseManifest) -> str:
    """SHA-256 of the manifest as it is written."""
    return sha256(encode(manifest)).hexdigest()


def decode(content: bytes, where: str) -> ReleaseManifest:
    """Reads one.

    Raises:
        LakeTooNew: if a newer Allmende wrote it.
        Untrusted: if it is damaged, or names a file outside the release.
    """
    try:
        version = msgspec.json.decode(content, type=_Any).format
        if version > FORMAT:
            raise LakeTooNew(f"{where} has format {version}. Upgrade: pip install -U allmende")
        manifest = msgspec.json.decode(content, type=ReleaseManifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Untrusted(f"{where} is no manifest of a release ({error}).") from error
    for path in manifest.files:
        check_path(path, where)
    return manifest


class _Any(msgspec.Struct):
    format: int


def check_path(path: str, where: str) -> None:
    """Makes sure that a path stays in the folder it is relative to.

    Raises:
        Untrusted: if it doesn't.
    """
    parts = path.split("/")
    if not path or "\\" in path or "\0" in path or any(part in {"", ".", ".."} for part in parts) or ":" in parts[0]:
        raise Untrusted(f"{where} names the file {path!r}, which would lie outside the release.")


def same_content(one: ReleaseManifest, other: ReleaseManifest) -> bool:
    """True if both stand for the same bytes."""
    return one.files == other.files


def next_version(old: ReleaseManifest, new: ReleaseManifest) -> str:
    """The version of a release that differs from the last.

    Args:
        old: The last one.
        new: Its version does not matter.
    """
    major, minor, patch = map(int, old.version.split("."))
    if _shards(old) == _shards(new):
        return f"{major}.{minor}.{patch + 1}"
    # With the same inputs a sample disappears only through a take-down (counted) or a part that was made anew.
    only_more = (old.data, old.form, old.taken_down) == (new.data, new.form, new.taken_down)
    if only_more and new.samples > old.samples:
        return f"{major}.{minor + 1}.0"
    return f"{major + 1}.0.0"


def _shards(manifest: ReleaseManifest) -> dict[str, Released]:
    """The files that hold samples; not the build's own notes about them."""
    return {
        path: file
        for path, file in manifest.files.items()
        if path.startswith(SHARDS)
        and not path.removeprefix(SHARDS).startswith("part-")
        and path != f"{SHARDS}plan.json"
    }


def order(version: str) -> tuple[int, ...]:
    """Sorts versions."""
    return tuple(map(int, version.split(".")))
