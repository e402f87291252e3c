"""The demo's server, asked over TCP."""

import contextlib
import gzip
import http.client
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from email.message import Message
from typing import NamedTuple

import pytest

from allmende import demo
from allmende.demo.server import DATA, listen


@pytest.fixture(scope="module")
def server() -> Iterator[demo.Server]:
    with demo.serve() as running:
        yield running


class Answer(NamedTuple):
    status: int
    headers: Message
    body: bytes


def ask(server: demo.Server, path: str, host: str = "", **headers: str) -> Answer:
    named = {"Host": f"{host}.localhost:{server.port}"} if host else {}
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)) as connection:
        connection.request("GET", path, headers={**named, **headers})
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read())


def test_it_plays_common_crawl(server: demo.Server) -> None:
    crawls = json.loads(ask(server, "/collinfo.json").body)
    assert [crawl["id"] for crawl in crawls] == [demo.CRAWL]
    for kind in ("warc", "wat"):
        paths = gzip.decompress(ask(server, f"/crawl-data/{demo.CRAWL}/{kind}.paths.gz").body).decode().split()
        assert len(paths) == 3
        assert all(ask(server, f"/{path}").body[:2] == b"\x1f\x8b" for path in paths)


def test_archives_are_served_in_parts(server: demo.Server) -> None:
    path = f"/crawl-data/{demo.CRAWL}/warc.paths.gz"
    whole = ask(server, path)
    part = ask(server, path, Range="bytes=10-19")
    assert (part.status, part.body) == (206, whole.body[10:20])
    assert part.headers["Content-Range"] == f"bytes 10-19/{len(whole.body)}"
    assert part.headers["ETag"] == whole.headers["ETag"]
    assert ask(server, path, Range="bytes=10-").body == whole.body[10:]
    assert ask(server, path, Range="bytes=999999-").status == 416


def test_it_plays_every_host_of_the_crawl(server: demo.Server) -> None:
    page = ask(server, "/", host="patrimoine")
    assert page.status == 200
    assert page.headers["Content-Encoding"] == "deflate"
    picture = ask(server, "/bilder/eiffelturm.jpg?breite=384", host="bauwerke")
    assert picture.body.startswith(b"\xff\xd8")
    assert ask(server, "/nothing", host="bauwerke").status == 404
    assert ask(server, "/", host="nobody").status == 404
    assert b"bauwerke.localhost" in ask(server, "/").body


def test_a_busy_host_answers_at_the_second_time(server: demo.Server) -> None:
    answers = [ask(server, "/spaeter.jpg", host="ueberlastet") for _ in range(3)]
    assert [answer.status for answer in answers] == [429, 200, 200]
    assert answers[0].headers["Retry-After"] == "1"


def test_broken_hosts_break(server: demo.Server) -> None:
    with pytest.raises(http.client.IncompleteRead):
        ask(server, "/abbruch.jpg", host="kaputt")
    with pytest.raises(http.client.RemoteDisconnected):
        ask(server, "/auflegen.jpg", host="kaputt")
    with pytest.raises(http.client.BadStatusLine):
        ask(server, "/unsinn.jpg", host="kaputt")
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", server.port + 1)):
        pass


def test_other_methods_and_kept_connections(server: demo.Server) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    for method, status in (("HEAD", 200), ("GET", 200), ("POST", 405)):
        connection.request(method, "/collinfo.json")
        answer = connection.getresponse()
        assert (answer.status, len(answer.read()) > 0) == (status, method == "GET")
    connection.close()


def test_a_second_server_moves_the_whole_crawl_to_another_port(server: demo.Server) -> None:
    with demo.serve() as other:
        assert other.port not in (server.port, server.port + 1)
        paths = gzip.decompress(ask(other, f"/crawl-data/{demo.CRAWL}/warc.paths.gz").body).decode().split()
        warc = gzip.decompress(ask(other, f"/{paths[0]}").body)
        assert b".localhost:%d/" % other.port in warc
        assert b".localhost:8087/" not in warc
        assert ask(other, "/neu.jpg", host="umzug").headers["Location"].startswith("http://bauwerke.localhost:")
        assert ask(other, "/bilder/eiffelturm.jpg", host="bauwerke").status == 200
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", other.port)):
        pass


def test_taken_ports_are_passed_over() -> None:
    first, serving, held = listen([0])
    for each in (*serving, *held):
        each.close()
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="no free port"):
        listen([taken.getsockname()[1]])
    assert first == 0


def test_the_data_is_small_enough_to_ship() -> None:
    assert sum(path.stat().st_size for path in DATA.rglob("*") if path.is_file()) < 6_000_000


def test_ctrl_c_ends_a_server_that_was_started_by_hand() -> None:
    command = [sys.executable, "-m", "allmende.demo.server"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        assert ask(demo.Server(port), "/collinfo.json").status == 200
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=10)
    assert (process.returncode, errors) == (0, b"")


def test_it_closes_what_clients_left_open() -> None:
    command = [sys.executable, "-W", "always", "-m", "allmende.demo.server"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        with socket.create_connection(("127.0.0.1", int(process.stdout.readline()))) as client:
            client.sendall(b"GET /collinfo.json HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert client.recv(10) == b"HTTP/1.1 2"
            process.stdin.close()
            assert process.stderr.read() == ""
