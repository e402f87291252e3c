"""Decoder processes: what one file does to them is no other file's business."""

import asyncio
import os
import random
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import msgspec
import pytest

from allmende.errors import EngineError
from allmende.media import decoder, image
from allmende.media.decoder import DecoderPool
from allmende.media.sample import ImageSample
from allmende.recipe import Images
from allmende.schema import Reason

from .conftest import picture, written

OPTIONS = Images(min_bytes=0, size=64)
GOOD = written(picture(200, 150), "JPEG")


@pytest.fixture
def obedient(monkeypatch):
    """Decoders that crash when told to."""
    monkeypatch.setattr(decoder, "COMMAND", [sys.executable, str(Path(__file__).with_name("crashing_decoder.py"))])


def alive(pid):
    return Path(f"/proc/{pid}").exists()


def pids(pool):
    return [worker.process.pid for worker in pool._decoders]


def run(bodies, options=OPTIONS, processes=2):
    """Outcomes of bodies given all at once, and the processes there were at the end."""

    async def main():
        async with DecoderPool(processes, options) as pool:
            outcomes = await asyncio.gather(*(pool.process(body) for body in bodies))
            last = pids(pool)
        assert not any(alive(pid) for pid in last)
        return outcomes

    return asyncio.run(main())


def test_outcomes_are_those_of_image_process():
    bodies = [written(picture(300 + k, 200, seed=k), "JPEG") for k in range(5)] + [b"nothing", GOOD[:500], b""]
    assert run(bodies) == [image.process(body, OPTIONS) for body in bodies]


def test_decoders_make_the_digests_they_are_asked_for():
    async def main():
        async with DecoderPool(1, OPTIONS, ["md5", "sha1"]) as pool:
            return await pool.process(GOOD)

    assert asyncio.run(main()) == image.process(GOOD, OPTIONS, ("md5", "sha1"))


def test_bodies_of_every_size():
    rng = random.Random(0)
    bodies = [GOOD + rng.randbytes(size) for size in (0, 1, 65_536, 1_000_000, 20_000_000)]
    outcomes = run(bodies, processes=1)
    assert [outcome.original_bytes for outcome in outcomes] == [len(body) for body in bodies]


def test_a_crash_costs_its_own_body_and_no_other(obedient):
    bodies = [GOOD] * 30
    bodies[3], bodies[17], bodies[21] = b"abort", b"raise", b"lie"
    outcomes = run(bodies)
    assert [k for k, outcome in enumerate(outcomes) if outcome is Reason.DECODER_CRASHED] == [3, 17, 21]
    assert sum(isinstance(outcome, ImageSample) for outcome in outcomes) == 27


def test_a_deadline_costs_its_own_body_and_no_other(obedient):
    bodies = [GOOD] * 12
    bodies[2] = b"hang"
    outcomes = run(bodies, msgspec.structs.replace(OPTIONS, decode_seconds=1.5))
    assert [k for k, outcome in enumerate(outcomes) if outcome is Reason.DECODER_TIMEOUT] == [2]
    assert sum(isinstance(outcome, ImageSample) for outcome in outcomes) == 11


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux caps the memory of a process this way")
def test_memory_is_capped(obedient):
    outcomes = run([GOOD, b"hoard", GOOD], msgspec.structs.replace(OPTIONS, decode_bytes=400_000_000), processes=1)
    assert outcomes[1] is Reason.DECODER_CRASHED
    assert isinstance(outcomes[0], ImageSample)
    assert isinstance(outcomes[2], ImageSample)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux caps the memory of a process this way")
def test_an_image_that_needs_more_memory_than_there_is(pictures):
    body = written(pictures.make(64, 64).resize((6_000, 6_000)), "PNG", compress_level=1)
    outcomes = run([body, GOOD], msgspec.structs.replace(OPTIONS, decode_bytes=150_000_000), processes=1)
    assert outcomes[0] is Reason.DECODER_CRASHED
    assert isinstance(outcomes[1], ImageSample)


def test_a_thousand_bodies_survive_that_someone_kills_their_decoders():
    async def main():
        async with DecoderPool(2, OPTIONS) as pool:
            waiting = [asyncio.create_task(pool.process(GOOD)) for _ in range(1_000)]
            for done, task in enumerate(waiting):
                assert isinstance(await task, ImageSample)
                if done % 250 == 100:
                    os.kill(random.Random(done).choice(pids(pool)), signal.SIGKILL)
            return len(waiting)

    assert asyncio.run(main()) == 1_000


