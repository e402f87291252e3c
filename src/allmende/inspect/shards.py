"""Tar files, and WebDataset shards above all: members grouped into samples by their key."""

import io
import tarfile
from collections import Counter
from typing import IO, Any

import msgspec

from allmende.inspect.finding import Finding, examples, shown
from allmende.publish.unsafe import why_unsafe

_READ_AT_MOST = 1 << 20


def tar(stream: IO[bytes], packed: bool, rows: int, limit: int) -> Finding:
    """Counts members by extension and samples by key, and shows the first samples with their words and metadata.

    Args:
        stream: The file's bytes as stored.
        packed: Whether the file is compressed as a whole.
        rows: Samples to show.
        limit: Members to read; 0 for all.
    """
    extensions: Counter[str] = Counter()
    first: list[dict[str, Any]] = []
    volume = members = samples = 0
    key, last = None, ""
    finding = Finding(kind="")
    dangers = _Dangers()
    try:
        with tarfile.open(fileobj=stream, mode="r|*", tarinfo=_Header) as opened:
            for member in opened:
                if limit and members == limit:
                    finding.complete = False
                    break
                opened.members = []  # type: ignore[attr-defined]  # else tarfile keeps every header it has read
                members, volume, last = members + 1, volume + member.size, member.name
                dangers.look(member)
                name, _, extension = _split(member.name)
                extensions[extension] += 1
                if name != key:
                    key, samples = name, samples + 1
                    if len(first) < rows:
                        first.append({"key": name})
                if samples <= rows and member.isreg():
                    first[-1] |= _content(opened, member, extension)
    except (tarfile.TarError, EOFError, OSError) as error:
        where = f"after member {last}" if last else "at the beginning"
        finding.problems = (f"The archive is damaged or cut off {where}: {error}.",)
    if finding.complete and not finding.problems and not packed and not _ends(stream):
        finding.problems = (f"The archive has no end mark: it may be cut off after member {last}.",)
    finding.problems += dangers.told()
    grouped = samples < members
    finding.kind = "WebDataset shard (tar)" if grouped else "tar archive"
    finding.facts = {"members": members, "samples": samples, "bytes of members": volume}
    finding.counts = {"Members": dict(extensions)} if extensions else {}
    finding.examples = examples(first)
    return finding


class _Header(tarfile.TarInfo):
    """A header that may not ask for much: `tarfile` reads long names and extended headers into memory as a whole."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> "_Header":
        """See `tarfile.TarInfo.frombuf`."""
        header = super().frombuf(buf, encoding, errors)
        if header.type in _EXTENDS and header.size > _READ_AT_MOST:
            raise tarfile.ReadError(f"an extended header of {header.size:,} bytes")
        return header


_EXTENDS = frozenset(
    {
        tarfile.XHDTYPE,
        tarfile.XGLTYPE,
        tarfile.SOLARIS_XHDTYPE,
        tarfile.GNUTYPE_LONGNAME,
        tarfile.GNUTYPE_LONGLINK,
    }
)
"""Types of headers whose data belong to the next one."""


class _Dangers:
    """Members that may harm who unpacks or loads the archive: counted, with the first of each kind."""

    def __init__(self) -> None:
        self._first: dict[str, str] = {}
        self._counts: Counter[str] = Counter()

    def look(self, member: tarfile.TarInfo) -> None:
        """Judges a member by its name and type."""
        why = why_unsafe(member.name)
        if not why and not (member.isreg() or member.isdir()):
            why = "it is a link or a device, not a file"
        if why:
            self._first.setdefault(why, member.name)
            self._counts[why] += 1

    def told(self) -> tuple[str, ...]:
        """A problem for each kind."""
        return tuple(
            f"Do not unpack or load this: {shown(self._first[why])}: {why} ({count:,} such members)."
            for why, count in self._counts.items()
        )


def _ends(stream: IO[bytes]) -> bool:
    """Whether two blocks of zeros close the archive, as POSIX asks."""
    if stream.seek(0, io.SEEK_END) < 2 * tarfile.BLOCKSIZE:
        return False
    stream.seek(-2 * tarfile.BLOCKSIZE, io.SEEK_END)
    return not any(stream.read())


def _split(name: str) -> tuple[str, str, str]:
    """Key and extension as WebDataset splits names: at the first dot of the file name."""
    folder, slash, file = name.rpartition("/")
    base, dot, extension = file.partition(".")
    return f"{folder}{slash}{base}", dot, shown(extension.lower() or "(none)")


def _content(opened: tarfile.TarFile, member: tarfile.TarInfo, extension: str) -> dict[str, Any]:
    """What an example shows of a member: words, JSON fields, or its size."""
    described = {extension: f"{member.size:,} bytes"}
    if extension not in {"txt", "json"} or member.size > _READ_AT_MOST:
        return described
    file = opened.extractfile(member)
    content = file.read() if file else b""
    if extension == "txt":
        return {"txt": content.decode("utf-8", "replace")}
    try:
        fields = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {"json": "(not valid JSON)"}
    return {f"json {name}": value for name, value in fields.items()} if isinstance(fields, dict) else described
