"""Archives over http(s), read front to back in one request that is taken up again where it broke.

The client is urllib3. Archives are read by worker processes, each from front to back, where a blocking
client is the simplest that works; urllib3 keeps connections, knows which failure is which, checks lengths and
never holds more than one read. (aiohttp, which fetches the images, would need a loop beside every reader. The
http readers of fsspec and smart_open were the other candidates; fsspec's asks for a range per block, which
Common Crawl's rate limit punishes: "once you are lucky and get a request through, you'll get the
entire file without any further rate limit checks", status.commoncrawl.org.)
"""

import os
import re
import urllib.request
from functools import lru_cache
from urllib.parse import urlsplit

import certifi
import urllib3
from msgspec.structs import replace
from urllib3.exceptions import HTTPError, MaxRetryError, ProtocolError, ResponseError, SSLError

import allmende
from allmende.commoncrawl.patience import PASSING_STATUSES, Patience
from allmende.commoncrawl.remote import RemoteFile, SourceChanged, Version, shown
from allmende.errors import SourceError, SourceMissing, SourceRefused

USER_AGENT = f"allmende/{allmende.__version__} (+{allmende.__url__})"
"""Says who asks, where nobody says whose crawl it is: see `allmende.fetch.agent`."""

CONNECT_SECONDS = 20.0
READ_SECONDS = 60.0
"""Deadlines for a connection, and for each wait for bytes; then the request counts as failed and is repeated."""

_ONE_TRY = urllib3.Retry(
    total=None, connect=0, read=0, other=0, status=None, redirect=5, respect_retry_after_header=False
)
_SKIP_BYTES = 1 << 20


