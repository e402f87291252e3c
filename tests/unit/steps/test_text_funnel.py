"""The funnel of text adds up: in every step, from step to step, and for each language, whatever steps a recipe asks for."""

from itertools import pairwise, product

import pytest

from allmende.dataset import Dataset
from allmende.publish.funnel import stages
from allmende.publish.language_funnel import language_funnel
from allmende.steps.decontaminate import prepare
from allmende.steps.text_funnel import languages
from allmende.steps.tombstone_folder import TombstoneFolder
from allmende.testing.archives import Archive
from allmende.testing.text_pages import page, paragraphs

OPTIONS = ("captures", "sets", "signals", "repeats")


@pytest.fixture
def build(text_dataset, tmp_path):
    """Builds pages which have every trouble in every combination, with the steps that are asked for."""
    (tmp_path / "set.txt").write_text("\n".join(paragraphs("de", "set")))
    captures = Archive("robots.warc.gz")
    captures.response("http://closed.example/robots.txt", b"User-agent: *\nDisallow: /\n", content_type="text/plain")
    (tmp_path / "robots.warc.gz").write_bytes(captures.to_bytes())
    archives = []
    for number in range(2):
        archive = Archive()
        troubles = product(("open", "closed"), (False, True), (False, True), (0, 1, 2))
        for index, (host, contaminated, bad, copy) in enumerate(troubles):
            language = "de" if index % 2 else "fr"
            text = paragraphs(language, f"{contaminated}/{bad}", 5)
            text += paragraphs("de", "set")[:2] if contaminated else []
            text += ["kurz", "court"] * 60 if bad else []
            text += [f"Fassung {number} {host}."] if copy == 2 else []
            archive.page(f"http://{host}.example/{number}/{index}", page(language, text))
        for head, words in (('<meta name="robots" content="noai">', 5), ("", 0)):
            archive.page(
                f"http://open.example/{number}/{words}", page("pl", paragraphs("pl", number, words) or ["Nic."], head)
            )
        archives.append(archive)
    log = TombstoneFolder(str(tmp_path / "log"))
    log.create()

    def build(**asked):
        sections = [
            f'[safety]\ntombstones = "{tmp_path / "log"}"',
            f'[permission]\ncaptures = ["{tmp_path / "robots.warc.gz"}"]' if asked.get("captures") else "",
            f'[decontamination]\nsets = ["{tmp_path / "set.txt"}"]' if asked.get("sets") else "",
            "[quality]\nsignals = true" if asked.get("signals") else "",
            '[repeats]\nunit = "line"\ndocuments = 3' if asked.get("repeats") else "",
            "[near_duplicates]\nremove = false" if asked.get("mark") else "",
        ]
        dataset = text_dataset(archives, "\n".join(sections))
        prepare(dataset.lake, dataset.recipe)
        steps = Dataset(dataset.lake).steps()
        dataset.run(*steps[:-1])
        url = dataset.rows("documents").column("url").to_pylist()[0]
        log.append([("url", url)], "other", "T", "2026-10-21T12:00:00Z")
        return dataset.run(steps[-1])

    return build


@pytest.mark.parametrize("flags", list(product((False, True), repeat=len(OPTIONS))))
def test_what_one_step_keeps_the_next_one_sees(build, flags):
    asked = dict(zip(OPTIONS, flags, strict=True)) | {"mark": sum(flags) % 2 == 1}
    made = build(**asked)
    dataset = Dataset(made.lake)
    chain = [step for step in dataset.steps() if step not in ("robots", "repeated")]
    seen = stages((step, {"document": made.tally(step)}) for step in chain)
    assert all(before.kept == after.seen for before, after in pairwise(seen))
    dropped = sum(sum(stage.dropped.values()) for stage in seen)
    assert seen[0].seen == seen[-1].kept + dropped

    found = languages(dataset)
    assert {language: fates.get("kept", 0) for language, fates in found.items()} == {
        language: sum(row["language"] == language for row in made.released()) for language in found
    }
    known = sum(count for fates in found.values() for count in fates.values())
    unknown = made.tally(chain[0]).dropped.get("text_short", 0)
    assert known == seen[0].seen - unknown
    for before, after in pairwise(step for step in chain if step != "pages"):
        one, other = made.facts(before), made.facts(after)
        assert {name.split("/")[0] for name in other if "/" in name} <= set(found)
        for language in found:
            entered = sum(count for name, count in other.items() if name.startswith(f"{language}/"))
            assert one.get(f"{language}/kept", 0) == entered
    table = language_funnel(found)
    for at, total in enumerate(table.seen):
        assert total == table.kept[at] + sum(counts[at] for _, counts in table.reasons)


def test_every_trouble_is_met(build):
    made = build(captures=True, sets=True, signals=True)
    met = {
        reason
        for step in Dataset(made.lake).steps()
        for reason in made.lake.step(step).counts().get("document", made.tally("near")).dropped
    }
    assert {"permission_denied", "text_contaminated", "text_duplicate", "text_near_duplicate", "taken_down"} <= met
    assert any(reason.startswith("quality_") for reason in met)
