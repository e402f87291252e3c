"""Parsers of what strangers wrote: kept inputs that once broke one, and some new ones. `tools/fuzz.py` makes more."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from allmende.testing.fuzz import TARGETS, inputs_of, minimised, mutate

CORPUS = Path(__file__).parent / "corpus"
KEPT = sorted(path.relative_to(CORPUS).as_posix() for path in CORPUS.glob("*/*"))


def test_what_is_kept_is_small_named_and_has_a_target():
    assert {name.partition("/")[0] for name in KEPT} <= set(TARGETS)
    assert [name for name in KEPT if "found-" in name] == []
    assert [name for name in KEPT if (CORPUS / name).stat().st_size > 20_000] == []


@pytest.mark.parametrize("name", KEPT)
@pytest.mark.filterwarnings("default")
def test_what_broke_a_parser_once_does_not_break_it_again(name):
    TARGETS[name.partition("/")[0]].run((CORPUS / name).read_bytes())


@pytest.mark.parametrize("name", TARGETS)
def test_real_inputs_break_nothing(name):
    for data in [*TARGETS[name].seeds(), b""]:
        TARGETS[name].run(data)


INPUTS = {name: inputs_of(target, iter(())) for name, target in TARGETS.items()}


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(choice=st.randoms(use_true_random=True))
def test_changed_inputs_break_nothing(name, choice):
    TARGETS[name].run(mutate(choice, INPUTS[name], TARGETS[name].words))


def test_findings_are_made_short():
    assert minimised(lambda data: b"bug" in data, b"a long story with a bug in it " * 40) == b"bug"
