"""Real inputs that fuzzing starts from: small, one of each kind."""

import gzip
import io
import json
import tarfile
from typing import Any

from allmende.testing.archives import Archive, cut_in_member, wat_from_warc
from allmende.testing.call import compress, head, picture_bytes

HTML_WORDS = (
    b"<img src=",
    b" srcset=",
    b"<picture><source ",
    b"</picture>",
    b"<noscript>",
    b"<script type=application/ld+json>",
    b"<base href=",
    b"<meta property=og:image content=",
    b"<figure><figcaption>",
    b"<template>",
    b"<svg>",
    b"<table>",
    b"&#0;",
    b"&#xD800;",
    b"<!--",
    b"charset=utf-16",
)
HEADER_WORDS = (
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.1 103 Early Hints\r\n\r\n",
    b"Content-Length: ",
    b"Content-Encoding: gzip\r\n",
    b"Content-Type: text/html\r\n",
    b"X-Robots-Tag: noai\r\n",
    b"Retry-After: ",
    b": ",
    b"\r\n",
    b"\x85",
)

PAGE = b"""text/html; charset=utf-8
<!doctype html><html lang=de><head><meta charset=utf-8><base href="/b/"><title>A page</title>
<meta name=robots content="noai, max-image-preview:large"><meta name=tdm-reservation content=1>
<meta property=og:image content="/og.jpg"><meta property=og:title content="The title">
<link rel=license href="https://creativecommons.org/licenses/by/4.0/">
<script type="application/ld+json">{"@type":"ImageObject","contentUrl":"/c.jpg","caption":"A sea"}</script></head>
<body><p>Words before <img src="a.jpg" alt="A red bicycle" title="Bicycle" width=10><figure>
<picture><source srcset="w.webp 100w, x.webp 2x" type=image/webp><img data-src=lazy.jpg src=data:, alt="Lazy"></picture>
<figcaption>A caption</figcaption></figure><noscript><img src=n.png alt=None></noscript>
<a href="big.jpg"><img src="small.jpg"></a><svg><image href=x.svg></svg><table><tr><td>words after</table>"""


def _archive() -> Archive:
    archive = Archive("a.warc.gz")
    html = PAGE.partition(b"\n")[2]
    archive.page("http://a.example/", html)
    archive.page("http://a.example/2", html, encoding="gzip", chunked=True)
    archive.request("http://a.example/3")
    archive.response("http://a.example/c.jpg", picture_bytes(1), content_type="image/jpeg")
    archive.revisit("http://a.example/")
    archive.page("http://b.example/", html, status=404)
    return archive


def warcs() -> list[bytes]:
    """WARC files: compressed, plain, cut off."""
    stored = _archive().to_bytes()
    return [stored, gzip.decompress(stored), cut_in_member(stored, 2)]


def wats() -> list[bytes]:
    """WAT files, compressed and plain."""
    stored = wat_from_warc(_archive().to_bytes(), "a.warc.gz")
    return [stored, gzip.decompress(stored)]


def wat_records() -> list[bytes]:
    """The JSON of records in WAT files."""
    from allmende.commoncrawl.wat import WatRecord, read_wat_records

    items = read_wat_records(io.BytesIO(wats()[0]))
    return [bytes(item.record.data[item.record.block :]) for item in items if isinstance(item, WatRecord)]


def bodies() -> list[bytes]:
    """A line with the encodings, and an encoded body."""
    plain = b"Words and words. " * 20
    made = [name.encode() + b"\n" + compress(plain, name) for name in ("gzip", "deflate", "br", "zstd")]
    chunked = b"chunked|gzip\n" + b"%x\r\n" % len(gzip.compress(plain)) + gzip.compress(plain) + b"\r\n0\r\n\r\n"
    twice = b"gzip, br\n" + compress(gzip.compress(plain), "br")
    return [*made, chunked, twice, b"|gzip\n" + gzip.compress(plain) * 2]


def pages() -> list[bytes]:
    """A Content-Type and a page."""
    return [PAGE, b"text/html\n<img src=a alt=b><p>" * 3]


def srcsets() -> list[bytes]:
    """Values of the attribute."""
    return [b"a.jpg 1x, b.jpg 2x", b"a.jpg 100w 50h,b.jpg 200w", b"data:,a (b, c) 3x, d,e.jpg", b"a,b.jpg, c.jpg 1.5x"]


def json_lds() -> list[bytes]:
    """Contents of such script elements."""
    image = {"@type": "ImageObject", "contentUrl": "/a.jpg", "caption": ["A sea"], "license": {"@id": "http://a/"}}
    graph = {"@context": "https://schema.org", "@graph": [image, {"@type": ["Article"], "image": [image, "/b.jpg"]}]}
    return [json.dumps(graph).encode(), b"<!--" + json.dumps(image).encode() + b";\n-->"]


