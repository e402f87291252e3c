"""Archives in object stores, through fsspec: s3:// (with s3fs), and gs://, az://, hf:// and the rest.

S3 is asked anonymously, through s3fs's own client with its retries switched off: `Patience` decides, as
everywhere. Blocks are large (`BLOCK_BYTES`), as Common Crawl's limits count requests; s3fs sends If-Match
with each, so that a changed object is noticed. Anything in fsspec's configuration wins: `FSSPEC_S3_ANON=false`
signs with your AWS credentials, `AWS_ENDPOINT_URL_S3` or `FSSPEC_S3_ENDPOINT_URL` names another store.
"""

import sys
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

import fsspec
from urllib3 import BaseHTTPResponse, HTTPResponse
from urllib3.exceptions import ProtocolError

from allmende.commoncrawl.patience import PASSING_STATUSES, Patience
from allmende.commoncrawl.remote import RemoteFile, SourceChanged, Version, shown
from allmende.errors import AllmendeError, MissingExtra, SourceError, SourceMissing, SourceRefused

BLOCK_BYTES = 32 << 20
"""Bytes asked for at once, and held; a WAT file of Common Crawl (some 200 MB) takes six or seven."""

S3_PROTOCOLS = frozenset({"s3", "s3a"})

_MEANINGS: dict[int, tuple[type[SourceError], str]] = {
    412: (SourceChanged, "the file changed while it was read. Run the same command again to read the new one."),
    416: (SourceError, "the file ends before the bytes that were asked for."),
}

_Result = TypeVar("_Result")


def filesystem(location: str) -> tuple[fsspec.AbstractFileSystem, str]:
    """The file system of a URL, and the path in it.

    Raises:
        MissingExtra: if it needs a package that isn't installed.
        SourceError: if fsspec doesn't know the protocol, or can't make anything of the URL.
    """
    protocol = urlsplit(location).scheme
    options = _s3_options() if protocol in S3_PROTOCOLS else {}
    try:
        store, path = fsspec.core.url_to_fs(location, use_listings_cache=False, **options)
    except ImportError as error:
        raise MissingExtra(_install_hint(protocol, str(error))) from error
    except Exception as error:  # whatever the plug-in's constructor raises
        raise SourceError(f"{shown(location)}: can't be opened ({error}).") from error
    if protocol in S3_PROTOCOLS:
        store.retries = 1
    return store, path


def _s3_options() -> dict[str, Any]:
    configured: dict[str, Any] = fsspec.config.conf.get("s3", {})
    signed = configured.keys() & {"key", "secret", "token", "profile"}
    return {
        "anon": configured.get("anon", not signed),
        "config_kwargs": {**configured.get("config_kwargs", {}), "retries": {"total_max_attempts": 1}},
    }


def _install_hint(protocol: str, reason: str) -> str:
    if protocol in S3_PROTOCOLS:
        return f"{protocol}:// needs s3fs, which isn't installed: pip install 'allmende[s3]'"
    return f"{protocol}:// needs a package that isn't installed: {reason}"


def patiently(call: Callable[[], _Result], location: str, patience: Patience) -> tuple[_Result, Patience]:
    """Calls fsspec until it answers or patience is spent.

    Returns:
        What the call returned, and the patience left.

    Raises:
        SourceMissing, SourceRefused, SourceChanged, SourceError: in place of the store's own exceptions.
    """
    while True:
        try:
            return call(), patience
        except AllmendeError:
            raise
        except Exception as error:  # fsspec's plug-ins share no base class of errors
            answer = _answer(error)
            refusal = _refusal(location, error, answer)
            if refusal is not None:
                raise refusal from error
            if answer is not None:
                patience = patience.after(shown(location), response=answer)
            else:
                patience = patience.after(shown(location), error=error)


def _answer(error: BaseException | None) -> BaseHTTPResponse | None:
    """The HTTP answer behind a botocore ClientError, which s3fs passes on as the cause of its own."""
    while error is not None:
        facts = getattr(error, "response", None)
        if isinstance(facts, dict) and "ResponseMetadata" in facts:
            facts = facts["ResponseMetadata"]
            return HTTPResponse(status=facts.get("HTTPStatusCode", 0), headers=facts.get("HTTPHeaders", {}))
        error = error.__cause__
    return None


