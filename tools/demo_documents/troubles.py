"""The unpleasant part of the demo's documents: what a crawl has besides good pages, one kind of trouble a page.

Everything here was written for the demo. Hosts end in .example; addresses and numbers are those reserved for examples.
"""

import json
import random
import tomllib
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

from demo_documents.manuals import Page

RESERVED: dict[str, tuple[str, tuple[tuple[str, str], ...]]] = {
    "marche": ('<meta name="tdm-reservation" content="1">', ()),
    "faro": ('<meta name="robots" content="noindex, follow">', ()),
    "liutaio": ('<meta name="robots" content="noai, noimageai">', ()),
    "schaatsen": ("", (("X-Robots-Tag", "noai"),)),
    "brot": ("", (("TDM-Reservation", "1"), ("TDM-Policy", "https://backstube.example/tdm.json"))),
    "svamp": ("", (("Content-Usage", "train-ai=n"),)),
    "tides": ('<link rel="license" href="https://creativecommons.org/licenses/by/4.0/">', ()),
}
"""How sites of `articles.toml` speak about mining: in the page's head, in headers. The last one invites to it."""

ROBOTS = {
    "jihoceske-rybniky.example": "User-agent: *\nDisallow: /\n",
    "miejskie-pszczoly.example": "User-agent: GPTBot\nUser-agent: CCBot\nUser-agent: ClaudeBot\nDisallow: /\n\n"
    "User-agent: *\nAllow: /\n",
    "bairro-alto.example": "User-agent: *\nContent-Signal: search=yes, ai-train=no\nAllow: /\n",
    "jarvenranta.example": "User-agent: *\nDisallow: /hallinta/\n",
    "handbook.example": "User-agent: *\nDisallow: /search/\n\nSitemap: https://handbook.example/sitemap.xml\n",
    "httpd.example": "User-agent: *\nDisallow: /cgi-bin/\n",
}
"""robots.txt of some hosts, as the crawler got them."""

_TEMPLATE = """<!DOCTYPE html>
<html lang="{language}">
<head><meta charset="utf-8"><title>{title}</title>{head}</head>
<body>
<nav><a href="/">Start</a> | <a href="/a-z">A-Z</a> | <a href="/kontakt">@</a></nav>
<main><h1>{title}</h1>
{body}
</main>
<footer><p>&copy; 2026 · <a href="/impressum">Impressum</a> · <a href="/cookies">Cookies</a></p></footer>
</body>
</html>
"""
_MARKETS = ("Schuhe", "Sandalen", "Stiefel", "Turnschuhe", "Hausschuhe")


def html(language: str, title: str, body: str, head: str = "") -> bytes:
    """A page around `body`."""
    return _TEMPLATE.format(language=language, title=escape(title), body=body, head=head).encode()


def paragraphs(text: str) -> str:
    """Blocks of text as HTML paragraphs."""
    return "\n".join(f"<p>{escape(block)}</p>" for block in text.strip().split("\n\n"))


def pages() -> list[Page]:
    """All of them."""
    articles = tomllib.loads((Path(__file__).parent / "articles.toml").read_text())
    return [*_articles(articles), *_copies(articles), *_junk(), *_broken(articles), *_others()]


def _articles(articles: dict[str, dict[str, Any]]) -> Iterator[Page]:
    for name, article in articles.items():
        if "towns" not in article:
            head, headers = RESERVED.get(name, ("", ()))
            body = html(article["language"], article["title"], paragraphs(article["text"]), head)
            yield Page(article["url"], body, "text/html; charset=utf-8", headers)


def _copies(articles: dict[str, dict[str, Any]]) -> Iterator[Page]:
    """The same announcement in six papers; one page at three addresses; one as plain text."""
    news = articles["announcement"]
    for town in news["towns"]:
        host = town.lower().replace("ü", "ue")
        body = html("de", f"{news['title']}", paragraphs(news["text"].replace("{town}", town)))
        yield Page(f"https://{host}er-bote.example/lokales/wanderweg.html", body, "text/html; charset=utf-8")
    sauna = articles["sauna"]
    body = html("fi", sauna["title"], paragraphs(sauna["text"]))
    for query in ("?print=1", "?utm_source=newsletter"):
        yield Page(sauna["url"] + query, body, "text/html; charset=utf-8")
    plain = f"{articles['szuret']['title']}\n\n{articles['szuret']['text'].strip()}\n"
    yield Page("https://szolohegy.example/szuret.txt", plain.encode("iso-8859-2"), "text/plain; charset=iso-8859-2")


