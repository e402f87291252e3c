import pytest

from allmende import __version__
from allmende.errors import RecipeError
from allmende.fetch.agent import check_contact, user_agent


def test_the_user_agent_is_honest():
    assert user_agent("me@example.org").startswith(f"allmende/{__version__} (+https://")
    assert user_agent(" me@example.org ").endswith("; me@example.org)")
    assert ";" not in user_agent("")


@pytest.mark.parametrize("contact", ["a\r\nHost: b", "a\nb", "mé@example.org", "(me)", "a\0b"])
def test_a_contact_that_would_break_the_header_is_refused(contact):
    with pytest.raises(RecipeError, match="contact"):
        user_agent(contact)


def test_a_large_crawl_needs_a_contact():
    check_contact(10_000, "")
    check_contact(10_001, "me@example.org")
    with pytest.raises(RecipeError, match="contact"):
        check_contact(10_001, " ")
