"""Salted hashes for the take-down log: who has the salt can test a guess, who has not learns next to nothing.

A list of plain hashes of what was removed would be a directory of it: URLs and domains are easily guessed, and whoever has
an old copy of the dataset only needs to hash it. So every value is hashed with a secret of its log, the salt
(BLAKE2b with a key, RFC 7693; 128 bits).

Perceptual hashes must still be comparable, and a keyed hash forgets distance. They are stored under a secret isometry
instead: the 256 bits are put into another order and some of them flipped, both chosen by the salt. The number of bits
that differ between two hashes stays what it was. What this hides is less: distances between entries of the log show,
and someone who knows the plain hashes of some ten entries, and which entries they are, can work out the order of the bits.
Against that, keep the log itself to those who have to obey it (docs/decisions/0010-releases-and-take-downs.md).
"""

import unicodedata
from hashlib import blake2b
from typing import Literal

import numpy as np
import numpy.typing as npt

from allmende.safety.pdq_index import Hashes

Kind = Literal["url", "domain", "sha256", "phash", "uid"]
"""What a take-down can name. url: normalised. domain: lower case, punycode; stands for all hosts below it. sha256: of the
original file, or of a normalised text (`dedup.same_text.text_digest`). phash: PDQ. uid: a sample, that is a URL with a caption
or text."""

SALT_BYTES = 32
DIGEST_BYTES = 16


class Veil:
    """Hashes values with the salt of a log.

    Args:
        salt: `SALT_BYTES` random bytes.
    """

    def __init__(self, salt: bytes):
        self._salt = salt
        # The order of 256 keyed hashes is a random permutation that any tool can recompute.
        heads = [self._keyed(f"bit\0{bit}".encode(), 8) for bit in range(256)]
        self._order = np.argsort(np.frombuffer(b"".join(heads), ">u8"), kind="stable")
        self._flipped = np.frombuffer(self._keyed(b"flip", 32), np.uint8)

    @property
    def commitment(self) -> str:
        """Says which salt this is, without telling it: 32 hex digits."""
        return self._keyed(b"salt", DIGEST_BYTES).hex()

    def digest(self, kind: str, value: str) -> bytes:
        """Keyed hash of a value of some kind, `DIGEST_BYTES` long."""
        return self._keyed(f"{kind}\0{value}".encode("utf-8", "surrogatepass"), DIGEST_BYTES)

    def veiled(self, kind: str, value: str) -> str:
        """A value as it stands in the log: hexadecimal."""
        if kind != "phash":
            return self.digest(kind, value).hex()
        return self.moved(np.frombuffer(bytes.fromhex(value), np.uint8).reshape(1, 32)).tobytes().hex()

    def ticket(self, ticket: str) -> str:
        """Keyed hash of a ticket's name: 32 hex digits."""
        return self.digest("ticket", unicodedata.normalize("NFC", ticket.strip())).hex()

    def moved(self, hashes: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Perceptual hashes under the isometry: n x 32 bytes in, the same out."""
        bits = np.unpackbits(hashes, axis=1)[:, self._order]
        moved: npt.NDArray[np.uint8] = np.packbits(bits, axis=1) ^ self._flipped
        return moved

    def _keyed(self, message: bytes, size: int) -> bytes:
        return blake2b(message, digest_size=size, key=self._salt, person=b"allmende").digest()


def words(hashes: npt.NDArray[np.uint8]) -> Hashes:
    """Hashes of 32 bytes each as 4 words each, the form that `PdqIndex` searches."""
    return np.ascontiguousarray(hashes).view(">u8").astype(np.uint64)
