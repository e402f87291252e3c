from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.publish import charts
from allmende.publish.figures import Pace
from allmende.publish.funnel import Stage
from allmende.publish.sketch import Histogram

reasons = st.dictionaries(st.text("ab_<&\"'>", min_size=1, max_size=20), st.integers(1, 10**12), max_size=9)
stage = st.builds(
    lambda step, unit, kept, dropped: Stage(
        step=step, unit=unit, seen=kept + sum(dropped.values()), kept=kept, dropped=dropped
    ),
    st.text("ab<&\"'>", max_size=9),
    st.sampled_from(["record", "candidate"]),
    st.integers(0, 10**12),
    reasons,
)


def check_picture(svg: str) -> ET.Element:
    """Well-formed, nothing outside the picture, no negative size."""
    root = ET.fromstring(svg)
    _, _, width, height = map(float, root.get("viewBox").split())
    for rect in root.iter("rect"):
        x, y, w, h = (float(rect.get(name)) for name in ("x", "y", "width", "height"))
        assert min(w, h) >= 0
        assert x >= -1
        assert x + w <= width + 1
        assert y >= -1
        assert y + h <= height + 30
    return root


@given(st.lists(stage, min_size=1, max_size=6), st.sampled_from([340, 940]))
def test_any_funnel_can_be_drawn(stages, width):
    root = check_picture(charts.funnel(stages, width))
    assert len(list(root.iter("path"))) == len(stages)


def test_bands_narrow_as_rows_leave():
    wide = Stage(step="a", unit="x", seen=10_000, kept=2_500, dropped={"url_invalid": 7_500})
    then = Stage(step="b", unit="x", seen=2_500, kept=2_500, dropped={})
    root = ET.fromstring(charts.funnel([wide, then], 1000))
    bands = [float(rect.get("width")) for rect in root.iter("rect") if float(rect.get("x")) < 420]
    assert bands == [420, 210]


def test_a_reason_tells_its_meaning():
    one = Stage(step="a", unit="x", seen=2, kept=1, dropped={"no_caption": 1})
    assert "The image has no words" in charts.funnel([one], 900)


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=40), st.booleans())
def test_any_histogram_can_be_drawn(counts, logarithmic):
    edges = tuple(2.0**n if logarithmic else float(n) for n in range(len(counts) + 1))
    ticks = tuple((edge, f"{edge:,.0f}") for edge in edges)
    of = Histogram(title="<t>", unit="&", logarithmic=logarithmic, edges=edges, counts=tuple(counts), ticks=ticks)
    root = check_picture(charts.histogram(of))
    assert len(list(root.iter("rect"))) == len(counts)


def test_labels_do_not_run_into_each_other():
    ticks = tuple((float(n), "1,000,000") for n in range(100))
    of = Histogram(title="", unit="", logarithmic=False, edges=(0.0, 100.0), counts=(1,), ticks=ticks)
    places = [float(text.get("x")) for text in ET.fromstring(charts.histogram(of)).iter("text")]
    assert 3 <= len(places) <= 6


@given(st.lists(st.floats(0, 1e9), max_size=60))
def test_any_pace_can_be_drawn(rates):
    check_picture(charts.throughput(Pace(seconds=9.0, files_per_second=tuple(rates), bytes_per_second=()), 340))


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0.25, "0.2 s"),
        (59, "59.0 s"),
        (61, "1 min 1 s"),
        (7500, "2 h 5 min"),
        (200_000, "2 d 7 h"),
        (59.7, "1 min 0 s"),
    ],
)
def test_durations(seconds, expected):
    assert charts.duration(seconds) == expected


@pytest.mark.parametrize(
    ("size", "expected"), [(0, "0 B"), (999, "999 B"), (1_400_000_000, "1.4 GB"), (999_600, "1 MB"), (3e18, "3,000 PB")]
)
def test_amounts(size, expected):
    assert charts.amount(size) == expected
