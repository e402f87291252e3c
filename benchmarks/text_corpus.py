"""Documents for the benchmarks of text: Debian's translated manuals and saved web pages, and spoilt copies of them.

The pages are those of `archive_inputs.py`. Their main text is real prose of 23 languages. The copies are made so that every
rule of the presets has something to drop: each takes a part of a document and repeats, cuts or litters it, always the same way.
"""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import archive_inputs
from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.html import HTMLTree

LANGUAGES = frozenset(
    [
        "de",
        "en",
        "fr",
        "es",
        "it",
        "pt",
        "nl",
        "pl",
        "cs",
        "sk",
        "sl",
        "hr",
        "bg",
        "ro",
        "hu",
        "el",
        "sv",
        "da",
        "nb",
        "nn",
        "fi",
        "et",
        "lv",
        "lt",
        "ga",
        "mt",
        "ca",
        "uk",
        "tr",
        "ar",
        "zh",
        "ja",
        "ru",
        "vi",
        "ko",
    ]
)
EACH = 120
"""Real documents of a language, at most; English has no limit."""


@dataclass(frozen=True, slots=True)
class Document:
    language: str
    text: str
    spoilt: str = ""
    """Name of what was done to it; empty for a real document."""


def real_documents(cache: Path) -> list[Document]:
    """The main text of manuals and web pages, at least 100 characters, in a random but fixed order."""
    archive_inputs.sources(cache)
    manuals = sorted((cache / "documentation" / "usr").rglob("*.html"))
    web = sorted((cache / "web").glob("*/tests/**/*.html"))
    random.Random(0).shuffle(manuals)
    count: Counter[str] = Counter()
    found: list[Document] = []
    seen: set[str] = set()
    for path, language in [*((path, _language(path)) for path in manuals), *((path, "en") for path in web)]:
        if count[language] >= EACH and language != "en":
            continue
        tree = HTMLTree.parse_from_bytes(path.read_bytes(), "utf-8")
        text = extract_plain_text(tree, main_content=True)
        if len(text) >= 100 and text not in seen:
            seen.add(text)
            count[language] += 1
            found.append(Document(language, text))
    return found


def spoilt_documents(documents: list[Document], each: int = 1) -> list[Document]:
    """Copies of the documents, each spoilt in `each` ways, which change from one to the next."""
    found: list[Document] = []
    names = list(WAYS)
    for number, document in enumerate(documents):
        for turn in range(each):
            name = names[(number * each + turn) % len(names)]
            dice = random.Random(f"{number}-{turn}")
            text = WAYS[name](document.text.split("\n"), dice)
            if text.strip():
                found.append(Document(document.language, text, name))
    return found


def _language(path: Path) -> str:
    """By the names of file and folders; English if they tell nothing."""
    for part in reversed(path.parts):
        for name in part.replace("_", ".").split("."):
            code = name.split("-")[0].lower()
            if code in LANGUAGES and len(name) <= 5:
                return code
    return "en"


def _some(lines: list[str], dice: random.Random, most: int = 30) -> list[str]:
    begin = dice.randrange(max(1, len(lines) - most))
    return lines[begin : begin + dice.randint(3, most)]


def _each_line(change: Callable[[str, random.Random], str]) -> Callable[[list[str], random.Random], str]:
    """Changes a share of the lines, drawn for the document."""

    def spoil(lines: list[str], dice: random.Random) -> str:
        share = dice.random()
        return "\n".join(change(line, dice) if line and dice.random() < share else line for line in lines)

    return spoil


def _repeat_run(lines: list[str], dice: random.Random) -> str:
    words = " ".join(lines).split(" ")
    at = dice.randrange(len(words))
    run = words[at : at + dice.randint(2, 30)] * dice.randint(1, 8)
    return " ".join(words[: dice.randint(50, 400)] + run)


