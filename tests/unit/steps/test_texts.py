"""Documents: from archives to rows, or to a Reason each."""

import pytest

from allmende.errors import RecipeError
from allmende.identity import uid
from allmende.progress import Underway
from allmende.schema import DOCUMENTS, DROPPED_PAGES
from allmende.steps import text_part, texts
from allmende.steps.list_screen import read_hits
from allmende.steps.tombstone_folder import TombstoneFolder
from allmende.testing.archives import Archive, cut_in_member, warc_record
from allmende.testing.text_pages import page, paragraphs, text_archive

GERMAN = '[text]\nlanguages = ["de"]\n'


GARBLED = page("de", [text.replace("e", "\ufffd", 9) for text in paragraphs("de", 1)])


def one(html="", url="http://a.example/", **options):
    archive = Archive()
    archive.page(url, html, **options)
    return archive


def fate(dataset):
    """What became of the only page."""
    tally = dataset.run("documents").tally("documents")
    assert (tally.seen, tally.balanced()) == (1, True)
    return next(iter(tally.dropped), "kept")


def test_every_page_is_kept_or_counted(text_dataset):
    dataset = text_dataset([text_archive(n, pages=16) for n in range(2)], '[text]\nlanguages = ["de", "fr"]\n')
    dataset.run("documents")
    records, documents = dataset.tally("documents", "record"), dataset.tally("documents")
    assert (records.seen, records.dropped) == (46, {"record_not_text": 2})
    assert documents.seen == records.kept == 44
    assert documents.dropped == {"text_language": 16, "permission_denied": 2, "text_short": 2}
    assert documents.balanced()
    rows = dataset.rows("documents")
    assert rows.schema.equals(DOCUMENTS)
    assert len(rows) == documents.kept == 24
    assert set(rows["language"].to_pylist()) == {"de", "fr"}


def test_letters_that_were_encoded_twice_are_mended(text_dataset):
    html = page("de", [f"{paragraph} Grün ist die Straße." for paragraph in paragraphs("de", 1)])
    mended, whole = (
        text_dataset([one(each)]).run("documents").rows("documents")["uid"].to_pylist()
        for each in (html.encode().decode("cp1252"), html)
    )
    assert mended == whole


def test_a_row_tells_where_it_comes_from(text_dataset):
    archive = Archive()
    text = paragraphs("de", 1)
    place = archive.page("http://a.example/x#y", page("de", text, '<link rel=license href="//cc.example/by">'))
    row = text_dataset([archive]).run("documents").rows("documents").to_pylist()[0]
    assert (row["url"], row["warc_file"], row["crawl"]) == ("http://a.example/x", "set-00.warc.gz", None)
    assert (row["warc_offset"], row["warc_length"]) == (place.offset, place.length)
    assert (row["page_language"], row["page_license"]) == ("de", "http://cc.example/by")
    assert row["uid"] == uid(row["url"], row["text"])
    assert "".join(text).replace(" ", "") in row["text"].replace("\n", "").replace(" ", "")
    assert "Home" not in row["text"]
    assert (row["verdict"], row["policy"], row["signals"]) == ("allowed", "eu-commercial/2026-11-22", [])
    assert (row["seen"], row["cluster_size"], row["quality"], row["markdown"]) == (1, None, None, None)


def test_text_files_and_wet_files_have_text_of_their_own(text_dataset):
    archive = Archive()
    archive.response("http://a.example/t", "\r\n".join(paragraphs("de", 1)).encode(), content_type="text/plain")
    wet = "\n".join(paragraphs("de", 2)).encode()
    archive.add(warc_record("conversion", wet, url="http://a.example/w"))
    archive.response("http://a.example/b", b"text\0with zeros" * 50, content_type="text/plain")
    archive.add(warc_record("conversion", b" \n ", url="http://a.example/e"))
    dataset = text_dataset([archive], '[quality]\npreset = "none"').run("documents")
    rows = dataset.rows("documents").to_pylist()
    assert [(row["url"], row["extractor"]) for row in rows] == [
        ("http://a.example/t", "plain"),
        ("http://a.example/w", "wet"),
    ]
    assert rows[1]["text"] == wet.decode()
    assert dataset.tally("documents", "record").dropped == {"record_not_text": 1, "record_empty": 1}


