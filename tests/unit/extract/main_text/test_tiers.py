"""Real processes: pages that kill them, that take too long, and that come after."""

import os
import signal
import sys

import pytest

from allmende.errors import EngineError
from allmende.extract.document import Body
from allmende.extract.extractor import Quick, make_extractor
from allmende.extract.main_text import process as under_test
from allmende.extract.main_text.process import ExtractorProcess, resident
from allmende.extract.main_text.tiers import TwoTiers
from allmende.recipe import Text
from allmende.schema import Reason

WORDS = "Ein Satz mit einigen Worten, der lang genug ist, um für einen Absatz gehalten zu werden. " * 4
HTML = f"<html><body><article><h1>Titel</h1><p>{WORDS}</p></article></body></html>"
SLOW = "<html><body>" + "<p><a href=x>ein</a> " * 150_000
MEMORY = 2_000_000_000


@pytest.fixture(scope="module")
def extractor():
    made = make_extractor(Text(markdown=True))
    yield made
    made.close()


def body(html):
    return Body("html", "https://example.org/", html)


def test_texts_come_in_order_with_markdown_if_it_is_asked_for(extractor):
    bodies = [body(HTML.replace("Titel", f"Titel {number}")) for number in range(3)]
    found = list(extractor.careful(bodies, [*map(extractor.quick, bodies)]))
    assert [text.title for text in found] == ["Titel 0", "Titel 1", "Titel 2"]
    assert found[0].markdown.startswith("# Titel 0\n")


def test_the_quick_look_needs_no_process():
    quick = Quick()
    assert isinstance(make_extractor(Text(careful=False)), Quick)
    look = quick.quick(body(HTML))
    assert WORDS.strip() in look.text
    assert list(quick.careful([body(HTML)], [look])) == [look]
    quick.close()


def test_a_page_that_the_cheap_tier_takes_for_a_menu_is_read_if_it_has_prose(extractor):
    menu = "<ul>" + "<li><a href=x>Start</a> <a href=y>Kontakt</a></li>" * 40 + "</ul>"
    page = body(f"<html><body class=sidebar>{menu}<div class=menu><p>{WORDS}</p><p>{WORDS}</p></div></body></html>")
    assert Quick().quick(page).text == ""
    look = extractor.quick(page)
    assert WORDS.strip() in look.text
    assert "Kontakt" not in look.text
    (text,) = extractor.careful([page], [look])
    assert WORDS.strip() in text.text
    assert extractor.quick(body(f"<html><body class=sidebar>{menu}</body></html>")).extractor == "resiliparse"


def test_a_page_that_takes_too_long_is_given_up_and_the_next_one_is_read():
    extractor = TwoTiers(Text(extract_seconds=2.0))
    bodies = [body(SLOW), body(HTML)]
    slow, text = extractor.careful(bodies, [extractor.quick(body(HTML))] * 2)
    assert slow is Reason.EXTRACTION_TIMEOUT
    assert text.title == "Titel"
    extractor.close()


def test_a_page_that_eats_all_memory_is_given_up_and_the_next_one_is_read():
    process = ExtractorProcess(20, 300_000_000)
    assert process.extract("<html><body>" + "<p>x<b>y</b>" * 100_000, "", markdown=False) is Reason.EXTRACTION_CRASHED
    assert process.extract(HTML, "", markdown=False).title == "Titel"
    process.close()


def test_a_process_that_somebody_kills_costs_nothing(extractor):
    page = body(HTML)
    look = [extractor.quick(page)]
    before = next(extractor.careful([page], look))
    os.kill(extractor._process._process.pid, signal.SIGKILL)
    assert next(extractor.careful([page], look)) == before


def test_a_process_that_is_worn_out_is_replaced(monkeypatch):
    process = ExtractorProcess(20, MEMORY)
    process.extract(HTML, "", markdown=False)
    first = process._process.pid
    assert resident(first) > 10_000_000
    process.extract(HTML, "", markdown=False)
    assert process._process.pid == first
    monkeypatch.setattr(under_test, "PAGES", 2)
    assert process.extract(HTML, "", markdown=False).title == "Titel"
    assert process._process.pid != first
    process.close()


def test_an_answer_that_is_none_of_ours_ends_the_process(monkeypatch):
    code = "import socket; s = socket.socket(fileno=0); s.recv(100); s.sendall(bytes(4)); s.recv(9999); s.sendall(b'\\xff' * 4)"
    monkeypatch.setattr(under_test, "COMMAND", [sys.executable, "-c", code])
    process = ExtractorProcess(20, MEMORY)
    assert process.extract(HTML, "", markdown=False) is Reason.EXTRACTION_CRASHED
    process.close()


@pytest.mark.parametrize("command", [["/bin/false"], ["/no/such/program"]])
def test_a_process_that_does_not_start_stops_the_build(command, monkeypatch):
    monkeypatch.setattr(under_test, "COMMAND", command)
    with pytest.raises(EngineError, match="extractor"):
        ExtractorProcess(20, MEMORY).extract(HTML, "", markdown=False)


def test_it_ends_when_nobody_has_it_any_more():
    process = ExtractorProcess(20, MEMORY)
    process.extract(HTML, "", markdown=False)
    pid = process._process.pid
    del process
    assert resident(pid) == 0
