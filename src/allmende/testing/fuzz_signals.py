"""Targets for fuzzing that read statements, lists and releases: what hosts, pages, files, partners and patches say."""

import contextlib
import json
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from allmende.testing.fuzz_target import Target

NOW = datetime(2026, 11, 22, tzinfo=UTC)
URL = "http://a.example/b/c.jpg?d=e"
SAYS = frozenset({"deny", "allow", "unknown"})


def _check(signals: Iterable[object]) -> None:
    from allmende.permission.signal import VALUE_CHARS, Signal

    for signal in signals:
        assert isinstance(signal, Signal)
        assert signal.says in SAYS
        assert len(signal.value) <= VALUE_CHARS
        json.dumps(signal.value).encode()  # it ends in a file


def _robots(data: bytes) -> None:
    from allmende.permission.host_rules import AiTxtRules, RobotsRules, Said

    path, _, body = data.partition(b"\n")
    said = Said(url="http://a.example/robots.txt", status=200, body=body)
    rules = RobotsRules(said)
    for asked in (path.decode("latin-1"), "/", "/b/c.jpg?d=e"):
        _check(rules.signals(asked))
        _check(AiTxtRules(said).signals(asked))
    assert all(url.startswith(("http", "ftp")) or ":" in url for url in rules.rsl_urls)


def _tdmrep(data: bytes) -> None:
    from allmende.permission import tdmrep

    file = tdmrep.read_file(data)
    _check(signal for signal in [tdmrep.file_signal(file, URL, "http://a.example/.well-known/tdmrep.json")] if signal)


def _rsl(data: bytes) -> None:
    from allmende.permission import rsl

    _check(signal for signal in [rsl.signal(rsl.read(data), URL, "http://a.example/rsl.xml")] if signal)


def _headers(data: bytes) -> None:
    """Header lines; what comes twice is a list."""
    from allmende.permission import headers
    from allmende.permission.link_header import links

    found: dict[str, list[str]] = {}
    for line in data.decode("latin-1").split("\n"):
        name, _, value = line.partition(":")
        found.setdefault(name.strip().lower(), []).append(value.strip())
    _check(headers.signals(found, URL, now=NOW))
    for link in links(found.get("link", [])):
        assert isinstance(link.rels, list)


def _meta_robots(data: bytes) -> None:
    from allmende.permission import meta_robots

    name, _, content = data.decode("utf-8", "surrogateescape").partition("\n")
    lines = meta_robots.stored([(name.lower(), " ".join(content.split()))])
    _check(meta_robots.signals((lines or "").encode("utf-8", "replace").decode(), now=NOW))


def _xmp(data: bytes) -> None:
    from allmende.permission import xmp

    _check(xmp.signals(data))


def _c2pa(data: bytes) -> None:
    from allmende.permission import c2pa

    _check(c2pa.signals(data))


def _licences(data: bytes) -> None:
    from allmende.permission.licences import license_id

    license_id(data.decode("utf-8", "surrogateescape"))


def _personal(data: bytes) -> None:
    from allmende.safety.personal import find, replace

    text = data.decode("utf-8", "replace")
    for finding in find(text):
        assert 0 <= finding.begin < finding.end <= len(text)
    masked = replace(text)
    assert isinstance(masked, str)


def _list_file(data: bytes) -> None:
    """A list of hashes, URLs or domains, whichever it says it is."""
    from allmende.errors import AllmendeError
    from allmende.safety.domains import domain_entry, plain_entry, url_entry, url_forms
    from allmende.safety.list_file import hex_entry, open_list

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "list.txt"
        path.write_bytes(data)
        with contextlib.suppress(AllmendeError):
            for _, line in open_list(path).lines():
                for read in (domain_entry, plain_entry, url_entry, lambda text: hex_entry(text, 64)):
                    with contextlib.suppress(ValueError):
                        read(line)
                assert list(url_forms(f"http://{line}"))


def _targets(data: bytes) -> None:
    """A list of what is to be taken down."""
    from allmende.errors import AllmendeError
    from allmende.maintain.targets import read_list

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "list.txt"
        path.write_bytes(data)
        with contextlib.suppress(AllmendeError):
            read_list(path)


