"""Every parser that reads bytes of strangers, as a function to be fuzzed; samples to start from; and a mutator.

    for name, target in TARGETS.items():
        target.run(b"...")           # returns, or there is a bug

A target takes any bytes. It must return, soon, and without an exception: damage is a Reason, an unknown signal or
nothing, never an error. Errors that a function documents for its caller are caught in the target. `tools/fuzz.py` runs
targets for as long as one likes; `tests/fuzz/` replays the inputs that once broke something.
"""

import contextlib
import io
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from allmende.testing import fuzz_seeds as seeds
from allmende.testing import fuzz_signals
from allmende.testing.fuzz_target import Target

MAX_BYTES = 1 << 20
"""Caps given to what takes one: small, so that whoever ignores it is soon found out."""


def _records(data: bytes) -> None:
    from allmende.commoncrawl.records import read_records
    from allmende.schema import Reason

    for item in read_records(io.BytesIO(data), MAX_BYTES):
        if not isinstance(item, Reason):
            assert len(item.data) <= MAX_BYTES + (1 << 17)


def _warc(data: bytes) -> None:
    from allmende.commoncrawl.warc import is_image, read_warc
    from allmende.extract.html_images import page_from_html
    from allmende.schema import Reason

    for capture in read_warc(io.BytesIO(data), MAX_BYTES):
        if not isinstance(capture, Reason):
            assert capture.body
            assert len(capture.body) <= MAX_BYTES
            is_image(capture)
            page_from_html(capture, "a.warc.gz")


def _wat(data: bytes) -> None:
    from allmende.extract.candidates import candidate_batches
    from allmende.extract.judge import EachLink
    from allmende.extract.wat_images import pages_from_wat
    from allmende.filters.judge import CaptionJudge
    from allmende.recipe import Captions, Urls

    judge = EachLink(CaptionJudge(Captions(), Urls(), ("alt", "title")))
    for batch in candidate_batches(pages_from_wat(io.BytesIO(data)), judge, None, keep_dropped=True):
        assert batch.candidates.seen == batch.candidates.kept + sum(batch.candidates.dropped.values())


def _wat_record(data: bytes) -> None:
    """The JSON of one record: what is found in the compiled way is what is found in the other."""
    from allmende.commoncrawl.records import Record
    from allmende.commoncrawl.wat import WatCapture, WatRecord, decode
    from allmende.extract.wat_images import page_from_wat, usual_page
    from allmende.schema import Reason

    item = WatRecord(Record(0, len(data), data, 0, len(data)), escaped=False)
    usual, capture = usual_page(item, 2_000), decode(item)
    # A record that is none, strictly speaking, may be read; and images are known by how their links usually begin.
    if isinstance(capture, WatCapture) and data.count(b'{"path":"IMG@/src"') == len(capture.images):
        page = page_from_wat(capture)
        assert usual is None or usual == page or isinstance(page, Reason)


def _http_body(data: bytes) -> None:
    from allmende.commoncrawl.http_body import plain_body
    from allmende.schema import Reason

    head, _, body = data.partition(b"\n")
    transfer, _, content = head.decode("latin-1").partition("|")
    for cut in (False, True):
        found = plain_body(body, transfer, content, MAX_BYTES, cut=cut)
        assert isinstance(found, Reason) or len(found) <= max(MAX_BYTES, len(body))


def _html(data: bytes) -> None:
    from allmende.commoncrawl.warc import WarcCapture
    from allmende.extract.html_images import page_from_html
    from allmende.schema import Reason

    head, _, body = data.partition(b"\n")
    headers: dict[str, str | list[str]] = {"Content-Type": head.decode("latin-1")}
    page = page_from_html(WarcCapture("http://a.example/b/", "", "200", headers, body, 0, None), "a.warc.gz")
    if not isinstance(page, Reason):
        assert all(link.url.startswith(("http://", "https://")) for link in page.images)


def _srcset(data: bytes) -> None:
    from allmende.extract.srcset import largest, parse_srcset

    text = data.decode("utf-8", "surrogateescape")
    found = list(parse_srcset(text))
    assert largest(text) is None or largest(text) in found


def _json_ld(data: bytes) -> None:
    from allmende.extract.json_ld import read_json_ld

    for mention in read_json_ld(data.decode("utf-8", "replace"))[0]:
        assert mention.url
        assert mention.text


def _charset(data: bytes) -> None:
    from allmende.extract.charset import by_label, decode_page

    head, _, body = data.partition(b"\n")
    decode_page(body, head.decode("latin-1"))
    by_label(head.decode("latin-1"))