def _insert(*phrases: str) -> Callable[[list[str], random.Random], str]:
    def spoil(lines: list[str], dice: random.Random) -> str:
        changed = list(lines)
        for _ in range(dice.randint(1, 4)):
            at = dice.randrange(len(changed))
            before, after = changed[at][: len(changed[at]) // 2], changed[at][len(changed[at]) // 2 :]
            changed[at] = f"{before} {dice.choice(phrases)} {after}"
        return "\n".join(changed)

    return spoil


def _lines_between(*phrases: str) -> Callable[[list[str], random.Random], str]:
    def spoil(lines: list[str], dice: random.Random) -> str:
        chance = dice.choice((0.01, 0.05, 0.3, 0.9))
        return "\n".join(
            part for line in lines for part in ([line, dice.choice(phrases)] if dice.random() < chance else [line])
        )

    return spoil


WAYS: dict[str, Callable[[list[str], random.Random], str]] = {
    "first lines": lambda lines, dice: "\n".join(lines[: dice.randint(1, 12)]),
    "lines again": lambda lines, dice: "\n".join(lines[:20] + lines[: dice.randint(1, 20)]),
    "paragraphs again": lambda lines, dice: "\n\n".join(
        [*_some(lines, dice), *_some(lines, dice, 10) * dice.randint(1, 3)]
    ),
    "run again": _repeat_run,
    "some lines": lambda lines, dice: "\n".join(dice.sample(lines, min(len(lines), dice.randint(5, 30)))),
    "cut off": lambda lines, dice: "\n".join(lines)[: dice.randint(150, 1500)],
    "no breaks": lambda lines, dice: " ".join(_some(lines, dice, 60)),
    "all breaks": lambda lines, dice: "\n".join(" ".join(_some(lines, dice)).split(" ")),
    "number signs": _each_line(lambda line, dice: line.replace(" ", " #", dice.randint(1, 4))),
    "ellipses": _each_line(lambda line, dice: line.rstrip(".") + dice.choice(("...", "…", " . . ."))),
    "ellipses within": _each_line(
        lambda line, dice: line.replace(" ", dice.choice(("... ", "… ")), dice.randint(1, 3))
    ),
    "bullets": _each_line(lambda line, dice: dice.choice(("- ", "• ", "* ", "● ", "  - ")) + line),
    "all bullets": lambda lines, dice: "\n".join(f"{dice.choice('-•')} {line}" for line in _some(lines, dice) if line),
    "all ellipses": lambda lines, dice: "\n".join(
        f"{line}{dice.choice(('...', '…'))}" for line in _some(lines, dice) if line
    ),
    "numbers": _each_line(
        lambda line, dice: " ".join(word if dice.random() < 0.5 else str(dice.randrange(9999)) for word in line.split())
    ),
    "long words": _each_line(lambda line, dice: line.replace(" ", "", dice.randint(2, 30))),
    "short words": lambda lines, dice: " ".join(
        word[: dice.randint(1, 3)] for word in " ".join(_some(lines, dice, 60)).split()
    ),
    "no marks": lambda lines, dice: "\n".join(line.rstrip(".!?:\"'") for line in _some(lines, dice, 60)),
    "capitals": _each_line(lambda line, dice: line.upper()),
    "filler": _insert(
        "Lorem ipsum dolor", "lorem ipsum", "{", "function() { }", "JavaScript", "[12]", "[edit]", "[citation needed]"
    ),
    "policies": _lines_between(
        "Read our privacy policy.", "This site uses cookies.", "All use cookies here.", "Enable javascript now."
    ),
    "counters": _lines_between(
        "3 likes",
        "1.2k views",
        "* 40 comments *",
        "12345",
        "3 items in cart",
        "Read more...",
        "Sign-in now",
        "Menu",
        "Read more >>>",
    ),
    "addresses": _insert(
        "www.example.com/a?b=1",
        "https://example.org/x",
        "see http://192.0.2.1:80/x now",
        "mail@example.de",
        "v1.2.3.4",
        "as.in",
    ),
    "as it begins": lambda lines, dice: (
        dice.choice(("As told, ", "The ", "https://a.example.com ", "into ")) + "\n".join(lines)
    ),
    "no stop words": lambda lines, dice: " ".join(
        word for word in " ".join(_some(lines, dice, 60)).split() if len(word) > 4
    ),
}
"""What is done to a document, by name."""
