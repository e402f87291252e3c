"""`allmende recheck`: verdicts made anew from what is stored, or from what hosts say today; and what follows from them."""

import asyncio
import io
import json
from urllib.parse import quote

import pyarrow.parquet as pq
import pytest

import allmende as library
from allmende.errors import LakeError
from allmende.maintain.asking import asking
from allmende.maintain.recheck import recheck
from allmende.maintain.recheck_online import Online, judge_images
from allmende.permission import Signal
from allmende.permission.policy import policy
from allmende.recipe import Dataset, Fetch, Recipe, Select

AI_TXT = "/text?is=" + quote("User-Agent: *\nDisallow: /ok/1")
RESERVES = "/text?is=" + quote('[{"location": "/ok/*", "tdm-reservation": 1}]')
PATHS = [f"/ok/{i}" for i in range(16)] + [f"/robots/{i}?tag=noindex" for i in range(4)]


@pytest.fixture
def answers(web):
    """What hosts answer in this test only."""
    yield web.answers
    web.answers.clear()


def uids(folder):
    return {row["uid"] for row in library.Dataset(str(folder)).samples().to_pylist()}


def test_by_what_is_stored(allmende, table, web, answers, tmp_path):
    answers[("127.0.0.2", "/ai.txt")] = AI_TXT
    # A policy that records what others obey: 6 of 20 samples carry a reservation.
    allmende("fetch", *table(PATHS), "--to", "set", "--set", "permission.policy=eu-research")
    asked, folder = len(web.asked), tmp_path / "set"
    before = uids(folder)
    assert len(before) == 20

    same = recheck(str(folder))
    assert (same.policies, same.signals, same.denied) == ({"eu-research/2026-11-22": 20}, {}, 0)
    out = io.StringIO()
    report = recheck(str(folder), policy("eu-commercial"), denied=out)
    assert report.signals == {"noindex": 4, "ai_txt": 2}
    assert (report.before, report.denied, report.allowed_again) == (20, 6, 0)
    denied = {line.removeprefix("uid ") for line in out.getvalue().splitlines()}
    assert len(denied & before) == 6
    changed = recheck(str(folder), policy("eu-commercial", {"noindex": "allow"}))
    assert (changed.signals, changed.policy) == ({"ai_txt": 2}, "eu-commercial/2026-11-22+")

    # A dataset whose policy did not read a signal can't tell what it would have said.
    recipe = (folder / "recipe.toml").read_text()
    (folder / "recipe.toml").write_text(recipe.replace('ai_txt = "preset"', 'ai_txt = "ignore"'))
    assert recheck(str(folder), policy("eu-commercial")).unread == ("ai_txt",)
    (folder / "recipe.toml").write_text(recipe)

    assert "no such signal" in allmende("recheck", "set", "--signal", "moon=deny", code=2)
    assert "NAME=deny" in allmende("recheck", "set", "--signal", "tdmrep", code=2)
    said = allmende("recheck", "set", "--policy", "eu-commercial", "--apply", "--yes", "--list", "denied.txt")
    assert "denied by noindex: 4" in said
    assert said.index("denied by") < said.index("Gone: 6 samples")
    assert {line.removeprefix("uid ") for line in (tmp_path / "denied.txt").read_text().splitlines()} == denied
    assert uids(folder) == before - denied
    released = pq.read_table(sorted((folder / "release/shards").glob("*.parquet"))).column("uid").to_pylist()
    assert set(released) == before - denied
    after = json.loads(allmende("recheck", "set", "--policy", "eu-commercial", "--json"))["recheck"]
    assert after["signals"] == {}
    assert len(web.asked) == asked


def test_by_what_hosts_say_today(allmende, table, web, answers, tmp_path):
    allmende("fetch", *table([*PATHS, "/missing/1"]), "--to", "set")
    folder = tmp_path / "set"
    milder = recheck(str(folder), policy("eu-research"))
    assert (milder.returning, milder.allowed_again, milder.denied) == ({"noindex": 4}, 4, 0)

    asked = len(web.asked)
    answers |= {
        ("127.0.0.2", "/.well-known/tdmrep.json"): RESERVES,
        ("127.0.0.3", "/ok/2"): "/robots/2?tag=noai",
        ("127.0.0.3", "/ok/6"): "/status/404",
        ("127.0.0.4", "/robots.txt"): "/close",
    }
    report = recheck(str(folder), online=Online())
    assert report.signals == {"tdmrep": 4, "noai": 1}
    assert report.unanswered == {"connection_lost": 4, "http_not_found": 1}
    new = web.asked[asked:]
    assert not [path for host, path in new if host == "127.0.0.2" and path.startswith("/ok/")]
    assert [path for host, path in new if host == "127.0.0.1"].count("/robots.txt") == 1
    assert len(uids(folder)) == 16


def test_a_licence_that_a_page_names_is_read_anew(web, answers):
    """It is nobody's file: neither the host of the image names it, nor its headers."""
    forbids = '<rsl xmlns="https://rslstandard.org/rsl"><content url="/ok/*"><license><{0} type="usage">ai-train</{0}></license></content></rsl>'
    licence, url = web.url("/licence.xml", 1), web.url("/ok/1", 1)
    stored = (Signal(name="rsl", says="deny", value="prohibits ai-train", url=licence),)
    row = {"uid": "0", "url": url, "language": "de", "signals": stored, "policy": "", "page_rsl": licence}
    found = Recipe(
        dataset=Dataset(name="x"),
        select=Select(urls=("x",)),
        fetch=Fetch(ports=web.ports, allow_addresses=("127.0.0.0/8",)),
    )

    async def judged():
        async with asking(found, policy("eu-commercial", {}), "", "image") as asked:
            return (await judge_images(asked, policy("eu-commercial", {}), [row])).denied_by

    for says, denied in (("prohibits", ["rsl"]), ("permits", [""])):
        answers["127.0.0.1", "/licence.xml"] = "/text?type=application/xml&is=" + quote(forbids.format(says))
        assert asyncio.run(judged()) == denied


def test_a_dataset_without_samples_has_no_verdicts(tmp_path):
    with pytest.raises(LakeError, match="No dataset"):
        recheck(str(tmp_path))
