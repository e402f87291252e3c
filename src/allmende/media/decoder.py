"""Decoder processes: `image.process` where a hostile file can do no more harm than cost one process.

    async with DecoderPool(processes, options) as pool:
        outcome = await pool.process(body)

A decoder is a `child_process` (its inside: `decoder_process`). Two bodies are under way to each, so the next lies ready
when one is done.

A decoder that dies, or that takes longer than `images.decode_seconds` for one body, is replaced. The body it was at is the
culprit: a timeout is its fate, after a death it gets one more try (someone may have killed the decoder), the
bodies behind it are just sent again. Memory is capped (`images.decode_bytes`), and decoders end with their parent.

Pebble and loky were measured first; see docs/decisions/0005-image-decoding.md.
"""

import asyncio
import subprocess
import time
from collections import deque
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import msgspec

from allmende import child_process
from allmende.errors import EngineError
from allmende.media.sample import Digest, ImageSample
from allmende.reason import Reason
from allmende.recipe import Images

DEPTH = 2
"""Bodies under way to a decoder: the one it works on, and the next."""

COMMAND = child_process.command("allmende.media.decoder_process")

Outcome = ImageSample | Reason

_ANSWER = msgspec.msgpack.Decoder(ImageSample | str)
_REASONS = {reason.value: reason for reason in Reason}


class Task:
    """A body on its way to its fate."""

    __slots__ = ("body", "deaths", "outcome")

    def __init__(self, body: bytes, outcome: "asyncio.Future[Outcome]"):
        self.body = body
        self.outcome = outcome
        self.deaths = 0


class Decoder(asyncio.Protocol):
    """One process and our end of its socket. Tells its pool of every answer and of its end."""

    def __init__(self, pool: "DecoderPool"):
        self._pool = pool
        self.tasks: deque[Task] = deque()
        self.ready = False
        self.expired = False
        """The body at the head has passed its deadline."""
        self._killed = False
        self._timer: asyncio.TimerHandle | None = None
        self._received = bytearray()
        self.process, self._socket = child_process.start(COMMAND, pool.options.decode_bytes)
        self._transport: asyncio.Transport

    async def connect(self) -> None:
        """Say what to do; the decoder answers with an empty frame when it is ready."""
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_unix_connection(lambda: self, sock=self._socket)
        self._write(msgspec.msgpack.encode((self._pool.options, self._pool.digests)))
        self._timer = loop.call_later(child_process.START_SECONDS, self.kill)

    def send(self, task: Task) -> None:
        """Put a task behind those under way."""
        self.tasks.append(task)
        self._write(task.body)
        if len(self.tasks) == 1:
            self._watch()

    def _write(self, body: bytes) -> None:
        self._transport.write(child_process.header(body))
        self._transport.write(body)

    def _watch(self) -> None:
        """The clock of the task at the head starts when it gets there."""
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._pool.options.decode_seconds, self._expire)

    def _expire(self) -> None:
        self.expired = True
        self.kill()

    def kill(self) -> None:
        """End the process, whose answers count no longer; `connection_lost` follows."""
        self._killed = True
        self.process.kill()

    def close(self) -> None:
        """Close our end; an idle process sees the end of its input, and ends."""
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Collect whole frames (asyncio calls this)."""
        received = self._received
        received += data
        while len(received) >= 4 and not self._killed:
            end = 4 + int.from_bytes(received[:4], "little")
            if len(received) < end:
                return
            frame = bytes(received[4:end])
            del received[:end]
            self._answered(frame)

    def _answered(self, frame: bytes) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self.ready:
            self.ready = True
            self._pool.started(self)
            return
        try:
            answer = _ANSWER.decode(frame)
            outcome = _REASONS[answer] if isinstance(answer, str) else answer
            task = self.tasks.popleft()
        except (msgspec.DecodeError, LookupError):
            self.kill()  # that is no answer of ours: the file at the head has taken the decoder over
            return
        if self.tasks:
            self._watch()
        self._pool.done(task, outcome)
        self._pool.feed(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Hand over to the pool (asyncio calls this); a dead process closes its end of the socket."""
        if self._timer is not None:
            self._timer.cancel()
        self.kill()
        self._pool.lost(self)