def _junk() -> Iterator[Page]:
    """Pages that no one would want to learn from."""
    rng = random.Random(4)
    junk: dict[str, tuple[str, str, str]] = {
        "schnaeppchen.example/schuhe.html": ("de", "Schuhe günstig", _stuffed()),
        "le-forum.example/viewtopic.php?t=81": ("fr", "Re: Re: Re: Bonjour", _forum()),
        "link-list.example/a.html": ("en", "Links starting with A", _links(rng)),
        "notizie-in-breve.example/": ("it", "Notizie in breve", _teasers()),
        "coming-soon.example/": ("en", "Our new site", _filler()),
        "widgets.example/embed.html": ("en", "Embed our widget", _code()),
        "app.example/": ("en", "App", '<div id="root"></div><script src="/main.3f2a.js"></script>'),
        "cookies-eerst.example/artikel/17": ("nl", "Welkom", "<p>Wij gebruiken cookies.</p><button>Akkoord</button>"),
        "rathaus.example/verschoben": ("de", "Fehler 404", "<p>Diese Seite gibt es nicht (mehr).</p>"),
        "ceny.example/czesci.html": ("pl", "Części zamienne: cennik", _prices(rng)),
        "hashtags.example/fotos": ("es", "Fotos de la semana", _hashtags(rng)),
        "checksums.example/SHA256SUMS.html": ("en", "Checksums", _checksums(rng)),
        "kalender.example/2026": ("sv", "Kalender 2026", _calendar()),
        "faq.example/short": ("en", "Frequently asked", _bullets()),
        "mega-dictionary.example/c.html": ("cs", "Slova od C", _words(rng)),
    }
    for address, (language, title, body) in junk.items():
        yield Page(f"https://{address}", html(language, title, body), "text/html; charset=utf-8")


def _broken(articles: dict[str, dict[str, Any]]) -> Iterator[Page]:
    """Texts whose letters were lost on the way."""
    svamp = articles["svamp"]
    twice = svamp["text"].encode().decode("latin-1")
    body = html("sv", svamp["title"], paragraphs(twice))
    yield Page("https://gammal-blogg.example/svamp", body, "text/html; charset=utf-8")
    title, text = articles["rybniky"]["title"], paragraphs(articles["rybniky"]["text"])
    meta = '<meta charset="utf-8">'
    wrong = html("cs", title, text).decode().replace(meta, "").encode("windows-1250", "xmlcharrefreplace")
    yield Page("https://stary-web.example/vylov", wrong, "text/html; charset=utf-8")
    unsaid = html("hu", articles["szuret"]["title"], paragraphs(articles["szuret"]["text"])).decode().replace(meta, "")
    yield Page("https://regi-honlap.example/szuret", unsaid.encode("iso-8859-2", "xmlcharrefreplace"))


def _others() -> Iterator[Page]:
    """What is no page, or no page any more."""
    base = "https://rathaus.example"
    yield Page(f"{base}/alt.html", html("de", "Nicht gefunden", ""), "text/html; charset=utf-8", status=404)
    yield Page(f"{base}/daten.json", json.dumps({"einwohner": 4711}).encode(), "application/json")
    yield Page(f"{base}/plan.pdf", b"%PDF-1.4\n%%EOF\n", "application/pdf")
    yield Page(f"{base}/leer.html", b"")
    yield Page(f"{base}/wappen.png", b"\x89PNG\r\n\x1a\n" + bytes(64), "image/png")


def _stuffed() -> str:
    words = [f"{kind} günstig kaufen, {kind} online bestellen, {kind} im Angebot" for kind in _MARKETS * 12]
    return f"<p>{'. '.join(words)}.</p>"


def _forum() -> str:
    answer = "<p>Merci beaucoup pour ta réponse, je vais essayer ce soir.</p><p>Répondre</p><p>Citer</p><p>Signaler</p>"
    return "\n".join(f"<div><p>Message numéro {number}</p>{answer}</div>" for number in range(30))


def _links(rng: random.Random) -> str:
    words = [
        "art",
        "air",
        "apple",
        "arrow",
        "ant",
        "angle",
        "arm",
        "axe",
        "atlas",
        "autumn",
        "acre",
        "album",
        "alley",
        "amber",
        "anchor",
        "apron",
        "arch",
    ]
    names = (" ".join(rng.sample(words, 3)).title() for _ in range(90))
    return (
        "<ul>" + "".join(f'<li><a href="/out/{number}">{name}</a></li>' for number, name in enumerate(names)) + "</ul>"
    )


