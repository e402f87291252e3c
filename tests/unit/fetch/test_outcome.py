import pytest

from allmende.fetch.outcome import Facts, Outcome, may_pass, status_reason
from allmende.schema import FETCH_FACTS, Reason


def test_facts_are_the_columns_of_the_table():
    assert list(Facts.__struct_fields__) == [*FETCH_FACTS.names, "signals"]


def test_an_outcome_has_a_result_or_a_reason():
    assert Outcome.of(Facts(), b"x") == Outcome(facts=Facts(), result=b"x")
    assert Outcome.of(Facts(), Reason.IMAGE_SMALL) == Outcome(facts=Facts(), reason=Reason.IMAGE_SMALL)


def test_every_status_has_a_reason_but_the_two_that_carry_a_file():
    assert [status for status in range(1_000) if status_reason(status) is None] == [200, 203]
    assert {reason.stage for status in range(1_000) if (reason := status_reason(status))} == {"fetch"}


@pytest.mark.parametrize("status", [404, 410, 401, 403, 451, 400, 501, 200])
def test_what_will_not_change_is_not_tried_again(status):
    assert not may_pass(status_reason(status) or Reason.CONTENT_TYPE_REFUSED, status)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_what_may_change_is_tried_again(status):
    assert may_pass(status_reason(status), status)
