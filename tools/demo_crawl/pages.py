"""Writes the pages of the demo crawl: pictures with words, in the many ways in which real pages do it.

The rubbish of real pages is there too: logos, spacers, tracking pixels, icons, a banner on every page, placeholders
for lazy loading. A `Show` is one picture on one page.
"""

import json
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from urllib.parse import unquote

import ada_url

from demo_crawl.pictures import Picture

PORT = 8087
ON_A_PAGE = 9

LARGER = {
    "de": "Zum Vergrößern klicken",
    "en": "Click to enlarge",
    "fr": "Cliquez pour agrandir",
    "es": "Haga clic para ampliar",
    "it": "Clicca per ingrandire",
    "pl": "Kliknij, aby powiększyć",
    "nl": "Klik om te vergroten",
    "cs": "Klikněte pro zvětšení",
    "da": "Klik for at forstørre",
}
_PLACEHOLDER = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"


@dataclass(frozen=True, slots=True)
class Site:
    """One host: an entry of `sites.toml`."""

    host: str
    lang: str
    groups: tuple[str, ...]
    style: str
    title: str
    intro: str
    charset: str = "utf-8"
    encoding: str = ""
    chunked: bool = False

    @property
    def base(self) -> str:
        """URL of its root."""
        return f"http://{self.host}.localhost:{PORT}/"


@dataclass(frozen=True, slots=True)
class Page:
    """One page as its server sends it."""

    url: str
    html: str
    site: Site


@dataclass(frozen=True, slots=True)
class Show:
    """A picture on a page."""

    picture: Picture
    caption: str
    src: str
    """How the page refers to the file: relative, absolute, protocol-relative."""
    thumb: str
    number: int
    lang: str


def sites() -> list[Site]:
    """The table of sites."""
    table = tomllib.loads((Path(__file__).parent / "sites.toml").read_text())
    return [Site(**{**entry, "groups": tuple(entry["groups"])}) for entry in table["site"]]


def homes(all_sites: Sequence[Site], pictures: Sequence[Picture]) -> dict[str, str]:
    """Name of each picture -> URL of its file, normalised: drawings lie at `clipart`, photographs where they are shown first."""
    found = {}
    for picture in pictures:
        folder = f"http://clipart.localhost:{PORT}/media/"
        if not picture.origin.title:
            site = next(s for s in all_sites if picture.group in s.groups and s.lang in picture.captions)
            folder = f"{site.base}bilder/"
        found[picture.name] = str(ada_url.URL(folder + picture.file).href)
    return found


def thumb_of(url: str) -> str:
    """URL of the small version of a picture."""
    folder, _, file = url.rpartition("/")
    return f"{folder}/klein/{file.rpartition('.')[0]}.jpg"


def site_pages(site: Site, pictures: Sequence[Picture], urls: dict[str, str]) -> Iterator[Page]:
    """The pages of one site, `ON_A_PAGE` pictures on each."""
    chosen = [p for group in site.groups for p in pictures if p.group == group and site.lang in p.captions]
    for start in range(0, len(chosen), ON_A_PAGE):
        number = start // ON_A_PAGE + 1
        url = site.base if number == 1 else f"{site.base}seite/{number}.html"
        shows = [
            _show(site, url, picture, urls[picture.name], start + i)
            for i, picture in enumerate(chosen[start : start + ON_A_PAGE])
        ]
        yield Page(url, page(site, url, site.title, [STYLES[site.style](show) for show in shows], shows), site)


def gallery_pages(pictures: Sequence[Picture], urls: dict[str, str]) -> Iterator[Page]:
    """The drawings with the words of their own RDF: title as alt, keywords as title, description as figcaption."""
    site = Site("clipart", "en", (), "", "Clip art for everyone", "Drawings that anybody may use for anything.")
    drawings = [picture for picture in pictures if picture.origin.title]
    for start in range(0, len(drawings), 2 * ON_A_PAGE):
        url = f"{site.base}?page={start // (2 * ON_A_PAGE) + 1}&sort=title"
        items = []
        for picture in drawings[start : start + 2 * ON_A_PAGE]:
            origin, src = picture.origin, urls[picture.name].removeprefix(site.base.rstrip("/"))
            keywords = f' title="{escape(", ".join(origin.keywords))}"' if origin.keywords else ""
            words = f"<figcaption>{escape(origin.description)}</figcaption>" if origin.description else ""
            items.append(f'<figure><img src="{escape(src)}" alt="{escape(origin.title)}"{keywords}>{words}</figure>')
        yield Page(url, page(site, url, site.title, items), site)


def page(site: Site, url: str, title: str, items: Sequence[str], shows: Sequence[Show] = ()) -> str:
    """A whole page around its items, with head, navigation, banner and footer."""
    body = "\n".join(f"<h2>{i}</h2>\n{item}" for i, item in enumerate(items, 1))
    return f"""<!doctype html>
<html lang="{site.lang}"{' dir="rtl"' if site.lang == "ar" else ""}>
<head>
<meta charset="{site.charset}">
<title>{escape(title)}</title>
{_head(site, url, shows)}</head>
<body>
<header><a href="{site.base}"><img src="/logo.svg" alt="Logo" width="120" height="40"></a>
<img src="/img/spacer.gif" alt="" width="20" height="1"><nav><a href="{site.base}">{escape(site.title)}</a></nav></header>
<h1>{escape(title)}</h1>
<p>{escape(site.intro)}</p>
<main>
{body}
</main>
<aside><a href="http://werbung.localhost:{PORT}/klick?von={site.host}">{_banner(site, url)}</a></aside>
<footer><a href="/feed.xml"><img src="/icons/rss.png" alt="RSS" width="16" height="16"></a>
<a href="mailto:post@{site.host}.localhost"><img src="/icons/mail.png" alt="E-Mail" width="16" height="16"></a>
<img src="//zaehler.localhost:{PORT}/pixel.gif?seite={site.host}" alt="" width="1" height="1"></footer>
</body>
</html>
"""


