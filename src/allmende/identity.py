"""How rows are named: stable 128-bit and 64-bit hashes that any tool can recompute.

All are BLAKE2b (RFC 7693) with the digest size given, over UTF-8, read big-endian. BLAKE2b because it is in
every standard library and because nobody can craft collisions: a 128-bit non-cryptographic hash
would let a page displace another page's samples.
"""

from hashlib import blake2b


def uid(url: str, caption: str) -> str:
    """128-bit name of a candidate: 32 hex digits of BLAKE2b-128 over `url`, one zero byte, `caption`.

    Args:
        url: The normalised URL (`allmende.extract.urls.normalise`), which never contains a zero byte.
        caption: The caption, white space collapsed; empty if there is none.
    """
    return blake2b(f"{url}\0{caption}".encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def key64(text: str) -> int:
    """64-bit hash of a string, 0 <= key < 2**64: for bucketing and counting, not for identity."""
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest())


def order_key(seed: int, uid: str) -> int:
    """Place of a sample in the release, 0 <= key < 2**64: random, but the same for the same seed."""
    return key64(f"{seed}\0{uid}")
