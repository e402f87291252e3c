from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allmende.permission import headers
from allmende.permission.policy import NAMES
from allmende.permission.signal import Signal

NOW = datetime(2026, 11, 22, tzinfo=UTC)
URL = "https://a.example/b.jpg"
calm = settings(deadline=None)


def read(told, **options):
    return headers.signals(told, URL, now=NOW, **options)


def test_every_header_gives_its_signals():
    told = {
        "content-type": ["image/jpeg"],
        "x-robots-tag": ["noai, noindex", "otherbot: noml"],
        "tdm-reservation": ["1"],
        "tdm-policy": [" ", "https://a.example/policy.json"],
        "content-usage": ["train-ai=n"],
        "link": ['</license.xml>; rel="license"; type="application/rsl+xml"'],
    }
    assert read(told) == (
        Signal(name="noai", says="deny", value="noai", field="header:x-robots-tag", at=NOW),
        Signal(name="noindex", says="deny", value="noindex", field="header:x-robots-tag", at=NOW),
        Signal(
            name="tdmrep",
            says="deny",
            value="1; policy=https://a.example/policy.json",
            field="header:tdm-reservation",
            at=NOW,
        ),
        Signal(name="content_usage", says="deny", value="train-ai=n", field="header:content-usage", at=NOW),
        Signal(name="rsl", says="unknown", value="https://a.example/license.xml", field="header:link", at=NOW),
    )
    assert [s.name for s in read(told, licences=False)] == ["noai", "noindex", "tdmrep", "content_usage"]


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"content-type": ["image/jpeg"], "etag": ["x"]},
        {"tdm-policy": ["https://a.example/policy.json"]},
        {"x-robots-tag": ["all", "index, follow"], "link": ["</a.css>; rel=preload"], "content-usage": ["search=n"]},
        {"x-robots-tag": [], "tdm-reservation": [""], "content-usage": [], "link": []},
    ],
)
def test_silence_is_no_signal(told):
    assert read(told) == ()


def test_what_is_read_depends_on_the_kind_of_file():
    told = {"x-robots-tag": ["noimageai, noimageindex, noindex"]}
    assert [s.value for s in read(told)] == ["noimageai", "noimageindex", "noindex"]
    assert [s.value for s in read(told, bears="document")] == ["noindex"]


def test_agents():
    told = {"x-robots-tag": ["GPTBot: noindex, CCBot: noai"]}
    assert read(told, agents=()) == ()
    assert [s.value for s in read(told, agents={"ccbot"})] == ["CCBot: noai"]
    assert [s.value for s in read(told)] == ["GPTBot: noindex", "CCBot: noai"]


def test_no_server_fills_our_tables():
    told = {
        "x-robots-tag": [
            ", ".join(f"rule{i}" for i in range(5_000)),
            ", ".join(f"noai: {i}" for i in range(5_000)),
            "none",
        ]
    }
    found = [(s.name, s.says) for s in read(told)]
    assert (len(found), found[-1]) == (2 * headers.MOST_ALIKE + 1, ("noindex", "deny"))


def test_values_can_be_stored_whatever_they_are():
    told = read({name: ["noai\ud800"] for name in headers.NAMES})
    assert {s.value for s in told} == {"noai?", "noai?; policy=noai?"}
    assert {s.name for s in told} == {"noai", "tdmrep", "content_usage"}


def test_long_values_are_cut():
    assert len(read({"tdm-reservation": ["x" * 1_000]})[0].value) == 500


values = st.lists(
    st.one_of(st.text(), st.sampled_from(["noai", "1", "0", "train-ai=n", "train-ai=y", "all", "=", '"']))
)
some_headers = st.dictionaries(st.sampled_from(sorted(headers.NAMES)), values)


@calm
@given(
    some_headers,
    st.sampled_from(sorted(headers.NAMES)),
    st.text() | st.sampled_from(["0", "all", "noml", "train-ai=y"]),
)
def test_a_header_more_never_turns_a_denial_into_a_permission(told, name, value):
    before = {s.name for s in read(told) if s.says == "deny"}
    after = {s.name for s in read(told | {name: [*told.get(name, []), value]}) if s.says == "deny"}
    assert before <= after <= set(NAMES)
