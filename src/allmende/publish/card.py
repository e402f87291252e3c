"""`README.md` of a release: a dataset card with Hugging Face's header, from the same numbers as the report.

The header is YAML written as JSON values, which YAML 1.2 contains: no string needs to be guessed at, and Norwegian
(`no`) stays a language. Words from the crawl stand in code spans, where Markdown and HTML have no power.
"""

import json
import re
from collections.abc import Iterable
from typing import Any

import msgspec
import pyarrow as pa
from markupsafe import Markup

from allmende.permission import policy
from allmende.publish.funnel import Stage, percent, top_reasons
from allmende.publish.member import kept_fields, released
from allmende.publish.permissions import SignalFunnel
from allmende.publish.report import ReportData, TextReport, environment, source_line
from allmende.publish.sink import Release, Usage, load_sink
from allmende.schema import DOCUMENTS, SAMPLES

LICENCES = frozenset(
    [
        *("cc", "cc0-1.0", "cc-by-2.0", "cc-by-2.5", "cc-by-3.0", "cc-by-4.0", "cc-by-sa-3.0", "cc-by-sa-4.0"),
        *("cc-by-nc-2.0", "cc-by-nc-3.0", "cc-by-nc-4.0", "cc-by-nd-4.0", "cc-by-nc-nd-3.0", "cc-by-nc-nd-4.0"),
        *("cc-by-nc-sa-2.0", "cc-by-nc-sa-3.0", "cc-by-nc-sa-4.0", "cdla-sharing-1.0", "cdla-permissive-1.0"),
        *("cdla-permissive-2.0", "odc-by", "odbl", "pddl", "etalab-2.0", "apache-2.0", "mit", "unknown", "other"),
    ]
)
"""Licence names that the Hub accepts and that suit data (Hugging Face, Hub docs, Licenses); others go in as `other`."""

