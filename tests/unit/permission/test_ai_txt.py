import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.permission.ai_txt import AiMatcher, read

GENERATED = b"""\
# Spawning AI
# Prevent datasets from using the following file types

User-Agent: *
Disallow: *.jpeg
Disallow: *.jpg
Disallow: *.png
Allow: *.txt
Disallow: /
Disallow: *
"""


def decided(body, path, agent="allmende"):
    rule = AiMatcher(read(body, agent).rules).match(path)
    return rule and rule.text


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/a.jpg", "Disallow: *.jpg"),
        ("/A.JPG", "Disallow: *.jpg"),
        ("/a.jpg?width=3", "Disallow: *.jpg"),
        ("/a.txt", "Allow: *.txt"),
        ("/a.mp3", "Disallow: /"),
        ("/", "Disallow: /"),
    ],
)
def test_the_file_that_spawning_generates(path, text):
    assert decided(GENERATED, path) == text


def test_disallow_wins_ties():
    assert decided(b"User-Agent: *\nAllow: *.jpg\nDisallow: *.JPG\n", "/a.jpg") == "Disallow: *.JPG"


def test_longer_patterns_win():
    assert decided(b"User-Agent: *\nDisallow: /\nAllow: /free/\n", "/free/a.jpg") == "Allow: /free/"


def test_our_group_takes_the_place_of_the_one_for_all():
    body = b"User-Agent: *\nDisallow: /\nUser-Agent: allmende\nAllow: /\n"
    assert decided(body, "/a.jpg") == "Allow: /"
    assert decided(body, "/a.jpg", "another") == "Disallow: /"


def test_groups_of_others_are_not_ours():
    assert decided(b"User-Agent: Somebody\nDisallow: /\n", "/a.jpg") is None


def test_rules_before_any_agent_are_for_all():
    assert decided(b"Disallow: *.jpg\nUser-Agent: allmende\nAllow: /\n", "/a.jpg") == "Disallow: *.jpg"


@pytest.mark.parametrize("body", [b"", b"# nothing\n \n", b"<!doctype html><p>Disallow: /", b"\xef\xbb\xbf \n<html>"])
def test_what_says_nothing(body):
    assert read(body, "allmende").rules == ()
    assert not read(body, "allmende").unreadable


@pytest.mark.parametrize("body", [b"Please do not train on this.", b"# ai.txt\nTraining-Allowed: no\n", b"{}"])
def test_what_says_something_else(body):
    assert read(body, "allmende").unreadable


@given(
    st.lists(st.sampled_from(["Allow: /", "Allow: *.jpg", "Disallow: *.jpg", "Disallow: /", "x", ""])),
    st.integers(0, 9),
)
def test_a_disallow_more_never_turns_deny_into_allow(lines, at):
    before = "\n".join(["User-Agent: *", *lines]).encode()
    after = "\n".join(["User-Agent: *", *lines[:at], "Disallow: *", *lines[at:]]).encode()
    for path in ("/a.jpg", "/a.png"):
        if (decided(before, path) or "").startswith("Disallow"):
            assert decided(after, path).startswith("Disallow")


@given(st.binary(max_size=200), st.text(max_size=20))
def test_takes_any_bytes(body, path):
    AiMatcher(read(body, "allmende").rules).match(path)
