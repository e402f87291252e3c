"""Documents obey the robots.txt that was captured with them."""

from allmende.testing.archives import Archive
from allmende.testing.text_pages import page, paragraphs

CHAIN = ("documents", "robots", "permitted", "unique", "near", "release/shards")


def robots(archive, host, *lines):
    body = "".join(f"{line}\n" for line in lines).encode()
    archive.response(f"http://{host}/robots.txt", body, content_type="text/plain")


def test_what_robots_txt_reserved_goes_and_what_it_said_is_kept(text_dataset, tmp_path):
    captures = Archive("robots.warc.gz")
    robots(captures, "a.example", "User-agent: *", "Disallow: /private")
    robots(captures, "b.example", "User-agent: GPTBot", "Disallow: /")
    (tmp_path / "robots.warc.gz").write_bytes(captures.to_bytes())
    archive = Archive()
    for number, url in enumerate(("a.example/private/1", "a.example/open", "b.example/1", "c.example/1")):
        archive.page(f"http://{url}", page("de", paragraphs("de", number)))
    sections = f'[permission]\ncaptures = ["{tmp_path / "robots.warc.gz"}"]\n[quality]\nsignals = true'
    dataset = text_dataset([archive], sections)
    dataset.run("documents", "robots", "permitted", "quality", "unique", "near", "release/shards")
    assert dataset.tally("permitted").dropped == {"permission_denied": 2}
    released = {row["url"]: [signal["name"] for signal in row["signals"]] for row in dataset.released()}
    assert set(released) == {"http://a.example/open", "http://c.example/1"}
    assert released["http://c.example/1"] == []


def test_who_researches_records_what_is_said_to_ai_agents(text_dataset, tmp_path):
    captures = Archive("robots.warc.gz")
    robots(captures, "b.example", "User-agent: GPTBot", "Disallow: /")
    (tmp_path / "robots.warc.gz").write_bytes(captures.to_bytes())
    archive = Archive()
    archive.page("http://b.example/1", page("de", paragraphs("de", 1), '<meta name="robots" content="noai">'))
    sections = f'[permission]\npolicy = "eu-research"\ncaptures = ["{tmp_path / "robots.warc.gz"}"]'
    row = text_dataset([archive], sections).run(*CHAIN).released()[0]
    assert {"robots_txt_ai", "noai"} <= {signal["name"] for signal in row["signals"]}
    assert row["verdict"] == "allowed"
