"""What a take-down names, as people write it."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Self

import msgspec

from allmende.errors import RecipeError, SourceMissing
from allmende.extract.urls import normalise, split_host
from allmende.safety.veil import Kind
from allmende.schema import Reason

_is_hex32 = re.compile("[0-9a-f]{32}").fullmatch
_is_hex64 = re.compile("[0-9a-f]{64}").fullmatch
_LINE = re.compile(r"(?:(?P<kind>url|domain|sha256|phash|uid)\s+)?(?P<value>\S+)")


class Targets(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be taken down, as the log hashes it. Make one with `Targets.of`."""

    urls: tuple[str, ...] = ()
    """Normalised (`allmende.extract.urls.normalise`)."""
    domains: tuple[str, ...] = ()
    """Lower case, punycode; each stands for all hosts below it, too."""
    sha256s: tuple[str, ...] = ()
    """Of original files, or of texts (`dedup.same_text.text_digest`), 64 hex digits."""
    phashes: tuple[str, ...] = ()
    """PDQ hashes, 64 hex digits: all pictures that look the same."""
    uids: tuple[str, ...] = ()
    """Samples, 32 hex digits each."""

    @classmethod
    def of(
        cls,
        *,
        urls: Iterable[str] = (),
        domains: Iterable[str] = (),
        sha256s: Iterable[str] = (),
        phashes: Iterable[str] = (),
        uids: Iterable[str] = (),
    ) -> Self:
        """Checked, and in the spelling of the dataset.

        Raises:
            RecipeError: if a value is not what it should be.
        """
        return cls(
            urls=tuple(_url(value) for value in urls),
            domains=tuple(_domain(value) for value in domains),
            sha256s=tuple(_digits(value, 64, "--sha256") for value in sha256s),
            phashes=tuple(_digits(value, 64, "--phash") for value in phashes),
            uids=tuple(_digits(value, 32, "--uid") for value in uids),
        )

    def values(self) -> list[tuple[Kind, str]]:
        """Kind and value of each."""
        kinds: dict[Kind, tuple[str, ...]] = {
            "url": self.urls,
            "domain": self.domains,
            "sha256": self.sha256s,
            "phash": self.phashes,
            "uid": self.uids,
        }
        return [(kind, value) for kind, values in kinds.items() for value in dict.fromkeys(values)]

    def __add__(self, other: "Targets") -> "Targets":
        fields = msgspec.structs.fields(self)
        return Targets(**{f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields})


def read_list(path: Path) -> Targets:
    """A list of targets: one a line, with its kind in front (`phash 3fa9...`) where its form does not tell.

    Without a kind, something with `://` is a URL, 32 hex digits are a uid, 64 a sha256, and anything else is a
    domain. Blank lines and lines that start with # count nothing.

    Raises:
        SourceMissing: if there is no such file.
        RecipeError: if a line is none of these; the message has its number.
    """
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except OSError as error:
        raise SourceMissing(f"{path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise RecipeError(f"{path}: not a text in UTF-8.") from error
    found = Targets()
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        match = _LINE.fullmatch(text)
        if match is None:
            raise RecipeError(f"{path}, line {number}: one target a line, such as: url https://a.example/1.jpg")
        try:
            found += Targets.of(
                **{f"{match['kind'] or _kind(match['value'])}s".replace("phashs", "phashes"): [match["value"]]}
            )
        except RecipeError as error:
            raise RecipeError(f"{path}, line {number}: {error}") from error
    return found


def _kind(value: str) -> Kind:
    if "://" in value:
        return "url"
    if _is_hex32(value.lower()):
        return "uid"
    return "sha256" if _is_hex64(value.lower()) else "domain"


def _url(value: str) -> str:
    url = normalise(value.strip(), "", max_chars=100_000)
    if isinstance(url, Reason):
        raise RecipeError(f"--url {value}: not an absolute http(s) URL.")
    return url


def _domain(value: str) -> str:
    name = value.strip().rstrip(".").removeprefix("*.")
    url = normalise(f"http://{name}/", "")
    if isinstance(url, Reason) or {*"/@?#\\"} & {*name} or (":" in name and not name.startswith("[")):
        raise RecipeError(f"--domain {value}: not a host name.")
    host = split_host(url)
    if "." not in host and not host.startswith("["):
        raise RecipeError(f"--domain {value}: a top-level domain would take down everything below it. Name a domain.")
    return host


def _digits(value: str, count: int, option: str) -> str:
    text = value.strip().lower()
    if not (_is_hex32 if count == 32 else _is_hex64)(text):
        raise RecipeError(f"{option} {value}: not {count} hexadecimal digits.")
    return text
