"""The gate: which files it asks for, in which order, and what it makes of what hosts say."""

import asyncio
from datetime import UTC, datetime

import pytest

from allmende.permission.answers import Robots, answers
from allmende.permission.gate import Gate, judge, origin_of
from allmende.permission.hosts import HostFile, Hosts
from allmende.permission.policy import policy
from allmende.permission.protocol import Verdict
from allmende.permission.signal import Signal
from allmende.schema import Reason

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
A = "https://a.example"
RESERVES = b'[{"location": "/*", "tdm-reservation": 1}]'
RSL = (
    b'<rsl xmlns="https://rslstandard.org/rsl"><content url="/"><license>'
    b'<%s type="usage">ai-train</%s></license></content></rsl>'
)
FORBIDS = RSL.replace(b"%s", b"prohibits")
PERMITS = RSL.replace(b"%s", b"permits")


class Web:
    """Answers of hosts: bytes, a status, or a reason. What is not listed is 404."""

    def __init__(self, answers=None):
        self.answers = answers or {}
        self.asked = []

    async def ask(self, kind, url):
        self.asked.append(url)
        told = self.answers.get(url, 404)
        if isinstance(told, bytes):
            return HostFile(kind=kind, url=url, status=200, at=NOW, body=told)
        if isinstance(told, Reason):
            return HostFile(kind=kind, url=url, status=None, at=NOW, reason=told)
        reason = Reason.HTTP_NOT_FOUND if told == 404 else Reason.HTTP_SERVER_ERROR
        return HostFile(kind=kind, url=url, status=told, at=NOW, reason=reason)


def gate_of(web, heeded=None, **options):
    hosts = Hosts(web.ask, answers(), clock=lambda: NOW)
    return Gate(heeded or policy("eu-commercial"), hosts, clock=lambda: NOW, **options)


def before(gate, url):
    async def work():
        verdict = gate.before(url)
        return verdict if isinstance(verdict, Verdict) else await verdict

    return asyncio.run(work())


def after(gate, url, headers):
    async def work():
        verdict = gate.after(url, headers)
        return verdict if isinstance(verdict, Verdict) else await verdict

    return asyncio.run(work())


def ask(answers, url=f"{A}/x.jpg", heeded=None, **options):
    web = Web(answers)
    return before(gate_of(web, heeded, **options), url), web.asked


def test_a_host_that_says_nothing_allows():
    verdict, asked = ask({})
    assert verdict == Verdict(True)
    assert asked == [f"{A}/robots.txt", f"{A}/.well-known/tdmrep.json", f"{A}/ai.txt"]


def test_robots_txt_denies_and_nothing_more_is_asked_for():
    verdict, asked = ask({f"{A}/robots.txt": b"User-agent: *\nDisallow: /x"})
    assert (verdict.allowed, verdict.signal) == (False, "robots_txt")
    (signal,) = verdict.signals
    assert (signal.says, signal.url, signal.line, signal.at) == ("deny", f"{A}/robots.txt", 2, NOW)
    assert asked == [f"{A}/robots.txt"]


def test_what_a_url_is_judged_by_does_not_depend_on_what_was_asked_before():
    web = Web({f"{A}/robots.txt": b"User-agent: *\nDisallow: /x", f"{A}/.well-known/tdmrep.json": RESERVES})
    gate = gate_of(web)
    alone = before(gate_of(web), f"{A}/x.jpg")
    before(gate, f"{A}/y.jpg")
    assert before(gate, f"{A}/x.jpg") == alone


@pytest.mark.parametrize(
    ("answers", "name"),
    [
        ({f"{A}/robots.txt": b"User-agent: GPTBot\nDisallow: /"}, "robots_txt_ai"),
        ({f"{A}/robots.txt": b"User-agent: *\nContent-Signal: ai-train=no\nAllow: /"}, "content_signal"),
        ({f"{A}/robots.txt": b"User-agent: *\nContent-Usage: train-ai=n\nAllow: /"}, "content_usage"),
        ({f"{A}/robots.txt": 503}, "robots_txt"),
        ({f"{A}/.well-known/tdmrep.json": RESERVES}, "tdmrep"),
        ({f"{A}/ai.txt": b"User-Agent: *\nDisallow: *.jpg"}, "ai_txt"),
        ({f"{A}/robots.txt": b"License: https://b.example/l.xml", "https://b.example/l.xml": FORBIDS}, "rsl"),
    ],
)
def test_every_file_of_a_host_can_deny_and_is_ignored_if_the_policy_says_so(answers, name):
    verdict, _ = ask(answers)
    assert (verdict.allowed, verdict.signal) == (False, name)
    assert verdict.reason is Reason.PERMISSION_DENIED
    assert verdict.signals[-1].at == NOW
    allowed, _ = ask(answers, heeded=policy("eu-commercial", {name: "allow"}))
    assert allowed.allowed
    assert name in {signal.name for signal in allowed.signals}
    ignored, _ = ask(answers, heeded=policy("eu-commercial", {name: "ignore"}))
    assert ignored.allowed
    assert name not in {signal.name for signal in ignored.signals}


