import tomllib
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from allmende.permission.robots import (
    PARSED_BYTES,
    Matcher,
    availability,
    key,
    keys,
    octets,
    parse,
    path_of,
    pattern,
    printable,
)

VECTORS = tomllib.loads(Path(__file__).with_name("robots_vectors.toml").read_text("utf-8"))["case"]


def allowed(body, path, agent="foobot"):
    if isinstance(body, str):
        body = body.encode()
    rules = [rule for group in parse(body).applicable(agent) for rule in group.rules]
    rule = Matcher(rules).match(octets(path))
    return rule is None or rule.allow


@pytest.mark.parametrize("case", VECTORS, ids=lambda case: case["name"])
def test_definite_cases(case):
    agent = case.get("agent", "anybot")
    assert {path: allowed(case["body"], path, agent) for path in case["allowed"]} == case["allowed"]


@pytest.mark.parametrize("mark", [b"\xff\xfe", b"\xfe\xff"])
def test_utf_16_with_its_mark(mark):
    text = "User-agent: *\nDisallow: /ä\n"
    body = mark + text.encode("utf-16-le" if mark == b"\xff\xfe" else "utf-16-be")
    assert not allowed(body, "/%C3%A4")


def test_utf_16_without_a_mark():
    assert not allowed("User-agent: *\nDisallow: /x\n".encode("utf-16-le"), "/x")


def test_marks_of_joined_files():
    assert not allowed("User-agent: a\nAllow: /\n\ufeffUser-agent: *\nDisallow: /\n", "/")


def test_octets_that_are_no_utf_8():
    assert not allowed(b"User-agent: *\nDisallow: /\xe4/\n", "/%E4/")
    assert allowed(b"User-agent: *\nDisallow: /\xe4/\n", "/%C3%A4/")


def test_more_than_five_hundred_kib_are_read():
    body = b"#" * (500 * 1024) + b"\nUser-agent: *\nDisallow: /x\n"
    assert not allowed(body, "/x")
    assert not parse(body).cut


def test_a_line_at_the_limit_is_not_read_half():
    head = b"User-agent: *\nDisallow: /\n"
    tail = b"Allow: /open-to-all"
    body = head + b"#" * (PARSED_BYTES - len(head) - len(b"\nAllow: /")) + b"\n" + tail
    read = parse(body)
    assert read.cut
    assert [rule.text for group in read.groups for rule in group.rules] == ["Disallow: /"]


@pytest.mark.parametrize("line", ["Disalow: /", "dissallow: /", "Disallow /", "disallow\t/ # why"])
def test_misspellings_that_google_reads(line):
    assert not allowed(f"User-agent: *\n{line}\n", "/")


@pytest.mark.parametrize("line", ["Useragent: foobot", "user agent: foobot", "User-agent foobot"])
def test_misspelt_agents(line):
    assert not allowed(f"{line}\nDisallow: /\n", "/")


@pytest.mark.parametrize("end", ["\x0b", "\x0c", "\x1c", "\x85", "\u2028"])
def test_only_cr_and_lf_end_lines(end):
    assert allowed(f"User-agent: *\nDisallow: /x{end}Disallow: /y\n", "/y")


def test_lines_are_counted_from_one_whatever_ends_them():
    body = b"# 1\r\n\r\nUser-agent: *\rDisallow: /\nContent-Signal: ai-train=no\r\nLicense: /l.xml"
    read = parse(body)
    (group,) = read.groups
    assert ([rule.line for rule in group.rules], [r.line for r in group.records]) == ([4], [5])
    assert [(r.value, r.line) for r in read.licenses] == [("/l.xml", 6)]


def test_other_records_are_kept_where_they_stand():
    read = parse(b"Content-Signal: a\nUser-agent: x\nContent-Usage: /p train-ai=n # why\nSitemap: s\nAllow: /\n")
    assert [(r.name, r.value) for r in read.loose] == [("content-signal", "a")]
    assert [(r.name, r.value) for r in read.groups[0].records] == [("content-usage", "/p train-ai=n")]


def test_values_keep_their_colons():
    assert parse(b"License: https://a.example:8080/l.xml").licenses[0].value == "https://a.example:8080/l.xml"


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("GPTBot", "gptbot"),
        ("GPTBot/1.1", "gptbot"),
        ("GPTBot/1.1 (+https://openai.com/gptbot)", "gptbot"),
        ("img2dataset", "img2dataset"),
        ("panscient.com", "panscient"),
        ("ChatGPT  Agent", "chatgpt agent"),
        ("*", "*"),
        ("", ""),
        ("/", ""),
    ],
)
def test_keys_of_names(name, found):
    assert key(name) == found


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("ChatGPT Agent", "ChatGPT Agent"),
        ("ChatGPT agent", "ChatGPT"),
        ("Mozilla/5.0 (compatible; CCBot/2.0; +http://commoncrawl.org/faq/)", "CCBot"),
        ("GPTBot, CCBot", "CCBot"),
        ("CCBot (https://commoncrawl.org/faq/)", "CCBot"),
        ("* all", "*"),
    ],
)
def test_user_agent_lines_are_found(line, name):
    assert key(name) in set(keys(line))


