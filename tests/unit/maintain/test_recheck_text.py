"""Documents judged by another policy, from what is stored with them."""

import io

import pytest

from allmende.maintain.recheck import LanguageCost, recheck
from allmende.permission.policy import policy
from allmende.testing.archives import Archive
from allmende.testing.text_pages import page, paragraphs

NOAI = '<meta name="robots" content="noai">'


@pytest.fixture
def lake(build_text, tmp_path):
    """Built for research: what reserves against AI is stored, and two pages are out for a Disallow for all."""
    captures = Archive("robots.warc.gz")
    for host, lines in (
        ("b.example", b"User-agent: GPTBot\nDisallow: /\n"),
        ("c.example", b"User-agent: *\nDisallow: /\n"),
    ):
        captures.response(f"http://{host}/robots.txt", lines, content_type="text/plain")
    (tmp_path / "robots.warc.gz").write_bytes(captures.to_bytes())
    archive = Archive()
    for number, (host, language, head) in enumerate(
        (("a", "de", ""), ("a", "fr", NOAI), ("b", "de", ""), ("c", "pl", ""), ("c", "de", NOAI))
    ):
        archive.page(f"http://{host}.example/{number}", page(language, paragraphs(language, number), head))
    sections = f'[permission]\npolicy = "eu-research"\ncaptures = ["{tmp_path / "robots.warc.gz"}"]\n'
    return build_text([archive], sections)


def test_its_own_policy_changes_nothing(lake):
    report = recheck(lake)
    assert (report.before, report.denied, report.allowed_again) == (3, 0, 0)
    assert report.policies == {"eu-research/2026-11-22": 3}


def test_another_policy_costs_what_the_stored_signals_say(lake):
    denied = io.StringIO()
    report = recheck(lake, policy("eu-research", {"noai": "deny", "robots_txt_ai": "deny"}), denied=denied)
    assert report.signals == {"noai": 1, "robots_txt_ai": 1}
    assert report.languages["de"] == LanguageCost(before=2, denied=1)
    assert report.languages["fr"] == LanguageCost(before=1, denied=1)
    assert len(denied.getvalue().splitlines()) == 2
    assert set(denied.getvalue()) <= set("uid 0123456789abcdef\n")


def test_what_captured_robots_txt_denied_may_return(lake):
    report = recheck(lake, policy("eu-research", {"robots_txt": "allow", "noai": "deny"}))
    assert report.allowed_again == 1  # the other one says noai
    assert report.returning == {"robots_txt": 1}


@pytest.mark.parametrize("unit", ["off", "line"])
def test_pages_denied_when_they_were_read_are_counted_only(build_text, unit):
    archive = Archive()
    for number, head in enumerate(("", NOAI)):
        archive.page(f"http://a.example/{number}", page("de", paragraphs("de", number), head))
    report = recheck(build_text([archive], f'[repeats]\nunit = "{unit}"'), policy("strict", {}))
    assert (report.before, report.denied, report.allowed_again) == (1, 0, 0)
    assert report.not_kept == {"noai": 1}
