"""Evaluation sets are found in documents, whatever format they come in, and nothing else is."""

import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from allmende.dedup.decontaminate import (
    MOST_STRETCHES,
    MOST_WORDS,
    Index,
    Match,
    Options,
    build,
    read_examples,
    read_sets,
    removed_table,
    set_name,
)
from allmende.dedup.simplify import simple_words
from allmende.errors import RecipeError, SourceError

QUESTION = "Which of the following rivers flows through the greatest number of European capitals? Danube, Rhine, Elbe."
NEEDLE = "which of the following rivers flows through the greatest number of european capitals"


@pytest.fixture
def index():
    return build([("rivers", [QUESTION]), ("other", ["one two three " * 10, "short"])], Options())


def test_a_document_that_quotes_an_example(index):
    document = f'I was asked: "{QUESTION.upper()}" and did not know.'
    [match] = index.contaminated(document)
    assert match == Match("rivers", 3, 16, f"{NEEDLE} danube rhine elbe")


def test_twelve_words_are_not_enough(index):
    words = QUESTION.split()
    assert index.contaminated(" ".join(words[:12])) == []
    assert index.contaminated("so: " + " ".join(words[:13]))[0].text == f"{NEEDLE}"


def test_accents_and_numbers_do_not_count():
    sets = build([("s", ["the café sold 3,50 euro cakes in 1987 to all who came by train"])], Options())
    assert sets.contaminated("The Cafe sold 4.75 euro cakes in 2020 to all who came by train")


def test_what_is_counted(index):
    assert index.names == ["other", "rivers"]
    assert index.examples == [2, 1]
    assert index.short == [1, 0]
    assert len(index) == 3 + 4


def test_more_runs_may_be_asked_for():
    sets = build([("s", [QUESTION])], Options(least=3))
    words = QUESTION.split()
    assert sets.contaminated(" ".join(words[:14])) == []
    assert sets.contaminated(" ".join(words[:13]) + " and " + " ".join(words[:13])) == []
    assert sets.contaminated(" ".join(words[:15]))


def test_a_run_of_two_sets_is_told_for_both():
    sets = build([("b", [QUESTION]), ("a", [QUESTION])], Options())
    assert [match.name for match in sets.contaminated(QUESTION)] == ["a", "b"]


def test_stretches_far_apart_are_told_apart(index):
    document = f"{QUESTION} {'filler ' * 50} {QUESTION}"
    assert [(match.position, match.words) for match in index.contaminated(document)] == [(0, 16), (66, 16)]


def test_examples_in_scripts_without_spaces():
    sets = build([("zh", ["下列哪条河流流经的欧洲首都最多？多瑙河、莱茵河、易北河。"])], Options())
    [match] = sets.contaminated("老师问：下列哪条河流流经的欧洲首都最多？我不知道。")
    assert (match.position, match.words) == (3, 15)


def test_no_sets_and_empty_texts(index):
    assert build([], Options()).contaminated(QUESTION) == []
    assert build([("empty", [])], Options()).contaminated(QUESTION) == []
    assert index.contaminated("") == []


def test_what_is_told_of_a_hostile_document_is_bounded(index):
    once = index.contaminated("one two three " * 100_000)
    assert [(match.words, len(match.text.split())) for match in once] == [(300_000, MOST_WORDS)]
    often = index.contaminated(f"{QUESTION} {'filler ' * 20}" * 1_000)
    assert len(often) == MOST_STRETCHES


@given(st.lists(st.sampled_from("abcd"), max_size=60), st.lists(st.sampled_from("abcd"), max_size=60))
def test_it_agrees_with_the_obvious_way(example, document):
    index = build([("s", [" ".join(example)])], Options(ngram=4))
    runs = {tuple(example[i : i + 4]) for i in range(len(example) - 3)}
    covered = {i + j for i in range(len(document) - 3) if tuple(document[i : i + 4]) in runs for j in range(4)}
    matches = index.contaminated(" ".join(document))
    told = {match.position + j for match in matches for j in range(match.words)}
    assert covered <= told
    assert bool(covered) == bool(told)
    for match in matches:
        assert match.text.split() == simple_words(" ".join(document))[match.position :][: match.words]