def _teasers() -> str:
    topics = (
        "Il sindaco ha annunciato che la nuova biblioteca sarà aperta entro la fine",
        "Dopo la pioggia di ieri le strade della valle sono di nuovo tutte",
        "Una mostra di fotografie racconta la vita del porto negli anni in cui",
        "Il mercato del giovedì cambia posto, e non tutti i commercianti sono",
        "La squadra di casa ha vinto ancora, ma l'allenatore non è",
        "Torna la festa delle castagne, con un programma che per la prima volta",
        "Chi ha perso un gatto nero vicino alla stazione può telefonare",
        "Il treno per il mare parte da oggi con dieci minuti di",
        "Nel bosco sopra il paese sono stati visti due lupi che",
    )
    return "".join(f"<p>{topic}...</p>" for topic in topics)


def _filler() -> str:
    blocks = (
        "This is the place where the story of our company will be told. We have been making things for many years, and "
        "we are proud of the people that work with us. Please come back to this page soon.",
        "Lorem ipsum dolor sit amet, consectetur adipisici elit, sed eiusmod tempor incidunt ut labore et dolore magna.",
        "It will be finished before the end of the year. Until then you can write to us or visit the shop in the centre "
        "of the town. There is a bus from the station, and those who come by bicycle can leave it in the yard.",
    )
    return "".join(f"<p>{block}</p>" for block in blocks)


def _code() -> str:
    blocks = (
        "To show our widget on your page, copy these lines to the place where it is to be. The first line loads the "
        "script, and the others say how large the widget is and what it shows.",
        "var widget = {width: large, items: [one, two]};",
        "You can change the colours, too. If nothing can be seen, look whether your server forbids scripts from other "
        "hosts, and ask the people who run it to let ours through. We have heard of no other reason so far.",
    )
    return "".join(f"<p>{block}</p>" for block in blocks)


def _prices(rng: random.Random) -> str:
    rows = (
        f"<tr><td>{rng.randrange(10**7)}</td><td>{rng.randrange(10**5)}/{rng.randrange(99)}</td>"
        f"<td>{rng.randrange(10, 900)},{rng.randrange(100):02}</td></tr>"
        for _ in range(120)
    )
    return f"<p>Ceny w złotych, bez podatku. Nie odpowiadamy za błędy w tym cenniku.</p><table>{''.join(rows)}</table>"


def _hashtags(rng: random.Random) -> str:
    words = [
        "mar",
        "playa",
        "verano",
        "amigos",
        "sol",
        "viaje",
        "foto",
        "paz",
        "luz",
        "azul",
        "barco",
        "isla",
        "noche",
        "fiesta",
        "camino",
        "ciudad",
        "puerto",
        "viento",
        "familia",
        "domingo",
        "café",
        "libro",
        "música",
        "baile",
        "jardín",
        "río",
        "montaña",
        "nieve",
        "bosque",
        "cielo",
    ]
    lines = (
        f"Hoy en {rng.choice(words)} con {rng.choice(words)} y la {rng.choice(words)} de "
        + " ".join(f"#{word}" for word in rng.sample(words, 5))
        for _ in range(14)
    )
    return "".join(f"<p>{line}.</p>" for line in lines)


def _checksums(rng: random.Random) -> str:
    return "<pre>" + "\n".join(f"{rng.randbytes(32).hex()}  part-{n:05}.bin" for n in range(60)) + "</pre>"


def _calendar() -> str:
    months = [
        "januari",
        "februari",
        "mars",
        "april",
        "maj",
        "juni",
        "juli",
        "augusti",
        "september",
        "oktober",
        "november",
        "december",
    ]
    return "".join(f"<p>{month}</p><p>{' '.join(map(str, range(1, 31)))}</p>" for month in months)


def _bullets() -> str:
    questions = (
        "how to pay with the card that was sent to you by the bank",
        "where to find the number of an order on its invoice",
        "what to do if a parcel has been left with your neighbour",
        "when our shop will be open during holidays",
        "why prices in here are not those at the desk",
        "who is to be called if all lights have gone out",
        "which bus goes to the harbour after midnight",
        "whether dogs and cats have to stay outside",
        "how long one waits for an answer by letter",
        "where lost umbrellas are kept, and for how many weeks",
        "what was changed in these rules since last winter",
        "who made that large painting behind the stairs",
        "why nobody can be reached on Thursday afternoons",
    )
    return "".join(f"<p>• {question}</p>" for question in questions)


def _words(rng: random.Random) -> str:
    parts = ["cesta", "cihla", "cukr", "cena", "citron", "cibule", "chata", "chyba", "cvrček", "celer", "cop", "cíl"]
    return f"<p>{' '.join(rng.choice(parts) for _ in range(900))}</p>"
