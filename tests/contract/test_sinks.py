"""Every sink that is installed passes the suite that plug-ins have to pass."""

import pytest

from allmende.errors import RecipeError
from allmende.publish import Shard, Sink, load_sink, sink_names
from allmende.schema import DOCUMENTS, SAMPLES
from allmende.testing.suites import DocumentSinkSuite, SinkSuite


class TestWebDataset(SinkSuite):
    def sink(self) -> Sink:
        return load_sink("webdataset")


class TestParquet(SinkSuite):
    def sink(self) -> Sink:
        return load_sink("parquet")


class TestFiles(SinkSuite):
    def sink(self) -> Sink:
        return load_sink("files")


class TestParquetOfText(DocumentSinkSuite):
    def sink(self) -> Sink:
        return load_sink("parquet")


class TestJsonl(DocumentSinkSuite):
    def sink(self) -> Sink:
        return load_sink("jsonl")


@pytest.mark.parametrize(("sink", "schema"), [("webdataset", DOCUMENTS), ("files", DOCUMENTS), ("jsonl", SAMPLES)])
def test_a_sink_refuses_rows_that_it_has_no_form_for(sink, schema, tmp_path):
    with pytest.raises(RecipeError, match=f'publish.sink = "{sink}"'):
        load_sink(sink).write(Shard(0, schema=schema), [], tmp_path)
    assert not list(tmp_path.iterdir())


def test_every_built_in_sink_has_its_suite():
    suites = [*SinkSuite.__subclasses__(), *DocumentSinkSuite.__subclasses__()]
    tested = {type(suite().sink()).__name__.lower() for suite in suites}
    assert set(sink_names()) <= tested


def test_an_unknown_sink_names_the_known_ones():
    with pytest.raises(RecipeError, match="files, jsonl, parquet, webdataset"):
        load_sink("tfrecord")
