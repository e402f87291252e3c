"""Writes src/allmende/filters/quality/data/tokenizers.json.zst from spaCy's blank pipelines.

    pip install spacy; python tools/make_tokenizers.py

spaCy is needed here only. Its rules (MIT licence, Explosion AI and contributors) are regular expressions and exceptions
for each language; many languages share them, so each pattern is stored once.
"""

import json
import sys
from pathlib import Path

import spacy
import zstandard

OUT = Path(__file__).parent.parent / "src/allmende/filters/quality/data/tokenizers.json.zst"
LANGUAGES = (
    *("bg", "hr", "cs", "da", "nl", "en", "et", "fi", "fr", "de", "el", "hu", "ga", "it", "lv", "lt", "pl", "pt"),
    *("ro", "sk", "sl", "es", "sv", "uk", "tr", "ar", "nb", "nn", "ca", "eu", "is", "ru", "xx"),
)


def pattern(method: object) -> str:
    """The regular expression behind a bound search method; empty if there is none."""
    return getattr(getattr(method, "__self__", None), "pattern", "")


def main() -> None:
    """Writes the file."""
    patterns: dict[str, int] = {}
    languages = {}
    for code in LANGUAGES:
        tokenizer = spacy.blank(code).tokenizer
        searches = ("prefix_search", "suffix_search", "infix_finditer", "url_match", "token_match")
        languages[code] = {
            "patterns": [patterns.setdefault(pattern(getattr(tokenizer, name)), len(patterns)) for name in searches],
            "exceptions": {
                chunk: [token.get(65) or token["ORTH"] for token in tokens] if isinstance(tokens[0], dict) else tokens
                for chunk, tokens in sorted(tokenizer.rules.items())
            },
        }
    document = {
        "origin": f"spaCy {spacy.__version__}, tokenizers of its blank pipelines",
        "licence": "MIT, Copyright (C) 2016-2025 ExplosionAI GmbH and others",
        "patterns": list(patterns),
        "languages": languages,
    }
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_bytes(zstandard.compress(json.dumps(document, ensure_ascii=False).encode(), 19))
    sys.stdout.write(f"{OUT}: {OUT.stat().st_size:,} bytes, {len(patterns)} patterns\n")


if __name__ == "__main__":
    main()
