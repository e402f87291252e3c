"""Presets for documents against the implementations that they reproduce: decisions rule by rule, and speed.

    python benchmarks/text_presets.py [agreement] [speed] [words] [hostile] [--dclm CHECKOUT]

agreement: real documents and spoilt copies of them (`text_corpus.py`), each rule asked alone on both sides. datatrove and
dolma are installed in environments of their own; DCLM's code is no package: `--dclm` names a checkout of
github.com/mlfoundations/dclm at 361714b. The table is part of docs/reference/text-presets.md.

speed: CPU seconds of one process, warm, the best of three turns, both sides stopping at the first rule that drops a document.

words: the same comparison for languages whose words datatrove cuts with a dictionary (jieba for Chinese).

hostile: texts made to cost much.
"""

import argparse
import json
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import peers
from text_corpus import Document, real_documents, spoilt_documents

from allmende.filters.quality import c4, presets
from allmende.filters.quality.presets import PRESETS, Preset, find_preset
from allmende.filters.quality.rule import Edit
from allmende.filters.quality.text import Text

REFERENCES = Path(__file__).resolve().parent / "preset_references"
DATATROVE = ("datatrove==0.10.1", "spacy==3.8.18", "regex", "jieba")
DOLMA = ("dolma==1.2.1",)
DOLMA_NEEDS = [
    "numpy",
    "fsspec",
    "msgspec",
    "nltk",
    "omegaconf",
    "necessary",
    "smart_open",
    "tqdm",
    "uniseg",
    "rich",
    "pyyaml",
    "anyascii",
    "zstandard",
    "requests",
    "platformdirs",
    "python-dotenv",
    "boto3",
    "charset-normalizer",
    "fasttext-community",
    "blingfire",
    "tokenizers",
    "jq",
]
DCLM_NEEDS = (
    "nltk",
    "retrie",
    "uniseg",
    "bs4",
    "justext",
    "lxml",
    "lxml_html_clean",
    "unidecode",
    "fasttext-community",
)

THEIR_CODES = {
    "en": "eng", "de": "deu", "fr": "fra", "da": "dan", "es": "spa", "el": "ell", "nl": "nld", "it": "ita", "sv": "swe",
    "ro": "ron", "pt": "por", "cs": "ces", "pl": "pol", "nb": "nob", "hr": "hrv", "tr": "tur", "ca": "cat", "ru": "rus",
    "ar": "arb_Arab", "fi": "fin", "hu": "hun", "lt": "lit", "nn": "nno", "sl": "slv", "uk": "ukr", "zh": "cmn_Hani",
}  # fmt: skip
SPACELESS = frozenset({"zh"})
ENGLISH = 2_000
"""Real documents for presets for English; those of other languages fill up, read as if they were English."""

TURNS = 3
C4_OPTIONS = {"c4": c4.DATATROVE, "c4-original": c4.ORIGINAL, "fineweb": c4.FINEWEB}


def agreement(name: str, documents: list[Document], dclm: Path | None) -> None:
    """Prints a row for each rule of a preset."""
    preset = find_preset(name)
    if name == "gopher-dolma":
        theirs = _dolma(preset, documents)
    elif name == "dclm-heuristics":
        if dclm is None:
            print(f"| {name} | no checkout given (--dclm) | | | | |")
            return
        theirs = _dclm(dclm, documents)
    else:
        theirs = _datatrove(preset, documents)
    print_agreement(preset, documents, theirs)


def print_agreement(preset: Preset, documents: list[Document], theirs: list[dict[str, Any]]) -> None:
    """Compares decisions, and texts where the preset edits them."""
    asked: Counter[str] = Counter()
    dropped: Counter[str] = Counter()
    same: Counter[str] = Counter()
    first_other: dict[str, str] = {}
    for document, answer in zip(documents, theirs, strict=True):
        ours, text = _ours(preset, document)
        for rule in [limit.name for limit in preset.limits(document.language)]:
            said = answer["rules"].get(rule)
            if said is None or rule not in ours:
                continue
            asked[rule] += 1
            dropped[rule] += said
            same[rule] += ours[rule] == said
            if ours[rule] != said:
                first_other.setdefault(rule, f"{document.language} {document.spoilt or 'real'}")
        if any(isinstance(step, Edit) for step in preset.steps(document.language)):
            asked["text that is left"] += 1
            same["text that is left"] += text == answer["text"]
            dropped["text that is left"] += answer["text"] != document.text
    for rule, count in asked.items():
        share = same[rule] / count
        note = f" {first_other.get(rule, '')}" if share < 1 else ""
        print(f"| {preset.name} | {rule} | {count:,} | {dropped[rule]:,} | {count - same[rule]} | {share:.2%} |{note}")


