"""Names to addresses: c-ares on the event loop, with a cache, so that nobody has to set up a resolver.

A name is looked up once, however many ask for it meanwhile; answers live as long as their TTL says, within bounds;
failures are remembered too, so that each URL of a dead name gets the same Reason. `/etc/hosts` counts.
IPv4 is asked first and IPv6 only if that has no answer (the other way round on a machine without IPv4): half the
look-ups, and many machines have an IPv6 route that leads nowhere.
"""

import asyncio
import socket
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence

import aiodns
import msgspec
from aiodns.error import (
    ARES_EBADNAME,
    ARES_ECONNREFUSED,
    ARES_ENODATA,
    ARES_ENONAME,
    ARES_ENOTFOUND,
    ARES_ETIMEOUT,
)

from allmende.schema import Reason

SHORTEST_TTL = 60.0
"""Seconds an answer is used at least; browsers do the same."""

LONGEST_TTL = 3_600.0
"""Seconds an answer is used at most."""

ABSENT_TTL = 300.0
"""Seconds that "no such name" is remembered (RFC 2308 advises one to three hours at most)."""

FAILURE_TTL = 60.0
"""Seconds that a failure to get an answer is remembered."""

CACHE_SIZE = 20_000
"""Names remembered; the longest unused go first."""

ARES_LIFE = 10_000
"""Look-ups until c-ares is replaced: it has a cache of its own that knows no bound (1.2 kB a name) and no switch."""

LOOK_UPS = 64
"""Look-ups under way at once: more make home routers and university resolvers drop answers."""

_NO_SUCH_NAME = frozenset({ARES_ENOTFOUND, ARES_ENODATA, ARES_ENONAME, ARES_EBADNAME})
_NO_SEARCH = 1 << 5
"""ARES_FLAG_NOSEARCH: a name is taken as it is written, without the machine's search domains."""


class Answer(msgspec.Struct, frozen=True):
    """What a name resolves to: addresses, or the Reason why there are none."""

    addresses: tuple[str, ...]
    reason: Reason | None
    expires: float
    """On the resolver's clock."""


class Resolver:
    """Looks names up. Belongs to one event loop; close it.

    Args:
        seconds: Deadline of one look-up, without the wait for its turn.
        nameservers: `address` or `address:port` of servers to ask instead of the system's.
        clock: Seconds that only go forward.
    """

    def __init__(self, seconds: float, nameservers: Sequence[str] = (), *, clock: Callable[[], float] = time.monotonic):
        self._seconds = seconds
        self._nameservers = list(nameservers) or None
        self._clock = clock
        self._ares = self._new_ares()
        self._left = ARES_LIFE
        self._uses: Counter[aiodns.DNSResolver] = Counter()
        self._turns = asyncio.Semaphore(LOOK_UPS)
        self._cache: OrderedDict[str, Answer] = OrderedDict()
        self._under_way: dict[str, asyncio.Task[Answer]] = {}
        families = (socket.AF_INET, socket.AF_INET6)
        self._families = families if _has_route() else families[::-1]

    async def resolve(self, name: str) -> Answer:
        """Addresses of a name, from the cache or the name servers. Never raises for what a server does."""
        answer = self._cache.get(name)
        if answer is not None and answer.expires > self._clock():
            self._cache.move_to_end(name)
            return answer
        task = self._under_way.get(name)
        if task is None:
            task = self._under_way[name] = asyncio.create_task(self._look_up(name))
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Gives up what is under way."""
        for task in self._under_way.values():
            task.cancel()
        await asyncio.gather(*self._under_way.values(), return_exceptions=True)
        await self._ares.close()

    def _new_ares(self) -> aiodns.DNSResolver:
        return aiodns.DNSResolver(
            nameservers=self._nameservers, timeout=self._seconds / 4, tries=3, flags=_NO_SEARCH, rotate=True
        )

    async def _look_up(self, name: str) -> Answer:
        try:
            async with self._turns:
                answer = await self._ask_and_renew(name)
        finally:
            del self._under_way[name]
        self._cache[name] = answer
        if len(self._cache) > CACHE_SIZE:
            self._cache.popitem(last=False)
        return answer

    async def _ask_and_renew(self, name: str) -> Answer:
        """Asks, and puts a new c-ares in the place of one that has served its time."""
        if not self._left:
            old, self._ares, self._left = self._ares, self._new_ares(), ARES_LIFE
            await self._retire(old)
        self._left -= 1
        ares = self._ares
        self._uses[ares] += 1
        try:
            return await self._ask(ares, name)
        finally:
            self._uses[ares] -= 1
            await self._retire(ares)

    async def _retire(self, ares: aiodns.DNSResolver) -> None:
        """Closes a c-ares that was replaced, when its last look-up has ended."""
        if ares is not self._ares and not self._uses[ares]:
            del self._uses[ares]
            await ares.close()

    async def _ask(self, ares: aiodns.DNSResolver, name: str) -> Answer:
        try:
            async with asyncio.timeout(self._seconds):
                for family in self._families:
                    answer = await self._ask_family(ares, name, family)
                    if answer.reason is not Reason.DNS_NOT_FOUND:
                        break
        except TimeoutError:
            return self._failure(Reason.TIMEOUT_DNS)
        return answer

    async def _ask_family(self, ares: aiodns.DNSResolver, name: str, family: socket.AddressFamily) -> Answer:
        try:
            found = await ares.getaddrinfo(name, family=family, type=socket.SOCK_STREAM)
        except aiodns.error.DNSError as error:
            if error.args[0] == ARES_ECONNREFUSED:
                return await self._ask_system(name, family)
            return self._failure(_reason(error.args[0]))
        addresses = dict.fromkeys(node.addr[0].decode() for node in found.nodes)
        ttl = min((node.ttl for node in found.nodes), default=0)
        return self._success(tuple(addresses), min(max(ttl, SHORTEST_TTL), LONGEST_TTL))

    async def _ask_system(self, name: str, family: socket.AddressFamily) -> Answer:
        """The C library's way, in a thread: where c-ares finds no server, nsswitch may know another way."""
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(name, None, family=family, type=socket.SOCK_STREAM)
        except (socket.gaierror, UnicodeError) as error:
            absent = isinstance(error, UnicodeError) or error.errno in (socket.EAI_NONAME, socket.EAI_NODATA)
            return self._failure(Reason.DNS_NOT_FOUND if absent else Reason.DNS_FAILED)
        return self._success(tuple(dict.fromkeys(str(entry[4][0]) for entry in found)), SHORTEST_TTL)

    def _success(self, addresses: tuple[str, ...], ttl: float) -> Answer:
        return Answer(addresses, None, self._clock() + ttl)

    def _failure(self, reason: Reason) -> Answer:
        ttl = ABSENT_TTL if reason is Reason.DNS_NOT_FOUND else FAILURE_TTL
        return Answer((), reason, self._clock() + ttl)


def _reason(status: int) -> Reason:
    if status in _NO_SUCH_NAME:
        return Reason.DNS_NOT_FOUND
    return Reason.TIMEOUT_DNS if status == ARES_ETIMEOUT else Reason.DNS_FAILED


def _has_route() -> bool:
    """True if the machine has an IPv4 route. Connecting a UDP socket asks the routing table and sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 53))
        except OSError:
            return False
    return True
