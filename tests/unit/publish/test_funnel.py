import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.errors import LakeError
from allmende.parts import Tally
from allmende.publish import funnel
from allmende.publish.funnel import Stage, percent, stages, top_reasons
from allmende.schema import Reason

COUNTS = [
    ("candidates", {"record": Tally(1000, 900, {"record_not_html": 100}), "candidate": Tally(20_000, 8_000, {})}),
    ("samples", {"sample": Tally(0, 0, {})}),
]
COUNTS[0][1]["candidate"].dropped.update({"no_caption": 9_000, "caption_few_chars": 2_999, "url_invalid": 1})


def test_stages_follow_the_steps_and_their_units():
    names = [(stage.step, stage.unit, stage.seen, stage.kept) for stage in stages(COUNTS)]
    assert names == [
        ("candidates", "record", 1000, 900),
        ("candidates", "candidate", 20_000, 8_000),
        ("samples", "sample", 0, 0),
    ]
    assert list(stages(COUNTS)[1].dropped) == ["no_caption", "caption_few_chars", "url_invalid"]


def test_a_lost_row_is_an_error():
    with pytest.raises(LakeError, match=r"10 records came in, but 5 stayed and 4 left"):
        stages([("candidates", {"record": Tally(10, 5, {"record_damaged": 4})})])


def test_the_text_is_aligned_and_fits_a_terminal():
    lines = funnel.render_text(stages(COUNTS)).splitlines()
    assert lines[0] == "candidates"
    assert lines[1] == "  record                 1,000 →          900    90.0 %  ██████████████████"
    assert lines[2] == "    record_not_html                         100    10.0 %  ██"
    assert lines[5].split() == ["caption_few_chars", "2,999", "15.0", "%", "███"]
    assert lines[6].split() == ["url_invalid", "1", "<", "0.1", "%"]
    assert max(map(len, lines)) <= 79


def test_the_text_has_a_form_for_plain_terminals():
    assert funnel.render_text(stages(COUNTS), ascii_only=True).isascii()


def test_rare_reasons_are_summed_up():
    stage = Stage(step="a", unit="b", seen=10, kept=0, dropped={"c": 4, "d": 3, "e": 2, "f": 1})
    assert top_reasons(stage, 3) == [("c", 4), ("d", 3), ("2 more reasons", 3)]
    assert top_reasons(stage, 4) == list(stage.dropped.items())


@pytest.mark.parametrize(
    ("part", "whole", "expected"),
    [(0, 0, "-"), (0, 9, "0.0 %"), (9, 9, "100.0 %"), (1, 10**6, "< 0.1 %"), (10**6 - 1, 10**6, "> 99.9 %")],
)
def test_shares_never_claim_all_or_nothing_wrongly(part, whole, expected):
    assert percent(part, whole) == expected


def test_every_reason_has_an_explanation_and_unknown_ones_do_no_harm():
    assert all(funnel.explanation(reason) for reason in Reason)
    assert funnel.explanation("from_the_future") == ""


tallies = st.builds(
    lambda kept, dropped: Tally(kept + sum(dropped.values()), kept, dropped),
    st.integers(0, 10**9),
    st.dictionaries(st.sampled_from([*Reason, "<b>&\"'"]).map(str), st.integers(1, 10**9), max_size=5),
)


@given(
    st.lists(
        st.tuples(
            st.text("abc<&", min_size=1, max_size=9), st.dictionaries(st.text("xyz", min_size=1), tallies, max_size=3)
        ),
        max_size=5,
    )
)
def test_any_balanced_counts_can_be_shown(counts):
    built = stages(counts)
    assert len(built) == sum(len(tallies) for _, tallies in counts)
    funnel.render_text(built)
