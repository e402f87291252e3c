"""The page docs/reference/text-presets.md: rules, thresholds and sources from the code, agreement as the benchmark printed it."""

from functools import partial
from pathlib import Path
from typing import Any

from allmende.filters.quality.presets import PRESETS, Preset
from allmende.filters.quality.rule import Edit, Limit

AGREEMENT = Path(__file__).resolve().parent.parent / "benchmarks" / "text_presets.md"

LIMITS = {
    "lorem_ipsum": "Lines with `lorem ipsum`.",
    "curly_bracket": "Lines with a curly bracket.",
    "sentence_count": "Sentences in the lines that stay.",
    "removed_word_frac": "Share of words in what the edit took out.",
}
EDITS = {
    "c4": "Takes out lines that are too short, have a word above 1,000 characters, mention javascript or a policy, or (not in "
    "fineweb) end without a mark; and citations such as [12] or [edit].",
    "addresses": "Takes out web and IP addresses, and line feeds after the second of a row.",
    "noise": 'Takes out lines in capitals, of digits, of one word, counters ("3 likes"), and "items in cart", "Read more...", '
    '"Sign-in" from short lines.',
}


def presets_page() -> str:
    """Rules by preset, thresholds by language, agreement, differences, models."""
    lines = [*_head()]
    for preset in PRESETS.values():
        lines += _preset(preset)
    lines += [*_languages(), AGREEMENT.read_text("utf-8"), *_differences(), *_after()]
    return "\n".join(lines) + "\n"


def _head() -> list[str]:
    return [
        "<!-- Written by `make docs` from the code; edit the code instead. -->\n",
        "# Text presets\n",
        "`preset` in [`[quality]`](recipe.md#quality) names the rules that decide which documents stay. Each preset reproduces a",
        "published pipeline. No two implementations of the same paper agree, so each names the one whose decisions it gives,",
        "and a benchmark compares them rule by rule. The first rule that a document breaks is its Reason: `quality_` and",
        "the rule's name. A threshold can be changed in the recipe (`quality.limits`), and `allmende tune` shows what that would",
        "keep. What a preset does not decide is done elsewhere: URLs, language, personal data, duplicates.\n",
    ]


def _preset(preset: Preset) -> list[str]:
    language = "de" if preset.name == "fineweb-2" else "en"
    lines = [
        f"## {preset.name}\n",
        f"Reference: {preset.reference}. Source: {preset.source}. Languages: "
        f"{'34, see below; the thresholds here are those for German' if language == 'de' else 'English'}.\n",
        "| rule | keeps | what is measured |",
        "|---|---|---|",
    ]
    for step in preset.steps(language):
        if isinstance(step, Edit):
            lines.append(f"| | | *{step.name}*: {EDITS[step.name]} |")
            lines += [f"| `{limit.name}` | {keeps(limit)} | {LIMITS[limit.name]} |" for limit in step.limits]
        else:
            lines.append(f"| `{step.name}` | {keeps(step)} | {_about(step.measure)} |")
    return [*lines, ""]


def keeps(limit: Limit) -> str:
    """The values that stay, in a few characters."""
    low, high = f"{limit.low:,g}", f"{limit.high:,g}"
    if limit.low == float("-inf"):
        return "all" if limit.high == float("inf") else f"≤ {high}"
    return f"≥ {low}" if limit.high == float("inf") else f"{low} to {high}"


def _about(measure: Any) -> str:
    """The first paragraph of a measure's docstring, without what it says of thresholds."""
    function = measure.func if isinstance(measure, partial) else measure
    text = " ".join(function.__doc__.split("\n\n")[0].split())
    kept = [part for part in text.split(". ") if not part.startswith(("Gopher ", "FineWeb ", "Dropped ", "Kept"))]
    n = measure.keywords.get("n") if isinstance(measure, partial) else None
    return ". ".join(kept).rstrip(".").replace("of n words", f"of {n} words") + "."


