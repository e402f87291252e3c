from datetime import date

import pytest

from allmende.permission.agents import OWN_TOKEN, keys, listed, shipped
from allmende.permission.robots import key


def test_the_list_is_dated_and_sourced():
    assert date.fromisoformat(shipped().version) >= date(2026, 8, 22)
    assert shipped().licence
    assert shipped().sources


def test_every_agent_is_there_once_under_a_key_of_its_own():
    names = [agent.name for agent in shipped().agents]
    assert names == sorted(names, key=str.lower)
    assert len(listed()) == len(names) > 100


@pytest.mark.parametrize(
    "name",
    [
        "CCBot",
        "GPTBot",
        "Google-Extended",
        "ClaudeBot",
        "anthropic-ai",
        "Applebot-Extended",
        "Bytespider",
        "meta-externalagent",
        "Amazonbot",
        "Meta-ExternalAgent",
        "cohere-training-data-crawler",
        "AI2Bot",
        "Ai2Bot-Dolma",
        "ImagesiftBot",
        "Diffbot",
        "omgili",
        "Timpibot",
        "img2dataset",
        "LAIONDownloader",
        "laion-huggingface-processor",
    ],
)
def test_agents_that_opt_outs_name_most(name):
    assert key(name) in listed()


@pytest.mark.parametrize("name", [OWN_TOKEN, "*", "Googlebot", "bingbot", "Mozilla", "Code", "Spider", ""])
def test_names_that_are_no_ai_agents(name):
    assert key(name) not in listed()


def test_a_recipe_s_names():
    assert keys(["GPTBot/1.0", "ChatGPT Agent", "*", ""]) == {"gptbot", "chatgpt agent"}


def test_sources_are_addresses():
    assert all(agent.source.startswith("https://") for agent in shipped().agents if agent.source)
