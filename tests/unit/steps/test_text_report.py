"""What report and card are told of a release of text: the rows that were released, and no others."""

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from allmende.dataset import Dataset
from allmende.lock import leave
from allmende.publish.card import card_markdown
from allmende.publish.report import report_html
from allmende.steps.documents import release_data
from allmende.steps.tombstone_folder import TombstoneFolder
from allmende.testing.archives import Archive
from allmende.testing.text_pages import page, paragraphs

CHAIN = ("documents", "unique", "near", "release/shards")


def pages(*languages):
    """A page in each language; an equal twin of the first; one that reserves itself; one that is too short."""
    archive = Archive()
    for number, language in enumerate(languages):
        archive.page(f"http://site{number % 2}.example/{number}", page(language, paragraphs(language, number)))
    archive.page("http://twin.example/", page(languages[0], paragraphs(languages[0], 0)))
    noai = '<meta name="robots" content="noai">'
    archive.page("http://no.example/", page(languages[0], paragraphs(languages[0], 77), noai))
    archive.page("http://short.example/", page(languages[0], ["Kurz."]))
    return archive


def report_of(dataset):
    try:
        return release_data(Dataset(dataset.lake))
    finally:
        leave(dataset.lake)


@pytest.fixture
def tokenizer(tmp_path):
    made = Tokenizer(models.WordLevel(unk_token="?"))
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    made.train_from_iterator(["ein Wort"], trainers.WordLevelTrainer(special_tokens=["?"]))
    made.save(str(tmp_path / "tokenizer.json"))
    return tmp_path / "tokenizer.json"


def test_figures_are_those_of_the_release(text_dataset):
    dataset = text_dataset([pages("de", "de", "fr", "de")], '[quality]\npreset = "none"').run(*CHAIN)
    released, data = dataset.released(), report_of(dataset)
    figures = data.figures
    assert figures.size.documents == len(released) == 4
    assert figures.size.characters == sum(row["chars"] for row in released)
    assert {code: size.documents for code, size in figures.languages.items()} == {"de": 3, "fr": 1}
    assert (figures.duplicates.equal, figures.duplicates.repeated) == (5, 1)
    assert figures.duplicates.near == sum(row["cluster_size"] for row in released)
    assert figures.hosts.value == len({row["host_key"] for row in released})
    assert {excerpt.url for excerpt in data.excerpts} == {row["url"] for row in released}


def test_what_a_page_reserved_is_counted_by_signal_and_language(text_dataset):
    data = report_of(text_dataset([pages("de", "fr")], '[quality]\npreset = "none"').run(*CHAIN))
    consent = data.figures.permissions
    assert (consent.judged, consent.dropped) == (3, 1)
    assert {signal.name: signal.dropped for signal in consent.signals if signal.dropped} == {"noai": 1}
    assert data.funnel.languages[0] == "de"
    assert dict(data.funnel.reasons)["permission_denied"] == (1, 0)


def test_what_captured_robots_txt_said_is_counted_too(text_dataset, tmp_path):
    captures = Archive("robots.warc.gz")
    body = b"User-agent: *\nDisallow: /0\n"
    captures.response("http://site0.example/robots.txt", body, content_type="text/plain")
    (tmp_path / "robots.warc.gz").write_bytes(captures.to_bytes())
    sections = f'[permission]\ncaptures = ["{tmp_path / "robots.warc.gz"}"]\n[quality]\npreset = "none"'
    dataset = text_dataset([pages("de", "fr", "de")], sections)
    dataset.run("documents", "robots", "permitted", "unique", "near", "release/shards")
    consent = report_of(dataset).figures.permissions
    counted = {signal.name: (signal.met, signal.dropped) for signal in consent.signals if signal.met}
    assert counted["robots_txt"][1] == 1
    assert consent.dropped == dataset.tally("permitted").dropped["permission_denied"] + 1


def test_taken_down_documents_are_in_no_figure(text_dataset, tmp_path):
    log = TombstoneFolder(str(tmp_path / "log"))
    log.create()
    sections = f'[safety]\ntombstones = "{tmp_path / "log"}"\n[quality]\npreset = "none"'
    dataset = text_dataset([pages("de", "de", "fr")], sections).run("documents", "unique", "near")
    log.append([("domain", "site0.example")], "other", "T", "2026-10-21T12:00:00Z")
    released = dataset.run("release/shards").released()
    assert report_of(dataset).figures.size.documents == len(released) < dataset.tally("near").kept


def test_tokens_are_counted_for_each_document_and_language(text_dataset, tokenizer):
    sections = f'[publish]\ntokenizer = "{tokenizer}"\n[quality]\npreset = "none"'
    dataset = text_dataset([pages("de", "fr")], sections).run(*CHAIN)
    released, data = dataset.released(), report_of(dataset)
    assert [row["tokens"] for row in released] == [row["words"] for row in released]
    assert data.figures.size.tokens == sum(row["words"] for row in released)
    assert data.figures.languages["fr"].tokens == sum(row["words"] for row in released if row["language"] == "fr")


def test_what_was_taken_out_of_texts_is_told(text_dataset):
    notice = "Dieser Beitrag erschien zuerst am Abend in der Zeitung der Stadt am Fluss."
    archive = Archive()
    for number in range(3):
        archive.page(f"http://a.example/{number}", page("de", [*paragraphs("de", number), notice]))
    archive.page("http://no.example/", page("de", paragraphs("de", 9), '<meta name="robots" content="noai">'))
    sections = '[repeats]\nunit = "line"\ndocuments = 3\n'
    dataset = text_dataset([archive], sections).run("pages", "repeated", *CHAIN)
    data = report_of(dataset)
    assert (data.repeated.lines, data.repeated.pages) == (3, 3)
    assert data.repeated.examples == (("a.example", notice, 3),)
    assert data.repeated.page_chars - data.repeated.chars == data.figures.size.characters
    assert data.personal["email"] == 0
    assert data.funnel.seen == (4,)
    assert {signal.name: signal.dropped for signal in data.figures.permissions.signals if signal.dropped} == {"noai": 1}
    assert [stage.step for stage in data.stages][:4] == ["pages", "pages", "documents", "unique"]
    card = card_markdown(data, None)
    assert "2. **Repeats.** Lines that at least 3 pages of a host have, and 10 % of its pages" in card
    assert "3 pages lost 3 of them" in card
    assert "6. **Order.**" in card
    assert "Lines that repeat on a host" in report_html(data)
    assert notice in report_html(data)