def _languages() -> list[str]:
    preset = PRESETS["fineweb-2"]
    first = {limit.name: limit for limit in preset.limits("de")}
    names = [name for name in first if len({keeps(_limit(preset, code, name)) for code in preset.languages}) > 1]
    lines = [
        "## fineweb-2 by language\n",
        "Rules that are the same everywhere stand above. FineWeb-2's threshold for the language score is not used: it is made",
        "for another identifier; `text.min_language_score` is ours.\n",
        "| | " + " | ".join(f"`{name}`" for name in names) + " |",
        "|---" * (len(names) + 1) + "|",
    ]
    lines += [
        f"| {code} | " + " | ".join(keeps(_limit(preset, code, name)) for name in names) + " |"
        for code in sorted(preset.languages)
    ]
    return [*lines, ""]


def _limit(preset: Preset, language: str, name: str) -> Limit:
    return next((limit for limit in preset.limits(language) if limit.name == name), Limit(name=name))


def _differences() -> list[str]:
    return [
        "## Where decisions differ, and why\n",
        "- **Words** are those of spaCy 3.8's blank tokenizers, which datatrove uses. Their rules ship as data and are run by our own",
        "  code, which looks at each different word once. Among 320,000 words of manuals in five languages 973 were other ones. Most are",
        "  smileys: spaCy joins `)` and `:` again after it cut them from `(so):`, we don't. A piece of more than 1,000 characters without",
        "  white space is one word here, and after 100 marks at its ends the rest of a piece is one.",
        "- **Chinese**: datatrove cuts with jieba's dictionary; here a word is a pair of characters, but for the commonest single ones.",
        "  The table for Chinese above tells the difference: rules on runs of words nearly always decide the same, the shares of words",
        "  with letters and of stop words in one document of fifty otherwise. (By single characters, a third was decided otherwise.)",
        "- **Japanese, Thai, Lao, Khmer, Burmese**: each character is a word here; no preset has thresholds for them.",
        "- **Maltese and Galician**: datatrove cuts them with Stanza, which downloads a neural model; that was not compared. Here they are",
        "  cut by spaCy's rules for all languages; in Maltese, articles with their hyphen are words of their own (`il-`, `fil-`, `ta'`), as",
        "  the stop words of this preset have them.",
        "- **c4**: if a page has both a curly bracket and lorem ipsum, the Reason is the latter; datatrove names what comes first.",
        "- **c4-original** has the parameters of tensorflow_datasets and is compared to datatrove's filter run with them; sentences are",
        "  spaCy's, not those of NLTK's Punkt model, so pages with two to four sentences may differ from C4. Its bad-words list,",
        "  `langdetect` and the removal of repeated lines over all pages are no rules on one page and not part of it.",
        "- **dclm-heuristics**: addresses in pieces of more than 1,000 characters stay. Its URL lists and its classifier are not in it:",
        "  use `safety.block_urls` and `quality.models`. Two mistakes of the reference are reproduced on purpose: web addresses only go",
        "  if the text begins with the letters of a top-level domain, and the dots of `Read more...` stand for any character.",
        "- **gopher-dolma**: dolma counts the characters in repeated lines, but divides by those outside of white space, so a share may",
        "  be above 1; reproduced.\n",
    ]


def _after() -> list[str]:
    return [
        "## Models\n",
        "`quality.models` adds models as rules: the probability of a label by a fastText classifier (`.bin`, `.ftz`; needs",
        "`pip install 'allmende[classifier]'`), or the perplexity by an n-gram model (`.arpa`, `.arpa.gz`; `.binary` and `.klm` need",
        "KenLM, which must be compiled). Each line pins the weights by SHA-256; a build with other weights stops. The Reason is",
        "`quality_model`, the stored value `model:NAME`. `allmende classifier train` makes a classifier from labelled lists and prints",
        "the line for the recipe. Text reaches a classifier as one line, and an n-gram model as it is, a line a sentence: a model must be",
        "made from text written the same way. CCNet's models are not: they want SentencePiece pieces.\n",
        "```toml",
        "[quality]",
        'models = ["good = models/good.bin sha256:0b1c… label:__label__good >= 0.5", "odd = models/de.arpa sha256:77aa… <= 900"]',
        "```",
    ]
