import asyncio
import socket

import pytest

from allmende.fetch import dns
from allmende.fetch.dns import Resolver
from allmende.schema import Reason
from allmende.testing.nameserver import Failure, Nameserver


class Clock:
    def __init__(self):
        self.now = 1_000.0

    def __call__(self):
        return self.now


def resolve(*names: str, server: str, seconds: float = 5.0, between=lambda clock: None):
    """Answers for these names, one after the other."""

    async def work():
        clock = Clock()
        resolver = Resolver(seconds, [server], clock=clock)
        answers = []
        for name in names:
            answers.append(await resolver.resolve(name))
            between(clock)
        await resolver.close()
        return answers

    return asyncio.run(work())


def test_all_addresses_of_a_name_are_found():
    with Nameserver({"a.test": [["192.0.2.1", "192.0.2.2"]], "six.test": [["2001:db8::1"]]}) as server:
        both, six = resolve("a.test", "six.test", server=server.address)
    assert (sorted(both.addresses), both.reason) == (["192.0.2.1", "192.0.2.2"], None)
    assert six.addresses == ("2001:db8::1",)


@pytest.mark.parametrize(
    ("ttl", "lifetime"), [(300, 300), (0, dns.SHORTEST_TTL), (10**6, dns.LONGEST_TTL), (59, 60), (3601, 3600)]
)
def test_an_answer_lives_as_long_as_it_says_within_bounds(ttl, lifetime):
    waits = iter([lifetime - 1, 2, 0])

    def wait(clock):
        clock.now += next(waits)

    with Nameserver({"a.test": [["192.0.2.1"]]}, ttl=ttl) as server:
        first, second, third = resolve(*["a.test"] * 3, server=server.address, between=wait)
    assert first.expires == Clock().now + lifetime
    assert second is first
    assert third is not first


@pytest.mark.parametrize(
    ("failure", "reason", "seconds"),
    [
        (Failure.ABSENT, Reason.DNS_NOT_FOUND, dns.ABSENT_TTL),
        (Failure.BROKEN, Reason.DNS_FAILED, dns.FAILURE_TTL),
        (Failure.REFUSED, Reason.DNS_FAILED, dns.FAILURE_TTL),
    ],
)
def test_failures_are_remembered_for_a_while(failure, reason, seconds):
    def wait(clock):
        clock.now += seconds / 2 + 1

    zone = {"a.test": [failure] * 3 + [["192.0.2.1"]]}  # c-ares asks a broken server three times
    with Nameserver(zone) as server:
        first, second, _, _, _ = resolve(*["a.test"] * 5, server=server.address, between=wait)
    assert first.reason is reason
    assert second == first


def test_a_name_is_looked_up_once_however_many_ask():
    async def work(server):
        resolver = Resolver(5.0, [server.address])
        answers = await asyncio.gather(*(resolver.resolve("a.test") for _ in range(20)))
        await resolver.close()
        return answers

    with Nameserver({"a.test": [["192.0.2.1"]]}) as server:
        answers = asyncio.run(work(server))
        assert server.asked["a.test"] == 1
    assert {answer.addresses for answer in answers} == {("192.0.2.1",)}


def test_a_caller_that_gives_up_does_not_take_the_others_with_it():
    async def work(server):
        resolver = Resolver(5.0, [server.address])
        waiting = [asyncio.create_task(resolver.resolve("a.test")) for _ in range(2)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        answer = await waiting[1]
        await resolver.close()
        return answer

    with Nameserver({"a.test": [["192.0.2.1"]]}) as server:
        assert asyncio.run(work(server)).addresses == ("192.0.2.1",)


def test_a_server_that_does_not_answer_is_not_waited_for_for_ever():
    with Nameserver({"a.test": [Failure.SILENT]}) as server:
        (answer,) = resolve("a.test", server=server.address, seconds=0.2)
    assert answer.reason is Reason.TIMEOUT_DNS


def test_the_hosts_file_counts():
    with Nameserver({}) as server:
        (answer,) = resolve("localhost", server=server.address)
    assert "127.0.0.1" in answer.addresses or "::1" in answer.addresses


def test_without_a_name_server_the_system_is_asked():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"127.0.0.1:{free.getsockname()[1]}"
    found, absent, nonsense = resolve("127.1", "nowhere.invalid", "a" * 80 + ".invalid", server=nobody)
    assert found.addresses == ("127.0.0.1",)
    assert absent.reason in (Reason.DNS_NOT_FOUND, Reason.DNS_FAILED)
    assert nonsense.reason is Reason.DNS_NOT_FOUND


@pytest.mark.parametrize("name", ["", ".", "a..test", "-", "a" * 300, "x" * 64 + ".test", "ü.test", "a b.test", "a\0b"])
def test_names_that_can_not_be_do_not_exist(name):
    with Nameserver({}) as server:
        (answer,) = resolve(name, server=server.address, seconds=0.5)
    assert answer.reason is not None


def test_the_cache_is_bounded(monkeypatch):
    monkeypatch.setattr(dns, "CACHE_SIZE", 3)
    names = [f"{name}.test" for name in "abcabdac"]
    with Nameserver({name: [["192.0.2.1"]] for name in names}) as server:
        a, b, c, a_again, b_again, _, a_last, c_last = resolve(*names, server=server.address)
    assert (a_again is a, b_again is b, a_last is a) == (True, True, True)
    assert c_last is not c


def test_c_ares_is_replaced_while_it_is_in_use(monkeypatch):
    monkeypatch.setattr(dns, "ARES_LIFE", 3)
    names = [f"{number}.test" for number in range(40)]

    async def work(server):
        resolver = Resolver(5.0, [server.address])
        answers = await asyncio.gather(*map(resolver.resolve, names))
        await resolver.close()
        return answers

    with Nameserver({name: [["192.0.2.1"]] for name in names}) as server:
        assert {answer.addresses for answer in asyncio.run(work(server))} == {("192.0.2.1",)}


def test_closing_ends_what_is_under_way():
    async def work(server):
        resolver = Resolver(60.0, [server.address])
        waiting = asyncio.create_task(resolver.resolve("a.test"))
        await asyncio.sleep(0)
        await resolver.close()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    with Nameserver({"a.test": [Failure.SILENT]}) as server:
        asyncio.run(work(server))