@pytest.mark.parametrize(
    ("html", "options", "sections", "reason"),
    [
        (page("de", paragraphs("de", 1)), {}, GERMAN, "kept"),
        (page("de", paragraphs("fr", 1)), {}, GERMAN, "text_language"),
        (page("de", ["Ein Satz."]), {}, GERMAN, "text_short"),
        (page("de", paragraphs("de", 1)), {}, "[text]\nmax_chars = 300", "text_long"),
        ("<html><body></body></html>", {}, "", "text_empty"),
        (GARBLED, {}, GERMAN, "text_garbled"),
        (GARBLED, {}, GERMAN + 'max_garbled = 1\n[quality]\npreset = "none"', "kept"),
        (page("de", [paragraphs("de", 1)[0]] * 9), {}, GERMAN, "quality_dup_line_frac"),
        (page("de", [paragraphs("de", 1)[0]] * 9), {}, GERMAN + '[quality]\npreset = "none"', "kept"),
        (
            page("de", paragraphs("de", 1)),
            {},
            GERMAN + '[quality]\nlimits = ["word_count >= 9000"]',
            "quality_word_count",
        ),
        (page("de", paragraphs("de", 1)), {}, GERMAN + '[quality]\nlimits = ["fr: word_count >= 9000"]', "kept"),
        (page("de", paragraphs("de", 1)), {"headers": [("X-Robots-Tag", "noindex")]}, "", "permission_denied"),
        (page("de", paragraphs("de", 1), '<meta name="tdm-reservation" content="1">'), {}, "", "permission_denied"),
        (
            page("de", paragraphs("de", 1), '<meta name="tdm-reservation" content="1">'),
            {},
            '[permission]\ntdmrep = "allow"',
            "kept",
        ),
        (page("de", paragraphs("de", 1), '<meta name="robots" content="noimageai">'), {}, "", "kept"),
    ],
)
def test_the_first_rule_that_is_broken_names_the_reason(text_dataset, html, options, sections, reason):
    assert fate(text_dataset([one(html, **options)], sections)) == reason


def test_unwanted_domains_go_and_known_illegal_ones_leave_a_keyed_hash(text_dataset, tmp_path):
    unwanted, illegal = tmp_path / "bad.txt", tmp_path / "illegal.txt"
    unwanted.write_text("# category: piracy\nbad.example\n")
    illegal.write_text("# kind: domain\nworse.example\n")
    archive = Archive()
    for host in ("good", "bad", "worse"):
        archive.page(f"http://{host}.example/", page("de", paragraphs("de", host)))
    lists = f'domain_lists = ["{unwanted}"]\ndrop_categories = ["piracy"]\nhash_lists = ["domain:{illegal}"]'
    dataset = text_dataset([archive], f"[safety]\n{lists}\n").run("documents")
    assert dataset.tally("documents").dropped == {"url_listed": 1, "listed": 1}
    hits = dataset.rows("documents", ".hits.parquet").to_pylist()
    assert [(hit["list"], hit["where"]) for hit in hits] == [("illegal", "page")]
    assert "worse" not in repr(hits)