def _ours(preset: Preset, document: Document) -> tuple[dict[str, bool], str]:
    outcome = preset.apply(Text(document.text, document.language), signals=True)
    limits = {limit.name: limit for limit in preset.limits(document.language)}
    return {name: not limits[name].keeps(value) for name, value in outcome.signals.items()}, outcome.text


def _questions(preset: Preset, documents: Iterable[Document]) -> list[dict[str, Any]]:
    return [_question(preset, document) for document in documents]


def _question(preset: Preset, document: Document) -> dict[str, Any]:
    language = document.language
    steps = preset.steps(language)
    edit = next((at for at, step in enumerate(steps) if isinstance(step, Edit)), len(steps))
    names = [[limit.name for step in part for limit in step.limits] for part in (steps[:edit], steps[edit + 1 :])]
    options = C4_OPTIONS.get(preset.name)
    return {
        "language": THEIR_CODES[language],
        "text": document.text,
        "limits": {limit.name: (_json(limit.low), _json(limit.high)) for limit in preset.limits(language)},
        "stop_words": sorted(presets.stop_words(preset.name, language)),
        "first": names[0],
        "then": names[1],
        "c4": {"ends": options.ends, "min_words": options.min_words} if options else None,
    }


def _json(value: float) -> float:
    return max(-9e9, min(9e9, value))


def _datatrove(preset: Preset, documents: list[Document]) -> list[dict[str, Any]]:
    return _ask(peers.peer("datatrove-text", *DATATROVE), "datatrove_rules.py", "decide", _questions(preset, documents))


def _dclm(checkout: Path, documents: list[Document]) -> list[dict[str, Any]]:
    texts = [document.text for document in documents]
    return _ask(peers.peer("dclm", *DCLM_NEEDS), "dclm_rules.py", str(checkout.resolve()), texts)


def _dolma(preset: Preset, documents: list[Document]) -> list[dict[str, Any]]:
    """Its measures, judged by our limits. What it pins no longer installs, so what its taggers need is chosen by hand."""
    python = peers.peer("dolma", *DOLMA_NEEDS)
    subprocess.run([python / "python", "-m", "pip", "install", "-q", "--no-deps", *DOLMA], check=True)
    limits = {limit.name: limit for limit in preset.limits("en")}
    found = _ask(python, "dolma_rules.py", None, [document.text for document in documents])
    return [
        {"rules": {name: not limits[name].keeps(value) for name, value in values.items()}, "text": ""}
        for values in found
    ]


def _ask(home: Path, script: str, argument: str | None, questions: Any) -> Any:
    with tempfile.TemporaryDirectory(dir=peers.CACHE) as folder:
        path = Path(folder) / "questions.json"
        path.write_text(json.dumps(questions), "utf-8")
        command = [home / "python", REFERENCES / script, *([argument] if argument else []), path]
        return json.loads(subprocess.check_output(command, stderr=subprocess.DEVNULL))


def speed(documents: list[Document]) -> None:
    """Prints CPU time of both sides for the same documents."""
    print(
        "\n| preset | documents | characters | both keep | only one keeps | datatrove, CPU s | allmende, CPU s | times as fast |"
    )
    print("|---|---|---|---|---|---|---|---|")
    english = [document for document in documents if document.language == "en"]
    others = [document for document in documents if document.language not in {"en", *SPACELESS}]
    for name, part in {"fineweb": english, "fineweb-2": others}.items():
        preset = find_preset(name)
        theirs = _ask(peers.peer("datatrove-text", *DATATROVE), "datatrove_rules.py", "speed", _questions(preset, part))
        seconds, kept = _our_speed(preset, part)
        both = sum(a and b for a, b in zip(kept, theirs["kept"], strict=True))
        one = sum(a != b for a, b in zip(kept, theirs["kept"], strict=True))
        chars = sum(len(document.text) for document in part)
        print(
            f"| {name} | {len(part):,} | {chars:,} | {both:,} | {one} | {theirs['seconds']:.2f} | {seconds:.2f} "
            f"| {theirs['seconds'] / seconds:.1f} |"
        )


