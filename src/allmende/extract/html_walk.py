"""One walk over a parsed page, in document order: its images with their words, its text, its head.

Every look-up beyond the walk (the text of a link, the caption of a figure) is bounded by a budget for the whole page,
so that the time is in proportion to the page, whatever it is.
"""

from typing import NamedTuple

from selectolax.lexbor import LexborHTMLParser, LexborNode

from allmende.commoncrawl.wat import HeadLink, Meta
from allmende.extract.image_element import Attributes, image_url
from allmende.extract.page_text import PageText
from allmende.extract.words import collapse
from allmende.permission.rsl import MEDIA_TYPE as RSL_TYPE

BUDGET = 500_000
"""Nodes of a page that are visited for the text of links and captions, over and above the walk."""
LONGEST_WORDS = 5_000
"""Characters of link text, or of a figcaption, that are read, about."""
_FAR = 24
"""Elements that are climbed from an image to find its <figure> or <a>."""
_MOST_SOURCES = 32
"""Elements of a <picture> that are looked at."""

_BLOCKS = """
    address article aside blockquote body br button caption center dd details div dl dt fieldset figcaption figure footer
    form h1 h2 h3 h4 h5 h6 header hr img li main nav ol p pre section select summary table tbody td th tr ul video
"""
"""Elements that part words."""
_RAW = "script style title textarea option iframe noembed noframes"
"""Elements whose text is not part of the page's."""
_OTHERS = "a area base html link meta noscript picture source"


def _ids() -> dict[str, int]:
    """The numbers by which the parser knows elements."""
    tree = LexborHTMLParser("x")
    names = f"{_BLOCKS} {_RAW} {_OTHERS}".split()
    texts = (node for node in tree.root.traverse(include_text=True) if node.is_text_node) if tree.root else ()
    return {"": next(iter(texts)).tag_id} | {name: tree.create_node(name).tag_id for name in names}


_ID = _ids()
_BLOCK_IDS = frozenset(_ID[name] for name in _BLOCKS.split())
_RAW_IDS = frozenset(_ID[name] for name in _RAW.split())
_A, _FIGURE, _FIGCAPTION, _IMG, _PICTURE = (_ID[name] for name in ("a", "figure", "figcaption", "img", "picture"))
_BODY, _SOURCE = _ID["body"], _ID["source"]
_TEXT = _ID[""]
_IMAGE_FILES = frozenset({"jpg", "jpeg", "jpe", "jfif", "png", "webp", "gif", "avif", "bmp", "tif", "tiff"})


class Found(NamedTuple):
    """An image as it stands in the page."""

    url: str
    found_in: str
    words: dict[str, str]
    attributes: Attributes
    place: int
    """Where it stands in the page's text."""
    in_noscript: bool


