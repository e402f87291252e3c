"""Pictures for the report, as inline SVG: the funnel, histograms, throughput.

Colours are CSS variables of the page (`--kept`, `--lost`, `--ink`, `--faint`), so that one picture serves light and dark.
All text is escaped here; sizes in the units of each picture's view box.
"""

import math
from collections.abc import Iterable, Sequence
from html import escape

from allmende.publish.figures import Pace
from allmende.publish.funnel import Stage, explanation, percent, top_reasons
from allmende.publish.sketch import Histogram

_LINE = 18
"""Height of a line of text."""


def _text(x: float, y: float, content: str, kind: str = "", anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{escape(content)}</text>'


def _picture(width: float, height: float, title: str, parts: Iterable[str], kind: str) -> str:
    return (
        f'<svg class="{kind}" viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-label="{escape(title)}">'
        f"{''.join(parts)}</svg>"
    )


def funnel(stages: Sequence[Stage], width: int) -> str:
    """The funnel: a band for each stage, as wide at its top as rows came in and at its bottom as rows stayed.

    The reasons stand beside it in a wide picture, and below it in a narrow one. Widths grow with the square root of
    the counts, else the last stages of a large crawl would be hairlines; they compare stages that count the same unit.

    Args:
        stages: The funnel.
        width: Width of the picture, in the unit of its text: 900 for a desktop, 360 for a phone.
    """
    wide = width >= 640
    band = width * 0.42 if wide else float(width)
    parts, top = [], 0.0
    for stage in stages:
        largest = max(other.seen for other in stages if other.unit == stage.unit)
        reasons = top_reasons(stage, 6)
        height = max(44.0, len(reasons) * _LINE - 26.0) if wide else 44.0
        parts += _heading(stage, top)
        parts.append(_band(stage, largest, band, top + 44, height))
        parts += _reasons(stage, reasons, band + 40 if wide else 0, top + 16 if wide else top + height + 52, width)
        top += height + 70 + (0 if wide else len(reasons) * _LINE)
    return _picture(
        width, top - 24, "Funnel: what came into each step, what stayed, what left and why", parts, "funnel"
    )


def _heading(stage: Stage, top: float) -> list[str]:
    name = f'{escape(stage.step)} <tspan class="faint">{escape(stage.unit)}</tspan>'
    counts = f"{stage.seen:,} in, {stage.kept:,} stay · {percent(stage.kept, stage.seen)}"
    return [f'<text x="0" y="{top + 16:.1f}" class="head">{name}</text>', _text(0, top + 35, counts, "small")]


def _band(stage: Stage, largest: int, width: float, top: float, height: float) -> str:
    """Rows seen as a rectangle, in it the rows kept, narrowing from all to those that stayed."""
    seen = max(2.0, width * math.sqrt(stage.seen / largest)) / 2 if largest else 1.0
    kept = max(1.0, seen * math.sqrt(stage.share))
    left, right, inner, outer = width / 2 - seen, width / 2 + seen, width / 2 - kept, width / 2 + kept
    bottom, early, late = top + height, top + height * 0.4, top + height * 0.6
    path = (
        f"M{left:.1f} {top:.1f}H{right:.1f}C{right:.1f} {late:.1f} {outer:.1f} {early:.1f} {outer:.1f} {bottom:.1f}"
        f"H{inner:.1f}C{inner:.1f} {early:.1f} {left:.1f} {late:.1f} {left:.1f} {top:.1f}Z"
    )
    return (
        f"<g><title>{escape(f'{stage.seen:,} {stage.unit} in, {stage.kept:,} stay')}</title>"
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{2 * seen:.1f}" height="{height:.1f}" class="lost" rx="2"/>'
        f'<path class="kept" d="{path}"/></g>'
    )


def _reasons(stage: Stage, reasons: Sequence[tuple[str, int]], left: float, top: float, width: float) -> list[str]:
    """A line for each reason: a bar as long as its share of the rows seen, its name, count and share."""
    lines = []
    for index, (reason, count) in enumerate(reasons):
        y = top + index * _LINE
        bar = max(1.5, (width - left) * count / stage.seen)
        lines.append(
            f"<g><title>{escape(explanation(reason) or reason)}</title>"
            f'<rect x="{left:.1f}" y="{y:.1f}" width="{bar:.1f}" height="{_LINE - 3}" class="lost" rx="2"/>'
            f"{_text(left + 6, y + 12, reason.replace('_', ' '), 'small')}"
            f"{_text(width - 2, y + 12, f'{count:,} · {percent(count, stage.seen)}', 'small', 'end')}</g>"
        )
    return lines


_WIDTH, _PLOT, _AXIS = 360.0, 110.0, 22.0


def histogram(of: Histogram) -> str:
    """Bars over the bins, labelled at the ticks, with the median marked."""
    highest = max(of.counts, default=0) or 1
    step = _WIDTH / len(of.counts)
    parts = []
    for index, count in enumerate(of.counts):
        height = max(1.0, _PLOT * count / highest) if count else 0.0
        title = f"{_number(of.edges[index])} to {_number(of.edges[index + 1])} {of.unit}: {count:,}"
        parts.append(
            f'<rect class="kept" x="{index * step + 0.5:.1f}" y="{_PLOT - height + 6:.1f}" width="{step - 1:.1f}" '
            f'height="{height:.1f}"><title>{escape(title)}</title></rect>'
        )
    parts.append(f'<path class="axis" d="M0 {_PLOT + 6.5:.1f}H{_WIDTH:.0f}"/>')
    parts += _ticks(of)
    if (median := of.median) is not None:
        x = _place(of, median)
        parts.append(f'<path class="median" d="M{x:.1f} 2V{_PLOT + 6:.1f}"><title>median</title></path>')
    return _picture(_WIDTH, _PLOT + 6 + _AXIS, f"{of.title}: histogram", parts, "chart")


def _place(of: Histogram, value: float) -> float:
    """Where a value lies on the axis."""
    low, high = of.edges[0], of.edges[-1]
    share = math.log(value / low) / math.log(high / low) if of.logarithmic else (value - low) / (high - low)
    return _WIDTH * min(1.0, max(0.0, share))


def _ticks(of: Histogram) -> list[str]:
    """Labels of the axis; one that would run into the one before is left out."""
    labels, free = [], -math.inf
    for value, label in of.ticks:
        x, half = _place(of, value), len(label) * 3.4
        anchor, left = (
            ("start", x) if x < half else ("end", x - 2 * half) if x > _WIDTH - half else ("middle", x - half)
        )
        if left > free:
            labels.append(_text(x, _PLOT + 6 + _AXIS - 6, label, "small faint", anchor))
            free = left + 2 * half + 6
    return labels


def throughput(of: Pace, width: int) -> str:
    """Files per second over the working time, as an area."""
    rates = of.files_per_second
    highest = max(rates, default=0.0) or 1.0
    step = width / max(1, len(rates))
    points = [(index * step, _PLOT - _PLOT * rate / highest + 16) for index, rate in enumerate(rates)]
    path = "".join(f"L{x:.1f} {y:.1f}H{x + step:.1f}" for x, y in points)
    base = _PLOT + 16.5
    parts = [
        f'<path class="kept" d="M0 {base:.1f}{path}V{base:.1f}Z"/>',
        f'<path class="axis" d="M0 {base:.1f}H{width}"/>',
        _text(2, 11, f"{highest:,.0f} per second", "small faint"),
        _text(0, base + 16, "0", "small faint"),
        _text(width, base + 16, duration(of.seconds), "small faint", "end"),
    ]
    return _picture(width, base + _AXIS, "Throughput over working time", parts, "chart")


def duration(seconds: float) -> str:
    """A time span in its two largest units: `2 h 5 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f} s"
    for size, unit, smaller, name in ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            return f"{whole // size} {unit} {whole % size // smaller} {name}"
    return ""


def amount(count: float) -> str:
    """A number of bytes with a decimal prefix: `1.4 GB`."""
    for prefix in ("", "k", "M", "G", "T"):
        if count < 999.5:
            return f"{count:.3g} {prefix}B"
        count /= 1000
    return f"{count:,.0f} PB"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"
