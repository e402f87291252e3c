import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.permission.content_usage import Rule, Usages, header, preferences, rule, says
from allmende.permission.robots import Record


@pytest.mark.parametrize(
    ("statement", "train", "search"),
    [
        # The examples of draft-ietf-aipref-vocab-07.
        ("train-ai=y, search=n", "allow", "disallow"),
        ('train-ai=y, train-ai, search=n, search="n"', "unknown", "unknown"),
        ("train-ai;allow=n, train-ai=y", "allow", "unknown"),
        ('train-ai;has;parameters="?";', "unknown", "unknown"),
        # What its text says.
        ("train-ai=n", "disallow", "unknown"),
        ("train-ai=n;why=1", "disallow", "unknown"),
        ("train-ai=n, other=y", "disallow", "unknown"),
        ("", "unknown", "unknown"),
        ("other=n", "unknown", "unknown"),
        ('train-ai="n"', "unknown", "unknown"),
        ("train-ai=no", "unknown", "unknown"),
        ("train-ai=?0", "unknown", "unknown"),
        ("train-ai=(n)", "unknown", "unknown"),
        ("train-ai=N", "unknown", "unknown"),
        ("Train-AI=n", "unknown", "unknown"),
        ("train-ai=n, =", "unknown", "unknown"),
        ("train-ai=n,", "unknown", "unknown"),
        ("train-ai=n ü", "unknown", "unknown"),
    ],
)
def test_preferences_are_those_of_the_draft(statement, train, search):
    assert preferences(statement.encode()) == {"train-ai": train, "search": search}


@pytest.mark.parametrize(
    ("statement", "word"),
    [
        ("train-ai=n", "deny"),
        ("train-ai=y", "allow"),
        ("search=n", None),
        ("search=n, train-ai=y", "allow"),
        ("", None),
        ("new-label=n", None),
        ("train-ai", "unknown"),
        ("train-ai=no", "unknown"),
        ('train-ai="n"', "unknown"),
        ("Train-AI=n", "unknown"),
        ("train-ai: n", "unknown"),
        # Two statements joined by a proxy, or a refusal beside rubbish.
        ("train-ai=n, train-ai=y", "deny"),
        ("train-ai=n, =", "deny"),
        ("train-ai=nn, =", "unknown"),
        ("train-ai=y, =", "unknown"),
        # Labels of earlier drafts and of tools.
        ("ai=n", "deny"),
        ("tdm=n, ai=y", "deny"),
        ("bots=n", "deny"),
        ("all=n", "deny"),
        ("ai-train=n", "deny"),
        ("genai=n", "deny"),
        ("train-genai=n, train-ai=y", "deny"),
        ("ai=y", "allow"),
        ("ai-train=y", "allow"),
        ("train-genai=y", None),
        ("ai=maybe, train-ai=y", "unknown"),
        # Not about training.
        ("ai-output=n", None),
        ("x;train-ai=n", None),
    ],
)
def test_what_a_statement_says_of_training(statement, word):
    assert says(statement) == word


def test_each_header_is_a_signal():
    signals = header(["train-ai=y", "search=n", "train-ai=n"], "https://a.example/b.jpg")
    assert [(s.says, s.value, s.field) for s in signals] == [
        ("allow", "train-ai=y", "header:content-usage"),
        ("deny", "train-ai=n", "header:content-usage"),
    ]


@pytest.mark.parametrize(
    ("value", "path", "statement"),
    [
        ("train-ai=n", "", "train-ai=n"),
        ("/ai-ok/ train-ai=y", "/ai-ok/", "train-ai=y"),
        ("/ai-ok/\t train-ai=y, search=n", "/ai-ok/", "train-ai=y, search=n"),
        ("/only-a-path", "/only-a-path", ""),
        ("*.jpg train-ai=n", "", "*.jpg train-ai=n"),
    ],
)
def test_lines_of_robots_txt(value, path, statement):
    assert rule(Record("content-usage", value, 1)) == Rule(path, statement, says(statement), 1)


def applying(lines, path):
    usages = Usages(rule(Record("content-usage", line, number)) for number, line in enumerate(lines, 1))
    return [found.statement for found in usages.match(path)]


def test_the_example_of_the_draft():
    lines = ["train-ai=n", "/ai-ok/ train-ai=y"]
    assert applying(lines, "/test") == ["train-ai=n"]
    assert applying(lines, "/ai-ok/test") == ["train-ai=y"]


def test_paths_have_wildcards_and_the_longest_counts():
    lines = ["/*.jpg train-ai=n", "/a/ train-ai=y", "/ train-ai=y"]
    assert applying(lines, "/a/b.jpg") == ["train-ai=n"]
    assert applying(lines, "/a/b.png") == ["train-ai=y"]


def test_statements_for_the_same_path_hold_together():
    assert applying(["/a train-ai=y", "/a train-ai=n", "ai=y"], "/ab") == ["train-ai=y", "train-ai=n"]
    assert applying(["train-ai=y", "train-ai=n"], "/") == ["train-ai=y", "train-ai=n"]


def test_only_a_readable_word_on_training_lifts_a_refusal():
    assert applying(["train-ai=n", "/a search=n"], "/a") == ["train-ai=n"]
    assert applying(["train-ai=n", "/a train-ai=perhaps"], "/a") == ["train-ai=perhaps", "train-ai=n"]
    assert applying(["train-ai=n", "/a train-ai=perhaps", "/a train-ai=n"], "/a")[1:] == ["train-ai=n"]


def test_no_rule_no_statement():
    assert applying(["/b train-ai=n"], "/a") == []
    assert applying([], "/a") == []


MEMBERS = st.lists(
    st.sampled_from(
        ["train-ai=n", "train-ai=y", "train-ai", "search=n", "ai=n", "ai=y", "x=(1 2)", 'y="a, b"', "?", ""]
    ),
    min_size=1,
)


@given(MEMBERS, MEMBERS)
def test_more_members_never_turn_deny_into_anything_else(some, more):
    if says(", ".join(some)) == "deny":
        assert says(", ".join(some + more)) == says(", ".join(more + some)) == "deny"


@pytest.mark.parametrize(
    "filler", [" ", ",", "=", "a", "a=(", 'a="', "train-ai=n,", "train-ai=y,", "a;b", "a=:", "ai=", "-"]
)
def test_long_statements_come_to_an_end(filler):
    assert says(filler * (500_000 // len(filler))) in {"deny", "allow", "unknown", None}


AROUND = st.sampled_from(["", ",", " ", ", x", "x", ";a", "=", "search=n,", ",train-ai=n"])


@given(
    st.text(max_size=60)
    | st.binary(max_size=60).map(lambda raw: raw.decode("utf-8", "surrogateescape"))
    | st.builds("{}train-ai=y{}".format, AROUND, AROUND)
)
def test_any_text_is_read_and_only_consent_allows(statement):
    if says(statement) == "allow":
        assert re.search(r"(^|,)\s*train-ai=y", statement)
