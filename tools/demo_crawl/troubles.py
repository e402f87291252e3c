"""The unpleasant part of the demo's web: words that are no captions, and servers that misbehave.

A response record with an empty block is a server that hangs up; several records of one URL are the answers to the first,
second, ... request; a metadata record's fetchTimeMs is how long the server takes (see `allmende.demo.server`).
"""

import io
from collections.abc import Iterator, Sequence
from html import escape

from PIL import Image

from allmende.testing.archives import Archive, http_response
from demo_crawl.pages import LARGER, PORT, Page, Site, page, thumb_of
from demo_crawl.pictures import Picture

SITE = Site("sammelsurium", "de", (), "", "Sammelsurium", "Was sich in zwanzig Jahren auf einer Homepage so ansammelt.")

_FILE_NAMES = ("IMG_1234.JPG", "DSC00042", "foto-3_klein.png", "P1000987.jpeg", "scan0001.tif")
_PLACEHOLDERS = ("Bild", "image", "untitled", "Foto", "photo", "kein Bild vorhanden")
_WEB_ADDRESSES = (
    "Gefunden auf www.beispiel.example/galerie/17",
    "Mehr unter http://archiv.localhost/foto?id=9",
)
_NO_WORDS = ("Ei", "Leuchtturm", "12.04.2021, 15:30 (3/8)", "★★★★☆ 4,5/5", "-----", "Hund " * 8)
_GARBLED = ("SchÃ¶ne GrÃ¼ÃŸe aus MÃ¼nchen", "Ein gro�er B�r im Schnee")
_OF_THE_DAY = "Bild des Tages aus unserem Archiv"


def pages(pictures: Sequence[Picture], urls: dict[str, str]) -> Iterator[Page]:
    """Pages whose words are no captions, pages that come twice, and links into the void."""
    addresses = [urls[picture.name] for picture in pictures]
    words = [*_FILE_NAMES, *_PLACEHOLDERS, *LARGER.values(), *_WEB_ADDRESSES, *_NO_WORDS, *_GARBLED]
    yield _page("", "Sammelsurium", list(zip(addresses, words, strict=False)))
    stuffed = ", ".join(f"{p.name.replace('-', ' ')} günstig kaufen" for p in pictures[:60])
    yield _page(
        "shop.html", "Unser Shop", [(addresses[0], stuffed), (addresses[1], "Tasse mit Motiv, spülmaschinenfest")]
    )
    yield _page("tagesbilder.html", "Bilder des Tages", [(url, _OF_THE_DAY) for url in addresses[40:54]])
    twice = [(urls[p.name], p.captions["de"]) for p in pictures if "de" in p.captions][:8]
    yield _page("favoriten.html", "Unsere Favoriten", twice)
    yield _page("favoriten.html?druck=1", "Unsere Favoriten", twice)
    yield _page("stoerungen.html", "Links in alle Welt", list(_links()))


def _page(path: str, title: str, shown: Sequence[tuple[str, str]]) -> Page:
    items = [f'<p><img src="{escape(url)}" alt="{escape(words)}"></p>' for url, words in shown]
    return Page(SITE.base + path, page(SITE, SITE.base + path, title, items), SITE)


def _links() -> Iterator[tuple[str, str]]:
    for host, paths in _CAPTIONS.items():
        for path, caption in paths.items():
            yield f"http://{host}/{path}", caption
    yield "ftp://spiegel.localhost/pub/karte.png", "Eine alte Landkarte auf einem FTP-Server"
    yield "file:///C:/Eigene%20Dateien/urlaub.jpg", "Urlaubsfoto von der Festplatte"
    yield "http://[kaputt/bild.jpg", "Ein Link, den kein Browser versteht"


