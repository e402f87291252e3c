"""`releases/feed.xml`: an Atom feed (RFC 4287) of releases and patches, for those who hold a copy.

Ids are made from the dataset's key and name and the version, so they stay the same wherever the feed lies and whenever it is
written anew; times are those of the manifests.
"""

import uuid
from collections.abc import Iterable
from xml.etree import ElementTree as ET

import msgspec

from allmende.publish.manifest import ReleaseManifest, order

ATOM = "http://www.w3.org/2005/Atom"
PATCH_TYPE = "application/octet-stream"


class PatchFile(msgspec.Struct, frozen=True):
    """A patch that lies in `releases/patches/`."""

    old: str
    """Version that it brings a copy from."""
    new: str
    bytes: int

    @property
    def name(self) -> str:
        """Its file name."""
        return f"{self.old}-{self.new}.patch"


def feed_xml(releases: Iterable[ReleaseManifest], patches: Iterable[PatchFile]) -> bytes:
    """The feed, newest entry first.

    Args:
        releases: At least one.
        patches: Each leads to one of them.
    """
    found = sorted(releases, key=lambda manifest: order(manifest.version), reverse=True)
    last, by_version = found[0], {manifest.version: manifest for manifest in found}
    ET.register_namespace("", ATOM)
    feed = ET.Element(f"{{{ATOM}}}feed")
    _text(feed, "id", _id(last, "feed"))
    _text(feed, "title", f"{last.dataset}: releases and patches")
    _text(feed, "updated", max(manifest.released for manifest in found))
    _text(_child(feed, "author"), "name", last.dataset)
    _child(feed, "link", rel="self", href="feed.xml", type="application/atom+xml")
    _text(feed, "generator", "Allmende")
    leading: dict[str, list[PatchFile]] = {}
    for patch in patches:
        leading.setdefault(patch.new, []).append(patch)
    for manifest in found:
        for patch in sorted(leading.get(manifest.version, []), key=lambda p: order(p.old), reverse=True):
            _patch(feed, by_version[patch.new], patch)
        _release(feed, manifest)
    ET.indent(feed)
    return bytes(ET.tostring(feed, encoding="utf-8", xml_declaration=True)) + b"\n"


def _release(feed: ET.Element, manifest: ReleaseManifest) -> None:
    entry = _child(feed, "entry")
    _text(entry, "id", _id(manifest, manifest.version))
    _text(entry, "title", f"{manifest.dataset} {manifest.version}")
    _text(entry, "updated", manifest.released)
    _child(entry, "category", term="release")
    _child(entry, "link", rel="related", href=f"{manifest.version}.json", type="application/json")
    _child(entry, "content", type="text").text = summary(manifest)


def _patch(feed: ET.Element, manifest: ReleaseManifest, patch: PatchFile) -> None:
    entry = _child(feed, "entry")
    _text(entry, "id", _id(manifest, patch.name))
    _text(entry, "title", f"{manifest.dataset}: patch from {patch.old} to {patch.new}")
    _text(entry, "updated", manifest.released)
    _child(entry, "category", term="patch")
    _child(entry, "link", rel="enclosure", href=f"patches/{patch.name}", length=str(patch.bytes), type=PATCH_TYPE)
    text = f"Brings a copy of {patch.old} to {patch.new}: allmende patch apply COPY {patch.name}"
    _child(entry, "content", type="text").text = text


def summary(manifest: ReleaseManifest) -> str:
    """A release in a sentence or two."""
    first = f"{manifest.samples:,} samples in {len(manifest.files):,} files."
    if not manifest.removed:
        return first
    gone = ", ".join(f"{count:,} ({reason})" for reason, count in sorted(manifest.removed.items()))
    return f"{first} Taken down: {gone}. Copies of earlier versions should be brought to this one."


def _id(manifest: ReleaseManifest, name: str) -> str:
    return uuid.uuid5(uuid.NAMESPACE_OID, f"{manifest.tombstones.key}/{manifest.dataset}/{name}").urn


def _child(parent: ET.Element, name: str, **attributes: str) -> ET.Element:
    return ET.SubElement(parent, f"{{{ATOM}}}{name}", attributes)


def _text(parent: ET.Element, name: str, text: str) -> None:
    # Names of datasets are anything; XML knows no control characters.
    _child(parent, name).text = "".join(letter for letter in text if letter.isprintable())
