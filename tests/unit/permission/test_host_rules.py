from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.permission.agents import keys
from allmende.permission.host_rules import RULES, STATEMENTS, AiTxtRules, RobotsRules, Said
from allmende.permission.policy import PRESETS

AT = datetime(2026, 11, 22, tzinfo=UTC)
URL = "https://a.example/robots.txt"

MANAGED = b"""\
# As a condition of accessing this website, you agree to abide by the following content signals.
User-agent: *
Content-Signal: search=yes,ai-train=no,use=reference
Allow: /

User-agent: CCBot
Disallow: /

User-agent: GPTBot
Disallow: /
"""


def said(body, status=200):
    return Said(url=URL, status=status, body=body, at=AT)


def told(body, path="/a.jpg", status=200, **kwargs):
    return [(s.name, s.says, s.value, s.line) for s in RobotsRules(said(body, status), **kwargs).signals(path)]


def test_the_file_that_cloudflare_manages():
    assert told(MANAGED) == [
        ("robots_txt", "allow", "*: Allow: /", 4),
        ("robots_txt_ai", "deny", "CCBot: Disallow: /", 7),
        ("content_signal", "deny", "search=yes,ai-train=no,use=reference", 3),
    ]


def test_signals_say_where_and_when_they_were_read():
    (signal,) = RobotsRules(said(b"User-agent: *\nDisallow: /")).signals("/")
    assert (signal.url, signal.at, signal.field) == (URL, AT, "")


@pytest.mark.parametrize("body", [b"", b"# nothing\n", b"<html>not found</html>", b"User-agent: *\nDisallow:\n"])
def test_silence_is_no_signal(body):
    assert told(body) == []


@pytest.mark.parametrize(("status", "value"), [(503, "HTTP 503"), (None, "no answer"), (429, "HTTP 429")])
def test_a_file_that_can_not_be_had_denies(status, value):
    assert told(b"User-agent: *\nAllow: /", status=status) == [("robots_txt", "deny", value, None)]


def test_the_reason_why_there_is_no_answer_is_told():
    rules = RobotsRules(Said(url=URL, status=None, why="timeout_connect"))
    assert [s.value for s in rules.signals("/")] == ["timeout_connect"]


@pytest.mark.parametrize("status", [404, 403, 401, 410])
def test_a_file_that_is_not_there_says_nothing(status):
    assert told(b"User-agent: *\nDisallow: /", status=status) == []


def test_a_file_too_long_to_be_read_is_unknown():
    name, says, value, line = told(b"# \n" * 180_000)[0]
    assert (name, says, line) == ("robots_txt", "unknown", None)
    assert "512 KiB" in value


def test_our_own_group_takes_the_place_of_the_one_for_all():
    body = (
        b"User-agent: *\nContent-Signal: ai-train=no\nDisallow: /\n\nUser-agent: Allmende/0.1\nAllow: /\nDisallow: /x\n"
    )
    assert told(body) == [("robots_txt", "allow", "Allmende/0.1: Allow: /", 6)]
    assert told(body, "/x/a.jpg") == [("robots_txt", "deny", "Allmende/0.1: Disallow: /x", 7)]


def test_only_named_agents_count_as_ai():
    assert told(b"User-agent: *\nDisallow: /") == [("robots_txt", "deny", "*: Disallow: /", 2)]
    assert told(b"User-agent: Googlebot\nDisallow: /") == []
    assert told(b"User-agent: gptbot/1.1\nDisallow: /") == [("robots_txt_ai", "deny", "gptbot/1.1: Disallow: /", 2)]


def test_any_ai_agent_suffices():
    body = b"User-agent: GPTBot\nAllow: /\nUser-agent: CCBot\nDisallow: /img/\nUser-agent: Bytespider\nDisallow: /x\n"
    assert told(body, "/x.jpg") == [("robots_txt_ai", "deny", "Bytespider: Disallow: /x", 6)]
    assert told(body, "/img/a.jpg") == [("robots_txt_ai", "deny", "CCBot: Disallow: /img/", 4)]
    assert told(body, "/a.jpg") == []


def test_groups_of_an_ai_agent_are_one():
    body = b"User-agent: GPTBot\nDisallow: /\n\nUser-agent: *\nDisallow:\n\nUser-agent: gptbot\nAllow: /free/\n"
    assert told(body, "/free/a.jpg") == []
    assert told(body, "/a.jpg") == [("robots_txt_ai", "deny", "GPTBot: Disallow: /", 2)]


def rules_of_many(agents, count):
    """Each agent has a rule of its own, and all have `count` together, so that no two are under the same."""
    own = "".join(f"User-agent: {agent}\nAllow: /bot\nAllow: /{agent}\n" for agent in agents)
    names = "".join(f"User-agent: {agent}\n" for agent in agents)
    return f"{own}{names}Disallow: /bot\n{''.join(f'Disallow: /{i}{chr(10)}' for i in range(count))}".encode()


