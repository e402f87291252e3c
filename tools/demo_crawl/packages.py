"""Takes pictures and what is known about them out of Debian packages.

Only pictures whose package says, file by file, that they are public domain or CC0 are let through:

* openclipart-svg: every drawing carries RDF with title, description, keywords, creator and licence.
* gcompris-qt-data: each activity's resource file holds a README with author, licence and source of every photograph.
"""

import re
import struct
import subprocess
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from lxml import etree

PACKAGES = ("gcompris-qt-data", "openclipart-svg")

_RDF = {
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "dc": "http://purl.org/dc/elements/1.1/",
    "cc": "http://web.resource.org/cc/",
}


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a picture comes from and under which terms."""

    package: str
    """Debian package and its version."""
    path: str
    """Path inside the package (for photographs: inside the activity's resource file)."""
    creator: str
    licence: str
    """`public-domain` or `CC0-1.0`."""
    source: str
    """Web page of the original; empty where the package names none."""
    title: str = ""
    description: str = ""
    keywords: tuple[str, ...] = ()


def unpack(folder: Path, packages: Iterable[str] = PACKAGES) -> dict[str, Path]:
    """Download and unpack `packages` below `folder`; a package that lies there already is not fetched again."""
    roots = {}
    for package in packages:
        root = folder / package
        if not root.exists():
            subprocess.run(["apt-get", "download", package], cwd=folder, check=True)
            deb = next(folder.glob(f"{package}_*.deb"))
            subprocess.run(["dpkg-deb", "-x", str(deb), str(root)], check=True)
        roots[package] = root
    return roots


def version(folder: Path, package: str) -> str:
    """Version of the downloaded package, read off the package itself."""
    deb = next(folder.glob(f"{package}_*.deb"))
    return subprocess.run(
        ["dpkg-deb", "-f", str(deb), "Version"], check=True, capture_output=True, text=True
    ).stdout.strip()


def drawing(root: Path, path: str, package: str) -> tuple[bytes, Origin]:
    """The SVG at `path` of openclipart-svg and its origin.

    Raises:
        ValueError: Its RDF does not put it into the public domain.
    """
    data = (root / "usr/share/openclipart/svg" / path).read_bytes()
    tree = etree.fromstring(data, etree.XMLParser(recover=True))

    def words(query: str) -> list[str]:
        return [" ".join("".join(node.itertext()).split()) for node in tree.xpath(query, namespaces=_RDF)]

    if "http://web.resource.org/cc/PublicDomain" not in tree.xpath("//cc:license/@rdf:resource", namespaces=_RDF):
        raise ValueError(f"{path} is not in the public domain")
    titles, creators = words("//cc:Work/dc:title"), words("//dc:creator//dc:title")
    described = [text for text in words("//dc:description") if text]
    return data, Origin(
        package=package,
        path=f"usr/share/openclipart/svg/{path}",
        creator=creators[0] if creators else "",
        licence="public-domain",
        source="",
        title=titles[0] if titles else "",
        description=described[0] if described else "",
        keywords=tuple(word for word in words("//dc:subject//rdf:li") if word),
    )


def photographs(root: Path, activity: str, package: str) -> dict[str, tuple[bytes, Origin]]:
    """The free photographs of one GCompris activity, by their path below its `resource` folder."""
    files = _read_rcc((root / f"usr/share/gcompris-qt/rcc/{activity}.rcc").read_bytes())
    found = {}
    for readme in sorted(path for path in files if path.endswith("/README")):
        folder = readme.removesuffix("README")
        for path, origin in _readme_entries(files[readme].decode(), folder, package):
            if path in files:
                found[path.partition("/resource/")[2]] = (files[path], origin)
    return found


def _readme_entries(readme: str, folder: str, package: str) -> Iterator[tuple[str, Origin]]:
    for paragraph in re.split(r"\n\s*\n", readme):
        fields: dict[str, str] = {}
        key = ""
        for line in paragraph.splitlines():
            named = re.match(r"(Copyright|License|Source|Files|Comments?):\s*(.*)", line)
            key, text = (named[1], named[2]) if named else (key, line)
            fields[key] = f"{fields.get(key, '')} {text.strip()}".strip()
        licence = {"public domain": "public-domain", "cc0-1.0": "CC0-1.0"}.get(fields.get("License", "").lower())
        if not licence:
            continue
        source = fields.get("Source") or fields.get("Comment", "").removeprefix("original source at ")
        for name in fields.get("Files", "").split():
            yield folder + name, Origin(package, folder + name, fields.get("Copyright", ""), licence, source)


def _read_rcc(data: bytes) -> dict[str, bytes]:
    """The files of a Qt resource file (`rcc --binary`), format version 1 to 3, all by their path."""
    magic, form, tree, contents, names = struct.unpack(">4sIIII", data[:20])
    if magic != b"qres":
        raise ValueError("not a Qt resource file")
    size = 14 if form < 2 else 22
    files = {}
    queue = [(0, "")]
    while queue:
        index, folder = queue.pop()
        at = tree + index * size
        name_at, flags = struct.unpack(">IH", data[at : at + 6])
        (letters,) = struct.unpack(">H", data[names + name_at : names + name_at + 2])
        name = data[names + name_at + 6 : names + name_at + 6 + 2 * letters].decode("utf-16-be") if index else ""
        path = f"{folder}/{name}".lstrip("/")
        if flags & 2:
            count, first = struct.unpack(">II", data[at + 6 : at + 14])
            queue += [(first + child, path) for child in range(count)]
            continue
        (offset,) = struct.unpack(">I", data[at + 10 : at + 14])
        (length,) = struct.unpack(">I", data[contents + offset : contents + offset + 4])
        body = data[contents + offset + 4 : contents + offset + 4 + length]
        files[path] = zlib.decompress(body[4:]) if flags & 1 else body
    return files
