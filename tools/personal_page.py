"""The page docs/reference/personal-data.md: what is found and how well, measured on the labelled texts when it is written."""

from pathlib import Path

from allmende.safety.personal import Kind, find, replace
from allmende.testing.personal import Example, Score, read_examples, scores

LABELLED = Path(__file__).resolve().parent.parent / "tests" / "data" / "personal.toml"

SHOWN = (
    "Kontakt: müller@bücher.de, anna (at) example [dot] org",
    "Praxis Muster, Tel. 030 23125-000, Fax +49 (0)30 23125-001",
    "Spenden an DE89 3704 0044 0532 0130 00, Karte 4111 1111 1111 1111",
    "Steuer-ID 86 095 742 719, Versicherungsnummer 65 170839 J 003",
    "Anmeldung von 192.0.2.17 und 2001:db8::17",
    "Version 4.3.2.1, Section 5.16.3.2, ISBN 978-3-16-148410-0, icon@2x.png, 01.02.2019",
)
"""Texts that the page shows, before and after."""


def personal_page() -> str:
    """Kinds, examples, precision and recall."""
    examples = read_examples(LABELLED)
    known = [example for example in examples if not example.held_out]
    held_out = [example for example in examples if example.held_out]
    return "\n".join([*_head(), *_measured(known, held_out), *_limits()])


def _head() -> list[str]:
    return [
        "<!-- Written by `make docs` from the code; edit the code instead. -->\n",
        "# Personal data in texts\n",
        "Captions, and all other words that are stored with an image, often hold addresses and numbers of people. By default a",
        "build puts placeholders in their place; `replace_personal = false` in [`[safety]`](recipe.md#safety) leaves them.\n",
        "| kind | placeholder | what it is |",
        "|---|---|---|",
        *(f"| {kind} | `{kind.placeholder}` | {kind.explanation} |" for kind in Kind),
        "\nFor example:\n",
        "| before | after |",
        "|---|---|",
        *(f"| {text} | {replace(text)} |" for text in SHOWN),
        "\nThe same text always gives the same result: no counter, no random number, no order of rows is in it. Replacing again",
        "changes nothing. A caption is judged by the rules as its author wrote it, then replaced, then named: `uid` is made from",
        "the caption that is published. Rows of URL tables are treated the same way, although no caption rule applies to them.",
        "Image and page URLs stay as they are. The manifests of `candidates/` count the placeholders of each kind",
        "(`personal_email` and so on), over all columns of words: what stands in `alt` and was chosen as caption counts twice.\n",
    ]


def _measured(known: list[Example], held_out: list[Example]) -> list[str]:
    nothing = sum(not example.findings for example in [*known, *held_out])
    lines = [
        "## How well it works\n",
        f"Measured on {len(known) + len(held_out)} texts of ours in some 25 languages (`tests/data/personal.toml`): short, as captions are.",
        f"{nothing} of them are hard cases without anything personal: dates, prices, versions, ISBN, inventory numbers, coordinates,",
        "scores. A finding is right if it begins and ends exactly as labelled. The rules were mended with the first set; the",
        f"other {len(held_out)} texts were written afterwards, run once, and no rule was changed because of them.\n",
        "| kind | labelled | precision | recall | held out: labelled | precision | recall |",
        "|---|---|---|---|---|---|---|",
    ]
    first, second = scores(known, find), scores(held_out, find)
    lines += [f"| {kind} | {_cells(first[kind])} | {_cells(second[kind])} |" for kind in Kind]
    lines.append(f"| **all** | {_cells(_sum(first))} | {_cells(_sum(second))} |")
    lines += [
        "\nWritten by the people who wrote the rules, so real text will show less. When the first set was run for the first time,",
        "before anything was mended, it had for e-mail addresses a precision of 0.99 and a recall of 0.96, for phone numbers 0.96",
        "and 0.98, for IPv4 addresses 1.00 and 0.93, for IPv6 0.86 and 1.00. What the held-out texts show wrong or missed today:\n",
    ]
    for example in held_out:
        found, wanted = set(find(example.text)), set(example.findings)
        lines += [f"- missed: {example.text[f.begin : f.end]} in “{example.text}”" for f in sorted(wanted - found)]
        lines += [f"- wrongly: {example.text[f.begin : f.end]} in “{example.text}”" for f in sorted(found - wanted)]
    return lines


def _sum(of: dict[Kind, Score]) -> Score:
    return Score(*(sum(column) for column in zip(*of.values(), strict=True)))


def _cells(score: Score) -> str:
    return f"{score.right + score.missed} | {score.precision:.2f} | {score.recall:.2f}"


def _limits() -> list[str]:
    return [
        "\n## What it does not do\n",
        "- Names, postal addresses, licence plates and faces stay: they can't be told by their form.",
        "- National phone numbers without a leading zero (Spain, Poland, Italy's mobiles, ...) are found after a word such as *tel.*",
        "  only; so are numbers written like a date, a price or a part number.",
        "- Tax and insurance numbers are those of Germany.",
        "- A hotline is a phone number, too, and an address of an office an e-mail address: they are replaced.",
        "- One random number in a few hundred passes a check digit by chance.\n",
        "Why own patterns around [libphonenumber and python-stdnum](../decisions/0012-personal-data.md), and what it costs, is in the",
        "decision. `python benchmarks/personal_data.py` compares with datatrove's `PIIFormatter`.",
        "",
    ]
