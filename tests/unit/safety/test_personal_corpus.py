"""The labelled texts: what is promised in docs/reference/personal-data.md holds. That the page is current, `test_docs` says."""

import re
from pathlib import Path

import pytest

from allmende.safety.personal import Kind, find, replace
from allmende.testing.personal import Score, read_examples, scores

LABELLED = Path(__file__).parents[2] / "data" / "personal.toml"
EXAMPLES = read_examples(LABELLED)
KNOWN = [example for example in EXAMPLES if not example.held_out]
HELD_OUT = [example for example in EXAMPLES if example.held_out]


def test_there_are_enough_texts_of_every_sort():
    assert len(EXAMPLES) >= 400
    assert len({language for example in EXAMPLES for language in example.language.split(", ")}) >= 25
    assert sum(not example.findings for example in EXAMPLES) >= 250
    assert {finding.kind for example in KNOWN for finding in example.findings} == set(Kind)
    assert {finding.kind for example in HELD_OUT for finding in example.findings} == set(Kind)
    texts = [example.text for example in EXAMPLES]
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize("kind", Kind)
def test_floors(kind):
    score = scores(KNOWN, find)[kind]
    assert score.precision >= 0.99
    assert score.recall >= 0.99


@pytest.mark.parametrize("kind", Kind)
def test_floors_of_texts_held_out(kind):
    score = scores(HELD_OUT, find)[kind]
    assert score.precision >= 0.96
    assert score.recall >= 0.92


def test_nothing_labelled_is_left_in_part():
    """What is found otherwise than labelled is at least not left half."""
    for example in KNOWN:
        replaced = replace(example.text)
        assert not any(example.text[f.begin : f.end] in replaced for f in example.findings)


def test_hosts_are_reserved_ones():
    """No address of the texts may be somebody's. The exceptions are the textbook's and country codes before `example`."""
    for example in EXAMPLES:
        for finding in example.findings:
            if finding.kind == Kind.EMAIL:
                host = re.split(r"@|＠|\W(?:at|ät|AT)\W", example.text[finding.begin : finding.end])[-1]
                assert re.search(
                    r"example|exempel|exemple|bücher\.de|fest|café|garten|straße|\.example", host, re.IGNORECASE
                ), host


def test_scores_count_what_is_right_wrong_and_missed():
    of = scores(KNOWN, lambda text: ())
    assert all(score.right == score.wrong == 0 and score.recall == 0 and score.precision == 1 for score in of.values())
    assert Score().recall == 1
    assert Score(3, 1, 2).precision == 0.75
    assert Score(3, 1, 2).recall == 0.6