def test_a_file_that_would_make_big_tables_for_each_agent_is_read_strictly():
    agents = [f"agent{letter}" for letter in "abcdefghijkl"]
    assert told(rules_of_many(agents, 10), "/bot", ai_agents=keys(agents)) == []
    many = told(rules_of_many(agents, RULES // 10), "/bot", ai_agents=keys(agents))
    assert [signal[:3] for signal in many] == [("robots_txt_ai", "deny", "agenta: Disallow: /bot")]


def test_a_recipe_may_name_other_agents():
    body = b"User-agent: GPTBot\nDisallow: /\n\nUser-agent: MyBot\nDisallow: /x\n"
    assert told(body, "/x", ai_agents=keys(["MyBot"])) == [("robots_txt_ai", "deny", "MyBot: Disallow: /x", 5)]


def test_content_usage_of_the_most_specific_path():
    body = b"User-agent: *\nContent-Usage: train-ai=n\nContent-Usage: /ai-ok/ train-ai=y\nAllow: /\nDisallow: /never/\n"
    usage = [t for t in told(body, "/test") if t[0] == "content_usage"]
    assert usage == [("content_usage", "deny", "train-ai=n", 2)]
    usage = [t for t in told(body, "/ai-ok/test") if t[0] == "content_usage"]
    assert usage == [("content_usage", "allow", "/ai-ok/ train-ai=y", 3)]


def test_a_statement_before_any_group_is_for_all():
    body = b"Content-Signal: ai-train=no\nUser-agent: allmende\nAllow: /\n"
    assert ("content_signal", "deny", "ai-train=no", 1) in told(body)


def test_statements_of_one_kind_are_few_and_the_strictest_comes_first():
    lines = "".join(f"Content-Signal: ai-train=yes, search={word}\n" for word in "abcdefgh")
    body = f"User-agent: *\n{lines}Content-Signal: ai-train=no\n".encode()
    found = told(body)
    assert len(found) == STATEMENTS
    assert found[0][1] == "deny"


def test_ai_txt():
    rules = AiTxtRules(Said(url="https://a.example/ai.txt", status=200, body=b"Disallow: *.jpg"))
    assert [(s.name, s.says, s.value, s.line) for s in rules.signals("/a.jpg")] == [
        ("ai_txt", "deny", "Disallow: *.jpg", 1)
    ]
    assert rules.signals("/a.txt") == ()


def test_an_ai_txt_that_can_not_be_had_says_nothing():
    assert AiTxtRules(Said(url="", status=503)).signals("/") == ()


def test_an_ai_txt_in_another_language_is_unknown():
    (signal,) = AiTxtRules(Said(url="", status=200, body=b"\n\nPlease ask first.\n")).signals("/")
    assert (signal.says, signal.value) == ("unknown", "Please ask first.")


def test_licences_are_absolute_and_each_once():
    body = b"License: https://b.example/l.xml\nUser-agent: *\nLicense: /own.xml\nLicense: /own.xml\nLicense: http://[\n"
    assert RobotsRules(said(body)).rsl_urls == ("https://b.example/l.xml", "https://a.example/own.xml")


def test_octets_that_are_no_utf_8_end_as_replacement_characters():
    ((_, _, value, _),) = told(b"User-agent: *\nDisallow: /\xff", "/%FF")
    assert value == "*: Disallow: /�"


DIRECTIVES = st.sampled_from(
    [
        *("User-agent: *", "User-agent: allmende", "User-agent: GPTBot", "User-agent: CCBot"),
        *("Disallow: /", "Disallow: /a", "Allow: /", "Allow: /a", "Sitemap: /s", "", "?"),
        *("Content-Signal: ai-train=no", "Content-Signal: ai-train=yes", "Content-Signal: x"),
        *("Content-Usage: train-ai=n", "Content-Usage: train-ai=y", "Content-Usage: /a train-ai=y"),
    ]
)


@given(st.lists(DIRECTIVES, max_size=12), st.sampled_from(["/", "/a", "/b"]))
def test_a_deny_is_never_lost_by_adding_rules_that_reserve(lines, path):
    """To the end of the file, where they fall into the last group; whoever that is."""
    before = "\n".join(lines)
    after = f"{before}\nDisallow: /\nContent-Signal: ai-train=no\nContent-Usage: train-ai=n"
    denied = {name for name, says, *_ in told(before.encode(), path) if says == "deny"}
    still = {name for name, says, *_ in told(after.encode(), path) if says == "deny"}
    assert denied <= still


@given(st.lists(DIRECTIVES, max_size=12), st.integers(0, 12), st.sampled_from(["/", "/a", "/b"]))
def test_foreign_lines_change_nothing(lines, at, path):
    more = [*lines[:at], "Sitemap: https://a.example/s.xml", "# note", "Crawl-delay: 10", "Nonsense", *lines[at:]]
    before, after = told("\n".join(lines).encode(), path), told("\n".join(more).encode(), path)
    assert [signal[:3] for signal in before] == [signal[:3] for signal in after]


@given(st.binary(max_size=300), st.text(max_size=30))
def test_takes_any_bytes(body, path):
    for signal in RobotsRules(said(body)).signals(path) + AiTxtRules(said(body)).signals(path):
        assert PRESETS["strict"].denies(signal) == (signal.says != "allow")
        signal.value.encode()
