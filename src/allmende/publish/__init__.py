"""Release: sinks that write shards, and the papers that go with them (funnel, report, dataset card)."""

from allmende.publish.sink import Release, Shard, Sink, Usage, WrittenFile, WrittenShard, load_sink, sink_names
from allmende.publish.webdataset import read_sample

__all__ = [
    "Release",
    "Shard",
    "Sink",
    "Usage",
    "WrittenFile",
    "WrittenShard",
    "load_sink",
    "read_sample",
    "sink_names",
]
