"""How much of a document a page has today, and what the page reserves."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.fetch.outcome import Facts, Fetched
from allmende.maintain.live_pages import PageKind, read_page, sample, share
from allmende.permission.policy import policy
from allmende.schema import Reason
from allmende.testing.text_pages import page, paragraphs

STRICT, LAX = policy("strict", {}), policy("strict", {"noai": "ignore", "rsl": "ignore"})
URL = "http://a.example/1"


def fetched(body, final=URL, content_type="text/html"):
    facts = Facts(final_url=final, content_type=content_type, fetched_at=datetime(2026, 11, 1, tzinfo=UTC))
    return Fetched(url=URL, body=body, facts=facts, address="")


def seen(html, texts, final=URL, rules=STRICT):
    return read_page(fetched(html.encode(), final), [sample("\n".join(text)) for text in texts], rules)


@given(st.text(), st.text(), st.text())
def test_a_share_is_one_inside_of_a_longer_text(before, text, after):
    assert share(sample(text), f"{before} {text} {after}") in ((0.0, 1.0) if not sample(text) else (1.0,))
    assert 0 <= share(sample(text), after) <= 1


def test_what_stands_around_a_text_is_no_change_but_another_text_is():
    one, other = paragraphs("de", 1), paragraphs("de", 2)
    assert seen(page("de", one), [one]).fate == "same"
    assert seen(page("de", [*other, *one]), [one]).fate == "same"
    assert seen(page("de", [*one[:3], *other]), [one]).fate == "changed"
    assert seen(page("de", other), [one]).fate == "page"
    assert seen(page("de", other), [one, other]).fate == "same"
    assert seen("", [one]).fate == "page"


@pytest.mark.parametrize(
    ("final", "fate"),
    [("https://a.example/1", "same"), ("http://a.example/2", "moved"), ("http://b.example/1", "moved")],
)
def test_a_text_behind_a_redirect_has_moved(final, fate):
    text = paragraphs("pl", 1)
    assert seen(page("pl", text), [text], final).fate == fate


def test_a_page_says_what_it_reserves_as_far_as_the_policy_heeds_it():
    text = paragraphs("fr", 1)
    head = '<meta name="robots" content="noai, noimageindex"><link rel="license" type="application/rsl+xml" href="/l">'
    found = seen(page("fr", text, head), [text])
    assert [(s.name, s.says, s.url) for s in found.signals] == [("noai", "deny", URL), ("rsl", "unknown", URL)]
    assert found.licences == ("http://a.example/l",)
    ignored = seen(page("fr", text, head), [text], rules=LAX)
    assert (ignored.signals, ignored.licences) == ((), ())


@pytest.mark.parametrize(
    ("content_type", "start", "wanted"),
    [
        ("text/html; charset=utf-8", b"", True),
        (None, b"<!doctype html>", True),
        ("text/plain", b"Words", True),
        ("text/plain", b"\x89PNG\r\n\x1a\n", False),
        ("application/pdf", b"%PDF-1.7", False),
        (None, b"\xff\xd8\xff", False),
    ],
)
def test_pages_and_texts_are_wanted(content_type, start, wanted):
    assert PageKind().judge(content_type, start) == (None if wanted else Reason.CONTENT_TYPE_REFUSED)


def test_what_turns_out_to_be_no_page_is_told():
    assert read_page(fetched(b"%PDF", content_type="application/pdf"), [b""], STRICT) is Reason.RECORD_NOT_TEXT
