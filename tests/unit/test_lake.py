import json


def test_events_are_lines_of_json(lake):
    lake.event("build started", engine="local")
    lake.event("build finished")
    lines = [json.loads(line) for line in lake.read("events.jsonl").splitlines()]
    assert [line["event"] for line in lines] == ["build started", "build finished"]