class HttpFile(RemoteFile):
    """A file on a web server. Opening asks for it at once, so that a missing one is known."""

    def __init__(
        self,
        location: str,
        patience: Patience,
        *,
        start: int = 0,
        stop: int | None = None,
        version: Version | None = None,
        agent: str = USER_AGENT,
    ) -> None:
        """Sends the first request, as `agent` (the User-Agent header); see `RemoteFile`.

        Raises:
            SourceMissing: for 404 and 410; `SourceRefused` for 401 and 403.
            SourceError: if the URL is unusable, the certificate invalid, or the retries are spent.
            SourceChanged: if the server has another version than `version`.
        """
        super().__init__(location, patience, start=start, stop=stop, version=version)
        self._agent = agent
        self._response: urllib3.BaseHTTPResponse | None = None
        self._skip = 0
        self._ended = False
        self._resumes = version is not None
        self._connect()

    def close(self) -> None:
        """Closes the connection, or returns it to the pool if the answer was read to its end."""
        self._drop()
        super().close()

    def _read(self, wanted: int) -> bytes:
        while not self._ended:
            if self._response is None:
                self._connect()
                continue
            try:
                data = self._response.read1(min(self._skip, _SKIP_BYTES) or wanted, decode_content=False)
            except HTTPError as error:
                self._drop()
                self._trouble(error=error)
                continue
            if not data:
                self._answer_ended()
            elif self._skip:
                self._skip -= len(data)
            else:
                self._resumes = True
                return data
        return b""

    def _answer_ended(self) -> None:
        self._drop()
        if self.size is not None and self._offset < self.size:
            self._trouble(error=ProtocolError(f"the answer ended at byte {self._offset} of {self.size}"))
        elif self._skip and self._resumes:
            raise SourceChanged(f"{shown(self.location)}: the file shrank while it was read.")
        else:
            self._ended = True

    def _moved(self) -> None:
        self._drop()
        self._ended = False

    def _drop(self) -> None:
        if self._response is not None:
            self._response.close()
            self._response.release_conn()
            self._response = None

    def _connect(self) -> None:
        while self._response is None and not self._ended:
            response = self._ask()
            if response is not None:
                self._take(response)

    def _ask(self) -> urllib3.BaseHTTPResponse | None:
        """One request. None if it failed in a way that may pass; the wait is over then."""
        headers = {"User-Agent": self._agent, "Accept-Encoding": "identity"}
        if self._offset or self._stop is not None:
            headers["Range"] = f"bytes={self._offset}-{'' if self._stop is None else self._stop - 1}"
            if self.version and self.version.condition:
                headers["If-Range"] = self.version.condition
        try:
            return _pool_for(self.location).request(
                "GET",
                self.location,
                headers=headers,
                preload_content=False,
                decode_content=False,
                retries=_ONE_TRY,
                timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS),
            )
        except ValueError as error:  # urllib3's LocationValueError is one, too
            raise SourceError(f"{shown(self.location)}: not a URL that can be asked for ({error}).") from error
        except MaxRetryError as error:
            self._failed(error.reason or error)
        except HTTPError as error:
            self._failed(error)
        return None

    def _failed(self, error: Exception) -> None:
        where = shown(self.location)
        if isinstance(error, SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(error):
            raise SourceError(
                f"{where}: the server's certificate is not valid ({error}). "
                "If it is your institution's own, set SSL_CERT_FILE to its certificate file."
            ) from error
        if isinstance(error, ResponseError):
            raise SourceError(f"{where}: {error}.") from error
        self._trouble(error=error)

    def _take(self, response: urllib3.BaseHTTPResponse) -> None:
        """Keeps the answer if its body is the wanted one; else waits, or notes the end, or raises."""
        first, total = _content_range(response.headers.get("Content-Range", ""))
        if response.status == 200:
            total = response.length_remaining
            self._skip = self._offset
        elif response.status == 206 and first == self._offset:
            self._skip = 0
        else:
            response.close()
            self._refused(response, first, total)
            return
        self._response = response
        try:
            self._meet(Version(response.headers.get("ETag", ""), response.headers.get("Last-Modified", ""), total))
        except SourceChanged:
            self._drop()
            raise

    def _refused(self, response: urllib3.BaseHTTPResponse, first: int | None, total: int | None) -> None:
        if response.status in PASSING_STATUSES:
            self._trouble(response=response)
        elif response.status == 206:
            self._trouble(error=ProtocolError(f"asked for byte {self._offset} on, got {first} on"))
        elif response.status != 416:
            raise _refusal(self.location, response.status)
        elif total is not None and total > self._offset:
            self._trouble(error=ProtocolError(f"byte {self._offset} of {total} was denied"))
        elif self.version is not None and total not in {None, self._offset, self.size}:
            raise SourceChanged(f"{shown(self.location)}: the file shrank to {total} bytes while it was read.")
        else:  # nothing from here on: the file ends where we are (or before), whatever length was promised
            self._ended = True
            if total is not None:
                self.version = replace(self.version or Version(), size=total)


def _content_range(value: str) -> tuple[int | None, int | None]:
    """First byte and total size of a Content-Range, as far as it has them."""
    found = re.fullmatch(r"bytes (?:(\d{1,18})-\d+|\*)/(?:(\d{1,18})|\*)", value.strip())
    first, total = found.groups() if found else (None, None)
    return int(first) if first else None, int(total) if total else None


def _refusal(location: str, status: int) -> SourceError:
    where = f"{shown(location)}: HTTP {status}"
    if status in {404, 410}:
        return SourceMissing(f"{where}: no such file.")
    if status in {401, 403}:
        return SourceRefused(
            f"{where}: refused. Either there is no such file, or it needs a login, or the server has had enough: "
            "Common Crawl blocks for up to a day who asks too much. Then wait, and lower `run.workers`."
        )
    return SourceError(f"{where}: not an answer that an archive comes with.")


def _pool_for(location: str) -> urllib3.PoolManager:
    parts = urlsplit(location)
    proxy = urllib.request.getproxies().get(parts.scheme, "")
    if proxy and urllib.request.proxy_bypass(parts.hostname or ""):
        proxy = ""
    return _pool(os.getpid(), proxy, os.environ.get("SSL_CERT_FILE") or certifi.where())


@lru_cache(maxsize=8)
def _pool(pid: int, proxy: str, certificates: str) -> urllib3.PoolManager:
    """One pool a process: a forked child must not write into its parent's connections."""
    if proxy:
        return urllib3.ProxyManager(proxy, ca_certs=certificates)
    return urllib3.PoolManager(ca_certs=certificates)
