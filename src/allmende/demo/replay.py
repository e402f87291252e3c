"""What a web server that replays archives answers: every response record of some WARC files, by URL.

* The n-th request of a URL gets its n-th record; the last one is repeated. A server that is busy once, then not, is two records.
* A metadata record's `fetchTimeMs` is how long the server takes, as it did when the archive was made.
* A message shorter than its Content-Length is sent as it is, then the connection closes; an empty one just closes it.
"""

from dataclasses import dataclass, field

from allmende.testing.archives import (
    Archive,
    ResponseOptions,
    http_response,
    read_records,
    split_record,
    warc_record,
)
from allmende.testing.wat import HEADER_END, header_lines, plain_body

PORT = 8087
"""The port that the links of the demo's pages name. The next one is that of a host that refuses connections."""

SLOWEST_PAGE = 0.1
"""Recorded fetch times up to this many seconds are the crawler's own and not replayed."""

_COMPUTED = {"warc-type", "warc-date", "warc-record-id", "warc-target-uri", "content-length"}


@dataclass(frozen=True, slots=True)
class Answer:
    """One recorded answer."""

    message: bytes
    """Status line to last byte."""
    whole: bool
    """The message is as long as it says; if not, the connection closes after it."""


@dataclass(slots=True)
class Web:
    """All that was recorded."""

    answers: dict[str, list[Answer]] = field(default_factory=dict)
    """By URL, in the order of the records."""
    delays: dict[str, float] = field(default_factory=dict)
    """Seconds before an answer, for URLs that were slow."""

    def add(self, archive: bytes) -> None:
        """Take in the responses of a WARC file."""
        for _, record in read_records(archive):
            lines, block = split_record(record)
            url = lines.get("WARC-Target-URI", "")
            if lines["WARC-Type"] == "response":
                self.answers.setdefault(url, []).append(Answer(block, is_whole(block)))
            elif lines["WARC-Type"] == "metadata":
                seconds = int(header_lines(b"\r\n" + block).get("fetchTimeMs", "0")) / 1_000
                if seconds > SLOWEST_PAGE:
                    self.delays[url] = seconds


def is_whole(message: bytes) -> bool:
    """True if an HTTP message has as many bytes as its headers promise, so that the connection can be used again."""
    head, end, body = message.partition(HEADER_END)
    headers = header_lines(head)
    if "Content-Length" in headers:
        return bool(end) and len(body) == int(headers["Content-Length"])
    return bool(end) and "Transfer-Encoding" in headers


def moved(archive: bytes, port: int) -> bytes:
    """The archive with all links to hosts on `PORT` and `PORT` + 1 leading to `port` and `port` + 1 instead.

    Ports must have four digits: the lengths that HTTP headers tell stay true.
    """
    if port == PORT:
        return archive
    copy = Archive(info=False)
    for _, record in read_records(archive):
        lines, block = split_record(record)
        kept = [(k, v) for k, v in lines.items() if k.lower() not in _COMPUTED and not k.endswith("-Digest")]
        url = _renamed(lines.get("WARC-Target-URI", "").encode(), port).decode()
        copy.add(
            warc_record(lines["WARC-Type"], _moved(block, port), url=url, date=lines["WARC-Date"], headers=kept)  # type: ignore[arg-type]
        )
    return copy.to_bytes()


def _moved(block: bytes, port: int) -> bytes:
    head, _, body = block.partition(HEADER_END)
    headers = header_lines(head)
    if not {"Content-Encoding", "Transfer-Encoding"} & headers.keys():
        return _renamed(block, port)
    options: ResponseOptions = {"content_type": headers["Content-Type"], "chunked": "Transfer-Encoding" in headers}
    if "Content-Encoding" in headers:
        options["encoding"] = headers["Content-Encoding"]  # type: ignore[typeddict-item]
    return http_response(_renamed(plain_body(headers, body), port), **options)


def _renamed(data: bytes, port: int) -> bytes:
    for old, new in ((PORT, port), (PORT + 1, port + 1)):
        data = data.replace(b".localhost:%d" % old, b".localhost:%d" % new)
    return data