def _urls(data: bytes) -> None:
    import ada_url

    from allmende.extract.urls import base_url, normalise, resolver, split_host
    from allmende.fetch.guard import Guard, redirect_target
    from allmende.schema import Reason

    link, _, base = data.decode("utf-8", "surrogateescape").partition("\n")
    found = normalise(link, base)
    assert resolver(base_url("http://a.example/", base), 2_000)(link) is not None
    if not isinstance(found, Reason):
        assert split_host(found)
        assert ada_url.check_url(found)
        assert normalise(found, "") == found
    with contextlib.suppress(UnicodeEncodeError):  # the client gets URLs that are text
        link.encode()
        Guard((80, 443)).check(link)
        redirect_target("http://a.example/", link)


def _image(data: bytes) -> None:
    from allmende.media.image import process
    from allmende.recipe import Images
    from allmende.schema import Reason

    options = Images(
        min_bytes=0, min_side=1, max_aspect_ratio=50, max_pixels=100_000, size=32, drop_single_colour=False
    )
    found = process(data, options)
    assert isinstance(found, Reason) or found.original_width * found.original_height <= 100_000


def _image_headers(data: bytes) -> None:
    from allmende.media import exif, ifd, jpeg, probe, strip

    header = probe.probe(data)
    exif.facts(data)
    exif.orientation(data)
    ifd.read(data, set(range(1_000)), 0x8769)
    jpeg.facts(data)
    jpeg.scans(data)
    if header is not None:
        assert header.width >= 0
        assert header.height >= 0
        strip.without_metadata(data, header.format)


def _response(data: bytes) -> None:
    """Header lines, as libcurl hands them over, and a body behind them."""
    from allmende.fetch.body import Body, Headers
    from allmende.fetch.budget import Budget
    from allmende.fetch.exchange import Exchange
    from allmende.fetch.guard import Place
    from allmende.fetch.kind import IMAGES
    from allmende.permission.gate import judge as judged
    from allmende.permission.headers import signals
    from allmende.permission.policy import PRESETS
    from allmende.recipe import Fetch
    from allmende.schema import Reason

    budget = Budget(4 * MAX_BYTES, 2 * MAX_BYTES)
    place = Place("http://a.example/", "a.example", 80, False)
    body = Body(budget, MAX_BYTES, IMAGES, lambda: None)

    def judge(url: str, headers: Headers) -> Reason | None:
        told = signals(headers, url, now=datetime(2026, 11, 22, tzinfo=UTC))
        return None if judged(PRESETS["eu-commercial"], told).allowed else Reason.PERMISSION_DENIED

    exchange = Exchange(place, "192.0.2.1", body, judge, Fetch(), 60.0, lambda: 0.0)
    head, blank, rest = data.partition(b"\r\n\r\n")
    lines = [*head.splitlines(keepends=True), b"\r\n"] if blank else head.splitlines(keepends=True)
    going = all(exchange.header(line) is None for line in lines)
    if going and exchange.status is not None:
        all(exchange.chunk(rest[at : at + 1_000]) is None for at in range(0, len(rest), 1_000))
    found = exchange.ended(None)
    assert len(found) <= MAX_BYTES
    assert exchange.reason is not None or found
    body.drop()
    assert budget.held == 0


def _encoding(data: bytes) -> None:
    from allmende.http_content import EncodingBroken, TooLarge, encodings, start, undo

    head, _, body = data.partition(b"\n")
    names = encodings(head.decode("latin-1"))
    with contextlib.suppress(EncodingBroken, TooLarge):
        assert len(undo(body, names, MAX_BYTES)) <= max(MAX_BYTES, len(body))
    with contextlib.suppress(EncodingBroken):
        start(body, names, 1_000)


def _retry_after(data: bytes) -> None:
    from allmende.fetch.politeness import parse_retry_after

    value, _, date = data.decode("latin-1").partition("\n")
    seconds = parse_retry_after(value, date or None)
    assert seconds is None or seconds >= 0


def _url_table(data: bytes) -> None:
    """First line: the format; then the file."""
    import tempfile
    from pathlib import Path

    from allmende.errors import RecipeError, SourceError
    from allmende.url_table import FORMATS, read

    head, _, body = data.partition(b"\n")
    kind = head.decode("latin-1").strip()
    if kind.removesuffix(".gz") not in FORMATS:
        kind = "csv"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"urls.{kind}"
        path.write_bytes(body)
        with contextlib.suppress(RecipeError, SourceError):
            for batch in read(str(path), "url"):
                assert batch.malformed >= 0


def _inspect(data: bytes) -> None:
    import tempfile
    from pathlib import Path

    from allmende.errors import SourceError
    from allmende.inspect import inspect, render_text

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(data)
        with contextlib.suppress(SourceError):
            assert render_text(inspect(str(path), rows=3, limit=1_000)).isascii() is not None


