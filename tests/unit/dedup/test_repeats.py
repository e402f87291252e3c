"""Lines that many documents of a host have are found and taken out; nothing else is."""

import tracemalloc

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.dedup.repeats import MOST_PARTS, Counter, Options, different_lines, frequent_lines, remove
from allmende.dedup.simplify import simplify

SOME = Options(documents=3, share=0)


def batch(documents, options=SOME):
    lines = [different_lines(text, host, options) for host, text in documents]
    return pa.record_batch(
        {
            "host_key": pa.array([host for host, _ in documents], pa.uint64()),
            "lines": pa.array(lines, pa.list_(pa.uint64())),
        }
    )


def frequent(documents, options=SOME):
    counter = Counter(options)
    counter.add(batch(documents, options))
    return counter.frequent()[0]


MENU = "Home | Contact | Imprint"
PAGES = [
    f"{MENU}\n\nPage number {word} tells a story.\nUpdated {day}.1.2024" for day, word in enumerate("abc", start=1)
]


def test_a_line_of_every_page_goes_whatever_its_numbers():
    keys = frequent([(7, page) for page in PAGES])
    assert remove(PAGES[0], 7, keys, SOME) == ("Page number a tells a story.", 2, len(PAGES[0]) - 28)


def test_it_stays_on_other_hosts():
    keys = frequent([(7, page) for page in PAGES])
    assert remove(PAGES[0], 8, keys, SOME) == (PAGES[0], 0, 0)
    assert len(frequent([(host, PAGES[0]) for host in range(5)])) == 0


def test_markdown_loses_the_same_lines():
    keys = frequent([(7, page) for page in PAGES])
    assert remove(f"# {MENU}\n\n**Page** number `a`.", 7, keys, SOME)[0] == "**Page** number `a`."


def test_a_line_counts_once_for_each_document():
    assert len(frequent([(7, "again\n" * 50), (7, "again"), (7, "other")])) == 0


def test_of_a_large_host_a_share_is_needed():
    documents = [(7, "a verse")] * 3 + [(7, f"{'x' * n} only") for n in range(1, 98)]
    assert len(frequent(documents, Options(documents=3, share=0.03))) == 1
    assert len(frequent(documents, Options(documents=3, share=0.031))) == 0


def test_paragraphs():
    options = Options(unit="paragraph", documents=2, share=0)
    documents = [(1, f"We use\ncookies.\n \n{word} text\n\n\nBye {word}") for word in ("first", "second")]
    keys = frequent(documents, options)
    assert remove(documents[0][1], 1, keys, options)[0] == "first text\n\nBye first"
    assert remove("We use\n\ncookies.", 1, keys, options).lines == 0


def test_empty_lines_and_rules_are_no_lines():
    assert len(frequent([(1, "\n\n---\n* * *\n")] * 5)) == 0
    assert remove("a\n---\n\nb", 1, np.empty(0, np.uint64), SOME) == ("a\n---\n\nb", 0, 0)


lines = st.sampled_from(["eins", "Zwei", "drei 3", "---", "", "vier\U0003fffe", "五\x85", "six\r"])
documents = st.lists(st.tuples(st.integers(0, 2), st.lists(lines, max_size=6).map("\n".join)), max_size=20)


@given(documents, st.integers(1, 3), st.randoms(use_true_random=False))
def test_it_agrees_with_the_obvious_way(documents, turns, choice):
    """In any order, in any tables, in any number of turns."""
    found = []
    for turn in range(turns):
        choice.shuffle(documents)
        counter = Counter(SOME, (turn, turns))
        cut = choice.randint(0, len(documents))
        for some in (documents[:cut], documents[cut:]):
            counter.add(batch(some))
        found.append(counter.frequent()[0])
    keys = np.sort(np.concatenate(found))
    for host, text in documents:
        kept = [
            line
            for line in text.split("\n")
            if not simplify(line)
            or sum(simplify(line) in map(simplify, other.split("\n")) for at, other in documents if at == host) < 3
        ]
        rest, gone, chars = remove(text, host, keys, SOME)
        lines = text.split("\n")
        assert sorted(frequent_lines(text, host, keys, SOME) + [line.strip() for line in kept]) == sorted(
            line.strip() for line in lines
        )
        assert [line for line in rest.split("\n") if line] == [line for line in kept if line]
        assert (gone, chars) == (text.count("\n") + 1 - len(kept), len(text) - len(rest))


def test_a_frequent_line_is_told_with_its_host():
    counter = Counter(SOME)
    counter.add(batch([(host, MENU) for host in (9, 7, 9, 7, 7)]))
    keys, hosts = counter.frequent()
    assert (keys.tolist(), hosts.tolist()) == (different_lines(MENU, 7, SOME).tolist(), [7])


def test_where_there_is_no_text_there_are_no_lines():
    assert len(frequent([(1, "")] * 5)) == 0
    assert len(frequent([])) == 0


@pytest.mark.parametrize("text", ["word\n" * 1_000_000, "\n" * 1_000_000, "word " * 1_000_000, "\U0003fffe" * 500_000])
def test_hostile_texts_are_bounded(text):
    keys = frequent([(1, "warm\nup")] * 3)
    tracemalloc.start()
    try:
        keys = frequent([(1, text)] * 3)
        rest = remove(text, 1, keys, SOME).text
        assert tracemalloc.get_traced_memory()[1] < 100e6
    finally:
        tracemalloc.stop()
    assert len(rest) <= len(text)
    assert len(frequent([(1, text)] * 3)) <= 1


def test_lines_after_the_last_that_is_looked_at_stay():
    text = "\n".join(f"w{'a' * (n % 7)} {chr(97 + n % 26)}" for n in range(MOST_PARTS + 5))
    rest, *_ = remove(text, 1, frequent([(1, text)] * 3), SOME)
    assert rest.split("\n") == text.split("\n")[MOST_PARTS:]
