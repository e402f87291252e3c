"""`allmende report`: figures that agree with `status`."""

import json


def test_a_file_with_many_captions_was_asked_for_once(allmende, table):
    paths = [f"/ok/asked-{n % 4}" for n in range(12)] + ["/missing/x"]
    allmende("fetch", *table(paths), "--to", "out")
    samples = json.loads(allmende("status", "out", "--json"))[3]
    report = json.loads(allmende("report", "out", "--json"))
    assert samples["counts"]["sample"]["seen"] == 13
    assert (report["asked"], report["arrived"]) == (5, 4)
    assert report["bytes_received"] == samples["facts"]["bytes_received"]
