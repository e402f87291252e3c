from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.permission.x_robots_tag import DENYING, directives, signals

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def allowed(*values: str) -> bool:
    return not any(signal.says == "deny" for signal in signals(values, now=NOW, agents=()))


@pytest.mark.parametrize(
    "value",
    [
        "noai",
        "NoAI",
        " noimageai ",
        "noindex",
        "noimageindex",
        "none",
        "noml",
        "nofollow, noai",
        "noai, max-image-preview: none",
        "max-snippet: 20, noai",
        "noai, otherbot: noindex",
        "otherbot: nofollow, noai",
        "otherbot: noindex, noai",
        "allmende: noai",
        "Allmende: NoIndex",
        "*: noindex",
        "unavailable_after: 25 Jun 2010 15:00:00 PST",
        "unavailable_after: Sat, 25 Jun 2010 15:00:00 GMT",
        "unavailable_after: Friday, 25-Jun-10 15:00:00 UTC",
        "unavailable_after: 2026-11-20",
        "unavailable_after: 2026-11-20T10:00:00Z",
        "unavailable_after: 1 Jan 2999 00:00:00 GMT, noai",
        "newrule: 5, noai",
        "noai,",
        ",,noai",
    ],
)
def test_a_reservation_is_heard(value):
    assert not allowed(value)
    assert not allowed("all", value)
    assert not allowed(value, "all")


@pytest.mark.parametrize(
    "value",
    [
        "",
        ",",
        ":",
        "all",
        "index, follow",
        "nofollow",
        "noarchive, nosnippet",
        "max-image-preview: none",
        "max-image-preview:none, max-snippet: -1",
        "otherbot: noindex",
        "otherbot: none, nofollow",
        "otherbot: max-image-preview: none",
        "googlebot: noai",
        "mozilla/5.0: noai",
        "unavailable_after: 22 Nov 2026 00:00:00 GMT",
        "unavailable_after: Sunday, 22-Nov-26 15:00:00 UTC",
        "unavailable_after: some day",
        "noaiplease",
        "this: that",
    ],
)
def test_what_is_no_reservation_for_us_is_none(value):
    assert allowed(value)


def test_a_signal_tells_what_was_written():
    (signal,) = signals(["all", "max-snippet: 3, NoAI"], now=NOW)
    assert (signal.name, signal.says, signal.value) == ("noai", "deny", "NoAI")


names = st.sampled_from([*sorted(DENYING), "all", "nofollow", "index", "newrule"])
rule_texts = st.one_of(
    names,
    names.map(str.upper),
    st.builds("{}: {}".format, st.sampled_from(["otherbot", "allmende", "*", "googlebot"]), names),
    st.builds("{}: {}".format, st.sampled_from(["max-snippet", "max-image-preview"]), st.sampled_from(["none", "20"])),
    st.sampled_from(["unavailable_after: Sat, 21 Nov 2026 10:00:00 GMT", "unavailable_after: 2020-01-01"]),
)
headers = st.lists(st.lists(rule_texts, min_size=1, max_size=4).map(", ".join), min_size=1, max_size=3)


@given(headers, rule_texts, st.data())
def test_a_directive_more_never_turns_a_denial_into_a_permission(values, directive, data):
    """As a header of its own, or before, among or behind the others of one header."""
    if allowed(*values):
        return
    assert not allowed(*values, directive)
    assert not allowed(directive, *values)
    at = data.draw(st.integers(0, len(values) - 1))
    joined = [f"{directive}, {values[at]}", f"{values[at]}, {directive}"]
    for value in joined:
        assert not allowed(*values[:at], value, *values[at + 1 :])


@given(headers)
def test_headers_that_a_proxy_joins_reserve_the_same(values):
    if not allowed(*values):
        assert not allowed(", ".join(values))


@given(st.text(), st.text(alphabet="noai:,-_ *max"))
def test_whatever_a_server_writes_is_read_without_an_exception(value, likely):
    for text in (value, likely):
        list(directives(text))
        allowed(text)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        # What existing tools let through: img2dataset the first three, datadiligence the last
        ("noai, otherbot: noindex", [("noai", "deny", "noai")]),
        ("max-snippet: 20, noai", [("noai", "deny", "noai")]),
        ("noai, max-image-preview: none", [("noai", "deny", "noai")]),
        ("NoAI", [("noai", "deny", "NoAI")]),
        # Examples of MDN and of Google
        ("noindex", [("noindex", "deny", "noindex")]),
        ("noimageindex, unavailable_after: Wed, 03 Dec 2025 13:09:53 GMT", [
            ("noindex", "deny", "noimageindex"),
            ("noindex", "deny", "unavailable_after: 03 Dec 2025 13:09:53 GMT"),
        ]),
        ("BadBot: noindex, nofollow, googlebot: nofollow", []),
        ("unavailable_after: 25 Jun 2010 15:00:00 PST", [("noindex", "deny", "unavailable_after: 25 Jun 2010 15:00:00 PST")]),
        ("otherbot: noindex, nofollow", []),
        # Said in more words, or in words that nobody knows
        ("allmende: none", [("noindex", "deny", "allmende: none")]),
        ("Allmende/1.0: noai", [("noai", "deny", "Allmende/1.0: noai")]),
        ("noindex; noai", [("noindex", "deny", "noindex; noai"), ("noai", "deny", "noindex; noai")]),
        ("a: b: noai", [("noai", "deny", "a: b: noai")]),
        ("noai: yes", [("noai", "deny", "noai: yes")]),
        ("unavailable_after: Sat, noai", [("noindex", "unknown", "unavailable_after: Sat"), ("noai", "deny", "noai")]),
        ("newrule: 5", [("noindex", "unknown", "newrule: 5")]),
        ("notraining", [("noai", "unknown", "notraining")]),
        ("noai, noai, NOAI", [("noai", "deny", "noai"), ("noai", "deny", "NOAI")]),
        # Nothing that speaks of training
        ("all", []),
        ("index, follow, noarchive, nosnippet", []),
        ("googlebot: noai", []),
        ("", []),
    ],
)  # fmt: skip
def test_signals(value, expected):
    assert [(s.name, s.says, s.value) for s in signals([value], now=NOW)] == expected


def test_rules_for_agents_of_a_list():
    told = ["GPTBot: noindex", "ccbot: noml", "otherbot: noai", "Allmende: none"]
    assert [s.value for s in signals(told, now=NOW)] == [told[0], told[1], told[3]]
    assert [s.value for s in signals(told, now=NOW, agents=["OtherBot"])] == told[2:]
    assert [s.value for s in signals(told, now=NOW, agents=())] == told[3:]


@given(st.lists(st.text()), st.sampled_from(["image", "shown image", "document"]))
def test_no_text_is_a_permission(values, bears):
    assert all(s.says != "allow" for s in signals(values, now=NOW, bears=bears))
