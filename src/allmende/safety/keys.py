"""The key pair that signs a take-down log, and the patches of all datasets that obey it: Ed25519 (RFC 8032).

Every message is signed with a word in front that says what it is, so that no signature can be used for something else.
"""

import base64
import binascii
from typing import TYPE_CHECKING

from allmende.errors import RecipeError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


def make_key() -> bytes:
    """A new private key, PKCS #8 in PEM: for a file that nobody else may read."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


class Signer:
    """Signs with a private key.

    Args:
        pem: The key's file.
        where: Its path, for errors.

    Raises:
        RecipeError: if it is no Ed25519 key without password.
    """

    def __init__(self, pem: bytes, where: str):
        self._key = _private(pem, where)

    @property
    def public(self) -> str:
        """The public key, 64 hex digits."""
        return self._key.public_key().public_bytes_raw().hex()

    def sign(self, what: str, message: bytes) -> str:
        """Signature over a message, Base64."""
        return base64.b64encode(self._key.sign(_marked(what, message))).decode()


def _private(pem: bytes, where: str) -> "Ed25519PrivateKey":
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise RecipeError(f"{where}: no private key that can be read ({error}).") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise RecipeError(f"{where}: not an Ed25519 key. A new one: openssl genpkey -algorithm ed25519")
    return key


def verified(public: str, what: str, message: bytes, signature: str) -> bool:
    """True if the signature is this key's over this message."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
        key.verify(base64.b64decode(signature, validate=True), _marked(what, message))
    except (InvalidSignature, ValueError, binascii.Error):
        return False
    return True


def _marked(what: str, message: bytes) -> bytes:
    return f"allmende {what}\0".encode() + message
