"""What the fates of a domain's URLs say together."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.maintain.domains import PARKING, Domains, domain_of
from allmende.maintain.findings import Fate, Finding

THEN = datetime(2026, 10, 1, tzinfo=UTC)


def reported(*findings, registered=None):
    domains = Domains()
    for number, (fate, changes) in enumerate(findings):
        known = {"url": f"http://a.example/{number}", "domain": "a.example", "fate": fate, "answer": number + 1}
        domains.add(Finding(**known | changes), THEN)
    (report,) = domains.report(99, registered or {}).domains
    return report


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("a.example", "a.example"),
        ("www.a.example", "a.example"),
        ("a.b.co.uk", "b.co.uk"),
        ("co.uk", "co.uk"),
        ("me.github.io", "me.github.io"),
        ("127.0.0.1", "127.0.0.1"),
        ("[::1]", "::1"),
        ("localhost", "localhost"),
        ("", ""),
    ],
)
def test_registrable_domains(host, domain):
    assert domain_of(host) == domain


def test_one_page_for_all_is_a_parking_page():
    report = reported(*[(Fate.PAGE, {"answer": 7})] * 3, (Fate.SAME, {}))
    assert report.fates == {"parked": 3, "same": 1}
    assert report.changed_hands == "suspected"


def test_pages_that_differ_are_pages():
    assert reported(*[(Fate.PAGE, {})] * 3, (Fate.SAME, {})).fates == {"page": 3, "same": 1}


def test_two_of_five_alike_say_nothing():
    findings = [(Fate.PAGE, {"answer": 7})] * 2 + [(Fate.SAME, {})] * 3
    assert reported(*findings).changed_hands == ""


def test_one_picture_for_all_is_no_parking_page_but_tells():
    report = reported(*[(Fate.CHANGED, {"answer": 7})] * 3, (Fate.SAME, {}))
    assert report.fates == {"changed": 3, "same": 1}
    assert report.evidence == ("3 URLs answer with one and the same other picture",)


@pytest.mark.parametrize("service", sorted(PARKING))
def test_a_redirect_to_a_parking_service(service):
    report = reported((Fate.REDIRECTED, {"final_url": f"https://www.{service}/buy?domain=a.example"}), (Fate.SAME, {}))
    assert report.fates == {"parked": 1, "same": 1}


@pytest.mark.parametrize("fates", [[Fate.VANISHED] * 3, [Fate.CHANGED] * 3, [Fate.VANISHED, Fate.PAGE, Fate.CHANGED]])
def test_all_gone_or_others_together(fates):
    assert reported(*[(fate, {}) for fate in fates]).changed_hands == "suspected"


@pytest.mark.parametrize(
    "fates", [[Fate.VANISHED] * 2, [Fate.FAILED] * 9, [Fate.DENIED] * 9, [Fate.VANISHED] * 9 + [Fate.SAME]]
)
def test_too_little_to_suspect(fates):
    assert reported(*[(fate, {}) for fate in fates]).changed_hands == ""


def test_a_registration_before_the_fetch_says_nothing():
    for when, hands in ((THEN.replace(year=2020), ""), (THEN.replace(year=2027), "registered")):
        assert reported((Fate.CHANGED, {}), (Fate.SAME, {}), registered={"a.example": when}).changed_hands == hands


@given(st.lists(st.sampled_from(list(Fate)), min_size=1, max_size=30), st.data())
def test_every_url_is_counted_once_whatever_it_is_called(fates, data):
    answers = [data.draw(st.integers(0, 3)) for _ in fates]
    report = reported(*[(fate, {"answer": answer}) for fate, answer in zip(fates, answers, strict=True)])
    assert report.asked == sum(report.fates.values()) == len(fates)
    assert all(count > 0 for count in report.fates.values())
