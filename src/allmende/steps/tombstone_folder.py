"""Where a take-down log lies: `tombstones/` of the dataset, or a folder that several datasets share.

    log.jsonl      the log (`allmende.safety.tombstones`)
    salt           the secret that makes its hashes; who has to obey the log needs it
    signing.key    the private key that signs entries and patches; move it elsewhere and name it with --key, if you like

None of the three belongs into what is published. Salt and key are readable by their owner only.
"""

import os
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path

from allmende.errors import LakeError, Untrusted
from allmende.lake import Lake
from allmende.lock import locked
from allmende.recipe import Recipe
from allmende.safety.keys import Signer, make_key
from allmende.safety.tombstones import Log, ReasonClass, first_line, next_lines
from allmende.safety.veil import SALT_BYTES, Kind, Veil
from allmende.storage import explained

LOG, SALT, KEY = "log.jsonl", "salt", "signing.key"


class TombstoneFolder:
    """The folder of a log.

    Args:
        root: A path, or an fsspec URL.
    """

    def __init__(self, root: str):
        self.lake = Lake(root)

    @property
    def where(self) -> str:
        """Path of the log, for messages."""
        return self.lake.url(LOG)

    def exists(self) -> bool:
        """True if there is a log."""
        return self.lake.exists(LOG)

    def create(self) -> None:
        """Makes salt, key and an empty log, unless there is a log."""
        if self.exists():
            return
        with locked(self.lake):
            for name, content in ((SALT, secrets.token_bytes(SALT_BYTES).hex().encode()), (KEY, make_key())):
                if not self.lake.exists(name):
                    _write_secret(self.lake, name, content)
            if not self.exists():
                self.lake.write(LOG, first_line(self.veil(), self.signer()))

    def veil(self) -> Veil:
        """What hides the log's values.

        Raises:
            Untrusted: if the salt is none.
        """
        try:
            salt = bytes.fromhex(self.lake.read(SALT).decode("ascii"))
        except ValueError as error:
            raise Untrusted(f"{self.lake.url(SALT)}: not a salt.") from error
        return Veil(salt)

    def signer(self, key: Path | None = None) -> Signer:
        """The private key: the file named, else the one beside the log.

        Raises:
            LakeError: if there is none.
            RecipeError: if it can't be read.
        """
        if key is not None:
            with explained("Reading", str(key)):
                return Signer(key.read_bytes(), str(key))
        if not self.lake.exists(KEY):
            raise LakeError(f"{self.lake.url(KEY)} is not there. Name the log's private key: --key FILE")
        return Signer(self.lake.read(KEY), self.lake.url(KEY))

    def load(self, *, every_signature: bool = False) -> tuple[Log, Veil]:
        """The log, verified, and what hides its values.

        Raises:
            LakeError: if there is none.
            Untrusted: if the log was changed, or the salt is that of another log.
        """
        if not self.exists():
            raise LakeError(
                f"There is no take-down log in {self.lake.root}. If there was one, restore it: what it names could come "
                f"back. For a new one that datasets share: allmende takedown {self.lake.root} --new-log"
            )
        with explained("Reading", self.where):
            log = Log(self._lines(), self.where, every_signature=every_signature)
        veil = self.veil()
        if veil.commitment != log.header.commitment:
            raise Untrusted(f"{self.lake.url(SALT)} is the salt of another log: with it nothing would be found.")
        return log, veil

    def append(
        self, values: Iterable[tuple[Kind, str]], reason: ReasonClass, ticket: str, time: str, key: Path | None = None
    ) -> int:
        """Enters what the log does not have yet; what a dead process left of a line is cut off first.

        Args:
            values: Kind and plain value of each.
            reason: Of all of them.
            ticket: Name of the request, plain.
            time: RFC 3339, UTC.
            key: File of the private key, if it does not lie beside the log.

        Returns:
            How many were new.
        """
        with locked(self.lake):
            log, veil = self.load()
            fresh = missing(log, veil, values)
            if fresh:
                lines = next_lines(log, fresh, reason, veil.ticket(ticket), time, self.signer(key))
                self._extend(log, lines)
        return len(fresh)

    def _extend(self, log: Log, lines: bytes) -> None:
        if self.lake.local is None:
            content = self.lake.read(LOG)[: log.intact]
            self.lake.write(LOG, content + lines)
            return
        with explained("Writing", self.where), (self.lake.local / LOG).open("r+b") as file:
            file.truncate(log.intact)
            file.seek(log.intact)
            file.write(lines)
            file.flush()
            os.fsync(file.fileno())

    def _lines(self) -> Iterator[bytes]:
        with self.lake.open(LOG) as file:
            yield from file


def folder_of(lake: Lake, recipe: Recipe) -> TombstoneFolder:
    """The log that a dataset obeys."""
    return TombstoneFolder(recipe.safety.tombstones or lake.url("tombstones"))


def missing(log: Log, veil: Veil, values: Iterable[tuple[Kind, str]]) -> list[tuple[Kind, str]]:
    """Kind and veiled value of each that the log does not have, each once."""
    known = {kind: _pieces(log, kind) for kind in log.hashes}
    veiled = dict.fromkeys((kind, veil.veiled(kind, value)) for kind, value in values)
    return [(kind, value) for kind, value in veiled if bytes.fromhex(value) not in known[kind]]


def _pieces(log: Log, kind: str) -> set[bytes]:
    width = 32 if kind == "phash" else 16
    packed = bytes(log.hashes[kind])
    return {packed[at : at + width] for at in range(0, len(packed), width)}


def _write_secret(lake: Lake, name: str, content: bytes) -> None:
    """Writes a file that only its owner may read; in an object store the bucket's rights decide."""
    if lake.local is None:
        lake.write(name, content)
        return
    aside = lake.local / f".{name}.{os.getpid()}"
    with explained("Writing", lake.url(name)):
        handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(lake.local / name)
