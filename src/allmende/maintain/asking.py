"""Asks the web for a dataset that is finished, with the client of a build: same limits, same guard, same permission."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from allmende.fetch import host_files
from allmende.fetch.agent import user_agent
from allmende.fetch.client import Client
from allmende.permission import Gate, Policy
from allmende.permission.agents import OWN_TOKEN, keys
from allmende.permission.answers import Answer, answers
from allmende.permission.hosts import FileKind, HostFile, Hosts
from allmende.permission.x_robots_tag import Bears
from allmende.recipe import Recipe


class Web(NamedTuple):
    """What asks."""

    client: Client
    hosts: Hosts[Answer]
    """robots.txt and its kin, as hosts answer today."""
    licences: dict[str, tuple[str, ...]]
    """By URL: RSL licences that the pages name which show the file. To be filled before it is asked for."""


@asynccontextmanager
async def asking(
    recipe: Recipe, policy: Policy, contact: str, bears: Bears, nameservers: tuple[str, ...] = ()
) -> AsyncIterator[Web]:
    """A client that obeys a policy.

    Args:
        recipe: Of the dataset: its limits and its agents.
        policy: Decides what may be asked for.
        contact: Sent to servers.
        bears: What its URLs lead to.
        nameservers: To ask instead of the system's.
    """

    async def ask(kind: FileKind, url: str) -> HostFile:
        return await host_files.ask(client, kind, url)

    hosts: Hosts[Answer] = Hosts(ask, answers(OWN_TOKEN, keys(recipe.permission.ai_agents) or None))
    licences: dict[str, tuple[str, ...]] = {}
    gate = Gate(policy, hosts, page_licences=lambda url: licences.get(url, ()), bears=bears)
    async with Client(recipe.fetch, user_agent(contact), gate, nameservers=nameservers) as client:
        try:
            yield Web(client, hosts, licences)
        finally:
            await hosts.close()
