"""What a host answered for one of its files, ready to be asked about URLs: a class for each kind of file.

A file that is not there says nothing. Whether there is one that could not be had: of robots.txt that denies everything
(RFC 9309, section 2.3.1.4); of the others it is a statement that can't be read.
"""

from collections.abc import Callable
from typing import Protocol

import msgspec

from allmende.permission import rsl, tdmrep
from allmende.permission.agents import OWN_TOKEN
from allmende.permission.host_rules import AiTxtRules, RobotsRules, Said
from allmende.permission.hosts import HostFile
from allmende.permission.robots import path_of
from allmende.permission.signal import Signal
from allmende.reason import Reason

CAPTURE = "capture"
"""Field of signals from a captured robots.txt."""


class Answer(Protocol):
    """A file of a host, compiled."""

    silent: Reason | None
    """Why the host gave no answer at all; None if it gave one."""

    def signals(self, url: str) -> tuple[Signal, ...]:
        """What the file says about a URL."""

    def licences(self) -> tuple[str, ...]:
        """URLs of the RSL licences that it names."""


class Robots:
    """A robots.txt.

    Args:
        file: As it was answered.
        own: Our product token.
        ai_agents: Keys of the agents whose groups count for `robots_txt_ai`; None for the list that ships.
    """

    def __init__(self, file: HostFile, own: str = OWN_TOKEN, ai_agents: frozenset[str] | None = None):
        self.silent = file.reason if file.silent else None
        self._rules = RobotsRules(_said(file), own, ai_agents)

    def signals(self, url: str) -> tuple[Signal, ...]:
        """See `Answer.signals`."""
        return self._rules.signals(path_of(url))

    def licences(self) -> tuple[str, ...]:
        """See `Answer.licences`."""
        return tuple(url for url in self._rules.rsl_urls if url.startswith(("http://", "https://")))


class _NoLicences:
    silent: Reason | None = None

    def licences(self) -> tuple[str, ...]:
        """See `Answer.licences`."""
        return ()


class AiTxt(_NoLicences):
    """An ai.txt of Spawning."""

    def __init__(self, file: HostFile, own: str = OWN_TOKEN):
        self._failure = _failure("ai_txt", file)
        self._rules = None if file.reason else AiTxtRules(_said(file), own)

    def signals(self, url: str) -> tuple[Signal, ...]:
        """See `Answer.signals`."""
        return self._rules.signals(path_of(url)) if self._rules else self._failure


class TdmRep(_NoLicences):
    """A tdmrep.json."""

    def __init__(self, file: HostFile):
        self._file = msgspec.structs.replace(file, body=b"")
        self._failure = _failure("tdmrep", file)
        self._rules = None if file.reason else tdmrep.read_file(file.body)

    def signals(self, url: str) -> tuple[Signal, ...]:
        """See `Answer.signals`."""
        if self._rules is None:
            return self._failure
        return _dated(tdmrep.file_signal(self._rules, url, self._file.url), self._file)


class Licence(_NoLicences):
    """An RSL document. Somebody has named it, so that it should be there: one that is missing can't be read."""

    def __init__(self, file: HostFile):
        self._file = msgspec.structs.replace(file, body=b"")
        self._failure = _failure("rsl", file, missing=True)
        self._document = None if file.reason else rsl.read(file.body)

    def signals(self, url: str) -> tuple[Signal, ...]:
        """See `Answer.signals`."""
        if self._document is None:
            return self._failure
        return _dated(rsl.signal(self._document, url, self._file.url), self._file)


class Captured:
    """A robots.txt as it was when the host was crawled; signals tell so.

    Args:
        answer: Of the capture.
    """

    silent: Reason | None = None

    def __init__(self, answer: Answer):
        self._answer = answer

    def signals(self, url: str) -> tuple[Signal, ...]:
        """See `Answer.signals`."""
        return tuple(msgspec.structs.replace(signal, field=CAPTURE) for signal in self._answer.signals(url))

    def licences(self) -> tuple[str, ...]:
        """See `Answer.licences`."""
        return self._answer.licences()


def answers(own: str = OWN_TOKEN, ai_agents: frozenset[str] | None = None) -> Callable[[HostFile], Answer]:
    """Makes an answer of a file, by its kind."""

    def answer(file: HostFile) -> Answer:
        if file.kind == "robots.txt":
            return Robots(file, own, ai_agents)
        if file.kind == "ai.txt":
            return AiTxt(file, own)
        return TdmRep(file) if file.kind == "tdmrep.json" else Licence(file)

    return answer


def _said(file: HostFile) -> Said:
    """The same for the parsers of `host_rules`, which go by the status."""
    whole = file.reason is None or file.reason.startswith("http_")
    why = "" if whole else str(file.reason)
    return Said(url=file.url, status=file.status if whole else None, body=file.body, at=file.at, why=why)


def _failure(name: str, file: HostFile, *, missing: bool = False) -> tuple[Signal, ...]:
    """The signal of a file that could not be had, if that is what happened."""
    if not file.failed and not (missing and file.reason):
        return ()
    why = f"HTTP {file.status}" if file.reason and file.reason.startswith("http_") else f"no answer: {file.reason}"
    return (Signal(name=name, says="unknown", value=why, url=file.url, at=file.at),)


def _dated(found: Signal | None, file: HostFile) -> tuple[Signal, ...]:
    return () if found is None else (msgspec.structs.replace(found, at=file.at),)
