"""A dataset of text, and a web that has changed since it was crawled: `recheck --online` and `verify --online`."""

import json
from urllib.parse import quote

import pytest

import allmende as library
from allmende.testing.archives import Archive
from allmende.testing.text_pages import page, paragraphs

RECIPE = """
[dataset]
name = "set"
kind = "text"
[select]
archives = ["a.warc.gz"]
[text]
careful = false
[permission]
policy = "eu-research"
[fetch]
allow_addresses = ["127.0.0.0/8"]
ports = [{port}]
retries = 0
host_failures = 100
[publish]
sink = "{sink}"
"""
NOAI = '<meta name="robots" content="noai">'


@pytest.fixture
def web(web):
    """A server that answers for the pages in this test only."""
    yield web
    web.answers.clear()
    web.files.clear()


@pytest.fixture
def build(allmende, web, tmp_path):
    """Builds a dataset of pages on hosts of the server, by host and path; some with more in the head. Tells their texts."""

    def build(places, heads=None, sink="parquet"):
        archive, texts = Archive(), {}
        for host, path in places:
            texts[path] = paragraphs("de", path)
            archive.page(web.url(path, host), page("de", texts[path], (heads or {}).get(path, "")))
        (tmp_path / "a.warc.gz").write_bytes(archive.to_bytes())
        (tmp_path / "set.toml").write_text(RECIPE.format(port=web.port, sink=sink))
        allmende("build", "set.toml")
        return texts

    return build


def serve(web, host, path, html, tag=""):
    name = f"{host}{path.replace('/', '-')}"
    web.files[name] = html.encode()
    web.answers[f"127.0.0.{host}", path] = f"/file/{name}?type=text/html&tag={quote(tag)}"


def uids(folder):
    return {row["url"]: row["uid"] for row in library.Dataset(str(folder)).documents().to_pylist() if row["uid"]}


def test_documents_are_judged_by_what_hosts_and_pages_say_today(allmende, web, build, tmp_path):
    places = [(1, f"/a/{n}") for n in range(6)] + [(2, "/b/0"), (2, "/b/1"), (3, "/c/0"), (4, "/d/0"), (4, "/d/1")]
    texts = build(places, {"/a/4": NOAI, "/a/5": NOAI})
    serve(web, 1, "/a/0", page("de", texts["/a/0"]))
    serve(web, 1, "/a/1", page("de", texts["/a/1"], NOAI))
    serve(web, 1, "/a/2", page("de", texts["/a/2"]), tag="noindex")
    serve(web, 1, "/a/3", page("de", texts["/a/3"]), tag="noimageindex")
    serve(web, 1, "/a/4", page("de", texts["/a/4"]))  # it said noai, and does not any more
    serve(web, 1, "/a/5", page("de", paragraphs("de", "another")))  # it said noai; the page is another one now
    web.answers["127.0.0.2", "/robots.txt"] = "/text?is=" + quote("User-agent: GPTBot\nDisallow: /b/1")
    web.answers["127.0.0.2", "/b/0"] = "/status/410"
    serve(web, 3, "/c/1", page("de", texts["/c/0"]))
    web.answers["127.0.0.3", "/c/0"] = "/redirect?to=/c/1"
    licence = f'<link rel="license" type="application/rsl+xml" href="{web.url("/rsl.xml", 4)}">'
    serve(web, 4, "/d/0", page("de", texts["/d/0"], licence))
    serve(web, 4, "/d/1", page("de", texts["/d/1"]), tag="")
    rsl = f'<rsl xmlns="https://rslstandard.org/rsl"><content url="{web.url("/d/*", 4)}"><license><prohibits type="usage">ai-train</prohibits></license></content></rsl>'
    web.answers["127.0.0.4", "/rsl.xml"] = "/text?type=application/xml&is=" + quote(rsl)
    before = uids(tmp_path / "set")

    own = json.loads(allmende("recheck", "set", "--online", "--json"))["recheck"]
    assert (own["signals"], own["fates"]) == ({}, {"same": 7, "vanished": 2, "page": 1, "moved": 1})
    assert own["unanswered"] == {"http_not_found": 2}
    said = allmende("recheck", "set", "--policy", "eu-commercial", "--online", "--list", "denied.txt")
    assert said.index("Asking for up to 11 URLs") > 0  # on standard error
    assert "the pages today: 6 same, 2 denied" in said
    denied = {line.removeprefix("uid ") for line in (tmp_path / "denied.txt").read_text().splitlines()}
    urls = {url.partition(str(web.port))[2] for url, uid in before.items() if uid in denied}
    assert urls == {"/a/1", "/a/2", "/a/5", "/b/1", "/d/0"}

    out = allmende("recheck", "set", "--policy", "eu-commercial", "--online", "--apply", "--yes")
    assert "Gone: 5 samples" in out
    assert uids(tmp_path / "set").keys() == {url for url, uid in before.items() if uid not in denied}


@pytest.mark.parametrize("sink", ["parquet", "jsonl"])
def test_urls_are_asked_whether_the_texts_are_still_there(allmende, web, build, tmp_path, sink):
    texts = build([*((1, f"/v/{n}") for n in range(4)), (2, "/w/0"), (2, "/w/1"), (2, "/w/2"), (3, "/x/0")], sink=sink)
    for path in ("/v/0", "/v/1"):
        serve(web, 1, path, page("de", [*paragraphs("de", "more"), *texts[path]]))
    serve(web, 1, "/v/2", page("de", [*texts["/v/2"][:3], *paragraphs("de", "less")]))
    serve(web, 1, "/v/3", page("de", paragraphs("de", "other")))
    for number in range(3):
        serve(web, 2, f"/w/{number}", page("de", ["This domain is for sale"]))
    web.answers["127.0.0.3", "/robots.txt"] = "/text?is=" + quote("User-agent: *\nDisallow: /")
    out = allmende("verify", "set", "--online", "--sample", "0")
    assert "Nothing is wrong with it." in out
    report = json.loads((tmp_path / "set/verify.json").read_text())["online"]
    assert {one["domain"]: one["fates"] for one in report["domains"]} == {
        "127.0.0.1": {"same": 2, "changed": 1, "page": 1},
        "127.0.0.2": {"parked": 3},
        "127.0.0.3": {"denied": 1},
    }
    assert [one["domain"] for one in report["domains"] if one["changed_hands"]] == ["127.0.0.2"]
    some = json.loads(allmende("verify", "set/release", "--online", "--sample", "3", "--json"))["online"]
    assert (some["asked"], some["of"]) == (3, 8)
