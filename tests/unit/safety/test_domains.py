import hypothesis.strategies as st
import pytest
from hypothesis import given

from allmende.safety.domains import domain_entry, host_forms, host_of, plain_entry, url_entry, url_forms

label = st.from_regex(r"[a-z][a-z0-9]{1,5}", fullmatch=True)
names = st.lists(label, min_size=2, max_size=5).map(".".join)


def hits(entry, url):
    return url_entry(entry) in set(url_forms(url))


def test_a_domain_stands_for_itself_and_what_is_below_it():
    assert list(host_forms("a.b.shop.example")) == ["a.b.shop.example", "b.shop.example", "shop.example"]


@given(names, st.lists(label, max_size=3))
def test_every_host_below_a_listed_domain_is_hit(domain, above):
    assert domain_entry(domain.upper()) in set(host_forms(".".join([*above, domain])))


@given(names, label)
def test_a_domain_that_only_ends_alike_is_not_hit(domain, more):
    assert domain not in set(host_forms(more + domain))


def test_addresses_have_no_parents():
    assert list(host_forms("192.0.2.1")) == ["192.0.2.1"]
    assert list(host_forms("[2001:db8::1]")) == ["[2001:db8::1]"]


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://a.example/x@y", "a.example"),
        ("https://user:word@a.example:8080/x", "a.example"),
        ("http://[2001:db8::1]:80/", "[2001:db8::1]"),
        ("http://a.example./", "a.example"),
        ("nonsense", ""),
        ("", ""),
    ],
)
def test_the_host_of_a_url(url, host):
    assert host_of(url) == host


@pytest.mark.parametrize(
    "url",
    [
        "https://a.example/x",
        "http://www.a.example/x",
        "https://a.example./x",
        "https://user@a.example:8443/x/",
        "https://a.example/X/1.jpg",
        "https://a.example/x?y=1",
    ],
)
def test_a_listed_url_hits_other_spellings_and_what_is_below_it(url):
    assert hits("a.example/x", url)
    assert hits("https://www.A.example:443/x/", url)


@pytest.mark.parametrize("url", ["https://a.example/xy", "https://a.example/", "https://b.a.example/x", "https://x/x"])
def test_a_listed_url_hits_no_neighbour(url):
    assert not hits("a.example/x", url)


def test_a_listed_query_hits_only_that_query():
    assert hits("a.example/show?id=7", "https://a.example/show?id=7")
    assert not hits("a.example/show?id=7", "https://a.example/show?id=8")


def test_the_url_itself_is_among_its_forms_for_lists_of_hashes():
    forms = list(url_forms("https://www.a.example/X?q=Y"))
    assert {"https://www.a.example/X?q=Y", "http://www.a.example/X?q=Y"} <= set(forms)


def test_umlauts_are_compared_in_punycode():
    assert domain_entry("Bücher.example") == "xn--bcher-kva.example"
    assert hits("bücher.example/x", "https://xn--bcher-kva.example/x")


@pytest.mark.parametrize(
    ("line", "entry"),
    [
        ("a.example", "a.example"),
        ("*.a.example", "a.example"),
        (".A.Example.", "a.example"),
        ("0.0.0.0 a.example", "a.example"),
        ("127.0.0.1\ta.example # ads", "a.example"),
        ("::1 a.example", "a.example"),
        ("||a.example^", "a.example"),
        ("||a.example^$third-party", "a.example"),
        ("under_score.a.example", "under_score.a.example"),
        ("192.0.2.1", "192.0.2.1"),
        ("127.0.0.1 localhost", None),
        ("0.0.0.0 0.0.0.0", None),
        ("255.255.255.255 broadcasthost", None),
        ("||a.example/banner.gif", None),
        ("||a.example^$image", None),
        ("! a comment", None),
        ("[Adblock Plus 2.0]", None),
        ("@@||a.example^", None),
    ],
)
def test_lines_of_plain_lists(line, entry):
    assert plain_entry(line) == entry


@pytest.mark.parametrize(
    "line", ["com", "a b", "-", "a..example", "http://a.example/x", "<html>", "a.example/x", "x" * 300]
)
def test_lines_that_are_no_domain(line):
    with pytest.raises(ValueError, match="no domain"):
        plain_entry(line)


@pytest.mark.parametrize("text", ["", "word", "http://", "https://word/x", "http://[/"])
def test_lines_that_are_no_url(text):
    with pytest.raises(ValueError, match="no URL"):
        url_entry(text)


@given(st.text())
def test_any_line_is_an_entry_or_refused(text):
    for read in (domain_entry, url_entry):
        try:
            assert read(text)
        except ValueError as error:
            assert str(error) in ("no domain", "no URL")  # noqa: PT017 - either outcome is fine