def test_two_bodies_are_under_way_to_each_decoder():
    async def main():
        async with DecoderPool(2, OPTIONS) as pool:
            while not all(worker.ready for worker in pool._decoders):
                await pool.process(GOOD)
            waiting = [asyncio.create_task(pool.process(GOOD)) for _ in range(20)]
            await asyncio.sleep(0)
            assert [len(worker.tasks) for worker in pool._decoders] == [2, 2]
            await asyncio.gather(*waiting)

    asyncio.run(main())


def test_who_gives_up_leaves_no_trace(obedient):
    async def main():
        async with DecoderPool(1, OPTIONS) as pool:
            tasks = [asyncio.create_task(pool.process(GOOD)) for _ in range(6)]
            await tasks[0]
            for task in tasks[1:5]:
                task.cancel()
            assert isinstance(await tasks[5], ImageSample)
            assert isinstance(await pool.process(GOOD), ImageSample)

    asyncio.run(main())


def test_closing_cancels_what_is_left_and_ends_a_busy_decoder(obedient):
    async def main():
        async with DecoderPool(1, OPTIONS) as pool:
            await pool.process(GOOD)
            stuck = [asyncio.create_task(pool.process(b"hang")) for _ in range(4)]
            await asyncio.sleep(0)
            busy = pids(pool)
        assert all(
            isinstance(one, asyncio.CancelledError) for one in await asyncio.gather(*stuck, return_exceptions=True)
        )
        return busy

    assert not any(alive(pid) for pid in asyncio.run(main()))


def test_a_pool_is_used_inside_its_block():
    async def main():
        pool = DecoderPool(1, OPTIONS)
        with pytest.raises(RuntimeError, match="async with"):
            await pool.process(GOOD)
        async with pool:
            pass
        with pytest.raises(RuntimeError, match="async with"):
            await pool.process(GOOD)

    asyncio.run(main())


@pytest.mark.parametrize("command", [[sys.executable, "-c", "raise SystemExit(3)"], ["/nowhere/python"]])
def test_a_decoder_that_can_not_start_is_an_error(monkeypatch, command):
    monkeypatch.setattr(decoder, "COMMAND", command)

    async def main():
        async with DecoderPool(2, OPTIONS) as pool:
            for _ in range(2):
                with pytest.raises(EngineError, match=r"image decoder"):
                    await pool.process(GOOD)

    asyncio.run(main())


def test_decoders_are_polite_and_capped():
    async def main():
        async with DecoderPool(1, OPTIONS) as pool:
            await pool.process(GOOD)
            pid = pids(pool)[0]
            return os.getpriority(os.PRIO_PROCESS, pid), Path(f"/proc/{pid}/limits").read_text()

    nice, limits = asyncio.run(main())
    assert nice == min(19, os.getpriority(os.PRIO_PROCESS, 0) + 5)
    assert re.search(rf"Max data size +{OPTIONS.decode_bytes} ", limits)


def test_works_in_a_thread_and_in_a_daemonic_process():
    outcomes = []
    worker = threading.Thread(target=lambda: outcomes.extend(run([GOOD, b""])))
    worker.start()
    worker.join()
    assert [type(outcome) for outcome in outcomes] == [ImageSample, Reason]
    code = (
        "import multiprocessing, sys\n"
        "from tests.unit.media.test_decoder import GOOD, run\n"
        "def work(queue): queue.put([type(o).__name__ for o in run([GOOD, b''])])\n"
        "if __name__ == '__main__':\n"
        "    context = multiprocessing.get_context('fork')\n"
        "    queue = context.Queue()\n"
        "    process = context.Process(target=work, args=(queue,), daemon=True)\n"
        "    process.start(); print(queue.get(timeout=60)); process.join()\n"
    )
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout == "['ImageSample', 'Reason']\n", done.stderr


def test_starting_imports_no_engine():
    code = (
        "import sys, allmende.media.decoder_process as process\n"
        "print({'daft', 'ray', 'torch', 'asyncio', 'aiohttp'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "set()\n", done.stdout + done.stderr
    code = "import sys, allmende.media.decoder\nprint({'cv2', 'PIL', 'simplejpeg', 'daft'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "set()\n", done.stdout + done.stderr
