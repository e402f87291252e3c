"""The dataset card: a header that YAML and the Hub understand, sections that say what they must, words that stay words."""

import json
import re
import subprocess
import sys

import msgspec
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from allmende.publish import Release, Shard, load_sink
from allmende.publish.card import LICENCES, _plain, card_markdown, release_usage, size_category
from allmende.publish.member import BUILD_COLUMNS
from allmende.recipe import Permission
from allmende.safety.block_list import About
from allmende.schema import SAMPLES
from allmende.testing.samples import sample


def usage(sink="webdataset", samples=60):
    return load_sink(sink).usage(Release(("00000", "00001"), samples))


def front_matter(card: str) -> dict:
    assert card.startswith("---\n")
    return yaml.safe_load(card[4 : card.index("\n---\n", 4)])


def test_the_header_is_what_the_hub_expects(make_report):
    header = front_matter(card_markdown(make_report(name="German images"), usage()))
    assert header["pretty_name"] == "German images"
    assert header["license"] == "cc-by-4.0"
    assert set(header["language"]) <= {"de", "en", "fr"}
    assert header["size_categories"] == ["n<1K"]
    assert header["configs"] == [
        {"config_name": "default", "data_files": [{"split": "train", "path": "shards/*.tar"}]},
    ]
    features = header["dataset_info"]["features"]
    assert [feature["name"] for feature in features] == ["jpg", "json", "txt"]


def test_parquet_files_tell_their_columns_themselves(make_report):
    header = front_matter(card_markdown(make_report(), usage("parquet")))
    assert header["configs"][0]["data_files"][0]["path"] == "shards/*.parquet"
    assert "dataset_info" not in header


def test_norwegian_is_a_language(make_report):
    header = front_matter(card_markdown(make_report([sample(0, language="no"), sample(1, language="und")]), usage()))
    assert header["language"] == ["no"]


def test_unknown_licences_are_named(make_report):
    header = front_matter(card_markdown(make_report(license="My own: 1.0"), usage()))
    assert (header["license"], header["license_name"]) == ("other", "My own: 1.0")
    assert "cc-by-4.0" in LICENCES


def test_every_section_is_there(make_report):
    card = card_markdown(make_report(), usage())
    assert re.findall(r"^## (.*)$", card, re.MULTILINE) == [
        *("How it was made", "Funnel", "How to load it", "Fields", "Languages", "Where it comes from", "Licences"),
        *("Permission", "Safety", "Known limits", "Removal", "Citation"),
    ]


def test_every_released_field_is_explained(make_report):
    card = card_markdown(make_report(), usage())
    for field in SAMPLES:
        assert (f"| `{field.name}` |" in card) == (field.name not in BUILD_COLUMNS)


def test_code_spans_show_what_stands_in_them(make_report):
    card = card_markdown(make_report(), usage())
    assert "`<meta name=robots>`" in card
    assert "Text of the &lt;figcaption>" in card
    tricky = r"\`<b>\` ``<b> ` <b> `<i>`` <b>"
    assert "<b>" not in str(_plain(tricky)).replace("` <b> `", "")


def test_the_card_says_whom_to_write_to(make_report):
    assert "write to data@uni.example" in card_markdown(make_report(contact="data@uni.example"), usage())
    assert "names no contact" in card_markdown(make_report(), usage())


def test_the_card_counts_what_was_refused(make_report):
    reserved = [{"name": "noai", "says": "deny", "value": "noai"}]
    failures = [sample(1)[0] | {"reason": "permission_denied", "signals": reserved, "verdict": "noai"}] * 3
    card = card_markdown(make_report([sample(0, signals=[])], failures), usage())
    assert re.search(r"\| `noai` \| .* \| deny \| 3 \| 3 \| 3 \|", card)
    assert "3 of 4 rows (75.0 %)" in card


