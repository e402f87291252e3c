import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.permission.link_header import links


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        # RFC 8288, section 3.5
        (
            '<http://example.com/TheBook/chapter2>; rel="previous"; title="previous chapter"',
            [("http://example.com/TheBook/chapter2", {"rel": "previous", "title": "previous chapter"})],
        ),
        ('</>; rel="http://example.net/foo"', [("/", {"rel": "http://example.net/foo"})]),
        (
            "</TheBook/chapter2>; rel=\"previous\"; title*=UTF-8'de'letztes%20Kapitel, "
            "</TheBook/chapter4>; rel=\"next\"; title*=UTF-8'de'n%c3%a4chstes%20Kapitel",
            [
                ("/TheBook/chapter2", {"rel": "previous", "title": "UTF-8'de'letztes%20Kapitel"}),
                ("/TheBook/chapter4", {"rel": "next", "title": "UTF-8'de'n%c3%a4chstes%20Kapitel"}),
            ],
        ),
        (
            '<http://example.org/>; rel="start http://example.net/relation/other"',
            [("http://example.org/", {"rel": "start http://example.net/relation/other"})],
        ),
        ('<a,b;c>; title="x, <y>; \\"z"; rel=license , <d>', [("a,b;c", {"title": 'x, <y>; "z', "rel": "license"}), ("d", {})]),
        ("<a>; rel=first; REL=second;crossorigin", [("a", {"rel": "first", "crossorigin": ""})]),
        ('<a>; rel="broken, <b>; rel=license', [("a", {"rel": ""}), ("b", {"rel": "license"})]),
        ("<a; rel=x, <b>; rel=y", [("b", {"rel": "y"})]),
        ("", []),
    ],
)  # fmt: skip
def test_links(value, expected):
    assert [tuple(link) for link in links([value])] == expected


def test_relation_types_are_words_in_any_case():
    (link,) = links(['<a>; rel="License  Next"; type="application/RSL+xml"'])
    assert (link.rels, link.type) == (["license", "next"], "application/RSL+xml")


@given(st.lists(st.text('<>;,="\\ a*')))
def test_any_text(values):
    assert all("<" not in link.target for link in links(values))