@pytest.mark.parametrize(("line", "name"), [("ChatGPT-User", "ChatGPT Agent"), ("img", "img2dataset"), ("bot*", "*")])
def test_user_agent_lines_of_others(line, name):
    assert key(name) not in set(keys(line))


@pytest.mark.parametrize(
    ("answer", "statuses"),
    [
        ("parse", [200, 204, 299]),
        ("allow", [400, 401, 403, 404, 410, 451, 499]),
        ("deny", [429, 500, 503, 599, 301, 100, 600, 0, None]),
    ],
)
def test_availability(answer, statuses):
    assert {availability(status) for status in statuses} == {answer}


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://a.example/b/c.jpg?d=e#f", "/b/c.jpg?d=e"),
        ("https://a.example", "/"),
        ("https://a.example?x", "?x"),
        ("https://a.example?x=/y", "?x=/y"),
        ("https://a.example#/y", "/"),
    ],
)
def test_paths_of_urls(url, path):
    assert path_of(url) == path


def test_a_query_without_a_path_is_one_of_the_root():
    assert octets("?x") == "/?x"


def test_printable_text_can_be_stored():
    assert printable(b"/\xff".decode("utf-8", "surrogateescape")) == "/�"


@pytest.mark.parametrize(
    ("text", "path", "matches"),
    [
        ("/" + "*a" * 20_000 + "b", "/" + "a" * 20_000, False),
        ("/" + "*a" * 20_000 + "b$", "/" + "a" * 40_000 + "b", True),
        ("/" + "a*" * 20_000 + "$", "/" + "a" * 20_000 + "b", True),
        ("/" + "*" * 100_000 + "$", "/" + "a" * 20_000, True),
        ("/*" + "a" * 10_000 + "*b", "/" + ("a" * 9_999 + "c") * 5, False),
    ],
)
def test_hostile_patterns_come_to_an_end(text, path, matches):
    """In milliseconds. A matcher that backtracks would not come back in our lifetime."""
    assert pattern(text).matches(octets(path)) == matches


PATHS = st.text("/ab$?*%2Aä", max_size=8).map(lambda text: f"/{text}")


def reference(text, path):
    """Is there a way to read the pattern? Tries all of them."""
    if text == "":
        return True
    if text == "$":
        return path == ""
    if text[0] == "*":
        return any(reference(text[1:], path[i:]) for i in range(len(path) + 1))
    return path[:1] == text[0] and reference(text[1:], path[1:])


@given(st.text("/ab*$", max_size=8), st.text("/ab", max_size=8).map(lambda text: f"/{text}"))
@example("/*$", "/a")
@example("*a$", "/aa")
@example("/a*a$", "/a")
@example("$", "/")
def test_the_matcher_is_that_of_the_definition(text, path):
    """`$` in the middle of a pattern is a character, which no path here has."""
    if "$" in text[:-1]:
        text = text.replace("$", "~")
    assert pattern(text).matches(octets(path)) == reference(text, path)


@given(PATHS)
def test_one_form_for_all_spellings(path):
    once = octets(path)
    assert octets(once) == once
    assert once.isascii()
    encoded = "".join(f"%{octet:02x}" if octet in b"ab\xc3\xa4" else chr(octet) for octet in path.encode())
    if "%" not in path:
        assert octets(encoded) == once


@given(PATHS.filter(lambda path: "%" not in path))
def test_a_path_matches_itself_as_a_pattern(path):
    text = path.replace("*", "%2A").replace("$", "%24")
    assert pattern(text).matches(octets(path))
    assert pattern(f"{text}$").matches(octets(path))


PATTERNS = st.text("/ab*$", max_size=5) | st.text("ab*$", max_size=2).map("/{}".format)
RULES = st.lists(st.tuples(st.sampled_from(["Allow", "Disallow"]), PATTERNS), max_size=6)


@given(RULES, st.text("/ab", max_size=5).map("/{}".format), PATTERNS, st.integers(0, 6))
def test_a_disallow_more_never_turns_deny_into_allow(rules, path, text, at):
    lines = [f"{name}: {value}" for name, value in rules]
    before = "\n".join(["User-agent: *", *lines])
    after = "\n".join(["User-agent: *", *lines[:at], f"Disallow: {text}", *lines[at:]])
    if not allowed(before, path):
        assert not allowed(after, path)


@given(RULES, st.text("/ab", max_size=5), st.randoms(use_true_random=False))
def test_the_order_of_rules_says_nothing(rules, path, random):
    lines = [f"{name}: {value}" for name, value in rules]
    shuffled = random.sample(lines, len(lines))
    assert allowed("\n".join(["User-agent: *", *lines]), path) == allowed("\n".join(["User-agent: *", *shuffled]), path)


LINES = st.lists(st.sampled_from([b"user-agent:", b"allow:", b"disallow:", b"*", b"$"]) | st.binary(max_size=9)).map(
    b"\n".join
)


@given(st.binary(max_size=400) | LINES)
@example(b"\xff\xfe\x00")
@example(b"\xfe\xff\xd8\x00")
@example(b"user-agent:\xed\xa0\x80\ndisallow:/\xed\xa0\x80")
def test_takes_any_bytes(body):
    for group in parse(body).groups:
        matcher = Matcher(group.rules)
        matcher.match(octets(body.decode("latin-1")))
        assert all(printable(rule.text).encode() for rule in group.rules)