def _tombstones(data: bytes) -> None:
    from allmende.errors import AllmendeError
    from allmende.safety.tombstones import Log

    with contextlib.suppress(AllmendeError):
        Log(data.splitlines(keepends=True), "log", every_signature=True)


def _patch(data: bytes) -> None:
    """Opened and read as if its signature were good: so much may a key do that was stolen."""
    from allmende.errors import AllmendeError
    from allmende.maintain.delta import unpack
    from allmende.maintain.patch import Patch

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.patch"
        path.write_bytes(data)
        with contextlib.suppress(AllmendeError):
            patch = Patch(path)
            with contextlib.suppress(AllmendeError):
                patch.check_signature("00" * 32)
            for _, piece, packed in patch.pieces():
                assert len(unpack(piece, packed, None)) == piece.size


def _manifest(data: bytes) -> None:
    from allmende.errors import AllmendeError
    from allmende.publish.manifest import decode

    with contextlib.suppress(AllmendeError):
        assert not any(".." in name.split("/") for name in decode(data, "manifest.json").files)


def _shard(data: bytes) -> None:
    """A tar file beside the table of a shard that was good."""
    from allmende.maintain.verify import verify

    with tempfile.TemporaryDirectory() as folder:
        for name, content in _good_shard().items():
            (Path(folder) / name).write_bytes(content)
        (Path(folder) / "00000.tar").write_bytes(data)
        report = verify(folder)
        assert report.sound == (data == _good_shard()["00000.tar"])


def _table(data: bytes) -> None:
    """The table of a shard beside a tar file that was good."""
    from allmende.maintain.verify import verify

    with tempfile.TemporaryDirectory() as folder:
        for name, content in _good_shard().items():
            (Path(folder) / name).write_bytes(content)
        (Path(folder) / "00000.parquet").write_bytes(data)
        assert verify(folder).sound == (data == _good_shard()["00000.parquet"])


_SHARD: dict[str, bytes] = {}


def _good_shard() -> dict[str, bytes]:
    """A shard of two samples, with its manifest."""
    if not _SHARD:
        from allmende.lake import Lake
        from allmende.parts import File, Tally
        from allmende.publish.sink import Shard
        from allmende.publish.webdataset import WebDataset
        from allmende.testing.samples import picture, sample

        images = [(sample(seed)[0] | {"width": 64, "height": 48}, picture(seed)) for seed in range(2)]
        with tempfile.TemporaryDirectory() as folder, Lake(folder).step("shards").part("00000", "plan") as part:
            shard = WebDataset().write(Shard(0), images, part.aside)
            files = {file.name: File(file.bytes, file.sha256) for file in shard.files}
            part.commit({"sample": Tally(2, 2)}, files=files)
            _SHARD.update(
                {path.name: path.read_bytes() for path in (Path(folder) / "shards").iterdir() if path.is_file()}
            )
    return _SHARD


def _rdap(data: bytes) -> None:
    from allmende.maintain.rdap import registered

    found = registered(data)
    assert found is None or found.tzinfo is not None


def _texts(*texts: str) -> list[bytes]:
    return [text.encode() for text in texts]


def _robots_seeds() -> list[bytes]:
    plain = "User-agent: *\nDisallow: /a*b$\nAllow: /b/\nCrawl-delay: 1\nSitemap: http://a.example/s.xml\n"
    signals = "User-agent: GPTBot\nUser-agent: allmende\nContent-Signal: search=yes, ai-train=no\nDisallow:\n"
    usages = "Content-Usage: /b train-ai=n, search=y\nLicense: https://a.example/rsl.xml\n"
    return _texts("/b/c\n" + plain + signals + usages, "/\n\ufeffuser-agent:*\rdisallow:/%7Eü\r\n#x", "/a\n" + signals)


