"""Pages with text for tests: enough like German, French, Polish and English to be identified, and to pass quality rules.

    archive = text_archive(0, pages=40)       # an Archive: pages in four languages, and one of each trouble
    html = page("de", paragraphs("de", seed=7))

The same arguments give the same bytes.
"""

import random
from collections.abc import Sequence
from html import escape

from allmende.testing.archives import Archive

WORDS = {
    "de": """der die und in den von zu das mit sich des auf für ist im dem nicht ein eine als auch es an werden aus er hat dass
    sie nach wird bei einer um am sind noch wie einem über Stadt Haus Wasser Baum Straße Kirche Jahr Menschen Arbeit Leben
    Geschichte Landschaft Fluss Berge Museum Garten Schule Zeitung Abend""",
    "fr": """le la les de des et en un une du que est pour dans qui par sur avec plus pas au ce il sont ville maison eau arbre rue
    église année hommes travail vie histoire paysage rivière montagne musée jardin école journal soir toujours encore leur""",
    "pl": """i w na z do się nie że jest to o jak po za od przez ale dla są być ma już tylko przy miasto dom woda drzewo ulica
    kościół rok ludzie praca życie historia krajobraz rzeka góry muzeum ogród szkoła gazeta wieczór także które""",
    "en": """the of and to in a is that for it as was with be by on not he his this are or at from had have an they which you were
    city house water tree street church year people work life history landscape river mountains museum garden school""",
}


def paragraphs(language: str, seed: object, count: int = 6) -> list[str]:
    """Paragraphs of random sentences."""
    rng = random.Random(f"{language}/{seed}")  # noqa: S311 - nobody is to be kept from guessing
    words = WORDS[language].split()

    def sentence() -> str:
        return " ".join(rng.choice(words) for _ in range(rng.randint(8, 16))).capitalize() + "."

    return [" ".join(sentence() for _ in range(5)) for _ in range(count)]


def page(language: str, text: Sequence[str], head: str = "") -> str:
    """A page with navigation, an article and a footer."""
    body = "".join(f"<p>{escape(paragraph)}</p>" for paragraph in text)
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{escape(text[0][:40])}</title>{head}'
        '</head><body><nav><a href="/">Home</a> <a href="/a">About</a></nav>'
        f"<main><article><h1>{escape(text[0][:40])}</h1>{body}</article></main><footer>2026</footer></body></html>"
    )


def text_archive(number: int, pages: int = 40, seed: int = 0) -> Archive:
    """An archive with pages in four languages, and one of each trouble.

    These are: a page that equals, and one that nearly equals, a page of every other archive; one that says noai, one that
    says next to nothing, one that has an e-mail address; a text file; a picture.
    """
    archive = Archive(f"CC-MAIN-2026-99-{number:05d}.warc.gz")
    for index in range(pages):
        language = ("de", "fr", "pl", "en")[(index + number) % 4]
        text = paragraphs(language, f"{seed}/{number}/{index}")
        date = f"2026-10-21T12:{number % 60:02d}:{index % 60:02d}Z"
        archive.page(f"http://s{index % 7}.example/{number}/{index}", page(language, text), date=date)
    date = f"2026-10-21T13:{number % 60:02d}:00Z"
    same = paragraphs("de", "same")
    archive.page(f"http://same.example/{number}", page("de", same), date=date)
    nearly = [*same[:-1], f"{same[-1]} Dies ist die Fassung mit der Nummer {'abcdefghij'[number % 10]}."]
    archive.page(f"http://nearly.example/{number}", page("de", nearly), date=date)
    noai = page("de", paragraphs("de", f"noai {number}"), '<meta name="robots" content="noai">')
    archive.page(f"http://noai.example/{number}", noai)
    archive.page(f"http://short.example/{number}", page("de", ["Kurz."]))
    mail = [
        *paragraphs("de", f"mail {number}"),
        "Fragen beantwortet hans.meier@verein-am-see.de in der Stadt am Abend.",
    ]
    archive.page(f"http://mail.example/{number}", page("de", mail))
    plain = "\n\n".join(paragraphs("fr", f"plain {number}"))
    archive.response(f"http://plain.example/{number}.txt", plain.encode(), content_type="text/plain; charset=utf-8")
    archive.response(f"http://img.example/{number}.png", b"\x89PNG\r\n\x1a\n" + bytes(100), content_type="image/png")
    return archive
