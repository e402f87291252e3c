"""IP addresses. Version and section numbers look the same, so a small IPv4 address needs a word that says what it is.

Private, loopback, link-local, multicast and reserved addresses name nobody outside their own network and stay. The ranges
for documentation (RFC 5737, RFC 3849) are taken like public ones: that harms nothing, and examples need no real address.
"""

import re
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from allmende.safety.personal.kind import Finding, Kind

_V4 = re.compile(r"[0-9](?<![\w.\]-][0-9])[0-9]{0,2}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}(?![\w]|\.[0-9]|-[0-9])")
_V6 = re.compile(r"[23](?<![\w:.\]][23])[0-9A-Fa-f]{3}:[0-9A-Fa-f:]{1,34}(?![\w]|:[0-9A-Za-z])")

_DOCUMENTATION = tuple(ip_network(net) for net in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"))

_ADDRESS_CUE = re.compile(
    r"(?<![^\W_])(?:ipv?4?|ip-?(?:address|adresse|adres|cím)|adresse ip|dirección ip|indirizzo ip|adres ip|dns|server|"
    r"serwer|host|ping|gateway|nameserver|resolver|proxy)(?: (?:is|ist|est|es|at|to|auf|von|from))?[ :=(]{1,3}$",
    re.IGNORECASE,
)
_VERSION_CUE = re.compile(
    r"(?<![^\W_])(?:v|ver|vers|version|versione|versión|wersja|wersji|release|rev|revision|build|firmware|kernel|driver|treiber|"
    r"update|patch|section|sections|sec|abschnitt|kapitel|chapter|chapitre|capítulo|capitolo|rozdział|clause|paragraph|"
    r"article|artikel|art|absatz|ziffer|punkt|pkt|nr|no|num|fig|figure|figura|abb|abbildung|table|tabelle|tab|"
    r"appendix|anhang|annex|anlage|step|level|lesson|exercise|aufgabe|übung|theorem|lemma|satz|definition|§)"
    r"[.:]?[ ]?$",
    re.IGNORECASE,
)


def find_ipv4(text: str) -> Iterator[Finding]:
    """Public IPv4 addresses in dotted form."""
    for match in _V4.finditer(text):
        numbers = match[0].split(".")
        if any(int(number) > 255 or (number[0] == "0" and number != "0") for number in numbers):
            continue
        before = text[max(0, match.start() - 24) : match.start()]
        if not (_is_large(*map(int, numbers)) or _ADDRESS_CUE.search(before)):
            continue
        if _is_public(IPv4Address(match[0])) and not _VERSION_CUE.search(before):
            yield Finding(Kind.IPV4, match.start(), match.end())


def _is_large(first: int, second: int, third: int, fourth: int) -> bool:
    """Too large for a version: one of 100 or more, and one of the first two not small. True of 96 % of all addresses."""
    return max(first, second) >= 32 and max(first, second, third, fourth) >= 100


def _is_public(address: IPv4Address) -> bool:
    if any(address in network for network in _DOCUMENTATION):
        return True
    return address.is_global and not address.is_multicast


def find_ipv6(text: str) -> Iterator[Finding]:
    """Global unicast IPv6 addresses (RFC 4291, 2.5.4): all that begin with 2 or 3. No time of day looks so."""
    for match in _V6.finditer(text):
        found = match[0].rstrip(":")  # networks such as 2001:db8:: name nobody
        if _is_ipv6(found):
            yield Finding(Kind.IPV6, match.start(), match.start() + len(found))


def _is_ipv6(text: str) -> bool:
    try:
        return isinstance(ip_address(text), IPv6Address)
    except ValueError:
        return False
