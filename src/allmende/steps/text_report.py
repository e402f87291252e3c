"""What the report and the dataset card of a release of text say, added up from its tables."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from allmende import __version__
from allmende.dataset import Dataset
from allmende.parts import Manifest
from allmende.permission import policy
from allmende.publish.excerpts import Excerpt, excerpts
from allmende.publish.funnel import Stage
from allmende.publish.language_funnel import language_funnel
from allmende.publish.report import RepeatedLines, TextReport
from allmende.publish.sink import load_sink
from allmende.publish.text_figures import COLUMNS, survey_documents
from allmende.schema import DOCUMENTS
from allmende.steps import tombstone_screen
from allmende.steps.decontaminate import evaluation_sets
from allmende.steps.fates import DENIED
from allmende.steps.list_screen import read_lists
from allmende.steps.near import KEPT
from allmende.steps.permitted import TOLD
from allmende.steps.release_texts import TOKENS
from allmende.steps.text_funnel import languages
from allmende.steps.texts_of_pages import FACTS, examples
from allmende.tables import Tables

_SIGNALS = DOCUMENTS.field("signals").type


def text_report(dataset: Dataset, stages: tuple[Stage, ...], created: str, personal: dict[str, int]) -> TextReport:
    """Everything that report and card say, added up in one pass over the columns other than the text."""
    shards = dataset.manifests("release/shards")
    return TextReport(
        recipe=dataset.recipe,
        recipe_toml=dataset.lake.read("recipe.toml").decode(),
        version=__version__,
        created=created,
        stages=stages,
        figures=survey_documents(_released(dataset), _tokens(shards), _denied(dataset)),
        funnel=language_funnel(languages(dataset)),
        repeated=_repeated(dataset),
        excerpts=_excerpts(dataset, shards),
        shards=tuple(manifest.part for manifest in shards),
        release_bytes=sum(file.bytes for manifest in shards for file in manifest.files.values()),
        lists=read_lists(dataset.lake),
        personal=personal,
        evaluation_sets=evaluation_sets(dataset.lake) if dataset.recipe.decontamination.sets else (),
    )


def _released(dataset: Dataset) -> Iterator[pa.RecordBatch]:
    """The documents that stayed, without their texts."""
    lake = dataset.lake
    screens = tombstone_screen.load(lake, dataset.recipe)
    near = Tables(lake, lake.step("near").files(), KEPT)
    told = Tables(lake, lake.step("permitted").files(), TOLD) if dataset.recipe.permission.captures else None
    for manifest in dataset.manifests("documents"):
        part = pc.field("part") == int(manifest.part)
        kept = near.read(part).sort_by("row")
        if told is not None:
            kept = _with_told(kept, told.read(part, ["row", "signals"]))
        with lake.open(f"documents/{manifest.file('.parquet')}") as file:
            for batch in _stayed(pq.ParquetFile(file), kept):
                table = pa.Table.from_batches([batch])
                for screen in screens:
                    table = table.filter(screen.before(table).is_null())
                yield from table.to_batches()


def _with_told(kept: pa.Table, told: pa.Table) -> pa.Table:
    """Adds what robots.txt said of each row."""
    signals = dict(zip(told.column("row").to_pylist(), told.column("signals").to_pylist(), strict=True))
    found = [signals.get(row) for row in kept.column("row").to_pylist()]
    return kept.append_column("told", pa.array(found, TOLD.field("signals").type))


def _stayed(file: pq.ParquetFile, kept: pa.Table) -> Iterator[pa.RecordBatch]:
    """Batches of the rows that are in `kept`, with what that says of duplicates, and of robots.txt."""
    rows, begin = kept.column("row").to_numpy(), 0
    for batch in file.iter_batches(columns=["uid", *COLUMNS]):
        first, last = np.searchsorted(rows, (begin, begin + batch.num_rows))
        wanted = batch.take(pa.array(rows[first:last] - begin))
        begin += batch.num_rows
        known = kept.slice(first, last - first).combine_chunks()
        columns = {name: known.column(name) for name in ("seen", "cluster_size")}
        if "told" in known.column_names:
            both = zip(known.column("told").to_pylist(), wanted.column("signals").to_pylist(), strict=True)
            columns["signals"] = pa.array([[*(told or ()), *(own or ())] for told, own in both], _SIGNALS)
        table = pa.Table.from_batches([wanted])
        for name, values in columns.items():
            table = table.set_column(table.schema.get_field_index(name), DOCUMENTS.field(name), values)
        yield from table.combine_chunks().to_batches()


def _tokens(shards: list[Manifest]) -> dict[str, int]:
    """Tokens of each language, if they were counted."""
    return dict(_facts(shards, TOKENS, str))


def _repeated(dataset: Dataset) -> RepeatedLines | None:
    """What was taken out of texts, if the recipe says so."""
    if dataset.recipe.repeats.unit == "off":
        return None
    facts = _facts(dataset.manifests("documents"), "", str)
    page_chars, chars, lines, pages = (facts[name] for name in FACTS)
    return RepeatedLines(page_chars, chars, lines, pages, examples(dataset.lake, dataset.recipe.repeats))


def _denied(dataset: Dataset) -> Counter[tuple[str, str]]:
    """Pages that permission dropped, by language and the signal that decided."""
    manifests = [*dataset.manifests("pages"), *dataset.manifests("documents")]
    found = _facts(manifests, DENIED, lambda name: tuple(name.split("_", 1)))
    if dataset.recipe.permission.captures:
        found.update(_denied_by_robots(dataset))
    return found


def _denied_by_robots(dataset: Dataset) -> Iterator[tuple[str, str]]:
    """Language and deciding signal of each document that was read and then dropped."""
    lake = dataset.lake
    told = Tables(lake, lake.step("permitted").files(), TOLD)
    judge = policy.from_recipe(dataset.recipe.permission)
    for manifest in dataset.manifests("documents"):
        gone = told.read((pc.field("part") == int(manifest.part)) & pc.field("reason").is_valid())
        if len(gone):
            with lake.open(f"documents/{manifest.file('.parquet')}") as file:
                spoken = pq.read_table(file, columns=["language"]).column("language").take(gone.column("row"))
            for language, signals in zip(spoken.to_pylist(), gone.column("signals").to_pylist(), strict=True):
                yield language, _decisive(judge, signals)


def _decisive(judge: policy.Policy, signals: list[dict[str, Any]]) -> str:
    """The first signal that denies; a file that can't be read denies as robots.txt (RFC 9309)."""
    denying = (s["name"] for s in signals if s["says"] == "deny" and judge.actions[s["name"]] == "deny")
    return str(next(denying, "robots_txt"))


def _facts(manifests: list[Manifest], prefix: str, key: Callable[[str], Any]) -> Counter[Any]:
    """Sums of the facts that begin so, by what follows."""
    found: Counter[Any] = Counter()
    for manifest in manifests:
        for name, count in manifest.facts.items():
            if name.startswith(prefix):
                found[key(name.removeprefix(prefix))] += count
    return found


def _excerpts(dataset: Dataset, shards: list[Manifest]) -> tuple[Excerpt, ...]:
    if not shards:
        return ()
    sink, part = load_sink(dataset.recipe.publish.sink), shards[0].part
    with dataset.lake.undamaged(f"release/shards/{part}.*"):
        return excerpts(row for row, _ in sink.read(dataset.lake.url("release/shards"), part))