_CAPTIONS = {
    f"verboten.localhost:{PORT}": {
        "foto1.jpg": "Ein Foto, das keine KI lernen soll",
        "foto2.jpg": "Noch ein Foto mit Vorbehalt",
    },
    f"umzug.localhost:{PORT}": {
        "neu.jpg": "Dieses Bild ist umgezogen",
        "weit.jpg": "Dieses Bild ist zweimal umgezogen",
        "kreis.jpg": "Dieses Bild zieht im Kreis um",
        "intern.jpg": "Dieses Bild ist ins Intranet umgezogen",
        "ftp.jpg": "Dieses Bild ist auf einen FTP-Server umgezogen",
    },
    f"langsam.localhost:{PORT}": {
        "eins.jpg": "Ein Bild von einem langsamen Server",
        "zwei.jpg": "Noch ein Bild von einem langsamen Server",
    },
    f"schweigt.localhost:{PORT}": {"nie.jpg": "Ein Bild von einem Server, der nicht antwortet"},
    f"kaputt.localhost:{PORT}": {
        "halb.jpg": "Ein Bild, dem die untere Hälfte fehlt",
        "abbruch.jpg": "Ein Bild, bei dem die Leitung abbricht",
        "seite.jpg": "Eine Fehlerseite statt eines Bildes",
        "text.jpg": "Ein Text, der sich als Bild ausgibt",
        "leer.jpg": "Eine leere Antwort statt eines Bildes",
        "auflegen.jpg": "Ein Server, der einfach auflegt",
        "unsinn.jpg": "Ein Server, der kein HTTP spricht",
        "riesig.png": "Ein Bild mit zu vielen Pixeln",
    },
    f"fort.localhost:{PORT}": {
        "a.jpg": "Ein Bild, das es nicht mehr gibt",
        "b.jpg": "Noch ein Bild, das es nicht mehr gibt",
        "gone.jpg": "Ein Bild, das absichtlich gelöscht wurde",
        "geheim.jpg": "Ein Bild nur für Mitglieder",
    },
    f"verlassen.localhost:{PORT + 1}": {"haus.jpg": "Ein verlassenes Haus auf einem verlassenen Server"},
    f"ueberlastet.localhost:{PORT}": {
        "spaeter.jpg": "Ein Bild, das beim zweiten Mal kommt",
        "immer.jpg": "Ein Bild von einem überlasteten Server",
    },
    f"winzig.localhost:{PORT}": {
        "punkt.gif": "Ein einzelner weißer Punkt",
        "knopf.png": "Ein kleiner runder Knopf",
        "grau.bmp": "Eine graue Fläche ohne Inhalt",
        "band.png": "Ein langes schmales Band",
    },
    "192.168.1.20": {"wiki/bild.jpg": "Ein Bild aus dem Intranet der Schule"},
    f"bauwerke.localhost:{PORT + 356}": {"bild.jpg": "Ein Bild hinter einem ungewöhnlichen Port"},
    "versteckt7aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.onion": {"maske.jpg": "Ein Bild aus dem Tor-Netz"},
}


def add_responses(web: Archive, pictures: Sequence[Picture], urls: dict[str, str]) -> None:
    """Record what the misbehaving hosts answer."""
    jpegs = [p for p in pictures if p.file.endswith(".jpg") and "gcompris" in p.origin.package]
    picture = iter(jpegs[1:])
    _forbidding(web, [next(picture), next(picture)])
    _moving(web, urls[jpegs[0].name])
    for path in ("eins.jpg", "zwei.jpg"):
        _slow(web, f"http://langsam.localhost:{PORT}/{path}", next(picture).data, "700")
    _slow(web, f"http://schweigt.localhost:{PORT}/nie.jpg", b"", "30000")
    _broken(web, next(picture).data)
    _gone(web)
    _busy(web, next(picture).data)
    _tiny(web, urls)


def _forbidding(web: Archive, pictures: Sequence[Picture]) -> None:
    for number, picture in enumerate(pictures, 1):
        url = f"http://verboten.localhost:{PORT}/foto{number}.jpg"
        web.response(url, picture.data, content_type="image/jpeg", headers=[("X-Robots-Tag", "noai, noimageai")])


def _moving(web: Archive, target: str) -> None:
    base = f"http://umzug.localhost:{PORT}"
    moves = {
        "neu.jpg": target,
        "weit.jpg": "/neu.jpg",
        "kreis.jpg": "/kreis2.jpg",
        "kreis2.jpg": "/kreis.jpg",
        "intern.jpg": "http://10.0.0.7/bild.jpg",
        "ftp.jpg": "ftp://spiegel.localhost/bild.jpg",
    }
    for path, location in moves.items():
        web.page(f"{base}/{path}", "<p>Umgezogen</p>", status=301, headers=[("Location", location)])