TARGETS: dict[str, Target] = {
    "records": Target(_records, seeds.warcs, (b"WARC/1.0\r\n", b"Content-Length: ", b"\r\n\r\n", b"\x1f\x8b\x08")),
    "warc": Target(
        _warc, seeds.warcs, (b"HTTP/1.1 200 OK\r\n", b"Transfer-Encoding: chunked\r\n", b"WARC-Truncated: x\r\n")
    ),
    "wat": Target(_wat, seeds.wats, (b'{"Container":', b'"Envelope":', b'"IMG@/src"', b"\\u0000", b'"alt":"', b"[[[[")),
    "wat_record": Target(
        _wat_record,
        seeds.wat_records,
        (b'"', b"}", b"]", b"\\", b'"}]', b',"Head":{', b'{"path":"IMG@/src"', b"\xff", b"null"),
    ),
    "http_body": Target(
        _http_body, seeds.bodies, (b"gzip", b"br", b"zstd", b"deflate", b"chunked", b",", b"ffffffff\r\n")
    ),
    "html": Target(_html, seeds.pages, seeds.HTML_WORDS),
    "srcset": Target(_srcset, seeds.srcsets, (b"2x", b"100w", b"1e9x", b", ", b"(", b"data:,")),
    "json_ld": Target(_json_ld, seeds.json_lds, (b'"@type"', b'"ImageObject"', b"[[[[", b"{", b'"image":', b"1e999")),
    "charset": Target(_charset, seeds.charsets, (b"charset=", b"utf-16", b"<meta ", b"<!--", b"\xff\xfe")),
    "urls": Target(_urls, seeds.urls, (b"http://", b"//", b"[::1]", b"%2e", b"@", b"\xed\xa0\x80", b"xn--", b":99999")),
    "image": Target(_image, seeds.images, (b"\xff\xd8", b"\xff\xc0", b"IHDR", b"ispe", b"\xff\xff\xff\xff")),
    "image_headers": Target(_image_headers, seeds.images, (b"\xff\xe1", b"Exif\0\0", b"II*\0", b"\xff\xff\xff\xff")),
    "response": Target(_response, seeds.responses, seeds.HEADER_WORDS),
    "encoding": Target(_encoding, seeds.bodies, (b"gzip", b"br", b"zstd", b"deflate", b",", b"identity")),
    "retry_after": Target(_retry_after, seeds.retry_afters, (b" GMT", b"-", b"9" * 40, b"Feb", b"\xb2", b"+0000")),
    "url_table": Target(_url_table, seeds.tables, (b"url", b'"', b"\0", b"[", b"{", b"\t", b"PAR1")),
    "inspect": Target(_inspect, seeds.files, (b"ustar", b"PAR1", b"WARC/1.0", b"{", b",", b"\x1f\x8b\x08")),
} | fuzz_signals.TARGETS
"""By name."""

LARGEST = 1 << 17
"""Bytes that a mutated input has at most."""

_NUMBERS = (b"0", b"-1", b"1", b"65536", b"4294967295", b"99999999999999999999", b"\xb2", b"1e400", b"0x10")
_EXTREMES = (b"\0", b"\xff", b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x80\0\0\0", b"\xff" * 8)


def mutate(choice: random.Random, inputs: list[bytes], words: tuple[bytes, ...]) -> bytes:
    """One of the inputs, changed in one to eight places: bytes flipped, taken out, doubled, or others put in."""
    data = bytearray(choice.choice(inputs))
    for _ in range(1 << choice.randrange(4)):
        begin = int(choice.random() ** choice.choice((1, 3)) * (len(data) + 1))  # headers are at the beginning
        length = min(len(data) - begin, int(choice.paretovariate(0.7)))
        data[begin : begin + _taken(choice, length)] = _put(choice, data, inputs, words, begin, length)
    return bytes(data[:LARGEST])


def _taken(choice: random.Random, length: int) -> int:
    """Bytes that go: half of the time none."""
    return choice.choice((0, length))


def _put(
    choice: random.Random, data: bytearray, inputs: list[bytes], words: tuple[bytes, ...], begin: int, length: int
) -> bytes:
    """Bytes that come."""
    how = choice.randrange(7)
    if how == 0:
        return choice.randbytes(min(length, 16))
    if how == 1 and begin < len(data):
        return bytes([data[begin] ^ 1 << choice.randrange(8)])
    if how == 2:
        return bytes(data[begin : begin + length]) * choice.choice((2, 2, 3, 100))
    if how == 3:
        other = choice.choice(inputs)
        at = choice.randrange(len(other) + 1)
        return other[at : at + length]
    if how == 4:
        return choice.choice(_EXTREMES + _NUMBERS)
    return choice.choice(words) if how == 5 and words else b""


def minimised(run: Callable[[bytes], bool], data: bytes) -> bytes:
    """A shorter input for which `run` is still true: stretches are taken out as long as that holds."""
    step = max(1, len(data) // 2)
    while step:
        at = 0
        while at < len(data):
            shorter = data[:at] + data[at + step :]
            if run(shorter):
                data = shorter
            else:
                at += step
        step //= 2
    return data


def inputs_of(target: Target, kept: Iterator[bytes]) -> list[bytes]:
    """What to mutate: the seeds and the kept inputs, none empty."""
    return [data for data in [*target.seeds(), *kept] if data] or [b"\0"]
