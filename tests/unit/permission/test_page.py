from datetime import UTC, datetime

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allmende.permission import page
from allmende.permission.signal import Signal
from allmende.schema import CANDIDATES

CAPTURED = datetime(2026, 10, 21, tzinfo=UTC)
PAGE = "https://p.example/page"
ROW = {"url": "https://i.example/images/a.jpg", "page_url": PAGE, "captured_at": CAPTURED}
calm = settings(deadline=None)


def read(bears="shown image", now=None, agents=None, **facts):
    return page.page_signals(ROW | facts, bears=bears, now=now, agents=agents)


def brief(*args, **facts):
    return [(s.name, s.says, s.field) for s in read(*args, **facts)]


def test_the_columns_are_those_of_candidates():
    assert set(page.ROW) <= set(CANDIDATES.names)


@pytest.mark.parametrize(
    ("facts", "on_images", "on_text"),
    [
        ({}, [], []),
        (
            {"page_robots": "noai\nnoindex"},
            [("noai", "deny", "meta:robots")],
            [("noai", "deny", "meta:robots"), ("noindex", "deny", "meta:robots")],
        ),
        (
            {"page_x_robots_tag": "noimageindex\nnone"},
            [("noindex", "deny", "header:x-robots-tag")],
            [("noindex", "deny", "header:x-robots-tag")],
        ),
        ({"page_tdm_reservation": "1", "page_tdm_policy": "/p"}, [], [("tdmrep", "deny", "meta:tdm-reservation")]),
        ({"page_tdm_reservation": "yes"}, [], [("tdmrep", "unknown", "meta:tdm-reservation")]),
        ({"page_content_usage": "train-ai=n\nsearch=y"}, [], [("content_usage", "deny", "header:content-usage")]),
        (
            {"page_rsl": "https://p.example/l.xml"},
            [("rsl", "unknown", "page:rsl")],
            [("rsl", "unknown", "page:rsl")],
        ),
    ],
)
def test_what_binds_the_images_of_a_page_and_what_its_text(facts, on_images, on_text):
    assert brief(**facts) == on_images
    assert brief("document", **facts) == on_text


def test_a_licence_in_the_page_is_read_for_the_file():
    licence = '<rsl xmlns="https://rslstandard.org/rsl"><content url="%s"><license><prohibits>ai-all</prohibits></license></content></rsl>'
    field = "script:application/rsl+xml"
    assert brief(page_rsl=licence % "") == [("rsl", "deny", field)]
    assert brief(page_rsl=licence % "/images/") == [("rsl", "deny", field)]
    assert brief("document", page_rsl=licence % "/images/") == []
    both = f"https://p.example/l.xml\n{licence % ''}\n<rsl"
    assert [s[1] for s in brief(page_rsl=both)] == ["unknown", "deny", "unknown"]
    assert page.page_rsl_urls({"page_rsl": both}) == ("https://p.example/l.xml",)
    assert page.page_rsl_urls({"page_rsl": None}) == ()


def test_a_signal_tells_page_and_time():
    assert read(page_robots="all, NoAI") == (
        Signal(name="noai", says="deny", value="NoAI", url=PAGE, field="meta:robots", at=CAPTURED),
    )


def test_dates_are_compared_with_the_capture_or_with_what_is_asked_for():
    rule = "unavailable_after: 2026-11-01"
    assert read("document", page_robots=rule) == ()
    (signal,) = read("document", page_robots=rule, now=datetime(2026, 11, 22, tzinfo=UTC))
    assert (signal.says, signal.at) == ("deny", CAPTURED)
    assert len(read("document", page_x_robots_tag=rule, captured_at=None, now=datetime(2026, 11, 22, tzinfo=UTC))) == 1


def test_agents():
    facts = {"page_robots": "gptbot: noai", "page_x_robots_tag": "CCBot: noai"}
    assert read(**facts, agents=()) == ()
    assert [s.value for s in read(**facts)] == ["CCBot: noai", "noai"]
    assert [s.value for s in read(**facts, agents=["gptBot"])] == ["noai"]


texts = st.none() | st.sampled_from(
    ["noai", "noindex", "gptbot: noml", "1", "train-ai=n", "https://p.example/l", "<rsl"]
)
rows = st.lists(st.fixed_dictionaries(dict.fromkeys(page.COLUMNS, texts)), max_size=8)


@calm
@given(rows, st.sampled_from(["shown image", "document"]))
def test_a_column_reads_like_its_rows(some, bears):
    some = [ROW | row for row in some]
    schema = pa.schema([CANDIDATES.field(name) for name in (*page.ROW, "url")])
    table = pa.Table.from_pylist(some, schema)
    expected = [page.page_signals(row, bears=bears) for row in some]
    assert page.page_signals_column(table, bears=bears) == expected
    for batch in table.to_batches():
        assert page.page_signals_column(batch, bears=bears) == expected


def test_a_table_without_facts_says_nothing():
    assert page.page_signals_column(pa.table({"url": ["a", "b"]})) == [(), ()]


@calm
@given(
    st.fixed_dictionaries(dict.fromkeys(page.COLUMNS, st.none() | st.text())), st.sampled_from(page.COLUMNS), st.text()
)
def test_any_text_and_a_line_more(facts, name, line):
    """`tdm-reservation` is not a list of lines."""
    before = {s for s in read("document", **facts) if s.says == "deny"}
    if name in ("page_tdm_reservation", "page_tdm_policy"):
        return
    more = facts | {name: f"{facts[name]}\n{line}" if facts[name] else line}
    assert before <= {s for s in read("document", **more) if s.says == "deny"}
