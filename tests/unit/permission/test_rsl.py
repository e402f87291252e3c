import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.permission import rsl

AT = "https://example.com/license.xml"


def xml(*contents, root='xmlns="https://rslstandard.org/rsl"'):
    return f"<rsl {root}>{''.join(contents)}</rsl>"


def content(*licences, url="/", **attributes):
    more = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f'<content url="{url}"{more}>{"".join(f"<license>{terms}</license>" for terms in licences)}</content>'


def permits(words, kind="usage"):
    return f'<permits type="{kind}">{words}</permits>'


def prohibits(words, kind="usage"):
    return f'<prohibits type="{kind}">{words}</prohibits>'


def says(body, url="https://example.com/images/a.jpg"):
    signal = rsl.signal(rsl.read(body), url, AT)
    return signal and signal.says


# Sections of RSL 1.0, and templates of its guide "Getting started"
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        # 1.1: search, and no use by AI; use by AI under a licence of one's own
        (xml(content(prohibits("ai-all"))), "deny"),
        (
            xml(
                content(
                    permits("ai-all") + "<payment><custom>https://example.com/ai-license-request</custom></payment>"
                )
            ),
            "deny",
        ),
        (xml(content(permits("search") + prohibits("ai-train"), url="/*")), "deny"),
        # 3.1.2: all is permitted, but for training on articles
        (xml(content(permits("all")), content(prohibits("ai-train"), url="/articles/")), "allow"),
        # 3.7, 3.10: for a price
        (
            xml(content(permits("ai-train") + '<payment type="crawl"><amount currency="USD">0.015</amount></payment>')),
            "deny",
        ),
        (
            xml(
                content(
                    '<payment type="crawl"><standard>https://example.com/pay-per-crawl</standard></payment>'
                    + permits("ai-train")
                )
            ),
            "deny",
        ),
        # Attribution, and Creative Commons
        (
            xml(
                content(
                    permits("ai-train")
                    + '<payment type="attribution"><standard>https://creativecommons.org/licenses/by/4.0/</standard></payment>'
                )
            ),
            "unknown",
        ),
        # Templates of version 0.9
        (xml(content(prohibits("train-ai"))), "deny"),
        (xml(content(permits("train-ai"))), "allow"),
        (xml(content(permits("train-ai,search") + prohibits("ai-input"))), "allow"),
        (
            xml(
                content(
                    permits("train-ai") + '<payment type="subscription"/>',
                    server="https://rslcollective.org/api",
                )
            ),
            "deny",
        ),
    ],
)
def test_examples(body, expected):
    assert says(body) == expected


def test_training_on_articles():
    body = xml(content(permits("all")), content(prohibits("ai-train"), url="/articles/"))
    assert says(body, "https://example.com/articles/a.jpg") == "deny"


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        (permits("ai-train"), "allow"),
        (permits("search ai-train"), "allow"),
        (permits("all"), "allow"),
        (permits("AI-Train"), "allow"),
        (permits("ai-train") + '<payment type="free"/>', "allow"),
        (permits("ai-train") + prohibits("ai-input"), "allow"),
        (permits("search"), "deny"),
        (permits("ai-input ai-index search"), "deny"),
        (permits(""), "deny"),
        (permits("ai-training"), "deny"),
        (prohibits("all"), "deny"),
        (prohibits("ai-train"), "deny"),
        (prohibits("train-genai"), "deny"),
        (permits("ai-train") + prohibits("ai-train"), "deny"),
        (permits("ai-train") + prohibits("all"), "deny"),
        (permits("ai-train") + '<payment type="training"/>', "deny"),
        (permits("ai-train") + '<payment type="barter"/>', "deny"),
        (permits("ai-train") + '<payment type="free"><amount currency="EUR">1</amount></payment>', "deny"),
        (permits("ai-train") + '<payment type="free"/><payment type="crawl"/>', "deny"),
        (permits("ai-train") + '<reporting type="audit" profile="https://p"/>', "deny"),
        (permits("ai-train") + '<payment type="contribution"/>', "unknown"),
        (permits("ai-train") + "<payment><standard>https://p</standard></payment>", "unknown"),
        (permits("ai-train") + permits("education", "user"), "unknown"),
        (permits("ai-train") + prohibits("commercial", "user"), "unknown"),
        (permits("ai-train") + permits("US", "geo"), "unknown"),
        (prohibits("search"), "unknown"),
        (permits("EU", "geo"), "unknown"),
        ("", "unknown"),
        ('<legal type="warranty">ownership</legal>', "unknown"),
    ],
)
def test_terms(terms, expected):
    assert says(xml(content(terms))) == expected


def test_several_licences():
    free, dear = permits("ai-train"), permits("ai-train") + '<payment type="training"/>'
    assert says(xml(content(dear, free))) == "allow"
    assert says(xml(content(dear, permits("search")))) == "deny"
    assert says(xml(content(free, prohibits("ai-all")))) == "deny"
    assert says(xml(content())) == "unknown"
    assert says(xml(content(free, server="https://s.example"))) == "deny"


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ("/", True),
        ("/*", True),
        ("/images/", True),
        ("images/", True),
        ("/images/*.jpg$", True),
        ("*.jpg", True),
        ("https://example.com/", True),
        ("https://EXAMPLE.com", True),
        ("http://example.com/images/*", True),
        ("https://*.com/images/", True),
        ("", True),
        ("/images/a.jpg?x", False),
        ("/Images/", False),
        ("/videos/", False),
        ("https://example.co/", False),
        ("https://other.example/images/", False),
        ("//example.com/", False),
    ],
)
def test_patterns(pattern, matches):
    assert says(xml(content(prohibits("ai-train"), url=pattern))) == ("deny" if matches else None)