def _head(site: Site, url: str, shows: Sequence[Show]) -> str:
    lines = [f'<link rel="canonical" href="{escape(url)}">']
    if site.style == "base":
        lines.append(f'<base href="{site.base}bilder/">')
    if site.style in ("plain", "figure"):
        lines.append('<link rel="license" href="https://creativecommons.org/publicdomain/zero/1.0/">')
    if shows:
        first, last = shows[0], shows[-1]
        lines.append(f'<meta property="og:title" content="{escape(site.title)}">')
        lines.append(f'<meta property="og:image" content="{escape(_absolute(first))}">')
        lines.append(f'<meta property="og:image:alt" content="{escape(first.caption)}">')
        lines.append(f'<meta name="twitter:image" content="{escape(_absolute(last))}">')
        lines.append(f'<meta name="twitter:image:alt" content="{escape(last.caption)}">')
    if site.style in ("plain", "picture") and len(shows) > 2:
        lines.append(_json_ld(shows[2]))
    return "\n".join(lines) + "\n"


def _json_ld(show: Show) -> str:
    told = {
        "@context": "https://schema.org",
        "@type": "ImageObject",
        "contentUrl": _absolute(show),
        "caption": show.caption,
        "license": "https://creativecommons.org/publicdomain/zero/1.0/",
        "creator": {"@type": "Person", "name": show.picture.origin.creator},
    }
    return f'<script type="application/ld+json">{json.dumps(told)}</script>'


def _absolute(show: Show) -> str:
    return show.thumb.replace("/klein/", "/").rpartition("/")[0] + "/" + show.picture.file


def _banner(site: Site, url: str) -> str:
    week = sum(map(ord, url)) % 50 + 1
    return f'<img src="http://werbung.localhost:{PORT}/banner.jpg" alt="Angebot der Woche {week} für {site.host}">'


def _show(site: Site, page_url: str, picture: Picture, url: str, number: int) -> Show:
    caption = picture.captions[site.lang]
    return Show(picture, caption, _reference(site, page_url, url, number), thumb_of(url), number, site.lang)


def _reference(site: Site, page_url: str, url: str, number: int) -> str:
    """A way to write `url` on the page: all that browsers know, in turn."""
    if not url.startswith(site.base):
        return url.removeprefix("http:") if number % 3 == 1 else url
    path = unquote(url.removeprefix(site.base))
    if site.style == "base":
        return path.removeprefix("bilder/")
    relative = path if page_url == site.base else f"../{path}"
    return (f"/{path}", relative, f"{url}?breite=384&amp;#bild", f"  HTTP{url[4:]}\n", f"./{relative}")[number % 5]


def _plain(show: Show) -> str:
    more = f' title="{escape(show.caption)}"' if show.number % 4 == 3 else ""
    return f'<p><img src="{_quoted(show.src)}" alt="{escape(show.caption)}"{more}></p>'


def _figure(show: Show) -> str:
    creator = f" (© {escape(show.picture.origin.creator)})" if show.number % 2 else ""
    alt = escape(show.caption) if show.number % 3 == 2 else ""
    return (
        f'<figure><a href="{escape(_absolute(show))}"><img src="{_quoted(show.src)}" alt="{alt}"></a>'
        f"<figcaption>{escape(show.caption)}{creator}</figcaption></figure>"
    )


def _lazy(show: Show) -> str:
    names = ("data-src", "data-original", "data-lazy-src")
    image = f'alt="{escape(show.caption)}"'
    return (
        f'<img class="lazy" src="{_PLACEHOLDER}" {names[show.number % 3]}="{_quoted(show.src)}" {image}>'
        f'<noscript><img src="{_quoted(show.src)}" {image}></noscript>'
    )


def _srcset(show: Show) -> str:
    wide = _quoted(show.src).strip().replace(" ", "%20")
    name = "data-srcset" if show.number % 4 == 2 else "srcset"
    return (
        f'<img src="{show.thumb}" {name}="{show.thumb} 96w, {wide} 384w" sizes="(max-width: 600px) 50vw, 384px" '
        f'alt="{escape(show.caption)}">'
    )


def _picture(show: Show) -> str:
    wide = _quoted(show.src).strip().replace(" ", "%20")
    return (
        f'<picture><source srcset="{wide} 2x, {show.thumb} 1x"><img src="{show.thumb}" alt="{escape(show.caption)}">'
        "</picture>"
    )


def _linked(show: Show) -> str:
    caption = escape(show.caption)
    if show.number % 2:
        larger = escape(LARGER.get(show.lang, LARGER["en"]))
        return f'<a href="{_quoted(show.src)}" title="{larger}"><img src="{_quoted(show.src)}" alt="{caption}"></a>'
    return f'<a href="{_quoted(show.src)}" title="{caption}"><img src="{show.thumb}" alt="{caption}"></a>'


def _aria(show: Show) -> str:
    if show.number % 2:
        return f'<div><img src="{_quoted(show.src)}" aria-label="{escape(show.caption)}"></div>'
    return f'<img src="{_quoted(show.src)}" alt="{escape(show.picture.file)}" title="{escape(show.caption)}">'


def _quoted(url: str) -> str:
    return url if "&amp;" in url else escape(url)


STYLES: dict[str, Callable[[Show], str]] = {
    "plain": _plain,
    "base": _plain,
    "figure": _figure,
    "lazy": _lazy,
    "srcset": _srcset,
    "picture": _picture,
    "linked": _linked,
    "aria": _aria,
}
"""How a site marks up its pictures."""
