"""XMP and C2PA in files of every format, and from there into samples."""

import asyncio
import io
import socket
import time
import zlib
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from allmende.media import image, packets, probe
from allmende.media.decoder import DecoderPool
from allmende.media.sample import ImageSample
from allmende.recipe import Images

from .conftest import picture, written

ANY = Images(min_bytes=0, min_side=1, max_aspect_ratio=1_000, size=64, drop_single_colour=False)
SIGNED = {
    path.name: path.read_bytes()
    for path in sorted(Path(__file__).parents[1].joinpath("permission/c2pa_files").iterdir())
}

PACKET = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    'xmlns:plus="http://ns.useplus.org/ldf/xmp/1.0/" plus:DataMining="DMI-PROHIBITED"/>'
    '</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
).encode()


def find(body, read=b""):
    return packets.find(body, probe.probe(body), read)


def signals(body):
    sample = image.process(body, ANY)
    assert isinstance(sample, ImageSample)
    return [(signal.name, signal.says) for signal in sample.signals]


def segment(marker, data):
    return bytes([0xFF, marker]) + (2 + len(data)).to_bytes(2) + data


def with_segments(*segments):
    body = written(picture(60, 45), "JPEG")
    return body[:2] + b"".join(segments) + body[2:]


def chunk(name, data):
    return len(data).to_bytes(4) + name + data + zlib.crc32(name + data).to_bytes(4)


def png_with(*chunks, last=False):
    body = written(picture(60, 45), "PNG")
    at = len(body) - 12 if last else 33
    return body[:at] + b"".join(chunks) + body[at:]


def itxt(data, *, packed=False, keyword=b"XML:com.adobe.xmp"):
    return chunk(b"iTXt", keyword + b"\0" + bytes([packed, 0]) + b"de\0Wort\0" + data)


def gif_with(extension):
    body = written(picture(60, 45), "GIF")
    table = 13 + 3 * 2 ** (1 + (body[10] & 7))
    return body[:table] + extension + body[table:]


GIF_TRAILER = bytes([1, *range(255, -1, -1), 0])


def with_xmp(packet=PACKET):
    """A file of each kind that carries the packet, as others write it."""
    plain = picture(60, 45)
    png_info = PngImagePlugin.PngInfo()
    png_info.add_itxt("XML:com.adobe.xmp", packet.decode(), zip=True)
    blocks = b"".join(bytes([len(packet[k : k + 255])]) + packet[k : k + 255] for k in range(0, len(packet), 255))
    return {
        "jpeg": written(plain, "JPEG", xmp=packet),
        "progressive": written(plain, "JPEG", progressive=True, xmp=packet, exif=b"Exif\0\0II*\0\0\0\0\0"),
        "cmyk": written(plain.convert("CMYK"), "JPEG", xmp=packet),
        "png": png_with(itxt(packet)),
        "png packed": written(plain, "PNG", pnginfo=png_info),
        "png behind the pixels": png_with(itxt(packet), last=True),
        "webp": written(plain, "WEBP", xmp=packet),
        "webp lossless": written(plain, "WEBP", lossless=True, xmp=packet),
        "gif": gif_with(b"!\xff\x0bXMP DataXMP" + packet + GIF_TRAILER + b"\0"),
        "gif in blocks": gif_with(b"!\xff\x0bXMP DataXMP" + blocks + b"\0"),
        "tiff": written(plain, "TIFF", tiffinfo={700: packet}),
        "avif": written(plain, "AVIF", xmp=packet, speed=10),
    }


WITH_XMP = with_xmp()


@pytest.mark.parametrize("name", WITH_XMP)
def test_xmp_of_every_format_reaches_the_sample(name):
    assert signals(WITH_XMP[name]) == [("iptc_plus", "deny")]
    if name != "avif":
        assert find(WITH_XMP[name]).xmp == (PACKET,)


@pytest.mark.parametrize("name", [name for name in SIGNED if name.startswith("cawg")])
def test_c2pa_of_every_format_reaches_the_sample(name):
    assert signals(SIGNED[name]) == [("c2pa", "deny")]


def test_signals_are_read_before_anything_is_encoded_anew():
    for body in (WITH_XMP["jpeg"], SIGNED["cawg.jpeg"]):
        sample = image.process(body, ANY)
        assert sample.signals
        assert find(sample.data) is packets.NONE
        kept = image.process(body, msgspec.structs.replace(ANY, mode="no", skip_reencode=True))
        assert kept.signals == sample.signals
        assert b"DMI-" not in kept.data
        assert b"training-mining" not in kept.data


