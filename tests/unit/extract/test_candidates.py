import gc
from datetime import UTC, datetime

import msgspec
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allmende.extract import candidates
from allmende.extract.candidates import DROPPED, candidate_batches, python_row_names
from allmende.extract.judge import EachLink, Verdict, Verdicts
from allmende.extract.page import Facts, Link, LinkList, Page
from allmende.extract.row_names import row_names
from allmende.extract.urls import split_host
from allmende.identity import key64, uid
from allmende.schema import CANDIDATES, WORDS, Reason


@EachLink
def judge(url, words):
    if "logo" in url:
        return Reason.URL_BLOCKED
    return Verdict(words["alt"], "alt", "de", 0.75) if "alt" in words else Reason.NO_CAPTION


def page(number=0, images=(), dropped=None):
    facts = Facts(
        language="de",
        license="https://creativecommons.org/licenses/by/4.0/deed.de",
        robots="noai",
        content_usage="train-ai=n",
        rsl="https://example.org/l.xml",
    )
    date = datetime(2026, 10, 21, 12, tzinfo=UTC)
    return Page(
        f"https://example.org/{number}", facts, "a.warc.gz", number * 10, 9, date, LinkList(images), dropped or {}
    )


def strings(texts):
    return pa.array(texts, pa.string())


def one(items, **options):
    (batch,) = candidate_batches(items, judge, "CC-MAIN-2026-43", **options)
    return batch


def test_rows():
    links = [
        Link(
            "https://a.example:8080/ä.jpg".replace("ä", "%C3%A4"),
            "img",
            {"alt": "Ein Rad", "title": "T"},
            "vor",
            "nach",
        ),
        Link("https://b.example/2.jpg", "og:image", {"og": "x"}),
        Link("https://b.example/3.jpg", "img", {"alt": "STRASSE Ä"}),
    ]
    kept = one([page(), page(7, links)]).kept
    assert kept.schema == CANDIDATES
    first, second = kept.to_pylist()
    assert {k: v for k, v in first.items() if v is not None} == {
        "uid": uid(links[0].url, "Ein Rad"),
        "url": links[0].url,
        "caption": "Ein Rad",
        "caption_source": "alt",
        "found_in": "img",
        "alt": "Ein Rad",
        "title": "T",
        "text_before": "vor",
        "text_after": "nach",
        "language": "de",
        "language_score": 0.75,
        "page_url": "https://example.org/7",
        "page_language": "de",
        "page_license": "https://creativecommons.org/licenses/by/4.0/deed.de",
        "page_license_id": "cc-by-4.0",
        "page_robots": "noai",
        "page_content_usage": "train-ai=n",
        "page_rsl": "https://example.org/l.xml",
        "crawl": "CC-MAIN-2026-43",
        "warc_file": "a.warc.gz",
        "warc_offset": 70,
        "warc_length": 9,
        "captured_at": datetime(2026, 10, 21, 12, tzinfo=UTC),
        "url_key": key64(links[0].url),
        "host_key": key64("a.example"),
        "caption_key": key64("ein rad"),
        "seen": 1,
    }
    assert second["title"] is None
    assert second["caption_key"] == key64("strasse ä")


def test_every_image_is_counted():
    links = [
        Link("https://a.example/logo.png", "img", {"alt": "x"}),
        Link("https://a.example/1.png", "img", {"og": "x"}),
    ]
    items = [page(1, links, {Reason.URL_SCHEME: 3}), Reason.RECORD_NOT_HTML, Reason.RECORD_TRUNCATED, page(2)]
    batch = one(items)
    assert (batch.records.seen, batch.records.kept) == (4, 2)
    assert batch.records.dropped == {Reason.RECORD_NOT_HTML: 1, Reason.RECORD_TRUNCATED: 1}
    assert (batch.candidates.seen, batch.candidates.kept) == (5, 0)
    assert batch.candidates.dropped == {Reason.URL_BLOCKED: 1, Reason.NO_CAPTION: 1, Reason.URL_SCHEME: 3}
    assert batch.dropped is None