class Walk:
    """What was found on a page. Made for one page, by walking over it."""

    def __init__(self, tree: LexborHTMLParser) -> None:
        self.metas: list[Meta] = []
        self.links: list[HeadLink] = []
        self.base = ""
        self.license = ""
        """First rel=license in the body."""
        self.schema_license = ""
        """First itemprop=license that is not an image's."""
        self.scripts: list[str] = []
        """JSON-LD."""
        self.rsl: list[str] = []
        """RSL licences that stand in the page."""
        self.images: list[Found] = []
        self.text = PageText()
        self._budget = BUDGET
        self._in_noscript: set[int] = set()
        self._captions: dict[int, str] = {}
        self._link_texts: dict[int, str] = {}
        self._readers = {
            _ID["html"]: self._html,
            _ID["meta"]: self._meta,
            _ID["link"]: self._link,
            _ID["base"]: self._base,
            _ID["script"]: self._script,
            _ID["noscript"]: self._noscript,
            _A: self._anchor,
            _ID["area"]: self._area,
            _IMG: self._image,
        }
        if tree.root is not None:
            self._walk(tree.root)

    def _walk(self, root: LexborNode) -> None:
        text, readers, hidden = self.text, self._readers, self._in_noscript
        before = 0
        for node in root.traverse(include_text=True):
            kind = node.tag_id
            if kind == _TEXT:
                content = node.text_content or ""
                if content.isspace():  # two of three
                    text.pause()
                elif not (before in _RAW_IDS and _is_raw(node)) and not (hidden and node.mem_id in hidden):
                    _add_text(node, content, text)
            else:
                if kind in _BLOCK_IDS:
                    text.pause()
                if kind in readers:
                    readers[kind](node)
            before = kind

    def _html(self, node: LexborNode) -> None:
        told = node.attributes
        self.metas += [
            Meta(name=f"HTML@/{name}", content=value) for name in ("lang", "xml:lang") if (value := told.get(name))
        ]

    def _meta(self, node: LexborNode) -> None:
        told = node.attributes
        name, http = told.get("name") or "", told.get("http-equiv") or ""
        self.metas.append(Meta(name, told.get("property") or "", told.get("content") or "", http))

    def _link(self, node: LexborNode) -> None:
        told = node.attributes
        self.links.append(HeadLink(told.get("href") or "", told.get("rel") or "", told.get("type") or ""))
        self._note_license(node, told)

    def _base(self, node: LexborNode) -> None:
        self.base = self.base or node.attributes.get("href") or ""

    def _script(self, node: LexborNode) -> None:
        kind = (node.attributes.get("type") or "").partition(";")[0].strip().lower()
        if kind == "application/ld+json":
            self.scripts.append(node.text())
        elif kind == RSL_TYPE:
            self.rsl.append(node.text())

    def _noscript(self, node: LexborNode) -> None:
        if node.mem_id not in self._in_noscript:
            self._in_noscript.update(inner.mem_id for inner in node.traverse(include_text=True))

    def _area(self, node: LexborNode) -> None:
        self._note_license(node, node.attributes)

    def _anchor(self, node: LexborNode) -> None:
        told = node.attributes
        self._note_license(node, told)
        url = (told.get("href") or "").strip()
        if "." not in url or not is_image_file(url):
            return
        figure, _ = _around(node)
        words = {"figcaption": self._caption(figure), "link_text": self._link_text(node, told)}
        self.images.append(Found(url, "a", _present(words), told, self.text.length, node.mem_id in self._in_noscript))

    def _image(self, node: LexborNode) -> None:
        told = node.attributes
        url, found_in = image_url(told, _sources(node))
        if not found_in:
            return
        figure, anchor = _around(node)
        words = {
            "alt": collapse(told.get("alt") or ""),
            "figcaption": self._caption(figure),
            "title": collapse(told.get("title") or ""),
            "aria_label": collapse(told.get("aria-label") or ""),
            "link_text": self._link_text(anchor, anchor.attributes, alts=False) if anchor else "",
        }
        in_noscript = node.mem_id in self._in_noscript
        place = "noscript" if in_noscript else found_in
        self.images.append(Found(url, place, _present(words), told, self.text.length, in_noscript))

    def _note_license(self, node: LexborNode, told: Attributes) -> None:
        rel, prop, url = told.get("rel"), told.get("itemprop"), told.get("href")
        if not url:
            return
        if rel and not self.license and node.tag_id != _ID["link"] and "license" in rel.lower().split():
            self.license = url
        if prop and not self.schema_license and "license" in prop.split() and not _of_image(node):
            self.schema_license = url

    def _caption(self, figure: LexborNode | None) -> str:
        """Text of the first <figcaption> in a <figure>."""
        if figure is None:
            return ""
        known = self._captions.get(figure.mem_id)
        if known is None:
            known = ""
            for node in figure.traverse():
                self._budget -= 1
                if node.tag_id == _FIGCAPTION:
                    known = self._words_in(node)[0]
                    break
                if self._budget < 0:
                    break
            self._captions[figure.mem_id] = known
        return known

    def _link_text(self, anchor: LexborNode, told: Attributes, *, alts: bool = True) -> str:
        """Text of a link; else its title; else, if asked for, the alt text of the images in it."""
        key = anchor.mem_id * 2 + alts
        known = self._link_texts.get(key)
        if known is None:
            text, alt = self._words_in(anchor)
            known = text or collapse(told.get("title") or "") or (alt if alts else "")
            self._link_texts[key] = known
        return known

    def _words_in(self, root: LexborNode) -> tuple[str, str]:
        """Visible text of an element, and the alt texts in it."""
        text, alts, before = PageText(), list[str](), 0
        for node in root.traverse(include_text=True):
            self._budget -= 1
            if self._budget < 0 or text.length > LONGEST_WORDS:
                break
            kind = node.tag_id
            if kind == _TEXT:
                if not (before in _RAW_IDS and _is_raw(node)) and node.mem_id not in self._in_noscript:
                    _add_text(node, node.text_content or "", text)
            elif kind in _BLOCK_IDS:
                text.pause()
                if kind == _IMG and len(alts) < 10:
                    alts.append(node.attributes.get("alt") or "")
            before = kind
        return collapse(text.whole()), collapse(" ".join(alts))


def is_image_file(url: str) -> bool:
    """Whether a link leads to an image file, by its ending. `File:Name.jpg` is a page (MediaWiki)."""
    name = url.partition("#")[0].partition("?")[0].rpartition("/")[2]
    stem, _, ending = name.rpartition(".")
    return ending.lower() in _IMAGE_FILES and bool(stem) and ":" not in stem and "%3A" not in stem


def _present(words: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in words.items() if text}


def _add_text(node: LexborNode, content: str, text: PageText) -> None:
    if text.ends_in_word() and not content[:1].isspace() and _follows_block(node):
        text.pause()
    text.add(content)


def _is_raw(text: LexborNode) -> bool:
    parent = text.parent
    return parent is not None and parent.tag_id in _RAW_IDS


def _follows_block(text: LexborNode) -> bool:
    """Whether an element that breaks lines ended just before a text; where one begins, the walk sees it."""
    node: LexborNode | None = text
    for _ in range(8):
        if node is None or node.tag_id in _BLOCK_IDS:
            return False
        before = node.prev
        if before is not None:
            return before.tag_id in _BLOCK_IDS
        node = node.parent
    return False


def _around(node: LexborNode) -> tuple[LexborNode | None, LexborNode | None]:
    """The innermost <figure> and <a> around an element; None if there is none near."""
    figure = anchor = None
    up = node.parent
    for _ in range(_FAR):
        if up is None or up.tag_id == _BODY or (figure and anchor):
            break
        if up.tag_id == _FIGURE:
            figure = figure or up
        elif up.tag_id == _A:
            anchor = anchor or up
        up = up.parent
    return figure, anchor


def _sources(image: LexborNode) -> list[Attributes]:
    """Attributes of the <source> elements before an image in its <picture>."""
    found: list[Attributes] = []
    parent = image.parent
    if parent is None or parent.tag_id not in (_PICTURE, _SOURCE):
        return found
    before = image.prev
    for _ in range(_MOST_SOURCES):
        if before is None or before.tag_id == _IMG:
            break
        if before.tag_id == _SOURCE:
            found.append(before.attributes)
        before = before.prev
    return found[::-1]


def _of_image(node: LexborNode) -> bool:
    """Whether microdata belong to an ImageObject."""
    up = node.parent
    for _ in range(_FAR):
        if up is None or up.tag_id == _BODY:
            break
        if kind := up.attributes.get("itemtype"):
            return kind.rstrip("/").endswith("ImageObject")
        up = up.parent
    return False