@pytest.mark.parametrize(
    ("narrow", "wide", "expected"),
    [
        (permits("ai-train"), prohibits("all"), "allow"),
        (prohibits("ai-train"), permits("all"), "deny"),
        ("", prohibits("all"), "deny"),
        ("", permits("all"), "unknown"),
        (permits("search"), permits("all"), "deny"),
    ],
)
def test_the_longer_pattern_goes_first(narrow, wide, expected):
    contents = [content(narrow, url="/images/"), content(wide)]
    assert says(xml(*contents)) == says(xml(*contents[::-1])) == expected


@pytest.mark.parametrize(
    ("body", "flaw"),
    [
        ("", "no XML"),
        ("ai-train: no", "no XML"),
        (xml(content(permits("ai-train")))[:-3], "no XML"),
        (xml(), "no content"),
        ("<!DOCTYPE html><html></html>", "DTD"),
        ('<!DOCTYPE rsl SYSTEM "https://127.0.0.1:1/x.dtd">' + xml(content(permits("ai-train"))), "DTD"),
        ('<!DOCTYPE rsl [<!ENTITY a "ai-train">]>' + xml(content(permits("&a;"))), "DTD"),
        (xml(content(permits("&a;"))), "no XML"),
        (xml(content(permits("ai-train")), root='xmlns="https://rslstandard.org/rsl/2.0"'), "root"),
        (xml(content(permits("ai-train")), root=""), "root"),
        ("<rss><channel/></rss>", "root"),
        (xml(content("<permit>ai-train</permit>")), "unknown element permit"),
        (xml("<content>" * 100 + "</content>" * 100), "nested too deeply"),
        (xml('<a xmlns="b">' * 1_000 + "</a>" * 1_000), "nested too deeply"),
        (xml(content(" " * rsl.MAX_BYTES)), "too large"),
        ('<?xml version="1.0" encoding="nonsense"?>' + xml(content()), "no XML"),
    ],
)
def test_what_can_not_be_relied_on_is_unknown(body, flaw):
    document = rsl.read(body.encode())
    assert flaw in document.flaw
    signal = rsl.signal(document, "https://example.com/", AT)
    assert (signal.says, signal.url) == ("unknown", AT)
    assert flaw in signal.value


def test_foreign_elements_and_prefixes_are_no_matter():
    body = (
        '<r:rsl xmlns:r="https://rslstandard.org/rsl" xmlns:x="https://x.example"><x:y><r:content url="/"/></x:y>'
        '<r:content url="/"><r:license><x:prohibits>ai-train</x:prohibits>'
        '<r:permits type="usage">ai-train <x:z>no</x:z></r:permits></r:license></r:content></r:rsl>'
    )
    document = rsl.read(body)
    assert (len(document.contents), document.flaw) == (1, "")
    assert says(body) == "allow"


def test_a_signal_tells_terms_and_line():
    body = "<?xml version='1.0' encoding='ISO-8859-1'?>\n" + xml(
        "\n" + content("\n" + permits("search") + prohibits("ai-train") + '<payment type="crawl"/>', url="/ä")
    )
    signal = rsl.signal(rsl.read(body.encode("latin-1")), "https://example.com/%C3%A4", AT)
    assert signal.value == "content /ä: permits usage: search; prohibits usage: ai-train; payment: crawl"
    assert (signal.line, signal.url, signal.field) == (3, AT, "")


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        (
            '<https://x.example/license.xml>; rel="license"; type="application/rsl+xml"',
            ["https://x.example/license.xml"],
        ),
        ('</l.xml>; rel="next license"; type="Application/RSL+xml; charset=utf-8"', ["https://a.example/l.xml"]),
        ('<https://creativecommons.org/licenses/by/4.0/>; rel="license"', []),
        ('</l.xml>; rel="alternate"; type="application/rsl+xml"', []),
        ('<javascript:1>; rel="license"; type="application/rsl+xml"', ["javascript:1"]),
        ('<http://[>; rel="license"; type="application/rsl+xml"', ["http://["]),
    ],
)
def test_link_headers(link, expected):
    assert list(rsl.rsl_urls({"link": [link, link]}, "https://a.example/b/c.jpg")) == expected


words = st.sampled_from(["ai-train", "ai-all", "all", "search", "ai-input", "train-ai", "odd"])
terms = st.lists(
    st.one_of(st.builds(permits, words), st.builds(prohibits, words), st.just('<payment type="crawl"/>')), max_size=3
).map("".join)
urls = st.sampled_from(["/", "/images/", "*.jpg$", "", "/other"])
contents = st.builds(lambda licences, url: (licences, url), st.lists(terms, max_size=3), urls)


@given(st.lists(contents, min_size=1, max_size=3), words, st.data())
def test_a_prohibition_more_never_turns_a_denial_into_a_permission(some, word, data):
    """In a licence that is there, or in one more."""
    if says(xml(*(content(*licences, url=url) for licences, url in some))) != "deny":
        return
    at = data.draw(st.integers(0, len(some) - 1))
    licences, url = some[at]
    number = data.draw(st.integers(0, len(licences)))
    more = [*licences[:number], (licences[number] if number < len(licences) else "") + prohibits(word)]
    changed = [*some[:at], ([*more, *licences[number + 1 :]], url), *some[at + 1 :]]
    after = says(xml(*(content(*licences, url=url) for licences, url in changed)))
    if not (word in ("search", "ai-input", "odd") and number == len(licences)):  # then it is a licence of its own
        assert after == "deny"
    assert after != "allow"


@given(st.binary(), st.text(), st.text("<>/rslcontent=\"&;! '"))
def test_any_body(body, text, likely):
    for odd in (body, text, likely, xml(likely), xml(content(likely))):
        assert rsl.read(odd).flaw or says(odd) != "allow"