def _our_speed(preset: Preset, documents: list[Document]) -> tuple[float, list[bool]]:
    def run() -> list[bool]:
        return [preset.apply(Text(document.text, document.language)).reason is None for document in documents]

    kept = run()
    seconds = []
    for _ in range(TURNS):
        began = time.process_time()
        run()
        seconds.append(time.process_time() - began)
    return min(seconds), kept


HOSTILE = {
    "one word 10^6 times": lambda: "word " * 1_000_000,
    "two words in turn": lambda: "ab cd " * 500_000,
    "one line of 10 MB without white space": lambda: "a-" * 5_000_000,
    "10 MB of marks": lambda: "(" * 10_000_000,
    "marks in pieces of 900": lambda: " ".join(str(n) + "(.,)" * 220 for n in range(2_000)),
    "10^6 different words": lambda: " ".join(map(str, range(1_000_000))),
    "10^6 line feeds": lambda: "a\n" * 1_000_000,
    "addresses": lambda: "as " + "a.b.c.d.e.com " * 200_000,
    "dots": lambda: "as " + ".".join(["a"] * 2_000_000),
    "10^6 spaces": lambda: "a" + " " * 1_000_000 + "b",
    "prose of 10^5 words": lambda: " ".join(f"the{n % 9973} of and" for n in range(33_000)),
    "prose of 10^6 words": lambda: " ".join(f"the{n % 9973} of and" for n in range(330_000)),
}


def hostile() -> None:
    """Prints seconds for each preset and text, all measures on."""
    english = [name for name, preset in PRESETS.items() if "en" in preset.languages]
    print("\n| text | MB | " + " | ".join([*english, "fineweb-2 (de)"]) + " |")
    print("|---|---" + "|---" * (len(english) + 1) + "|")
    for name, make in HOSTILE.items():
        text, cells = make(), []
        for preset in [*english, "fineweb-2"]:
            began = time.process_time()
            find_preset(preset).apply(Text(text, "de" if preset == "fineweb-2" else "en"), signals=True)
            cells.append(f"{time.process_time() - began:.2f}")
        print(f"| {name} | {len(text) / 1e6:.1f} | {' | '.join(cells)} |")


def main() -> None:
    """Measures, and prints Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", default=["agreement", "speed", "words", "hostile"])
    parser.add_argument("--dclm", type=Path)
    parser.add_argument("--preset", action="append")
    asked = parser.parse_args()
    peers.CACHE.mkdir(parents=True, exist_ok=True)
    print(f"{peers.machine()}\n")
    real = real_documents(peers.CACHE)
    known = [document for document in real if document.language in THEIR_CODES]
    spaced = [document for document in known if document.language not in SPACELESS]
    english = sorted(spaced, key=lambda document: document.language != "en")[:ENGLISH]
    english = [Document("en", document.text) for document in english]
    others = [document for document in spaced if document.language != "en"]
    header = (
        "| preset | rule | documents | dropped or changed by the reference | other decision | agreement |\n"
        + "|---" * 6
        + "|"
    )
    if "agreement" in asked.what:
        print(
            f"{len(english):,} real documents as English, {len(others):,} in other languages, and as many spoilt\n\n{header}"
        )
        for name in asked.preset or PRESETS:
            part = others if name == "fineweb-2" else english
            agreement(name, part + spoilt_documents(part), asked.dclm)
    if "words" in asked.what:
        chinese = [document for document in known if document.language == "zh"]
        print(
            f"\nChinese, cut by jieba there, by pairs of characters here: {len(chinese)} real documents, and as many spoilt\n\n{header}"
        )
        agreement("fineweb-2", chinese + spoilt_documents(chinese), None)
    if "speed" in asked.what:
        speed(spaced + spoilt_documents(spaced))
    if "hostile" in asked.what:
        hostile()


if __name__ == "__main__":
    main()