def _slow(web: Archive, url: str, data: bytes, milliseconds: str) -> None:
    web.response(url, data, content_type="image/jpeg")
    web.metadata(url, {"fetchTimeMs": milliseconds})


def _broken(web: Archive, data: bytes) -> None:
    base = f"http://kaputt.localhost:{PORT}"
    web.response(f"{base}/halb.jpg", data[: len(data) // 2], content_type="image/jpeg")
    web.message(f"{base}/abbruch.jpg", http_response(data, content_type="image/jpeg")[: -len(data) // 2])
    web.page(f"{base}/seite.jpg", "<!doctype html><title>Fehler</title><p>Diese Seite gibt es nicht.</p>")
    web.response(f"{base}/text.jpg", b"Das ist kein Bild, nur Text. " * 300, content_type="image/jpeg")
    web.response(f"{base}/leer.jpg", b"", content_type="image/jpeg")
    web.message(f"{base}/auflegen.jpg", b"")
    web.message(f"{base}/unsinn.jpg", b"220 mail.localhost ESMTP ready\r\n")
    web.response(f"{base}/riesig.png", _huge(), content_type="image/png")


def _huge() -> bytes:
    """120 megapixels in a few kilobytes: over the limit, found before decoding."""
    buffer = io.BytesIO()
    Image.new("1", (12_000, 10_000)).save(buffer, "PNG")
    return buffer.getvalue()


def _gone(web: Archive) -> None:
    base = f"http://fort.localhost:{PORT}"
    web.page(f"{base}/gone.jpg", "<p>Gelöscht</p>", status=410)
    web.page(f"{base}/geheim.jpg", "<p>Nur für Mitglieder</p>", status=403)


def _busy(web: Archive, data: bytes) -> None:
    base = f"http://ueberlastet.localhost:{PORT}"
    web.page(f"{base}/spaeter.jpg", "<p>Bitte warten</p>", status=429, headers=[("Retry-After", "1")])
    web.response(f"{base}/spaeter.jpg", data, content_type="image/jpeg")
    web.page(f"{base}/immer.jpg", "<p>Überlastet</p>", status=503)


def _tiny(web: Archive, urls: dict[str, str]) -> None:
    base = f"http://winzig.localhost:{PORT}"
    web.response(f"{base}/punkt.gif", _flat("GIF", (1, 1)), content_type="image/gif")
    web.response(f"{base}/knopf.png", _noise((48, 48)), content_type="image/png")
    web.response(f"{base}/grau.bmp", _flat("BMP", (120, 90)), content_type="image/bmp")
    web.response(f"{base}/band.png", _noise((500, 70)), content_type="image/png")
    web.response(f"http://werbung.localhost:{PORT}/banner.jpg", _flat("JPEG", (468, 60)), content_type="image/jpeg")
    web.response(f"http://zaehler.localhost:{PORT}/pixel.gif", _flat("GIF", (1, 1)), content_type="image/gif")
    for host in sorted({url.split("/")[2] for url in urls.values()}):
        web.response(f"http://{host}/img/spacer.gif", _flat("GIF", (1, 1)), content_type="image/gif")
        web.response(f"http://{host}/icons/rss.png", _flat("PNG", (16, 16)), content_type="image/png")


def _flat(form: str, size: tuple[int, int]) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, "#808080").save(buffer, form)
    return buffer.getvalue()


def _noise(size: tuple[int, int]) -> bytes:
    """A pattern that PNG can't make small: the file passes the byte rule and fails that for its shape."""
    image = Image.new("RGB", size)
    state = 1
    for y in range(size[1]):
        for x in range(size[0]):
            state = state * 1_103_515_245 + 12_345 & 0x7FFFFFFF
            image.putpixel((x, y), (state >> 16 & 255, state >> 8 & 255, x * 255 // size[0]))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def add_thumbs(web: Archive, pictures: Sequence[Picture], urls: dict[str, str], wanted: set[str]) -> None:
    """Record the small versions that pages refer to."""
    for picture in pictures:
        url = thumb_of(urls[picture.name])
        if url in wanted:
            web.response(url, picture.thumb, content_type="image/jpeg")
