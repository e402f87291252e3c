"""The body of a captured HTTP response: transfer and content encoding undone, under a cap.

Captures differ from live responses in two ways. A crawler may have undone the encodings and left the headers as they
were, so a body that plainly is not what its header says is taken as it is. And it may have cut the body off
(WARC-Truncated), so that a compressed body that ends too early is read as far as it goes.
"""

import re

from allmende.http_content import EncodingBroken, decode, encodings, image_format
from allmende.schema import Reason

_MAGIC = {"gzip": b"\x1f\x8b", "x-gzip": b"\x1f\x8b", "zstd": b"\x28\xb5\x2f\xfd"}
"""What the data of an encoding always begin with."""

_chunk_head = re.compile(rb"[ \t]*([0-9a-fA-F]{1,15})[ \t]*(?:;[^\r\n]*)?\r?\n").match
_CONTROLS = bytes([*range(9), 11, *range(14, 27), *range(28, 32)])
"""Bytes that WHATWG MIME Sniffing (section 3) calls binary."""


def plain_body(body: bytes, transfer: str, content: str, max_bytes: int, *, cut: bool = False) -> bytes | Reason:
    """The body without its encodings.

    Args:
        body: As it stands in the record.
        transfer: Transfer-Encoding header; empty if there is none.
        content: Content-Encoding header; several in the order in which they were applied.
        max_bytes: Most bytes before, between and after decoding.
        cut: The record says that the body was cut off when it was captured.

    Returns:
        The body; `RECORD_TOO_LARGE`, or `RECORD_ENCODING_BROKEN`.
    """
    if len(body) > max_bytes:
        return Reason.RECORD_TOO_LARGE
    plain: bytes | Reason = body
    if "chunked" in transfer.lower():
        plain = _unchunked(body, cut=cut)
    for name in reversed(encodings(content)):
        if isinstance(plain, Reason):
            return plain
        if plain:
            plain = _decoded(plain, name, max_bytes, cut=cut)
    return plain


def _unchunked(body: bytes, *, cut: bool) -> bytes | Reason:
    """The body without chunk heads (RFC 9112, section 7.1); as it is, if it does not begin with one."""
    chunks: list[bytes] = []
    at = 0
    while head := _chunk_head(body, at):
        at = head.end() + int(head[1], 16)
        if at == head.end():
            return b"".join(chunks)
        chunks.append(body[head.end() : at])
        at += 2 if body.startswith(b"\r\n", at) else 1
    if not chunks:
        return body
    return b"".join(chunks) if cut else Reason.RECORD_ENCODING_BROKEN


def _decoded(data: bytes, name: str, max_bytes: int, *, cut: bool) -> bytes | Reason:
    magic = _MAGIC.get(name, b"")
    if not data.startswith(magic):
        return data
    try:
        plain, whole = decode(data, name, max_bytes)
    except EncodingBroken:
        plain, whole = b"", False
    if len(plain) > max_bytes:
        return Reason.RECORD_TOO_LARGE
    if whole or (cut and plain):
        return plain
    return data if not magic and _looks_plain(data) else Reason.RECORD_ENCODING_BROKEN


def _looks_plain(data: bytes) -> bool:
    """Whether data begin like text, by the bytes that no text contains, or like an image."""
    start = data[:512]
    return image_format(start) is not None or len(start) == len(start.translate(None, _CONTROLS))