def _headers_seeds() -> list[bytes]:
    robots = "X-Robots-Tag: otherbot: noindex, nofollow\nX-Robots-Tag: noai, max-image-preview: none\n"
    others = "TDM-Reservation: 1\nTDM-Policy: /p.json\nContent-Usage: train-ai=n, search\n"
    return _texts(
        robots + others + 'Link: </rsl.xml>; rel="license"; type="application/rsl+xml"\n', "Link: <a>;rel=x,<b>\n"
    )


def _rsl_seeds() -> list[bytes]:
    prohibits = "<license><prohibits type='usage'>ai-train</prohibits><payment type='free'/></license>"
    whole = f"<rsl xmlns='https://rslstandard.org/rsl'><content url='/b/*' server='https://l.example'>{prohibits}</content></rsl>"
    return _texts(
        whole,
        f"<?xml version='1.0'?>{whole.replace('prohibits', 'permits')}",
        "<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>",
    )


def _xmp_seeds() -> list[bytes]:
    begin = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    plus = '<rdf:Description xmlns:plus="http://ns.useplus.org/ldf/xmp/1.0/" plus:DataMining="DMI-PROHIBITED-AIMLTRAINING"/>'
    tdm = '<rdf:Description xmlns:tdm="http://www.w3.org/ns/tdmrep/"><tdm:reservation>1</tdm:reservation></rdf:Description>'
    return _texts(f"{begin}{plus}{tdm}</rdf:RDF></x:xmpmeta>", f"<?xpacket?>{begin}{plus}</rdf:RDF></x:xmpmeta>\0")


def _c2pa_seeds() -> list[bytes]:
    import cbor2

    def box(kind: bytes, content: bytes) -> bytes:
        return (len(content) + 8).to_bytes(4) + kind + content

    def superbox(uuid: bytes, label: str, *inside: bytes) -> bytes:
        described = box(b"jumd", uuid.ljust(16, b"\0") + b"\3" + label.encode() + b"\0")
        return box(b"jumb", described + b"".join(inside))

    entries = {"entries": {"c2pa.ai_training": {"use": "notAllowed"}, "cawg.data_mining": {"use": "constrained"}}}
    made = [
        superbox(b"cbor", "cawg.training-mining", box(b"cbor", cbor2.dumps(entries))),
        superbox(b"json", "c2pa.training-mining", box(b"json", json.dumps(entries).encode())),
    ]
    return [
        superbox(b"c2pa", "c2pa", superbox(b"c2ma", "urn:1", superbox(b"c2as", "c2pa.assertions", one))) for one in made
    ]


def _personal_seeds() -> list[bytes]:
    mails = "Fragen? müller@bücher.de, a (at) b (dot) org, Tel. +49 (0)30 23125-000"
    numbers = "IBAN DE89 3704 0044 0532 0130 00, 4111 1111 1111 1111, 192.168.7.1, 2001:db8::1, version 4.3.2.1"
    return _texts(mails, numbers, "Steuer-ID 86 095 742 719, SV-Nr. 65 180539 W 003")


def _list_seeds() -> list[bytes]:
    heading = "# name: a\n# kind: domain\n# salt: 0123456789abcdef\n# hash: hmac-sha256\n"
    entries = "shop.example\n127.0.0.1 bad.example\n||ads.example^$third-party\nhttp://a.example/x?y=1\n" + "0f" * 32
    return _texts(heading + entries, entries + "\n\nbücher.example\n")


def _tombstones_seeds() -> list[bytes]:
    header = {"log": "allmende tombstones", "format": 1, "key": "0" * 64, "commitment": "0" * 64, "signature": "AA=="}
    entry = {"seq": 1, "time": "2026-11-22T00:00:00Z", "kind": "url", "hash": "0" * 32, "reason": "privacy"}
    more = {"ticket": "0" * 32, "previous": "0" * 64, "signature": "AA=="}
    return _texts(json.dumps(header) + "\n" + json.dumps(entry | more) + "\n")


def _patch_seeds() -> list[bytes]:
    from allmende.maintain.patch import MAGIC

    header = {"format": 1, "dataset": "a", "old": "1.0.0", "new": "2.0.0", "files": [], "gone": ["shards/00000.tar"]}
    return [MAGIC + json.dumps(header).encode() + b"\nAA==\n"]


