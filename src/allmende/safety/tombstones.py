"""The take-down log: an append-only list of what may never come back, chained and signed.

A file of JSON lines. The first says whose log it is; each other one is an entry:

    {"commitment":"...","format":1,"key":"...","log":"allmende tombstones","signature":"..."}
    {"hash":"...","kind":"url","previous":"...","reason":"privacy","seq":1,"signature":"...","ticket":"...","time":"..."}

`previous` is the SHA-256 of the line before, newline left out. `signature` is over the entry without it, encoded as
JSON with sorted keys. So an entry can't be changed, moved or taken out without breaking the chain behind it, and the last
one can't be changed without the key. That the last entries were cut off, no chain can tell: each release
notes how long the log was and its digest then, and `Log.check_head` compares.

A process that dies while it appends leaves half a line without a newline. Nobody was told that this entry exists, so readers
ignore it, and the next one who appends cuts it off.

Values are hidden by the log's salt, which lies beside it: `allmende.safety.veil`.
"""

import re
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Literal, get_args

import msgspec

from allmende.errors import Untrusted
from allmende.safety.keys import Signer, verified
from allmende.safety.veil import Kind, Veil

FORMAT = 1
ReasonClass = Literal["illegal", "privacy", "copyright", "opt-out", "other"]
"""Why something was taken down, as coarse as it can be: the ticket has the rest."""
KINDS: tuple[Kind, ...] = get_args(Kind)
REASONS: tuple[ReasonClass, ...] = get_args(ReasonClass)
_SPAN: dict[str, int] = {"url": 32, "domain": 32, "sha256": 32, "phash": 64, "uid": 32}
_is_hex = re.compile("[0-9a-f]*").fullmatch


