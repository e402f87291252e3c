"""Files of lists, as partners send them: opened, decrypted, and taken apart into entries.

A list is a text file with an entry a line: a hash in hexadecimal, a URL, or a domain. Blank lines and lines that start
with `#` are no entries. Comment lines at the top may say what the list is, and so may a file of the same name with
`.toml` behind it, which wins:

    # name: hotline-2026-11        any; default: the file's name
    # kind: pdq                    md5, sha1, sha256, pdq, url or domain
    # date: 2026-11-01             default: the file's own date
    # salt: 6f1c...                hexadecimal; entries are keyed hashes with this key
    # hash: hmac-sha256            or blake2b; without a salt also md5, sha1, sha256 (for url and domain)

A file encrypted with age (age-encryption.org/v1) is decrypted in memory and never written. Age, and not the symmetric
Fernet tokens of `cryptography`: a partner encrypts to our public key with the `age` command that every distribution
has, so that nobody shares a secret; and files are streamed, where a token is held in memory four times over.
"""

import hashlib
import io
import os
import tomllib
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, get_args

import msgspec

from allmende.errors import MissingExtra, RecipeError

Kind = Literal["md5", "sha1", "sha256", "pdq", "url", "domain"]
KINDS: tuple[Kind, ...] = get_args(Kind)
HEX_DIGITS = {"md5": 32, "sha1": 40, "sha256": 64, "pdq": 64}
"""Length of an entry, by kind."""
MIN_SALT_BYTES = 8
MIN_KEYED_BYTES = 16
"""Keyed hashes may be cut, but not shorter than this: 128 bits hit nothing by chance."""

_BINARY_AGE = b"age-encryption.org/v1\n"
_ARMOURED_AGE = b"-----BEGIN AGE ENCRYPTED FILE-----"


