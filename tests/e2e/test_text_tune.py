"""`allmende tune` tells what the next build keeps."""

import json

from allmende.testing.text_pages import text_archive


def kept(allmende, *arguments):
    """By language, as `tune` says."""
    found = json.loads(allmende("tune", "mine", *arguments, "--json"))["languages"]
    return {one["language"]: one["kept"] for one in found}


def built(allmende):
    """The same, as the build says; and when the documents were read."""
    facts = {}
    for path in sorted((allmende.home / "mine/quality").glob("part-*.json")):
        for name, count in json.loads(path.read_text())["facts"].items():
            facts[name] = facts.get(name, 0) + count
    read = [path.stat().st_mtime_ns for path in sorted((allmende.home / "mine/documents").glob("part-*.json"))]
    return {name.removesuffix("/kept"): count for name, count in facts.items() if name.endswith("/kept")}, read


def test_what_it_tells_is_what_the_next_build_keeps(allmende):
    for number in range(2):
        (allmende.home / f"{number}.warc.gz").write_bytes(text_archive(number, pages=12).to_bytes())
    allmende("init", "mine.toml", "--kind", "text", "--languages", "de,fr", "--archives", "*.warc.gz")
    path = allmende.home / "mine.toml"
    text = path.read_text().replace("#: signals = false", "signals = true")
    assert "#: careful = true" in text
    path.write_text(text.replace("#: careful = true", "careful = false"))
    allmende("build", path)
    before, read = built(allmende)
    assert kept(allmende) == before

    # Half of the German documents have fewer words than this.
    (german,) = json.loads(allmende("tune", "mine", "--language", "de", "--json"))["languages"]
    words = next(rule for rule in german["rules"] if rule["rule"] == "word_count")["percentiles"]["p50"]
    limit = f"de: word_count >= {words + 1}"
    predicted = kept(allmende, "--limit", limit)
    assert predicted["fr"] == before["fr"]
    assert 0 < predicted["de"] < before["de"]
    said = allmende("tune", "mine", "--rule", "word_count", "--at", f"1,{words + 1}", "--language", "de")
    assert said.splitlines()[-1].split()[-2].replace(",", "") == str(predicted["de"])

    text = path.read_text()
    assert "#: limits = []" in text
    path.write_text(text.replace("#: limits = []", f'limits = ["{limit}"]'))
    assert "quality" in allmende("build", path, "--redo")
    assert built(allmende) == (predicted, read)
    assert kept(allmende) == predicted

    allmende("takedown", "mine", "--domain", "same.example", "--reason", "other", "--ticket", "T-1", "--yes")
    assert before["de"] - 2 == kept(allmende, "--limit", "de: word_count >= 50")["de"]


def test_wrong_arguments_are_told(allmende):
    assert "No dataset at" in allmende("tune", "nothing", code=5)