def test_signals_come_over_from_decoder_processes():
    bodies = [WITH_XMP["png"], SIGNED["cawg.avif"], SIGNED["silent.jpeg"]]

    async def main():
        async with DecoderPool(1, ANY) as pool:
            return [await pool.process(body) for body in bodies]

    samples = asyncio.run(main())
    assert [sample.signals for sample in samples] == [image.process(body, ANY).signals for body in bodies]
    assert [len(sample.signals) for sample in samples] == [1, 1, 0]


def test_files_without_packets(files):
    for name, (body, *_) in files.items():
        assert find(body) == packets.NONE, name
        assert image.process(body, ANY).signals == ()


def test_both_at_once():
    body = SIGNED["cawg.jpeg"]
    both = body[:2] + segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + PACKET) + body[2:]
    assert signals(both) == [("iptc_plus", "deny"), ("c2pa", "deny")]


def extension(digest, total, offset, data):
    head = b"http://ns.adobe.com/xmp/extension/\0" + digest.ljust(32)
    return segment(0xE1, head + total.to_bytes(4) + offset.to_bytes(4) + data)


def test_extended_xmp_is_put_together_by_offset():
    pieces = [extension(b"A", len(PACKET), at, PACKET[at : at + 20]) for at in range(0, len(PACKET), 20)]
    other = extension(b"B", 3, 0, b"<x>")
    body = with_segments(pieces[2], other, *pieces[:2], *pieces[3:])
    assert find(body).xmp == (PACKET, b"<x>")
    assert signals(body) == [("iptc_plus", "deny")]
    enough = PACKET.index(b"</rdf:RDF>") // 20 + 1
    assert signals(with_segments(*pieces[:enough])) == [("iptc_plus", "deny"), ("iptc_plus", "unknown")]


def app11(number, counter, data):
    return segment(0xEB, b"JP" + number.to_bytes(2) + counter.to_bytes(4) + data)


def test_a_store_in_many_segments_is_put_together_by_counter():
    (store,) = find(SIGNED["cawg.png"]).c2pa
    pieces = [store[at : at + 500] for at in range(0, len(store), 500)]
    made = [app11(7, k + 1, (store[:8] if k else b"") + piece) for k, piece in enumerate(pieces)]
    foreign = app11(8, 1, b"\0\0\0\x20jumb\0\0\0\x18jumdother")
    body = with_segments(made[0], foreign, *reversed(made[1:]), segment(0xEB, b"HDR_RI ver=11"))
    assert find(body).c2pa == (store,)
    assert signals(body) == [("c2pa", "deny")]
    assert signals(with_segments(*made[:1]))[-1] == ("c2pa", "unknown")


def test_big_endian_tiff():
    out = io.BytesIO()
    info = {700: PACKET}
    Image.fromarray(np.asarray(picture(60, 45).convert("L"))).save(out, "TIFF", tiffinfo=info)
    assert find(out.getvalue()).xmp == (PACKET,)
    entry = (700).to_bytes(2) + (1).to_bytes(2) + len(PACKET).to_bytes(4) + (26).to_bytes(4)
    assert find(b"MM\0*\0\0\0\x08\0\x01" + entry + bytes(4) + PACKET).xmp == (PACKET,)


@pytest.mark.parametrize("cut", [1, 100, 200])
def test_a_store_cut_short_is_unknown(cut):
    body = SIGNED["cawg.avif"]
    at = body.index(b"uuid") - 4
    size = int.from_bytes(body[at : at + 4])
    moved = body[:at] + body[at + size :] + body[at : at + size]
    (store,) = find(moved[:-cut]).c2pa
    assert store == find(body).c2pa[0][:-cut]


def test_a_packed_bomb_is_read_to_the_cap_only():
    bomb = itxt(zlib.compress(b"<x>" + bytes(20_000_000), 9), packed=True)
    one, many = png_with(bomb), png_with(*[bomb] * 500)
    for body in (one, many):
        start = time.process_time()
        assert sum(map(len, find(body).xmp)) == packets.MOST_UNPACKED
        assert time.process_time() - start < 1