class Heading(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a list says of itself. Empty: it doesn't."""

    name: str = ""
    kind: str = ""
    date: str = ""
    salt: str = ""
    hash: str = ""
    category: str = ""
    """Of a list of domains: what is done about it is decided by category."""


class ListFile(msgspec.Struct, frozen=True, kw_only=True):
    """A list that was opened."""

    path: str
    heading: Heading
    content: bytes
    """Decrypted, with all its comments."""
    sha256: str
    """Of the file as it lies on disk."""
    encrypted: bool

    def lines(self) -> Iterator[tuple[int, str]]:
        """Number and text of each line that is an entry, or should be one."""
        for number, raw in enumerate(io.BytesIO(self.content), 1):
            line = raw.decode("utf-8", "replace").strip().removeprefix("\ufeff")
            if line and not line.startswith("#"):
                yield number, line

    def wrong(self, line: int, problem: str) -> RecipeError:
        """The error for a line. It never quotes the line: entries of such lists are not for logs."""
        return RecipeError(f"List {self.path}, line {line}: {problem}.")


def open_list(path: str | Path, key: str = "") -> ListFile:
    """Reads a list and what it says of itself.

    Args:
        path: A local file.
        key: Where the key of encrypted lists is: see `secret`.

    Raises:
        RecipeError: if it can't be read, is empty, or is encrypted and the key is missing or wrong.
        MissingExtra: if it is encrypted and `pyrage` is not installed.
    """
    path = Path(path)
    raw = _read(path, "List")
    encrypted = raw.startswith((_BINARY_AGE, _ARMOURED_AGE))
    content = _decrypt(raw, path, key) if encrypted else raw
    heading = _heading(content, path)
    heading = msgspec.structs.replace(
        heading, name=heading.name or _plain_name(path), date=heading.date or _file_date(path)
    )
    digest = hashlib.sha256(raw).hexdigest()
    return ListFile(path=str(path), heading=heading, content=content, sha256=digest, encrypted=encrypted)


def secret(source: str, what: str) -> bytes:
    """A secret from where the recipe says it is; the recipe itself never holds one.

    Args:
        source: `env:NAME` or `file:PATH`.
        what: Key of the recipe, for errors.

    Raises:
        RecipeError: if it is not there, or empty.
    """
    place, _, name = source.partition(":")
    if place not in ("env", "file") or not name:
        raise RecipeError(f'{what} must say where the key is, as "env:NAME" or "file:PATH"; never the key itself.')
    if place == "file":
        found = _read(Path(name), f"{what}: key file").strip()
    else:
        found = os.environ.get(name, "").strip().encode()
    if not found:
        raise RecipeError(f"{what}: there is no key in {source}. Set it, then run the same command again.")
    return found


def hex_entry(text: str, digits: int) -> bytes:
    """The bytes of a hash.

    Raises:
        ValueError: saying what is wrong, without quoting it.
    """
    if len(text) != digits:
        raise ValueError(f"{len(text)} characters, where every entry has {digits} hexadecimal digits")
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise ValueError("not a hexadecimal number") from None


def keyed_hash(heading: Heading, width: int) -> Callable[[str], bytes] | None:
    """How a value becomes an entry of this list; None if entries are the values themselves.

    Args:
        heading: With salt and hash.
        width: Bytes of an entry.

    Raises:
        ValueError: if the heading makes no sense.
    """
    if heading.salt:
        salt = bytes.fromhex(heading.salt)
        if len(salt) < MIN_SALT_BYTES:
            raise ValueError(f"its salt has {len(salt)} bytes; fewer than {MIN_SALT_BYTES} hide nothing")
        if heading.hash == "hmac-sha256" and width <= 32:
            return lambda value: _hmac(salt, value)[:width]
        if heading.hash == "blake2b" and width <= 64 and len(salt) <= 64:
            return lambda value: hashlib.blake2b(value.encode(), key=salt, digest_size=width).digest()
        raise ValueError(f"hash {heading.hash!r} with a salt, and entries of {width} bytes: use hmac-sha256 or blake2b")
    if not heading.hash:
        return None
    if heading.hash not in ("md5", "sha1", "sha256"):
        raise ValueError(f"hash {heading.hash!r} without a salt: use md5, sha1 or sha256, or give the salt")
    if width != HEX_DIGITS[heading.hash] // 2:
        raise ValueError(f"hash {heading.hash}, but entries of {width} bytes")
    return lambda value: hashlib.new(heading.hash, value.encode(), usedforsecurity=False).digest()


def _hmac(key: bytes, value: str) -> bytes:
    import hmac

    return hmac.digest(key, value.encode(), "sha256")


def _read(path: Path, what: str) -> bytes:
    try:
        found = path.read_bytes()
    except FileNotFoundError:
        raise RecipeError(f"{what} {path}: there is no such file.") from None
    except OSError as error:
        raise RecipeError(f"{what} {path} can't be read: {error}") from error
    if not found.strip():
        raise RecipeError(f"{what} {path} is empty: it would match nothing.")
    return found


def _heading(content: bytes, path: Path) -> Heading:
    said = dict(_header_lines(io.BytesIO(content)))
    sidecar = path.with_name(path.name + ".toml")
    if sidecar.exists():
        try:
            beside = tomllib.loads(sidecar.read_text("utf-8"))
            said |= {name: str(value) for name, value in beside.items()}
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
            raise RecipeError(f"{sidecar} is not valid TOML: {error}") from error
    try:
        return msgspec.convert(said, Heading)
    except msgspec.ValidationError as error:
        raise RecipeError(f"{sidecar}: {error}. There are: {', '.join(Heading.__struct_fields__)}.") from error


def _header_lines(lines: Iterable[bytes]) -> Iterator[tuple[str, str]]:
    """`# name: value` of the comment lines at the top."""
    for raw in lines:
        line = raw.decode("utf-8", "replace").strip().removeprefix("\ufeff")
        if line and not line.startswith("#"):
            return
        name, colon, value = line.lstrip("#").partition(":")
        if colon and name.strip().lower() in Heading.__struct_fields__:
            yield name.strip().lower(), value.strip()


def _plain_name(path: Path) -> str:
    """The file's name without `.txt`, `.csv`, `.age`."""
    name = path.name
    for suffix in (".age", ".txt", ".csv", ".lst"):
        name = name.removesuffix(suffix)
    return name or path.name


def _file_date(path: Path) -> str:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC).date().isoformat()


def _decrypt(raw: bytes, path: Path, key: str) -> bytes:
    """Content of an age file that is encrypted to one of the key's identities, as `age-keygen` writes them."""
    if not key:
        raise RecipeError(
            f'List {path} is encrypted. Say where its key is: [safety] list_key = "env:NAME" or "file:PATH".'
        )
    try:
        import pyrage
    except ImportError as error:
        raise MissingExtra(f"List {path} is encrypted with age: pip install 'allmende[age]'.") from error
    found = secret(key, "[safety] list_key").decode("utf-8", "replace")
    names = [line.strip() for line in found.splitlines() if line.strip() and not line.startswith("#")]
    try:
        content: bytes = pyrage.decrypt(raw, [pyrage.x25519.Identity.from_str(name) for name in names])
    except (pyrage.DecryptError, pyrage.IdentityError) as error:
        raise RecipeError(f"List {path} can't be decrypted with the key of {key}: {error}.") from error
    if not content.strip():
        raise RecipeError(f"List {path} is empty: it would match nothing.")
    return content