def test_what_a_policy_ignores_is_not_asked_for():
    nothing = policy("off")
    assert ask({f"{A}/robots.txt": b"User-agent: *\nDisallow: /"}, heeded=nothing) == (Verdict(True), [])
    assert ask({}, heeded=policy("off", {"tdmrep": "deny"}))[1] == [f"{A}/.well-known/tdmrep.json"]
    assert ask({}, heeded=policy("off", {"rsl": "deny"}))[1] == [f"{A}/robots.txt"]


def test_a_host_that_is_not_there_is_no_reservation():
    verdict, asked = ask({f"{A}/robots.txt": Reason.DNS_NOT_FOUND})
    assert not verdict.allowed
    assert verdict.reason is Reason.DNS_NOT_FOUND
    assert verdict.signals is None
    assert asked == [f"{A}/robots.txt"]


@pytest.mark.parametrize("path", ["/.well-known/tdmrep.json", "/ai.txt"])
def test_other_files_that_cannot_be_had_are_unknown(path):
    verdict, _ = ask({A + path: 500})
    assert verdict.allowed
    assert [(s.says, s.value) for s in verdict.signals] == [("unknown", "HTTP 500")]
    assert not ask({A + path: 500}, heeded=policy("strict"))[0].allowed


@pytest.mark.parametrize("path", ["/.well-known/tdmrep.json", "/ai.txt"])
def test_a_page_in_place_of_a_file_says_nothing(path):
    page = b"\n<!DOCTYPE html><html><body>Not here</body></html>"
    assert ask({A + path: page}, heeded=policy("strict"))[0] == Verdict(True)


def test_origins_are_asked_apart():
    web = Web({"http://a.example/robots.txt": b"User-agent: *\nDisallow: /"})
    gate = gate_of(web)
    assert before(gate, f"{A}/x.jpg").allowed
    assert not before(gate, "http://a.example/x.jpg").allowed
    assert before(gate, "http://a.example:8080/x.jpg").allowed
    assert origin_of("http://a.example:8080/x.jpg?a=http://b.example/") == "http://a.example:8080"


def test_verdicts_on_known_hosts_take_no_time():
    async def work():
        web = Web()
        gate = gate_of(web)
        await gate.before(f"{A}/1.jpg")
        assert gate.before(f"{A}/2.jpg") == Verdict(True)
        assert len(web.asked) == 3

    asyncio.run(work())


def test_a_licence_named_by_a_header_is_read():
    link = {"link": [f'<{A}/l.xml>; rel="license"; type="application/rsl+xml"']}
    denied = after(gate_of(Web({f"{A}/l.xml": FORBIDS})), f"{A}/x.jpg", link)
    assert (denied.allowed, denied.signal) == (False, "rsl")
    assert after(gate_of(Web({f"{A}/l.xml": PERMITS})), f"{A}/x.jpg", link).allowed
    missing = after(gate_of(Web()), f"{A}/x.jpg", link)
    assert [s.says for s in missing.signals] == ["unknown"]


def test_a_licence_named_by_a_page_is_read_and_replaces_the_link():
    url = f"{A}/l.xml"
    verdict, asked = ask({url: PERMITS}, heeded=policy("strict"), page_licences=lambda _: (url, url))
    assert verdict.allowed
    assert asked.count(url) == 1
    named = Signal(name="rsl", says="unknown", value=url, field="page:rsl")
    assert judge(policy("strict"), (named,)).allowed is False
    assert judge(policy("strict"), (named, *verdict.signals)).signals == verdict.signals


def test_headers_deny_and_tell_their_time():
    verdict = after(gate_of(Web()), f"{A}/x.jpg", {"x-robots-tag": ["all, NoAI"], "tdm-reservation": ["0"]})
    assert (verdict.signal, verdict.detail) == ("noai", "NoAI")
    assert {(s.name, s.at) for s in verdict.signals} == {("noai", NOW), ("tdmrep", NOW)}


def test_the_capture_denies_beside_the_host_and_without_it():
    body = b"User-agent: *\nDisallow: /"
    old = Robots(HostFile(kind="robots.txt", url=f"{A}/robots.txt", status=200, at=NOW, body=body))
    verdict, asked = ask({}, captured=lambda url: old)
    assert (verdict.signal, asked) == ("robots_txt", [])
    archive = Gate(policy("eu-commercial"), None, captured=lambda url: old)
    assert not before(archive, f"{A}/x.jpg").allowed
    assert before(Gate(policy("eu-commercial"), None), f"{A}/x.jpg") == Verdict(True)


def test_of_tdmrep_the_nearest_statement_decides():
    of_file = Signal(name="tdmrep", says="deny", value="{}", url=f"{A}/.well-known/tdmrep.json")
    of_header = Signal(name="tdmrep", says="allow", value="0", field="header:tdm-reservation")
    assert not judge(policy("strict"), [of_file]).allowed
    assert judge(policy("strict"), [of_file, of_header]).allowed
