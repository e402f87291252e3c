"""Lists of unwanted domains and URLs by category, in the formats in which they are published.

UT1: a folder for each category with the files `domains` and `urls`. Plain: a domain a line, a hosts file, or Adblock's
`||domain^` (its other rules are skipped). `default`: the small lists that ship with Allmende, in `data/`.
"""

from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import NamedTuple

import msgspec

from allmende.errors import RecipeError
from allmende.recipe import Safety
from allmende.safety.block_list import BlockList, NameList, about_of, filled, name_key
from allmende.safety.digest_set import DigestSet
from allmende.safety.domains import host_forms, plain_entry, url_entry, url_forms
from allmende.safety.list_file import open_list

UT1_NAMES = {"publicite": "tracking", "ads": "tracking", "warez": "piracy", "porn": "adult"}
"""Categories of the UT1 lists (Université Toulouse Capitole) that are ours under another name."""
BAD_LINES = 0.01
"""Share of lines that may be no domain in lists of unwanted domains, which nobody curates by hand; above: an error."""


def domain_lists(safety: Safety) -> Iterator[BlockList]:
    """Lists of unwanted domains and URLs, one for each category and file."""
    dropped = set(safety.drop_categories)
    met: set[str] = set()
    for spec in safety.domain_lists:
        for source in _sources(spec, dropped, safety.list_key):
            met |= source.categories
            yield _unwanted_list(source, min(source.categories & dropped), safety.list_key)
    if safety.domain_lists and (missing := sorted(dropped - met)):
        raise RecipeError(
            f"[safety] drop_categories: no list of domain_lists has a category {missing[0]!r}; it would match nothing."
        )


class _Source(NamedTuple):
    """A file of `domain_lists` that is of a dropped category."""

    path: Path
    kind: str
    categories: frozenset[str]
    """All names of its category."""
    name: str = ""
    """Empty: the file's own."""


def _sources(spec: str, dropped: set[str], key: str) -> list[_Source]:
    if spec == "default":
        return [source for source in _shipped() if source.categories & dropped]
    if spec.startswith("ut1:"):
        root = Path(spec.removeprefix("ut1:"))
        chosen = [source for source in _ut1(root) if source.categories & dropped]
        if not chosen:
            raise RecipeError(f"[safety] domain_lists: {root} has none of the categories {', '.join(sorted(dropped))}.")
        return chosen
    heading = open_list(spec, key).heading
    category = heading.category or heading.name
    if category not in dropped:
        raise RecipeError(
            f"[safety] domain_lists: {spec} is of category {category!r}, which drop_categories does not name; it would "
            "match nothing. Add it there."
        )
    if heading.kind not in ("", "domain", "url"):
        raise RecipeError(f"[safety] domain_lists: {spec} is a list of {heading.kind}; is it one for hash_lists?")
    return [_Source(Path(spec), heading.kind or "domain", frozenset([category]))]


def _shipped() -> Iterator[_Source]:
    folder = resources.files("allmende.safety") / "data"
    for item in sorted(folder.iterdir(), key=lambda item: item.name):
        category, kind = item.name.removesuffix("s.txt").split(".")
        yield _Source(Path(str(item)), kind, frozenset([category]))


def _ut1(root: Path) -> Iterator[_Source]:
    """The files that are not empty, of all categories."""
    try:
        folders = sorted(path for path in root.iterdir() if path.is_dir())
    except OSError as error:
        raise RecipeError(f"[safety] domain_lists: {root} can't be read: {error}") from error
    for folder in folders:
        names = frozenset([folder.name, UT1_NAMES.get(folder.name, folder.name)])
        for kind in ("domain", "url"):
            path = folder / f"{kind}s"
            if path.is_file() and path.stat().st_size:
                yield _Source(path, kind, names, f"ut1/{folder.name}/{kind}s")


def _unwanted_list(source: _Source, category: str, key: str) -> BlockList:
    """A public list of domains or URLs; some lines of it may be unreadable."""
    file = open_list(source.path, key)
    read = url_entry if source.kind == "url" else plain_entry
    content = bytearray()
    skipped, first_bad = 0, 0
    for number, line in file.lines():
        try:
            entry = read(line)
        except ValueError:
            skipped, first_bad = skipped + 1, first_bad or number
            continue
        content += name_key(entry) if entry else b""
    if skipped > BAD_LINES * (len(content) // 16 + skipped):
        raise file.wrong(first_bad, f"no {source.kind}; {skipped} lines are none")
    about = about_of(file, source.kind, len(content) // 16, skipped=skipped)
    about = msgspec.structs.replace(about, name=source.name or about.name, category=category)
    return filled(NameList(about, DigestSet(content, 16), url_forms if source.kind == "url" else host_forms))