_SIZES = ((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"), (10**7, "1M<n<10M"))
_LARGE_SIZES = ((10**8, "10M<n<100M"), (10**9, "100M<n<1B"), (10**10, "1B<n<10B"), (10**11, "10B<n<100B"))
_LANGUAGE_SHARE = 0.01


class _Kind(msgspec.Struct, frozen=True):
    """What differs between cards of images and of text."""

    template: str
    rows: int
    schema: pa.Schema
    header: dict[str, list[str]]


def _kind(data: ReportData | TextReport) -> _Kind:
    if isinstance(data, TextReport):
        header = {"task_categories": ["text-generation"], "tags": ["common-crawl", "text", "allmende"]}
        return _Kind("card_text.md.j2", data.figures.size.documents, DOCUMENTS, header)
    tags = ["common-crawl", "image-text", "allmende"]
    header = {"task_categories": ["image-to-text", "text-to-image"], "tags": tags}
    return _Kind("card.md.j2", data.figures.samples, pa.schema([*SAMPLES, *kept_fields(data.kept)]), header)


def card_markdown(data: ReportData | TextReport, usage: Usage | None) -> str:
    """The dataset card.

    Args:
        data: What the report shows too.
        usage: How the release is loaded, from its sink; None if it has no shard.
    """
    kind = _kind(data)
    page = environment().get_template(kind.template)
    table = policy.from_recipe(data.recipe.permission)
    text = page.render(
        data=data,
        figures=data.figures,
        header=Markup(header(data, usage)),  # noqa: S704 - JSON values, see header
        source=_plain(source_line(data.recipe)),
        fields=[(field.name, str(field.type), field.metadata[b"doc"].decode()) for field in released(kind.schema)],
        usage=Markup(usage.markdown) if usage else None,  # noqa: S704 - the sink's own snippets
        consents=_consents(data, table),
        unknown=table.unknown,
        funnel=[_funnel_row(stage) for stage in data.stages],
        citation=Markup(_citation(data)),  # noqa: S704 - in a code block, without backticks
        code=_code,
        plain=_plain,
    )
    return re.sub(r"\n{3,}", "\n\n", text)


def release_usage(data: ReportData | TextReport) -> Usage | None:
    """How this release is loaded, as its sink says; None if it has no shard."""
    if not data.shards:
        return None
    recipe = data.recipe
    kind = _kind(data)
    release = Release(data.shards, kind.rows, recipe.images.format, kind.schema)
    return load_sink(recipe.publish.sink).usage(release)


def header(data: ReportData | TextReport, usage: Usage | None) -> str:
    """The YAML between the dashes, as the Hub reads it (Hugging Face, Hub docs, Dataset cards)."""
    kind = _kind(data)
    licence = data.recipe.dataset.license.lower()
    entries: dict[str, Any] = {"pretty_name": data.recipe.dataset.name, "license": licence}
    if licence not in LICENCES:
        entries |= {"license": "other", "license_name": data.recipe.dataset.license}
    if codes := languages(data):
        entries["language"] = codes
    entries |= {
        "size_categories": [size_category(kind.rows)],
        "task_categories": kind.header["task_categories"],
        "annotations_creators": ["found"],
        "language_creators": ["found"],
        "source_datasets": ["original"],
        "tags": kind.header["tags"],
    }
    if usage:
        entries["configs"] = [
            {"config_name": "default", "data_files": [{"split": "train", "path": usage.data_files}]},
        ]
        if usage.features:
            entries["dataset_info"] = {"config_name": "default", "features": list(usage.features)}
    return "".join(f"{key}: {_printable(json.dumps(value, ensure_ascii=False))}\n" for key, value in entries.items())


def languages(data: ReportData | TextReport) -> list[str]:
    """Languages of at least one in a hundred rows, most frequent first; undecided ones left out."""
    ranking = data.figures.rankings["language"]
    enough = [code for code, count in ranking.rows if count >= _LANGUAGE_SHARE * ranking.total]
    return [code for code in enough if re.fullmatch("[a-z]{2,3}", code) and code != "und"]


def size_category(samples: int) -> str:
    """The Hub's name for a number of rows."""
    return next((name for limit, name in (*_SIZES, *_LARGE_SIZES) if samples < limit), "100B<n<1T")


def _consents(data: ReportData | TextReport, table: policy.Policy) -> list[tuple[policy.Kind, str, SignalFunnel]]:
    """Each kind of signal, what the policy does about it, and what came of it."""
    counted = {signal.name: signal for signal in data.figures.permissions.signals}
    return [(kind, table.actions[kind.name], counted[kind.name]) for kind in policy.SIGNALS]


def _funnel_row(stage: Stage) -> tuple[str, str, str, str, str, str]:
    reasons = (
        f"{reason if ' ' in reason else f'`{reason}`'} {percent(count, stage.seen)}"
        for reason, count in top_reasons(stage, 4)
    )
    return (
        stage.step,
        stage.unit,
        f"{stage.seen:,}",
        f"{stage.kept:,}",
        percent(stage.kept, stage.seen),
        ", ".join(reasons),
    )


def _citation(data: ReportData | TextReport) -> str:
    name = re.sub(r"[`{}\\\s]+", " ", data.recipe.dataset.name)
    key = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "dataset"
    return (
        f"@misc{{{key}-{data.created[:4]},\n"
        f"  title = {{{name}}},\n"
        f"  year = {{{data.created[:4]}}},\n"
        f"  note = {{Built with Allmende {data.version} from {_one_line(source_line(data.recipe))}}}\n"
        "}"
    )


def _code(words: str) -> Markup:
    """Words from strangers as a code span that fits into a table cell."""
    short = words if len(words) <= 80 else words[:79] + "…"
    return Markup("`" + _one_line(short).replace("|", "\\|") + "`")  # noqa: S704 - no backtick can end the span


def _one_line(words: str) -> str:
    return " ".join(_printable(words).replace("`", "'").split()) or " "


def _plain(words: str) -> Markup:
    """The operator's own words: Markdown allowed, HTML not. In a code span it is none, and entities would show."""
    parts = _CODE_SPAN.split(_printable(words))
    parts[::2] = [part.replace("&", "&amp;").replace("<", "&lt;") for part in parts[::2]]
    return Markup("".join(parts))  # noqa: S704 - escaped here


_CODE_SPAN = re.compile(r"((?<![\\`])`[^`]+`(?!`))")
"""Only the simplest kind (CommonMark 0.31, section 6.1): what else may be one is escaped."""


def _printable(words: Iterable[str]) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in words)
