"""AI agents by the names that robots.txt knows them under, and our own name.

The list ships as `ai_agents.toml`, dated, with sources; a recipe's `permission.ai_agents` replaces it.
"""

import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec

from allmende.permission.robots import key

OWN_TOKEN = "allmende"  # noqa: S105 - a product token, no secret
"""The name that we answer to in robots.txt, X-Robots-Tag and ai.txt."""

Purpose = Literal["training", "data", "search", "assistant", "agent", "coding", "unclear"]
"""training: collects what models are trained on. data: collects for customers who may. search: fills an index that
answers are made from. assistant: fetches what a user asks about. agent: acts for a user. coding: a programming tool."""


class Agent(msgspec.Struct, frozen=True):
    """An AI agent."""

    name: str
    """As a User-agent line has it."""
    operator: str
    """Empty if nobody says who it is."""
    purpose: Purpose
    source: str = ""
    """Where its operator documents it; empty if the list named in `sources` is all that we have."""


class AgentList(msgspec.Struct, frozen=True):
    """A list of agents."""

    version: str
    """Its date, ISO 8601."""
    licence: str
    sources: tuple[str, ...]
    agents: tuple[Agent, ...]


@cache
def shipped() -> AgentList:
    """The list that comes with Allmende."""
    text = Path(__file__).with_name("ai_agents.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), AgentList)


@cache
def listed() -> frozenset[str]:
    """`keys` of the shipped list."""
    return keys(agent.name for agent in shipped().agents)


def keys(names: Iterable[str]) -> frozenset[str]:
    """How groups of robots.txt are looked up for these agents. `*` is no agent."""
    return frozenset(found for name in names if (found := key(name)) not in {"", "*"})