@pytest.mark.parametrize("steps", [("documents",), ("pages", "repeated", "documents")])
def test_why_a_page_was_dropped_can_be_looked_up(text_dataset, tmp_path, steps):
    illegal, log = tmp_path / "illegal.txt", TombstoneFolder(str(tmp_path / "log"))
    illegal.write_text("# kind: domain\nworse.example\n")
    log.create()
    log.append([("url", "http://a.example/gone")], "other", "T", "2026-10-21T12:00:00Z")
    french = [*paragraphs("fr", 1), "Questions à hans.meier@verein-am-see.de le soir."]
    archive = Archive()
    for name, html in {
        "good": page("de", paragraphs("de", 1)),
        "french": page("fr", french),
        "short": page("de", ["Ein Satz."]),
        "gone": page("de", ["Noch ein Satz."]),
        "bad": page("de", [paragraphs("de", 1)[0]] * 9),
        "reserved": page("de", paragraphs("de", 2), '<meta name="tdm-reservation" content="1">'),
    }.items():
        place = archive.page(f"http://a.example/{name}", html)
    archive.page("http://worse.example/", page("de", paragraphs("de", 3)))
    sections = '[text]\nlanguages = ["de"]\nkeep_dropped = true\n'
    sections += f'[safety]\ntombstones = "{tmp_path / "log"}"\nhash_lists = ["domain:{illegal}"]\n'
    sections += '[repeats]\nunit = "line"\n' if len(steps) > 1 else ""
    dataset = text_dataset([archive], sections).run(*steps)
    folders = [name for name in steps if name != "repeated"]
    tables = [dataset.rows(name, ".dropped.parquet") for name in folders]
    assert all(table.schema.equals(DROPPED_PAGES) for table in tables)
    rows = {row["url"].rsplit("/", 1)[-1]: row for table in tables for row in table.to_pylist()}
    assert {name: row["reason"] for name, row in rows.items()} == {
        "french": "text_language",
        "short": "text_short",
        "bad": "quality_dup_line_frac",
        "reserved": "permission_denied",
    }
    assert (rows["french"]["language"], rows["bad"]["language"], rows["short"]["language"]) == ("fr", "de", None)
    assert "[EMAIL]" in rows["french"]["text"]
    assert rows["bad"]["chars"] == len(rows["bad"]["text"])
    assert rows["short"]["text"].endswith("Ein Satz.")
    assert (rows["reserved"]["text"], rows["reserved"]["chars"]) == (None, None)
    reserved = rows["reserved"]
    assert (reserved["warc_offset"], reserved["warc_length"]) == (place.offset, place.length)
    assert reserved["warc_file"] == "set-00.warc.gz"
    assert (
        sum(sum(dataset.tally(name).dropped.values()) for name in folders) == len(rows) + 2
    )  # one listed, one taken down
    assert read_hits(dataset.lake)["where"].to_pylist() == ["page"]


def test_personal_data_is_replaced_before_the_uid_is_made(text_dataset):
    text = [*paragraphs("de", 1), "Fragen beantwortet hans.meier@verein-am-see.de gern."]
    dataset = text_dataset([one(page("de", text))]).run("documents")
    row = dataset.rows("documents").to_pylist()[0]
    assert "[EMAIL]" in row["text"]
    assert "hans.meier" not in row["text"]
    assert row["uid"] == uid(row["url"], row["text"])
    assert dataset.facts("documents")["personal_email"] == 1


def test_fates_are_counted_by_language(text_dataset):
    facts = text_dataset([text_archive(0, pages=8)], GERMAN).run("documents").facts("documents")
    fates = {name: count for name, count in facts.items() if "/" in name}
    assert fates == {
        "de/kept": 5,
        "de/permission_denied": 1,
        "en/text_language": 2,
        "fr/text_language": 3,
        "pl/text_language": 2,
    }


def test_a_truncated_archive_costs_its_last_record(text_dataset):
    whole = text_archive(0, pages=4).to_bytes()
    dataset = text_dataset([cut_in_member(whole, 4)], '[quality]\npreset = "none"').run("documents")
    assert dataset.tally("documents", "record").dropped == {"record_truncated": 1}
    assert dataset.tally("documents").kept == 3