def test_the_card_says_that_permission_was_off(make_report):
    data = make_report()
    permission = Permission(policy="off", without_permission=True)
    data = msgspec.structs.replace(data, recipe=msgspec.structs.replace(data.recipe, permission=permission))
    card = card_markdown(data, usage())
    assert "Permission was switched off" in card
    assert "deny:" not in card


def test_the_card_says_which_lists_were_used_and_what_was_masked(make_report):
    data = make_report()
    without = card_markdown(data, usage())
    assert "No list of illegal or unwanted content was used." in without
    assert "Personal data in words was left as it is." in without
    about = About(name="hotline", kind="md5", date="2026-11-01", entries=7, sha256="ab" * 32)
    data = msgspec.structs.replace(data, lists=(about,), personal={"email": 3, "iban": 0, "social_security": 1})
    card = card_markdown(data, usage())
    assert "| `hotline` | illegal content | md5 | 2026-11-01 | 7 |" in card
    assert "email 3, social security 1" in card
    assert "Files were compared with lists of known illegal content" in card


def test_a_dataset_without_shards_has_a_card(make_report):
    card = card_markdown(msgspec.structs.replace(make_report([], []), shards=()), None)
    assert front_matter(card)["size_categories"] == ["n<1K"]
    assert "How to load it" not in card


def test_usage_comes_from_the_recipes_sink(make_report):
    data = make_report()
    assert release_usage(data) == usage()
    assert release_usage(msgspec.structs.replace(data, shards=())) is None


def test_tables_are_whole(make_report):
    """Each table's rows have as many cells as its head, even if strangers' words contain bars."""
    rows = [sample(n, page_license="a|b`c\n|d", language="x|`y", url="https://a|b/") for n in range(3)]
    for table in re.findall(r"(?:^\|.*\n)+", card_markdown(make_report(rows), usage()), re.MULTILINE):
        cells = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
        assert len(cells) == 1, table


WORDS = st.text("<>&\"'`|:#-{}[]%\n\t\x85\u2028é😀ab ", min_size=2, max_size=40)

OWN_WORDS = WORDS.map(lambda words: words.replace("`", "") or "x")  # the operator may write Markdown


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(name=OWN_WORDS, description=OWN_WORDS, licence=OWN_WORDS, words=WORDS)
def test_no_words_break_the_card(make_report, name, description, licence, words):
    failure = sample(1)[0] | {"reason": words}
    rows = [sample(0, caption=words, language=words, page_license=words, url=f"https://{words}/a")]
    card = card_markdown(make_report(rows, [failure], name=name, description=description, license=licence), usage())
    header = front_matter(card)
    assert header["pretty_name"] == name.replace("\x85", " ").replace("\u2028", " ")
    body = card[card.index("\n---\n", 4) :]
    outside_code = re.sub(r"(?s)```.*?```|`[^`]*`", "", body)
    assert "<" not in outside_code


@pytest.mark.parametrize(
    ("samples", "name"),
    [(0, "n<1K"), (999, "n<1K"), (1000, "1K<n<10K"), (5_850_000_000, "1B<n<10B"), (10**12 - 1, "100B<n<1T")],
)
def test_size_categories(samples, name):
    assert size_category(samples) == name


@pytest.mark.parametrize("sink", ["webdataset", "parquet", "files"])
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_the_python_snippets_run(make_report, tmp_path, sink):
    """All but those for Hugging Face's datasets, which is not installed for tests."""
    (tmp_path / "shards").mkdir()
    for number in range(2):
        load_sink(sink).write(Shard(number), [sample(number), sample(number + 10)], tmp_path / "shards")
    card = card_markdown(make_report(), usage(sink, 4))
    snippets = [text for text in re.findall(r"```python\n(.*?)```", card, re.DOTALL) if "load_dataset" not in text]
    assert snippets
    for snippet in snippets:
        ran = subprocess.run([sys.executable, "-c", snippet], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr


def test_the_header_survives_json(make_report):
    assert json.loads(json.dumps(front_matter(card_markdown(make_report(), usage()))))
