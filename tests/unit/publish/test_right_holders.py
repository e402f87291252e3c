"""The page for holders of rights says what is true of this dataset, and nothing from outside gets into it."""

import json

import pytest
from selectolax.lexbor import LexborHTMLParser

from allmende.permission.policy import SIGNALS
from allmende.publish.right_holders import contact_url, respected, rights_html, rights_json
from allmende.recipe import Dataset, Permission, Publish, Recipe, Select


def recipe(contact="", **permission):
    return Recipe(
        dataset=Dataset(name="<b>set</b>", contact=contact, description="Bilder & Worte"),
        select=Select(crawl="CC-MAIN-2026-43"),
        permission=Permission(**permission),
    )


def test_every_signal_is_listed_with_what_is_done_about_it():
    page = LexborHTMLParser(rights_html(recipe(policy="eu-research", noai="ignore")))
    said = {row.css_first("th").text(): row.css("td")[-1].text() for row in page.css("tr") if row.css("td")}
    assert said.keys() == {kind.name for kind in SIGNALS}
    assert (said["robots_txt"], said["tdmrep"], said["noai"]) == ("obeyed", "recorded, not obeyed", "not read")


def test_those_that_are_obeyed_come_first():
    actions = [row.action for row in respected(recipe(policy="eu-research"))]
    assert actions == sorted(actions, key=["deny", "allow", "ignore"].index)


@pytest.mark.parametrize(
    ("contact", "url"),
    [
        ("me@example.org", "mailto:me@example.org"),
        ("https://example.org/contact", "https://example.org/contact"),
        ("javascript:alert(1)", ""),
        ("ring the bell", ""),
        ("", ""),
    ],
)
def test_a_contact_is_a_link_only_if_it_is_one(contact, url):
    assert contact_url(contact) == url
    page = LexborHTMLParser(rights_html(recipe(contact)))
    links = {a.attributes["href"] for a in page.css("a")}
    assert links - {"dataset-rights.json"} == {url} - {""}
    assert ("have not named a contact" in page.body.text()) == (not contact)


def test_the_page_loads_nothing_and_shows_names_as_they_are():
    text = rights_html(recipe())
    assert "default-src 'none'" in text
    assert "<b>set" not in text
    assert "<script" not in text


def test_it_says_how_to_look_for_oneself():
    assert "'shards/*.parquet'" in rights_html(recipe())
    parquet = Recipe(dataset=Dataset(name="x"), select=Select(crawl="x"), publish=Publish(sink="parquet"))
    assert "the shards themselves" in rights_html(parquet)


def test_machines_read_the_same():
    found = json.loads(rights_json(recipe("me@example.org")))
    assert found["dataset"] == "<b>set</b>"
    assert found["contact"] == found["removal"]["request"] == "mailto:me@example.org"
    assert found["signals"]["robots_txt"] == "deny"
    assert json.loads(rights_json(recipe()))["contact"] is None