def test_signals_are_stored_and_the_rules_apply_by_what_is_stored(text_dataset):
    repeated = [paragraphs("de", 1)[0]] * 9
    archive = Archive()
    archive.page("http://a.example/good", page("de", paragraphs("de", 2)))
    archive.page("http://a.example/bad", page("de", repeated))
    straight = text_dataset([archive], GERMAN, "straight").run("documents", "unique", "near", "release/shards")
    measured = text_dataset([archive], GERMAN + "[quality]\nsignals = true", "measured")
    measured.run("documents", "quality", "unique", "near", "release/shards")
    values = [dict(row) for row in measured.rows("documents")["quality"].to_pylist()]
    assert values[0]["dup_line_frac"] == 0
    assert values[1]["dup_line_frac"] > 0.7
    assert measured.tally("quality").dropped == straight.tally("documents").dropped == {"quality_dup_line_frac": 1}
    assert [row["url"] for row in measured.released()] == [row["url"] for row in straight.released()]
    loose = text_dataset(
        [archive], GERMAN + '[quality]\nsignals = true\nlimits = ["dup_line_frac <= 1"]', "measured"
    ).run("quality")
    assert next(iter(loose.tally("quality").dropped)) != "quality_dup_line_frac"


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ('[text]\nlanguages = ["german"]', "none that can be identified"),
        ('[text]\nlanguages = ["de"]\n[quality]\npreset = "gopher"', "no thresholds for 'de'"),
        ('[quality]\nlimits = ["words > 3"]', "is no threshold"),
        ('[quality]\nlimits = ["words >= 3"]', "no measure 'words'"),
    ],
)
def test_a_recipe_that_could_match_nothing_is_refused(text_dataset, sections, message):
    dataset = text_dataset([one(page("de", paragraphs("de", 1)))], sections)
    with pytest.raises(RecipeError, match=message):
        texts.plan(dataset.recipe, dataset.lake)


def test_a_mixed_page_tells_the_languages_of_its_paragraphs(text_dataset):
    mixed = page("de", [*paragraphs("de", 1), *paragraphs("fr", 1, count=2)])
    row = text_dataset([one(mixed)], '[quality]\npreset = "none"').run("documents").rows("documents").to_pylist()[0]
    assert row["language"] == "de"
    assert [found["language"] for found in row["languages"]] == ["de", "fr"]
    assert sum(found["share"] for found in row["languages"]) == pytest.approx(1)


def test_pages_that_pass_the_first_look_are_read_carefully(text_dataset):
    archive = one(page("de", paragraphs("de", 1), '<meta name="author" content="Ada Lovelace">'))
    archive.response("http://a.example/t", "\n".join(paragraphs("de", 2)).encode(), content_type="text/plain")
    rows = (
        text_dataset([archive], "[text]\nmarkdown = true", careful=True).run("documents").rows("documents").to_pylist()
    )
    assert [row["extractor"].partition("-")[0] for row in rows] == ["trafilatura", "plain"]
    assert rows[0]["author"] == "Ada Lovelace"
    assert rows[0]["markdown"].startswith("# ")


@pytest.mark.parametrize(("agents", "expected"), [("", "permission_denied"), ('ai_agents = ["OtherBot"]', "kept")])
def test_a_meta_tag_for_an_agent_binds_us_if_the_recipe_names_it(text_dataset, agents, expected):
    html = page("de", paragraphs("de", 1), '<meta name="gptbot" content="noindex">')
    assert fate(text_dataset([one(html)], f"[permission]\n{agents}\n")) == expected


@pytest.mark.parametrize(("step", "sections"), [("documents", ""), ("pages", '[repeats]\nunit = "line"')])
def test_archives_tell_how_far_they_are_read(text_dataset, monkeypatch, step, sections):
    told = []

    class Told(Underway):
        due = True

        def tell(self, rows):
            told.append(rows)

    monkeypatch.setattr(text_part, "Underway", Told)
    dataset = text_dataset([text_archive(0, pages=16)], sections).run(step)
    assert told == sorted(told)
    assert told[-1] == dataset.tally(step).seen > 0
