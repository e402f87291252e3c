from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from allmende.errors import RecipeError
from allmende.fetch.guard import Guard, Place, is_public, redirect_target
from allmende.schema import Reason

GUARD = Guard((80, 443, 8080))


@given(st.ip_addresses())
@example(IPv4Address("192.88.99.1"))
@example(IPv4Address("224.0.0.1"))
@example(IPv6Address("ff02::1"))
@example(IPv6Address("::"))
@example(IPv6Address("fec0::1"))
def test_what_we_call_public_is_public_for_python_too(address):
    if is_public(str(address)):
        inside = getattr(address, "ipv4_mapped", None) or address
        assert inside.is_global or inside in _NAT64
        assert not inside.is_multicast


_NAT64 = Guard((), ("64:ff9b::/96",))._allowed[0]


@given(st.ip_addresses(v=4))
def test_an_ipv6_form_of_an_ipv4_address_is_judged_as_that(address):
    mapped, nat64 = IPv6Address(f"::ffff:{address}"), IPv6Address(int(IPv6Address("64:ff9b::")) + int(address))
    assert is_public(str(mapped)) == is_public(str(nat64)) == is_public(str(address))
    assert not is_public(str(IPv6Address((0x2002 << 112) + (int(address) << 80))))  # 6to4
    assert not is_public(f"::{address}")


@pytest.mark.parametrize("address", ["8.8.8.8", "193.99.144.80", "2a02:2e0:3fe:1001:302::", "2001:4860:4860::8888"])
def test_the_internet_is_public(address):
    assert is_public(address)


def test_allowed_networks_are_permitted():
    guard = Guard((80,), ("10.1.0.0/16", "::1/128"))
    assert [guard.permits(a) for a in ("10.1.2.3", "::1", "10.2.0.1", "::2", "8.8.8.8")] == [
        True,
        True,
        False,
        False,
        True,
    ]


def test_an_allowed_network_that_is_none_is_an_error_of_the_recipe():
    with pytest.raises(RecipeError, match="allow_addresses"):
        Guard((80,), ("10.1.2.3/8",))


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("http://a.example/b.jpg", Place("http://a.example/b.jpg", "a.example", 80, False)),
        ("HTTPS://A.Example:443/b c#d", Place("https://a.example/b%20c", "a.example", 443, False)),
        ("http://a.example:8080", Place("http://a.example:8080/", "a.example", 8080, False)),
        ("http://me:secret@a.example/", Place("http://a.example/", "a.example", 80, False)),
        ("http://bücher.example/", Place("http://xn--bcher-kva.example/", "xn--bcher-kva.example", 80, False)),
        ("http://0x7f.1/", Place("http://127.0.0.1/", "127.0.0.1", 80, True)),
        ("http://[::FFFF:1.2.3.4]/", Place("http://[::ffff:102:304]/", "::ffff:102:304", 80, True)),
        ("http://127.0.0.1\\@a.example/", Place("http://127.0.0.1/@a.example/", "127.0.0.1", 80, True)),
        ("http://a.example\\@127.0.0.1/", Place("http://a.example/@127.0.0.1/", "a.example", 80, False)),
    ],
)
def test_a_url_is_read_as_browsers_read_it(url, place):
    assert GUARD.check(url) == place


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", Reason.URL_INVALID),
        ("/b.jpg", Reason.URL_INVALID),
        ("http://a b/", Reason.URL_INVALID),
        ("http://a.example:99999/", Reason.URL_INVALID),
        ("ftp://a.example/", Reason.SCHEME_REFUSED),
        ("javascript:alert(1)", Reason.SCHEME_REFUSED),
        ("http://a.example:81/", Reason.PORT_REFUSED),
        ("https://a.example:22/", Reason.PORT_REFUSED),
    ],
)
def test_a_url_that_may_not_be_asked(url, reason):
    assert GUARD.check(url) is reason


@given(st.text(), st.text())
def test_whatever_a_page_or_a_server_writes_is_judged_without_an_exception(url, location):
    GUARD.check(url)
    GUARD.check(f"http://{url}")
    target = redirect_target("http://a.example/b", location)
    if target is not None:
        GUARD.check(target)


def test_redirects_are_relative_to_what_answered():
    assert redirect_target("http://a.example/b/c", "../d") == "http://a.example/d"
    assert redirect_target("https://a.example/b", "//c.example/") == "https://c.example/"
    assert redirect_target("http://a.example/b", "http://[") is None
