"""Which URLs and addresses may be asked at all.

A crawl follows links that strangers wrote, from inside a network that trusts it. So: http(s) only, listed ports only,
and only addresses that the public internet routes. The address is judged, not the name, because a name can point
anywhere and can change between two look-ups; `wire` then connects to the judged address and to no other.

The table is our own because `ipaddress.is_global` differs between Python releases (CVE-2024-4032).
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import ada_url
import msgspec

from allmende.errors import RecipeError
from allmende.schema import Reason

_NOT_PUBLIC_V4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carrier-grade NAT
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local, the metadata services of clouds among it
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays, withdrawn
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast among it
    )
)
"""IANA IPv4 Special-Purpose Address Registry, and multicast."""

_PUBLIC_V6 = IPv6Network("2000::/3")
"""The only IPv6 space that is handed out for unicast (RFC 4291, IANA IPv6 Address Space)."""

_NOT_PUBLIC_V6 = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments, Teredo and ORCHID among them
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: carries any IPv4 address; withdrawn
        "3fff::/20",  # documentation
    )
)
"""IANA IPv6 Special-Purpose Address Registry, as far as it lies within 2000::/3."""

_NAT64 = IPv6Network("64:ff9b::/96")
"""How IPv6-only networks reach IPv4 (RFC 6052): judged by the IPv4 address inside."""

_DEFAULT_PORTS = {"http:": 80, "https:": 443}

_HOST_IS_NAME = 0
"""`host_type` of a URL whose host is no IP address."""


class Place(msgspec.Struct, frozen=True):
    """A URL that may be asked, taken apart once."""

    url: str
    """Normalised by the WHATWG URL standard; no fragment, no user name, no password."""
    host: str
    """Lower case; an IP address without brackets."""
    port: int
    literal: bool
    """True if the host is an IP address."""


def is_public(address: str) -> bool:
    """True if the public internet routes the address; an IPv6 form of an IPv4 address is judged as that."""
    return _is_public(ip_address(address))


class Guard:
    """Judges URLs and addresses.

    Args:
        ports: `fetch.ports`.
        allow_addresses: `fetch.allow_addresses`: networks that may be asked although they are not public.

    Raises:
        RecipeError: An entry of `allow_addresses` is no network.
    """

    def __init__(self, ports: tuple[int, ...], allow_addresses: tuple[str, ...] = ()):
        self._ports = frozenset(ports)
        try:
            self._allowed = tuple(ip_network(network) for network in allow_addresses)
        except ValueError as error:
            raise RecipeError(f"fetch.allow_addresses: {error}. Write networks such as 10.1.0.0/16.") from None

    def check(self, url: str) -> Place | Reason:
        """The URL taken apart, or why it may not be asked. Addresses in it are judged later, as those of names are."""
        try:
            parsed = ada_url.URL(url)
        except ValueError:
            return Reason.URL_INVALID
        default = _DEFAULT_PORTS.get(parsed.protocol)
        if default is None:
            return Reason.SCHEME_REFUSED
        port = int(parsed.port or default)
        if port not in self._ports:
            return Reason.PORT_REFUSED
        if parsed.username or parsed.password:
            parsed.username = parsed.password = ""
        if parsed.hash:
            parsed.hash = ""
        host = parsed.hostname.strip("[]")
        return Place(parsed.href, host, port, parsed.host_type != _HOST_IS_NAME)

    def permits(self, address: str) -> bool:
        """True if the address may be connected to."""
        parsed = ip_address(address)
        return _is_public(parsed) or any(parsed in network for network in self._allowed)


def redirect_target(url: str, location: str) -> str | None:
    """Where a Location header leads, or None if it is no URL."""
    try:
        return str(ada_url.join_url(url, location))
    except ValueError:
        return None


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC_V4)
    inside = address.ipv4_mapped or (IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else None)
    if inside is not None:
        return _is_public(inside)
    return address in _PUBLIC_V6 and not any(address in network for network in _NOT_PUBLIC_V6)