def test_dropped_rows_can_be_kept():
    links = [
        Link("https://a.example/logo.png", "img", {"alt": "x"}),
        Link("https://a.example/1.png", "img", {"alt": "y"}),
    ]
    batch = one([page(3, links)], keep_dropped=True)
    assert batch.dropped.schema == DROPPED
    (row,) = batch.dropped.to_pylist()
    assert (row["reason"], row["alt"], row["caption"], row["page_url"]) == (
        "url_blocked",
        "x",
        None,
        "https://example.org/3",
    )
    assert row["uid"] == uid(links[0].url, "")
    assert len(batch.kept) == 1


def test_a_judge_of_columns():
    def first_of_all(links):
        assert links["alt"].to_pylist() == ["x", None, None]
        assert links["og"].to_pylist() == [None, None, "y"]
        texts = ([None, None, "z"], [None, None, "og"], [None, None, "und"], [None, None, 0.5])
        reasons = ["no_caption", "url_blocked", None]
        return Verdicts(
            *(pa.array(column, pa.float32() if 0.5 in column else pa.string()) for column in (*texts, reasons))
        )

    words = [{"alt": "x"}, {"title": "t"}, {"og": "y"}]
    links = [Link(f"https://a.example/{n}.jpg", "img", of) for n, of in enumerate(words)]
    (batch,) = candidate_batches(
        [page(0), page(1, links[:2]), page(2), page(3, links[2:])], first_of_all, keep_dropped=True
    )
    (kept,) = batch.kept.to_pylist()
    assert (kept["caption"], kept["caption_source"], kept["page_url"]) == ("z", "og", "https://example.org/3")
    assert batch.dropped["page_url"].to_pylist() == ["https://example.org/1"] * 2
    assert batch.dropped["caption_key"].null_count == 2
    assert batch.candidates.dropped == {Reason.NO_CAPTION: 1, Reason.URL_BLOCKED: 1}


def test_nothing_at_all_is_one_empty_batch():
    batch = one([], keep_dropped=True)
    assert (len(batch.kept), len(batch.dropped), batch.records.seen) == (0, 0, 0)


def test_batches_are_bounded_and_nothing_is_lost_between_them():
    pages = [
        page(n, [Link(f"https://a.example/{n}/{i}.jpg", "img", {"alt": "x"}) for i in range(7)]) for n in range(900)
    ]
    batches = list(candidate_batches(iter(pages), judge, rows=1_000))
    assert all(1_000 <= len(batch.kept) < 1_007 for batch in batches[:-1])
    rows = [row for batch in batches for row in batch.kept.select(["url", "page_url"]).to_pylist()]
    assert rows == [{"url": link.url, "page_url": p.url} for p in pages for link in p.images]
    assert sum(batch.records.seen for batch in batches) == 900


def test_long_words_that_many_links_share_are_no_table_of_gigabytes():
    words = {"og": "x" * 1_000_000}
    hostile = page(0, [Link(f"https://a.example/{n}.jpg", "og:image", words) for n in range(3_000)])
    usual = page(1, [Link("https://a.example/x.jpg", "img", {"alt": "a"})])
    batch = one([hostile, usual])
    assert len(batch.kept) == 1
    assert (batch.records.seen, batch.records.kept) == (2, 1)
    assert batch.records.dropped == {Reason.RECORD_TOO_LARGE: 1}


def test_pages_with_long_words_of_their_own_are_kept_in_small_batches(monkeypatch):
    monkeypatch.setattr(candidates, "_RECORDS_AT_ONCE", 100_000)
    monkeypatch.setattr(candidates, "_BATCH_BYTES", 1_000_000)
    long = [
        msgspec.structs.replace(
            page(n, [Link(f"https://a.example/{n}.jpg", "img", {"alt": f"{n} " + "x" * 60_000})]), size=60_000
        )
        for n in range(50)
    ]
    batches = list(candidate_batches(long, judge))
    assert all(batch.kept.nbytes < 1_500_000 for batch in batches)
    assert [row["page_url"] for batch in batches for row in batch.kept.to_pylist()] == [of.url for of in long]


def test_the_cycle_collector_runs_between_batches():
    pages = (page(n, [Link("https://a.example/1.jpg", "img", {"alt": "x"})]) for n in range(3))
    for _ in candidate_batches(pages, judge, rows=1):
        assert gc.isenabled()
    assert gc.isenabled()


URLS = st.sampled_from(["https://a.example/1.jpg", "https://a.example:80/1", "http://b.example/2?x", "http://[::1]/3"])
WORDS_OF = st.dictionaries(st.sampled_from(WORDS), st.text(st.characters(exclude_categories=["Cs"]), min_size=1))