def test_an_index_is_the_same_after_a_file(index, tmp_path):
    path = str(tmp_path / "sets.arrow")
    index.save(path)
    again = Index.load(path)
    assert (again.names, again.short, again.examples, again.options) == (
        index.names,
        index.short,
        index.examples,
        index.options,
    )
    assert again.contaminated(QUESTION) == index.contaminated(QUESTION)


@pytest.mark.parametrize("content", [b"", b"no index", b"ARROW1\0\0"])
def test_a_damaged_index_is_refused(content, tmp_path):
    path = tmp_path / "sets.arrow"
    path.write_bytes(content)
    with pytest.raises(SourceError, match="no index"):
        Index.load(str(path))


ROW = {"id": 7, "question": "Where?", "choices": ["here", "there"], "more": {"why": "so"}, "none": None}


def test_examples_from_every_format(tmp_path):
    line = json.dumps(ROW).encode() + b"\n\n"
    files = {
        "a.jsonl": line,
        "a.jsonl.gz": gzip.compress(line),
        "a.jsonl.zst": zstandard.compress(line),
        "a.txt": b"Where?\nhere there\n\n\nso\n",
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    pq.write_table(pa.Table.from_pylist([ROW]), tmp_path / "a.parquet")
    for name in ("a.jsonl", "a.jsonl.gz", "a.jsonl.zst", "a.parquet"):
        assert list(read_examples(str(tmp_path / name))) == ["Where? here there so"]
    assert [simple_words(text) for text in read_examples(str(tmp_path / "a.txt"))] == [
        ["where", "here", "there"],
        ["so"],
    ]


def test_a_paragraph_has_a_longest_size(tmp_path):
    path = tmp_path / "long.txt"
    path.write_bytes(b"word " * 1_000_000)
    texts = list(read_examples(str(path)))
    assert "".join(texts) == "word " * 1_000_000
    assert max(map(len, texts)) <= 2 << 20


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.jsonl", b'{"a": 1}\n{"a": '),
        ("a.jsonl", b"[" * 100_000),
        ("a.jsonl.gz", b"no gzip"),
        ("a.jsonl.gz", gzip.compress(b"{}" * 100)[:-9]),
        ("a.jsonl.zst", b"no zstd"),
        ("a.parquet", b"PAR1"),
    ],
)
def test_damaged_files_name_themselves(name, content, tmp_path):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(SourceError, match=f"{name} can't be read"):
        list(read_examples(str(path)))


def test_missing_files_and_other_formats(tmp_path):
    with pytest.raises(SourceError, match="can't be read"):
        list(read_examples(str(tmp_path / "none.txt")))
    for name in ("a.csv", "a.parquet.gz"):
        with pytest.raises(RecipeError, match="Names end in"):
            list(read_examples(str(tmp_path / name)))


@pytest.mark.parametrize(
    ("location", "name"),
    [
        ("/data/mmlu.test.jsonl.gz", "mmlu"),
        ("https://example.org/sets/arc.parquet?download=true", "arc"),
        ("sets/mmlu/test-00000-of-00002.parquet", "mmlu/test"),
        ("sets/arc/validation.jsonl", "arc/validation"),
        ("test.txt", "test"),
        ("sets/testimony.txt", "testimony"),
    ],
)
def test_names_of_sets(location, name):
    assert set_name(location) == name


def test_files_to_list_of_what_was_removed(tmp_path):
    for name in ("rivers.txt", "rivers.jsonl"):
        (tmp_path / name).write_text(json.dumps({"q": QUESTION}))
    index = read_sets([str(tmp_path / "rivers.txt"), str(tmp_path / "rivers.jsonl")], Options())
    assert (index.names, index.examples) == (["rivers"], [2])
    table = removed_table([("u1", index.contaminated(QUESTION)), ("u2", [])])
    assert table.to_pylist() == [
        {"uid": "u1", "set": "rivers", "position": 0, "words": 16, "text": f"{NEEDLE} danube rhine elbe"}
    ]