class DecoderPool:
    """`processes` decoders. Use it as an asynchronous context manager, in one event loop.

    Args:
        processes: How many.
        options: What images must be and how they are stored.
        digests: Digests of each file to make beside SHA-256, for lists that have others.
    """

    def __init__(self, processes: int, options: Images, digests: Sequence[Digest] = ()):
        self.options = options
        self.digests = tuple(digests)
        self._processes = processes
        self._waiting: deque[Task] = deque()
        self._decoders: set[Decoder] = set()
        self._ending: list[subprocess.Popen[bytes]] = []
        self._failed_starts = 0
        self._starting: set[asyncio.Task[None]] = set()
        self._closed = True
        self._broken = ""

    async def __aenter__(self) -> Self:
        """Start the decoders; bodies may be given at once, and wait for them."""
        self._closed = False
        for _ in range(self._processes):
            self._add()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the decoders; bodies without a fate are cancelled."""
        self._closed = True
        if self._starting:
            await asyncio.gather(*self._starting, return_exceptions=True)
        tasks = [*self._waiting, *(task for decoder in self._decoders for task in decoder.tasks)]
        self._waiting.clear()
        for task in tasks:
            task.outcome.cancel()
        for decoder in self._decoders:
            decoder.close()
            self._ending.append(decoder.process)
        await asyncio.to_thread(_reap, self._ending)
        self._ending.clear()
        self._decoders.clear()

    async def process(self, body: bytes) -> Outcome:
        """What `allmende.media.image.process` makes of the body, or DECODER_CRASHED or DECODER_TIMEOUT.

        Raises:
            EngineError: No decoder starts.
        """
        if self._closed:
            raise RuntimeError("use a DecoderPool inside `async with`")
        if self._broken:
            raise EngineError(self._broken)
        task = Task(body, asyncio.get_running_loop().create_future())
        self._waiting.append(task)
        idlest = min((d for d in self._decoders if d.ready), key=lambda d: len(d.tasks), default=None)
        if idlest is not None:
            self.feed(idlest)
        return await task.outcome

    def _add(self) -> None:
        try:
            decoder = Decoder(self)
        except OSError as error:
            self._give_up(f"no process can be started for an image decoder: {error}")
            return
        self._decoders.add(decoder)
        starting = asyncio.get_running_loop().create_task(decoder.connect())
        self._starting.add(starting)
        starting.add_done_callback(self._starting.discard)

    def started(self, decoder: Decoder) -> None:
        """A decoder is ready."""
        self._failed_starts = 0
        self.feed(decoder)

    def feed(self, decoder: Decoder) -> None:
        """Send what waits, up to `DEPTH` bodies."""
        while self._waiting and len(decoder.tasks) < DEPTH:
            task = self._waiting.popleft()
            if not task.outcome.done():
                decoder.send(task)

    def done(self, task: Task, outcome: Outcome) -> None:
        """A body has its fate; whoever asked for it may have gone."""
        self._failed_starts = 0  # decoders do work here: whatever ended others at their start was not the machine
        if not task.outcome.done():
            task.outcome.set_result(outcome)

    def lost(self, decoder: Decoder) -> None:
        """A decoder died: judge the body at the head, send the others again, and replace the decoder."""
        if self._closed:
            return
        self._decoders.discard(decoder)
        self._ending.append(decoder.process)
        self._ending = [process for process in self._ending if process.poll() is None]
        if not decoder.ready:
            self._failed_starts += 1
            if self._failed_starts >= child_process.FAILED_STARTS:
                self._give_up(child_process.did_not_start("image decoder", COMMAND))
                return
        if decoder.tasks:
            self._judge(decoder.tasks[0], expired=decoder.expired)
        self._waiting.extendleft(task for task in reversed(decoder.tasks) if not task.outcome.done())
        self._add()

    def _judge(self, culprit: Task, *, expired: bool) -> None:
        culprit.deaths += 1
        if expired:
            self.done(culprit, Reason.DECODER_TIMEOUT)
        elif culprit.deaths >= child_process.TRIES:
            self.done(culprit, Reason.DECODER_CRASHED)

    def _give_up(self, message: str) -> None:
        """Nothing will be decoded any more; the bodies under way still are."""
        self._broken = message
        while self._waiting:
            task = self._waiting.popleft()
            if not task.outcome.done():
                task.outcome.set_exception(EngineError(message))


def _reap(processes: list["subprocess.Popen[bytes]"]) -> None:
    """Wait for processes to end, a second in all; then make them."""
    deadline = time.monotonic() + 1
    for process in processes:
        try:
            process.wait(timeout=max(0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
