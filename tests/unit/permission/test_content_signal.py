import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.permission.content_signal import says, strictest


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ("search=yes,ai-train=no,use=reference", "deny"),  # what Cloudflare's managed file says
        ("search=yes, ai-train=no", "deny"),
        ("ai-train=no", "deny"),
        ("AI-Train = NO", "deny"),
        ("search=yes ai-train=no", "deny"),
        ("search=yes; ai-train=no", "deny"),
        ('ai-train="no"', "deny"),
        ("/blog/ ai-train=no", "deny"),
        ("ai-train=no, whatever", "deny"),
        ("ai-train=yes, ai-train=no", "deny"),
        ("search=yes, ai-input=yes, ai-train=yes", "allow"),
        ("ai-train=yes, use=full", "allow"),
        ("ai-train=yes,", "allow"),
        ("search=yes", None),
        ("search=yes, ai-input=no", None),
        ("use=full", None),
        ("use=immediate", "unknown"),
        ("search=yes, use=reference", "unknown"),
        ("ai-train", "unknown"),
        ("ai-train=", "unknown"),
        ("ai-train=maybe", "unknown"),
        ('ai-train="yes"', "unknown"),
        ("ai-train=yes, ai-train=maybe", "unknown"),
        ("ai-train=yes, whatever", "unknown"),
        ("/blog/ ai-train=yes", "unknown"),
        ("search=maybe", "unknown"),
        ("", "unknown"),
    ],
)
def test_what_a_statement_says_of_training(value, word):
    assert says(value) == word


PIECES = st.lists(
    st.sampled_from(
        ["ai-train=yes", "ai-train=no", "search=yes", "use=full", "use=x", "ai-train", "x", "", "ai-input=no"]
    )
)


@given(PIECES, PIECES)
def test_more_pieces_never_turn_deny_into_anything_else(some, more):
    if says(",".join(some)) == "deny":
        assert says(",".join(some + more)) == says(",".join(more + some)) == "deny"


@given(PIECES, PIECES)
def test_more_pieces_never_make_an_allow_of_what_can_not_be_read(some, more):
    if any(some) and says(",".join(some)) == "unknown" and "use=full" not in some:
        assert says(",".join(some + more)) in {"unknown", "deny"}


@pytest.mark.parametrize("filler", [" ", ",", "=", " =", "a", "ai-train=yes,", "\t "])
def test_long_values_come_to_an_end(filler):
    """In milliseconds; half a megabyte is what a line of robots.txt may have."""
    assert says(f"ai-train=no,a{filler * (500_000 // len(filler))}b") == "deny"


AROUND = st.sampled_from(["", ",", " ", ", x", "x", "=", "search=no,", ",ai-train=no"])


@given(st.text(max_size=60) | st.builds("{}AI-train{}=yes{}".format, AROUND, AROUND, AROUND))
def test_only_what_is_well_formed_allows(value):
    if says(value) == "allow":
        assert re.search(r"(^|,)\s*ai-train\s*=\s*yes\s*($|,)", value.lower())


@pytest.mark.parametrize(
    ("words", "word"),
    [
        ([], None),
        ([None], None),
        (["allow", None], "allow"),
        (["allow", "unknown"], "unknown"),
        (["allow", "deny", "unknown"], "deny"),
    ],
)
def test_of_several_statements_the_strictest_counts(words, word):
    assert strictest(words) == word