def charsets() -> list[bytes]:
    """A Content-Type and a page."""
    said = (b"text/html; charset=latin1", b"text/html; charset='utf-16'", b"charset=x-user-defined", b"")
    page = b'<!-- --><meta http-equiv=content-type content="text/html; charset=koi8-r">' + "Grün фото".encode()
    return [line + b"\n" + page for line in said]


def urls() -> list[bytes]:
    """A link, and the page it stands on."""
    pairs = ("a.jpg\nhttp://a.example/b/", "//b.example/x y?ü#f\nhttps://a.example", "HTTP://2130706433:80/../%2e\n")
    more = ("data:image/png;base64,AA\nhttp://a.example/", "http://user:pw@bücher.example:8080/\n", "?q\nhttp://[::1]/")
    return [text.encode() for text in (*pairs, *more)]


def images() -> list[bytes]:
    """A small file of each format."""
    from PIL import Image

    plain = Image.linear_gradient("L").resize((40, 30)).convert("RGB")
    clear = plain.convert("RGBA")
    clear.putalpha(Image.linear_gradient("L").resize(plain.size))
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Camera"
    exif.get_ifd(0x8769)[0x829A] = 0.01
    kinds: list[tuple[Any, str, dict[str, Any]]] = [
        (plain, "JPEG", {"exif": exif}),
        (plain, "JPEG", {"progressive": True}),
        (plain.convert("CMYK"), "JPEG", {}),
        (clear, "PNG", {"exif": exif}),
        (plain.convert("P"), "PNG", {}),
        (plain, "WEBP", {"exif": exif}),
        (clear, "WEBP", {"lossless": True}),
        (plain, "GIF", {"save_all": True, "append_images": [plain.rotate(90)]}),
        (plain, "AVIF", {"exif": exif, "speed": 10}),
        (plain, "BMP", {}),
        (plain, "TIFF", {"exif": exif, "compression": "tiff_lzw"}),
    ]
    return [_written(image, kind, **settings) for image, kind, settings in kinds]


def _written(image: Any, kind: str, **settings: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **settings)
    return out.getvalue()


def responses() -> list[bytes]:
    """Heads and bodies of HTTP responses."""
    picture = picture_bytes(1)
    packed = gzip.compress(picture)
    plain = [("Content-Type", "image/jpeg"), ("Content-Length", str(len(picture))), ("X-Robots-Tag", "all, bot: noai")]
    coded = [("Content-Encoding", "gzip"), ("Content-Length", str(len(packed)))]
    return [
        head(200, plain) + picture,
        head(103, []) + head(200, []) + picture,
        head(200, coded) + packed,
        head(302, [("Location", "/a")]),
        head(429, [("Retry-After", "10")]),
    ]


def retry_afters() -> list[bytes]:
    """Values of the header, and of Date."""
    return [
        b"120",
        b"Wed, 21 Oct 2026 07:28:00 GMT\nWed, 21 Oct 2026 07:27:00 GMT",
        b"Wednesday, 21-Oct-26 07:28:00 GMT",
    ]


def tables() -> list[bytes]:
    """A format, and a URL table in it."""
    rows = [{"url": f"http://a.example/{i}.jpg", "caption": f"Picture {i}"} for i in range(3)]
    lines = "\n".join(json.dumps(row) for row in rows).encode()
    comma = b"url,caption\n" + b'http://a.example/1.jpg,"Words, and ""more"""\n' * 3
    return [
        b"csv\n" + comma,
        b"csv.gz\n" + gzip.compress(comma),
        b"tsv\n" + comma.replace(b",", b"\t"),
        b"jsonl\n" + lines,
        b"json\n" + json.dumps(rows).encode(),
        b"txt\nhttp://a.example/1.jpg\n",
        b"parquet\n" + parquet(),
    ]


def parquet() -> bytes:
    """A URL table."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    out = io.BytesIO()
    pq.write_table(pa.table({"url": ["http://a.example/1.jpg"], "caption": ["Words"]}), out)
    return out.getvalue()


def tar() -> bytes:
    """A shard of two samples."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as file:
        for name, content in (
            ("0.jpg", picture_bytes(1)),
            ("0.json", b'{"url": "a"}'),
            ("0.txt", b"Words"),
            ("1.jpg", b""),
        ):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            file.addfile(member, io.BytesIO(content))
    return out.getvalue()


def files() -> list[bytes]:
    """A file of each kind that `allmende inspect` knows."""
    return [
        tar(),
        gzip.compress(tar()),
        parquet(),
        *warcs()[:2],
        *(table.partition(b"\n")[2] for table in tables()[:6]),
    ]
