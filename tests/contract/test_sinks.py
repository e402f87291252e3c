"""Every sink that is installed passes the suite that plug-ins have to pass."""

import pytest

from allmende.errors import RecipeError
from allmende.publish import Sink, load_sink, sink_names
from allmende.testing.suites import SinkSuite


class TestWebDataset(SinkSuite):
    def sink(self) -> Sink:
        return load_sink("webdataset")


class TestParquet(SinkSuite):
    def sink(self) -> Sink:
        return load_sink("parquet")


class TestFiles(SinkSuite):
    def sink(self) -> Sink:
        return load_sink("files")


def test_every_built_in_sink_has_its_suite():
    tested = {type(suite().sink()).__name__.lower() for suite in SinkSuite.__subclasses__()}
    assert set(sink_names()) <= tested


def test_an_unknown_sink_names_the_known_ones():
    with pytest.raises(RecipeError, match="files, parquet, webdataset"):
        load_sink("tfrecord")
