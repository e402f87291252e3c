"""`allmende recheck`: verdicts made anew from what is stored, or from what hosts say today; and what follows from them."""

import io
import json
from urllib.parse import quote

import pyarrow.parquet as pq
import pytest

import allmende as library
from allmende.errors import LakeError
from allmende.maintain.recheck import recheck
from allmende.maintain.recheck_online import Online
from allmende.permission.policy import policy

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


def test_a_dataset_without_samples_has_no_verdicts(tmp_path):
    with pytest.raises(LakeError, match="No dataset"):
        recheck(str(tmp_path))
