from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.permission.meta_robots import signals, stored

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def read(lines, bears="shown image", agents=()):
    return [(s.name, s.says, s.field) for s in signals(lines, now=NOW, bears=bears, agents=agents)]


@pytest.mark.parametrize(
    ("lines", "on_images", "on_text"),
    [
        ("noai, noimageai", [("noai", "deny")] * 2, [("noai", "deny")]),
        ("NoAI", [("noai", "deny")], [("noai", "deny")]),
        ("noml", [("noai", "deny")], [("noai", "deny")]),
        ("noimageindex", [("noindex", "deny")], []),
        ("noindex, nofollow", [], [("noindex", "deny")]),
        ("none", [], [("noindex", "deny")]),
        ("unavailable_after: 2020-01-01", [], [("noindex", "deny")]),
        ("unavailable_after: 2099-01-01", [], []),
        ("unavailable_after: soon", [], [("noindex", "unknown")]),
        ("index, follow, max-image-preview:large, max-snippet:-1, max-video-preview:-1", [], []),
        ("noaitraining", [("noai", "unknown")], [("noai", "unknown")]),
        ("general", [], [("noindex", "unknown")]),
        ("noimagedownload", [("noindex", "unknown")], [("noindex", "unknown")]),
        ("noindex nofollow noimageindex", [("noindex", "deny")], [("noindex", "deny")]),
    ],
)
def test_what_binds_the_images_of_a_page_and_what_its_text(lines, on_images, on_text):
    assert [s[:2] for s in read(lines)] == on_images
    assert [s[:2] for s in read(lines, "document")] == on_text


def test_metas_that_name_an_agent():
    lines = "index\ngptbot: nofollow, noai\nother bot: noai\nallmende: noimageai"
    assert read(lines) == [("noai", "deny", "meta:allmende")]
    assert read(lines, agents=("Other Bot",))[0] == ("noai", "deny", "meta:other bot")
    assert read(lines, agents=None) == [
        ("noai", "deny", "meta:gptbot"),
        ("noai", "deny", "meta:allmende"),
    ]


def test_rules_that_take_a_value_name_no_agent():
    assert read("max-image-preview: none, noai") == [("noai", "deny", "meta:robots")]
    assert read("max-snippet:20\nnoai") == [("noai", "deny", "meta:robots")]


def test_a_robots_tag_that_looks_like_the_line_of_an_agent_is_stored_with_its_name():
    lines = stored([("robots", "otherbot: nofollow, noai"), ("gptbot", "noindex"), ("robots", ""), ("robots", "all")])
    assert lines == "robots: otherbot: nofollow, noai\ngptbot: noindex\nall"
    assert read(lines) == [("noai", "deny", "meta:robots")]
    assert stored([]) is None


RULES = st.sampled_from(["noai", "noindex", "noimageindex", "all", "gptbot:noai", "robots:noml", "max-snippet:1"])
contents = st.lists(RULES).map(", ".join)
tags = st.lists(st.tuples(st.sampled_from(["robots", "x-robots-tag", "gptbot", "allmende"]), contents))


@given(tags, st.tuples(st.sampled_from(["robots", "gptbot", "allmende"]), contents), st.data())
def test_a_tag_more_never_turns_a_denial_into_a_permission(some, another, data):
    at = data.draw(st.integers(0, len(some)))
    before, after = stored(some) or "", stored([*some[:at], another, *some[at:]]) or ""
    for bears in ("shown image", "document"):
        assert set(read(before, bears)) <= set(read(after, bears))


@given(st.text())
def test_any_text_is_read_and_never_as_a_permission(text):
    assert all(says != "allow" for _, says, _ in read(text) + read(text, "document"))