class Header(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """First line of a log."""

    log: Literal["allmende tombstones"] = "allmende tombstones"
    format: int = FORMAT
    key: str
    """Public key that every entry is signed with, 64 hex digits."""
    commitment: str
    """`Veil.commitment` of the log's salt."""
    signature: str = ""


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that was taken down."""

    seq: int
    """From 1, without a gap."""
    time: str
    """When it was entered, RFC 3339, UTC."""
    kind: Kind
    hash: str
    """`Veil.veiled` of the value: 32 hex digits, 64 for a phash."""
    reason: ReasonClass
    ticket: str
    """`Veil.ticket` of the request that asked for it."""
    previous: str
    """SHA-256 of the line before."""
    signature: str = ""
    """Ed25519 over all of the above, Base64."""


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """How far a log reached at some time."""

    entries: int = 0
    digest: str = ""
    """SHA-256 of the last of these entries' line (of the header, for none)."""
    key: str = ""
    """The log's public key, 64 hex digits: it signs the patches of the dataset, too."""


class Log:
    """A log that was read and verified, packed: 49 to 65 bytes an entry.

    Args:
        lines: The file's lines, each with its newline.
        where: Its path, for errors.
        every_signature: Check the signature of each entry. By default only that of the header and of the last entry, which
            covers all entries before it through the chain: 60 µs saved for each.

    Raises:
        Untrusted: if anything was changed, reordered or taken out.
    """

    def __init__(self, lines: Iterable[bytes], where: str, *, every_signature: bool = False):
        self.where = where
        self.entries = 0
        self.intact = 0
        """Bytes up to the end of the last whole line."""
        self._digests = bytearray()
        self.hashes: dict[str, bytearray] = {kind: bytearray() for kind in KINDS}
        """Veiled values one after the other, in the order of the log; by kind."""
        self.reasons: dict[str, bytearray] = {kind: bytearray() for kind in KINDS}
        """For each of `hashes` the number of its reason in `REASONS`."""
        last = self._read(_whole(lines), every_signature=every_signature)
        if last is not None and not every_signature:
            self._check_signature(last)

    def digest(self, entry: int) -> str:
        """SHA-256 of the line of an entry; of the header for 0."""
        return self._digests[32 * entry : 32 * entry + 32].hex()

    def head(self) -> Head:
        """How far the log reaches now."""
        return Head(entries=self.entries, digest=self.digest(self.entries), key=self.header.key)

    def check_head(self, known: Head) -> None:
        """Makes sure that the log still begins with what it was once.

        Raises:
            Untrusted: if entries are missing at the end, or it is another log.
        """
        if known.key != self.header.key:
            raise Untrusted(
                f"{self.where} is another take-down log than the one this dataset's last release obeyed: keys differ."
            )
        if known.entries > self.entries or self.digest(known.entries) != known.digest:
            raise Untrusted(
                f"{self.where}: the last release obeyed {known.entries} entries, and they are not all there. "
                "Restore the log from a backup: what is missing could come back into the dataset."
            )

    def _read(self, lines: Iterator[bytes], *, every_signature: bool) -> Entry | None:
        first = next(lines, None)
        if first is None:
            raise Untrusted(f"{self.where} is empty: no take-down log.")
        self.header = self._decode_header(first)
        self._took(first)
        last = None
        for line in lines:
            last = self._decode(line)
            if every_signature:
                self._check_signature(last)
            self.hashes[last.kind] += bytes.fromhex(last.hash)
            self.reasons[last.kind].append(REASONS.index(last.reason))
            self.entries += 1
            self._took(line)
        return last

    def _took(self, line: bytes) -> None:
        self.intact += len(line)
        self._digests += sha256(line[:-1]).digest()

    def _decode_header(self, line: bytes) -> Header:
        try:
            header = msgspec.json.decode(line, type=Header)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Untrusted(f"{self.where}: the first line is none of a take-down log ({error}).") from error
        if header.format > FORMAT:
            raise Untrusted(f"{self.where}: format {header.format}, written by a newer Allmende. Upgrade.")
        if not verified(header.key, "tombstones", _signed(header), header.signature):
            raise Untrusted(f"{self.where}: the first line was changed; its signature does not hold.")
        return header

    def _decode(self, line: bytes) -> Entry:
        number = self.entries + 1
        try:
            entry = _DECODE(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Untrusted(f"{self.where}, line {number + 1}: damaged ({error}).") from error
        if entry.seq != number or entry.previous != self.digest(self.entries):
            raise Untrusted(
                f"{self.where}, line {number + 1}: does not follow the line before: something was changed, moved or taken out."
            )
        if len(entry.hash) != _SPAN[entry.kind] or not _is_hex(entry.hash):
            raise Untrusted(f"{self.where}, line {number + 1}: no hash of a {entry.kind}.")
        return entry

    def _check_signature(self, entry: Entry) -> None:
        if not verified(self.header.key, "tombstone", _signed(entry), entry.signature):
            raise Untrusted(f"{self.where}, line {entry.seq + 1}: was changed; its signature does not hold.")


_DECODE = msgspec.json.Decoder(Entry).decode


def _whole(lines: Iterable[bytes]) -> Iterator[bytes]:
    """All lines that end; a last one without newline was never finished."""
    return (line for line in lines if line.endswith(b"\n"))


def _signed(line: Header | Entry) -> bytes:
    return msgspec.json.encode(msgspec.structs.replace(line, signature=""), order="sorted")


def first_line(veil: Veil, signer: Signer) -> bytes:
    """The first line of a new log."""
    header = Header(key=signer.public, commitment=veil.commitment)
    return _line(msgspec.structs.replace(header, signature=signer.sign("tombstones", _signed(header))))


def next_lines(
    log: Log, values: Iterable[tuple[Kind, str]], reason: ReasonClass, ticket: str, time: str, signer: Signer
) -> bytes:
    """The lines to append.

    Args:
        log: As it is now.
        values: Kind and veiled value of each entry; those that the log has already must not be among them.
        reason: Of all of them.
        ticket: Veiled.
        time: RFC 3339.
        signer: Has the log's key.

    Raises:
        Untrusted: if the key is not the log's.
    """
    if signer.public != log.header.key:
        raise Untrusted(f"{log.where} belongs to another key than the one given.")
    previous, lines = log.digest(log.entries), []
    for seq, (kind, value) in enumerate(values, log.entries + 1):
        entry = Entry(seq=seq, time=time, kind=kind, hash=value, reason=reason, ticket=ticket, previous=previous)
        line = _line(msgspec.structs.replace(entry, signature=signer.sign("tombstone", _signed(entry))))
        previous = sha256(line[:-1]).hexdigest()
        lines.append(line)
    return b"".join(lines)


def _line(value: Header | Entry) -> bytes:
    return msgspec.json.encode(value, order="sorted") + b"\n"