@settings(deadline=None)
@given(st.lists(st.lists(st.builds(Link, URLS, st.just("img"), WORDS_OF), max_size=4), max_size=5), st.booleans())
def test_names_are_those_of_identity(pages, keep_dropped):
    batch = one([page(n, links) for n, links in enumerate(pages)], keep_dropped=keep_dropped)
    for row in batch.kept.to_pylist():
        assert row["uid"] == uid(row["url"], row["caption"])
        assert row["url_key"] == key64(row["url"])
        assert row["host_key"] == key64(split_host(row["url"]))
        assert row["caption_key"] == key64(row["caption"].lower())
    assert batch.candidates.seen == batch.candidates.kept + sum(batch.candidates.dropped.values())
    assert batch.candidates.kept == len(batch.kept)


PLACES = st.sampled_from(["a.example", "a.example:80", "u:p@b@c.example", "[::1]:80", "[::1]", "", "x" * 300])


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(PLACES, st.text(alphabet="aé/:?", max_size=200), st.text(st.characters(exclude_categories=["Cs"])))
    )
)
def test_compiled_names_are_those_of_python(rows):
    urls = strings([f"https://{place}/{path}" for place, path, _ in rows])
    captions = strings([caption * (1 + len(path)) for _, path, caption in rows])
    assert row_names(urls, captions) == python_row_names(urls, captions)
    assert row_names(urls[2:], captions[2:]) == python_row_names(urls[2:], captions[2:])


def test_compiled_names_of_every_letter():
    letters = [chr(code) for code in range(0x20000) if not 0xD800 <= code < 0xE000]
    urls = strings(["https://a.example/"] * len(letters))
    assert row_names(urls, strings(letters)) == python_row_names(urls, strings(letters))
    lines = ["É" + letter + "A\u2013ÀÞ×ßB" for letter in letters[:0x2100]]  # another letter may make another way of it
    assert row_names(urls[: len(lines)], strings(lines)) == python_row_names(urls[: len(lines)], strings(lines))


def test_what_has_no_names():
    for urls, captions in [
        ([""], ["y"]),
        (["x"], ["y"]),
        (["https:/x"], ["y"]),
        (["https://x/"], []),
        (["https://x/"], [None]),
    ]:
        with pytest.raises(ValueError, match="URL"):
            row_names(strings(urls), strings(captions))
    with pytest.raises(TypeError, match="large_string"):
        row_names(strings(["https://x/"]), pa.array(["y"], pa.large_string()))


def test_personal_data_is_replaced_after_the_judge_and_before_the_uid():
    heard = []

    @EachLink
    def listening(url, words):
        heard.append(words["alt"])
        return Reason.NO_CAPTION if "drop" in url else Verdict(words["alt"], "alt", "de", 0.5)

    words = {"alt": "Frag info@example.org", "title": "Tel. 030 23125-000", "link_text": "mehr"}
    links = [
        Link("https://a.example/1.jpg", "img", words, "oder 192.0.2.17", "ja"),
        Link("https://a.example/2.jpg", "img", {"alt": "ein Rad"}),
        Link("https://a.example/drop.jpg", "img", {"alt": "an info@example.org"}),
    ]
    (batch,) = candidate_batches([page(1, links)], listening, None, keep_dropped=True, replace_personal=True)
    first, second = batch.kept.to_pylist()
    assert heard[0] == "Frag info@example.org"
    assert [first[name] for name in ("caption", "alt", "title", "link_text", "text_before", "text_after")] == [
        "Frag [EMAIL]", "Frag [EMAIL]", "Tel. [PHONE]", "mehr", "oder [IPV4]", "ja",
    ]  # fmt: skip
    assert first["uid"] == uid(links[0].url, "Frag [EMAIL]")
    assert first["caption_key"] == key64("frag [email]")
    assert second["uid"] == uid(links[1].url, "ein Rad")
    assert batch.dropped["alt"].to_pylist() == ["an [EMAIL]"]
    assert batch.personal == {"email": 3, "ipv4": 1, "phone": 1}
    (plain,) = candidate_batches([page(1, links)], listening, None)
    assert plain.kept["caption"][0].as_py() == "Frag info@example.org"
    assert plain.personal == {}
