from importlib.resources import files

import pyarrow as pa

import allmende
from allmende.schema import CANDIDATES

ARCHIVES = str(files("allmende.demo") / "data" / "crawl-data" / "*" / "segments" / "*" / "wat" / "*.gz")


def test_archives_are_a_dataframe():
    frame = allmende.candidates(ARCHIVES)
    assert frame.column_names == CANDIDATES.names
    german = frame.where("language = 'de'").select("url", "caption", "warc_offset")
    assert german.count_rows() > 100
    assert pa.types.is_int64(german.to_arrow().schema.field("warc_offset").type)


def test_a_recipe_decides_which_captions_pass():
    text = f'[dataset]\nname = "few"\n[select]\narchives = ["{ARCHIVES}"]\n[captions]\nlanguages = ["pl"]'
    assert {row["language"] for row in allmende.candidates(allmende.loads(text)).to_pylist()} == {"pl"}