def _refusal(location: str, error: Exception, answer: BaseHTTPResponse | None) -> SourceError | None:
    """The error to raise; None if a repeat may help."""
    where = shown(location)
    if answer is not None and answer.status in PASSING_STATUSES:
        return None
    if isinstance(error, FileNotFoundError):
        return SourceMissing(f"{where}: no such file ({error}).")
    if isinstance(error, PermissionError):
        hint = " `export FSSPEC_S3_ANON=false` signs requests with your AWS credentials."
        signs = urlsplit(location).scheme in S3_PROTOCOLS
        return SourceRefused(f"{where}: refused ({error}).{hint if signs else ''}")
    if answer is not None and answer.status in _MEANINGS:
        kind, meaning = _MEANINGS[answer.status]
        return kind(f"{where}: {meaning}")
    if answer is None and isinstance(error, _passing_errors()):
        return None
    return SourceError(f"{where}: {type(error).__name__}: {error}")


def _passing_errors() -> tuple[type[BaseException], ...]:
    """What connections raise when they break, of those packages that are loaded."""
    names = [
        ("aiohttp", "ClientError"),
        ("botocore.exceptions", "HTTPClientError"),
        ("botocore.exceptions", "ConnectionError"),
        ("botocore.parsers", "ResponseParserError"),
    ]
    found = (getattr(sys.modules.get(module), name, None) for module, name in names)
    return (OSError, EOFError, *(kind for kind in found if kind is not None))


def read_piece(location: str, start: int, stop: int, patience: Patience) -> bytes:
    """Bytes `start` to `stop` of an object, in one request; fewer if it ends earlier.

    Raises:
        MissingExtra, SourceError and its kin, as `patiently` and `filesystem` say.
    """
    if stop <= start:
        return b""
    store, path = filesystem(location)
    data, _ = patiently(lambda: bytes(store.cat_file(path, start=start, end=stop)), location, patience)
    return data


class StoreFile(RemoteFile):
    """An object in a store. Opening asks for its size at once, so that a missing one is known."""

    def __init__(
        self,
        location: str,
        patience: Patience,
        *,
        start: int = 0,
        stop: int | None = None,
        version: Version | None = None,
    ) -> None:
        """Asks for size and version; see `RemoteFile`.

        Raises:
            MissingExtra: if the protocol's package isn't installed.
            SourceMissing, SourceRefused, SourceError: as `patiently` says.
            SourceChanged: if the store has another version than `version`.
        """
        super().__init__(location, patience, start=start, stop=stop, version=version)
        self._file: Any = None
        self._block = b""
        self._block_start = start
        self._store, self._path = filesystem(location)
        self._file, found = self._patiently(self._open)
        self._meet(found)

    def close(self) -> None:
        """Forgets block and object."""
        self._block = b""
        if self._file is not None:
            self._file.close()
        super().close()

    def _open(self) -> tuple[Any, Version]:
        file = self._store.open(self._path, "rb", block_size=BLOCK_BYTES, cache_type="none")
        return file, _version(getattr(file, "details", None) or self._store.info(self._path))

    def _patiently(self, call: Callable[[], _Result]) -> _Result:
        result, self._patience = patiently(call, self.location, self._patience)
        return result

    def _read(self, wanted: int) -> bytes:
        place = self._offset - self._block_start
        if place >= len(self._block):
            self._fetch()
            place = 0
        return self._block[place : place + wanted]

    def _fetch(self) -> None:
        size = sys.maxsize if self.size is None else self.size
        end = min(self._offset + BLOCK_BYTES, size, sys.maxsize if self._stop is None else self._stop)
        while True:
            block = self._patiently(lambda: self._bytes(self._offset, end))
            if self.size is None or len(block) == max(0, end - self._offset):
                break
            self._trouble(error=ProtocolError(f"got {len(block)} bytes from {self._offset} on, not to {end}"))
        self._block, self._block_start = block, self._offset

    def _bytes(self, start: int, stop: int) -> bytes:
        if stop <= start:
            return b""
        self._file.seek(start)
        data: bytes = self._file.read(stop - start)
        return data

    def _moved(self) -> None:
        """Nothing to forget: the block stays good, for jumps within it."""
        if not 0 <= self._offset - self._block_start <= len(self._block):
            self._block, self._block_start = b"", self._offset


def _version(details: dict[str, Any]) -> Version:
    etag = details.get("ETag") or details.get("etag") or ""
    modified = details.get("LastModified") or details.get("last_modified") or details.get("mtime") or ""
    return Version(str(etag), str(modified), details.get("size"))