def _manifest_seeds() -> list[bytes]:
    digest = "0" * 64
    whole = {
        "format": 1,
        "dataset": "a",
        "version": "1.0.0",
        "previous": {"version": "0.1.0", "sha256": digest},
        "released": "2026-11-22T00:00:00Z",
        "allmende": "0",
        "samples": 1,
        "taken_down": 0,
        "data": "",
        "form": "",
        "policy": "",
        "tombstones": {"entries": 0, "digest": "", "key": ""},
        "files": {"shards/00000.tar": {"bytes": 1, "sha256": digest}},
    }
    return [json.dumps(whole).encode()]


TARGETS: dict[str, Target] = {
    "robots": Target(
        _robots, _robots_seeds, (b"User-agent:", b"Disallow: ", b"*", b"$", b"%2F", b"\r", b"Content-Signal: ")
    ),
    "tdmrep": Target(
        _tdmrep,
        lambda: _texts('[{"location":"/b/*","tdm-reservation":1,"tdm-policy":"/p"}]', "{}"),
        (b"[[[[", b"1.0", b'"*"'),
    ),
    "rsl": Target(
        _rsl, _rsl_seeds, (b"<!ENTITY", b"<content ", b"]]>", b"&#0;", b"xmlns:a=''", b"<?xml encoding='utf-7'?>")
    ),
    "headers": Target(
        _headers,
        _headers_seeds,
        (b"Link: <", b'rel="', b"\\", b"Content-Usage: ", b"train-ai=", b"unavailable_after: "),
    ),
    "meta_robots": Target(
        _meta_robots, lambda: _texts("robots\nnoai, noindex", "gptbot\nnone"), (b"unavailable_after:", b":", b",")
    ),
    "xmp": Target(
        _xmp, _xmp_seeds, (b"<!DOCTYPE", b"<![CDATA[", b"\xff\xfe", b"DataMining", b"rdf:resource='", b"&#0;")
    ),
    "c2pa": Target(
        _c2pa,
        _c2pa_seeds,
        (b"jumb", b"jumd", b"cbor", b"\0\0\0\0", b"\0\0\0\1", b"\x9f\x9f\x9f", b"\xd8\x1c", b"\xfb\x7f\xf0"),
    ),
    "licences": Target(
        _licences,
        lambda: _texts("https://creativecommons.org/licenses/by-sa/4.0/deed.de", "CC BY 4.0"),
        (b"/", b"by-", b"cc"),
    ),
    "personal": Target(
        _personal, _personal_seeds, (b"@", b" (at) ", b".", b"+49", b"DE89", b"::", "ü".encode(), b"0" * 20)
    ),
    "list_file": Target(
        _list_file, _list_seeds, (b"# salt: ", b"# hash: md5\n", b"||", b"xn--", b"age-encryption.org/v1\n", b"[::")
    ),
    "targets": Target(
        _targets, lambda: [*_list_seeds(), b"phash " + b"0" * 64], (b"url ", b"domain ", b"uid ", b"sha256 ", b"#")
    ),
    "tombstones": Target(_tombstones, _tombstones_seeds, (b'"seq":2', b"\n", b'"kind":"phash"')),
    "patch": Target(_patch, _patch_seeds, (b'"source":"../x"', b'"pieces":[[0,1,2,3,"a"]]', b"\n")),
    "manifest": Target(_manifest, _manifest_seeds, (b'"../x"', b'"a\\\\b"', b'"1.0.0"', b"-1")),
    "shard": Target(
        _shard, lambda: [_good_shard()["00000.tar"]], (b"ustar\0", b"../", b"7777777", b"\x80\xff\xff", b"1", b"2")
    ),
    "table": Target(_table, lambda: [_good_shard()["00000.parquet"]], (b"PAR1", b"000000001")),
    "rdap": Target(
        _rdap,
        lambda: _texts('{"events":[{"eventAction":"registration","eventDate":"2020-01-02T03:04:05Z"}]}'),
        (b"9999", b"-", b"[[["),
    ),
}
"""By name."""
