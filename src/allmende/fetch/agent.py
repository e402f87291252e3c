"""Who we say we are. A server's operator must be able to see who asks, and to reach them."""

from allmende import __url__, __version__
from allmende.errors import RecipeError

ANONYMOUS_URLS = 10_000
"""A crawl of more URLs needs a contact."""


def user_agent(contact: str) -> str:
    """The User-Agent header: `allmende/VERSION (+url; contact)`.

    Raises:
        RecipeError: The contact can't stand in a header.
    """
    contact = contact.strip()
    if not contact.isascii() or not contact.isprintable() or any(c in contact for c in "()\\"):
        raise RecipeError(
            f"The contact {contact!r} can't be sent in a header. "
            "Write an e-mail or web address in ASCII, without brackets."
        )
    return f"allmende/{__version__} (+{__url__}{'; ' + contact if contact else ''})"


def check_contact(n_urls: int, contact: str) -> None:
    """Refuses a large crawl by nobody.

    Args:
        n_urls: How many URLs the crawl will ask for.
        contact: `dataset.contact` of the recipe.

    Raises:
        RecipeError: More than 10,000 URLs and no contact, or a contact that can't be sent.
    """
    if n_urls > ANONYMOUS_URLS and not contact.strip():
        raise RecipeError(
            f"This crawl would ask for {n_urls:,} URLs, and nobody says whose it is. "
            'Say it: --contact you@example.org, or contact = "you@example.org" under [dataset] of a recipe. '
            "Servers see it in the User-Agent."
        )
    user_agent(contact)