def test_only_so_many_packets_are_read_of_a_file():
    xmp = with_segments(*[segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + PACKET)] * 100)
    assert find(xmp).xmp == (PACKET,) * packets.MOST_PACKETS
    assert len(find(png_with(*[chunk(b"caBX", b"x")] * 100)).c2pa) == packets.MOST_PACKETS


def test_damaged_texts_are_empty():
    assert find(png_with(itxt(b"no zlib", packed=True))).xmp == (b"",)
    assert find(png_with(chunk(b"iTXt", b"XML:com.adobe.xmp\0"))).xmp == (b"",)
    assert find(png_with(itxt(PACKET, keyword=b"Comment"))).xmp == ()


@pytest.mark.parametrize(
    "body",
    [
        b"\x89PNG\r\n\x1a\n" + bytes(12) * 500_000,
        b"\x89PNG\r\n\x1a\n" + chunk(b"iTXt", b"XML:com.adobe.xmp\0") * 100_000,
        b"RIFF\0\0\0\0WEBPVP8X" + bytes(8) * 500_000,
        b"RIFF\0\0\0\0WEBPVP8X\0\0\0\0" + b"XMP \0\0\0\0" * 500_000,
        b"GIF89a" + b"!\xff\x0bXMP DataXMP\x01x" * 200_000,
        b"\0\0\0\x0cftypavif" + (8).to_bytes(4).join([b"uuid"] * 300_000),
        b"\xff\xd8" + segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0") * 100_000,
        b"\xff\xd8" + segment(0xEB, b"JP\0\1\0\0\0\1") * 100_000,
        b"II*\0\x08\0\0\0\xff\xff" + b"\xbc\x02\x01\0\xff\xff\xff\xff\0\0\0\0" * 65_535,
    ],
    ids=["png", "itxt", "webp", "webp xmp", "gif", "avif", "app1", "app11", "tiff"],
)
def test_files_of_countless_pieces_cost_little(body):
    start = time.process_time()
    find(body)
    assert time.process_time() - start < 2


def test_only_so_many_signals_are_kept_of_a_file():
    many = (
        "".join(f"<plus:DataMining>{k}</plus:DataMining>" for k in range(100))
        + "<plus:DataMining>DMI-PROHIBITED</plus:DataMining>"
    )
    packet = f'<a xmlns:plus="http://ns.useplus.org/ldf/xmp/1.0/">{many * 2}</a>'.encode()
    kept = image.process(written(picture(60, 45), "JPEG", xmp=packet), ANY).signals
    assert len(kept) == len(set(kept)) == image.MOST_SIGNALS
    assert kept[0].says == "deny"


def test_nothing_is_asked_of_the_network():
    """c2pa-python 0.38 asks for what `dcterms:provenance` names, unless told not to; here nobody is asked."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/manifest.c2pa".encode()
        remote = b'xmlns:dcterms="http://purl.org/dc/terms/" dcterms:provenance="' + url + b'" plus:DataMining'
        body = written(picture(60, 45), "JPEG", xmp=PACKET.replace(b"plus:DataMining", remote))
        assert signals(body) == [("iptc_plus", "deny")]
        signed = SIGNED["cawg.jpeg"]
        assert signals(signed[:2] + segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + PACKET) + signed[2:])
        with pytest.raises(BlockingIOError):
            listener.accept()


SEEDS = [*WITH_XMP.values(), *SIGNED.values()]


@settings(max_examples=600, deadline=None)
@given(
    st.sampled_from(SEEDS),
    st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=6), st.integers(0, 8)), min_size=1, max_size=8),
)
def test_mutated_files(body, changes):
    damaged = body
    for place, inserted, removed in changes:
        at = int(place * len(damaged))
        damaged = damaged[:at] + inserted + damaged[at + removed :]
    header = probe.probe(damaged)
    if header is None:
        return
    found = packets.find(damaged, header)
    assert sum(map(len, (*found.xmp, *found.c2pa))) <= len(damaged) + packets.MOST_UNPACKED
    assert len(image._signals(found)) <= image.MOST_SIGNALS


@settings(max_examples=200, deadline=None)
@given(st.sampled_from([body[:40] for body in SEEDS]), st.binary(max_size=200))
def test_headers_with_noise_behind(head, noise):
    body = head + noise
    header = probe.probe(body)
    if header is not None:
        image._signals(packets.find(body, header))
