"""What goes beside the shards of a release: dataset card, report, resolved recipe, the page for holders of rights.

Written last, by the build itself. With the documents the release is complete, and gets its version.
"""

import time
from collections import Counter
from collections.abc import Iterator, Mapping

import pyarrow as pa
import pyarrow.parquet as pq

from allmende import __version__
from allmende.dataset import Dataset
from allmende.parts import Manifest
from allmende.publish.card import card_markdown, release_usage
from allmende.publish.figures import FAILURE_COLUMNS, SAMPLE_COLUMNS, Span, files_asked_for, pace, survey
from allmende.publish.gallery import Picture, gallery
from allmende.publish.report import ReportData, TextReport, report_html
from allmende.publish.right_holders import WELL_KNOWN, rights_html, rights_json
from allmende.publish.sink import Sample, load_sink
from allmende.steps.decontaminate import publish_removed
from allmende.steps.funnel import funnel
from allmende.steps.kept_columns import kept_columns
from allmende.steps.list_screen import read_lists
from allmende.steps.release_manifest import publish

PERSONAL = "personal_"
"""How facts about personal data begin in manifests."""

GALLERY_SAMPLES = 200
"""Samples at the beginning of the first shard that the gallery chooses from; their order is random already."""


def report_data(dataset: Dataset) -> ReportData:
    """Everything that report and card say, added up in one pass over samples and failures."""
    manifests = dataset.manifests("samples")
    shards = dataset.manifests("release/shards")
    arrived, failed = Counter[str](), Counter[str]()
    figures = survey(
        _batches(dataset, manifests, ".parquet", SAMPLE_COLUMNS, arrived),
        _batches(dataset, manifests, ".dropped.parquet", FAILURE_COLUMNS, failed),
    )
    asked = arrived + failed
    return ReportData(
        recipe=dataset.recipe,
        recipe_toml=dataset.lake.read("recipe.toml").decode(),
        version=__version__,
        created=_day(shards),
        stages=funnel(dataset),
        figures=figures,
        asked=asked.total(),
        arrived=arrived.total(),
        bytes_received=sum(manifest.facts["bytes_received"] for manifest in manifests),
        pace=pace(_span(manifest, asked[manifest.part]) for manifest in manifests),
        gallery=_gallery(dataset, shards),
        kept=kept_columns(dataset.lake),
        shards=tuple(manifest.part for manifest in shards),
        release_bytes=sum(file.bytes for manifest in shards for file in manifest.files.values()),
        lists=read_lists(dataset.lake),
        personal=_personal(dataset),
    )


def _personal(dataset: Dataset) -> dict[str, int]:
    """What was replaced, by kind, over all parts of the first step."""
    found: dict[str, int] = {}
    for manifest in dataset.manifests(dataset.steps()[0]):
        for fact, count in manifest.facts.items():
            if fact.startswith(PERSONAL):
                kind = fact.removeprefix(PERSONAL)
                found[kind] = found.get(kind, 0) + count
    return found


def release_data(dataset: Dataset) -> ReportData | TextReport:
    """What report and card of a dataset say, whatever its kind."""
    if dataset.recipe.dataset.kind == "text":
        from allmende.steps.text_report import text_report  # a quarter of a second, which releases of images save

        created = _day(dataset.manifests("release/shards"))
        return text_report(dataset, funnel(dataset), created, _personal(dataset))
    return report_data(dataset)


def write_documents(dataset: Dataset, removed: Mapping[str, int] | None = None) -> list[str]:
    """Writes them, closes the release with its manifest, and returns the names of all in the dataset.

    Args:
        dataset: All its steps are finished.
        removed: Samples that a take-down removed just now, by class of reason.
    """
    data = release_data(dataset)
    content = {
        "release/README.md": card_markdown(data, release_usage(data)),
        "release/report.html": report_html(data),
        "release/recipe.toml": data.recipe_toml,
        "release/rights/index.html": rights_html(data.recipe),
        f"release/rights/{WELL_KNOWN}": rights_json(data.recipe).decode(),
    }
    for name, text in content.items():
        dataset.lake.write(name, text.encode())
    publish_removed(dataset.lake, data.recipe)
    publish(dataset, removed)
    return [*content, "release/manifest.json"]


def _day(shards: list[Manifest]) -> str:
    """The day on which the last shard was made, not today: documents that are written again stay the same."""
    last = max((manifest.started + manifest.seconds for manifest in shards), default=0.0)
    return time.strftime("%Y-%m-%d", time.gmtime(last or time.time()))


def _batches(
    dataset: Dataset, manifests: list[Manifest], suffix: str, columns: tuple[str, ...], asked: Counter[str]
) -> Iterator[pa.RecordBatch]:
    """The rows of each part; `asked` gets the number of files they were asked for."""
    for manifest in manifests:
        with dataset.lake.open(f"samples/{manifest.file(suffix)}") as file:
            for batch in pq.ParquetFile(file).iter_batches(columns=list(columns)):
                asked[manifest.part] += files_asked_for(batch)
                yield batch


def _span(manifest: Manifest, files: int) -> Span:
    return Span(
        started=manifest.started,
        seconds=manifest.seconds,
        files=files,
        bytes=manifest.facts["bytes_received"],
    )


def _gallery(dataset: Dataset, shards: list[Manifest]) -> tuple[Picture, ...]:
    if not shards:
        return ()
    sink = load_sink(dataset.recipe.publish.sink)

    def first() -> Iterator[Sample]:
        for number, sample in enumerate(sink.read(dataset.lake.url("release/shards"), shards[0].part)):
            if number == GALLERY_SAMPLES:
                return
            yield sample

    with dataset.lake.undamaged(f"release/shards/{shards[0].part}.*"):
        return gallery(first())
