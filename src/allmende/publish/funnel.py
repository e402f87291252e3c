"""The funnel: what came into each stage of a build, what stayed, and what left for which reason.

    candidates
      record         12,345 →      12,001   97.2 %  ███████████████████▌
        record_not_html               300    2.4 %  ▌
        record_truncated               44    0.4 %

Stages are values made from the counts that every part's manifest holds; nothing is counted twice or guessed.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import msgspec

from allmende.errors import LakeError
from allmende.schema import Reason


class Counted(Protocol):
    """How many rows came in, stayed and left; `allmende.parts.Tally` is one."""

    seen: int
    kept: int
    dropped: dict[str, int]


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of row on its way through one step."""

    step: str
    unit: str
    """What is counted: record, candidate, sample ..."""
    seen: int
    kept: int
    dropped: dict[str, int]
    """Rows that left, by `Reason`; the most frequent first."""

    @property
    def share(self) -> float:
        """Part of the rows that stayed, 0..1; 1 if there were none."""
        return self.kept / self.seen if self.seen else 1.0


def stages(counts: Iterable[tuple[str, Mapping[str, Counted]]]) -> tuple[Stage, ...]:
    """The funnel of a build, from each step's tallies by unit, in order.

    Raises:
        LakeError: if rows of a stage were lost: every row is kept or dropped for a reason.
    """
    return tuple(_stage(step, unit, tally) for step, tallies in counts for unit, tally in tallies.items())


def _stage(step: str, unit: str, tally: Counted) -> Stage:
    dropped = dict(sorted(tally.dropped.items(), key=lambda item: (-item[1], item[0])))
    if tally.seen != tally.kept + sum(dropped.values()):
        raise LakeError(
            f"{step}: {tally.seen} {unit}s came in, but {tally.kept} stayed and {sum(dropped.values())} left. "
            "This is a bug; please report it with the manifests of this step."
        )
    return Stage(step=step, unit=unit, seen=tally.seen, kept=tally.kept, dropped=dropped)


def explanation(reason: str) -> str:
    """What a reason means; empty for one that this version does not know (a plug-in's, or a newer version's)."""
    return next((known.explanation for known in Reason if known == reason), "")


def top_reasons(stage: Stage, limit: int) -> list[tuple[str, int]]:
    """The most frequent reasons, at most `limit` lines; what does not fit is summed up in the last one."""
    reasons = list(stage.dropped.items())
    if len(reasons) <= limit:
        return reasons
    rest = reasons[limit - 1 :]
    return [*reasons[: limit - 1], (f"{len(rest)} more reasons", sum(count for _, count in rest))]


def percent(part: int, whole: int) -> str:
    """A share as people read it: `34.4 %`, and never `0.0 %` or `100.0 %` when that is not quite so."""
    if not whole:
        return "-"
    if 0 < part / whole < 0.0005:
        return "< 0.1 %"
    if 0.9995 < part / whole < 1:
        return "> 99.9 %"
    return f"{part / whole:.1%}".replace("%", " %")


_EIGHTHS = " ▏▎▍▌▋▊▉█"


def render_text(funnel: Sequence[Stage], reasons: int = 8, bars: int = 20, ascii_only: bool = False) -> str:
    """The funnel for a terminal: 79 columns with 20 for the bars.

    Args:
        funnel: The stages.
        reasons: At most so many lines of reasons for each stage.
        bars: Width of the bars in characters; 0 for none.
        ascii_only: For terminals without Unicode.
    """
    lines = []
    step = None
    for stage in funnel:
        if stage.step != step:
            lines.append(stage.step)
            step = stage.step
        arrow = "->" if ascii_only else "→"
        row = f"  {stage.unit:<15}{stage.seen:>13,} {arrow} {stage.kept:>12,} {percent(stage.kept, stage.seen):>9}"
        lines.append(f"{row}  {_bar(stage.kept, stage.seen, bars, ascii_only)}".rstrip())
        for reason, count in top_reasons(stage, reasons):
            row = f"    {reason:<28}{count:>15,} {percent(count, stage.seen):>9}"
            lines.append(f"{row}  {_bar(count, stage.seen, bars, ascii_only)}".rstrip())
    return "\n".join(lines)


def _bar(part: int, whole: int, width: int, ascii_only: bool) -> str:
    eighths = round(part / whole * width * 8) if whole else 0
    if ascii_only:
        return "#" * round(eighths / 8)
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()
