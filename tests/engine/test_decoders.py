"""Decoder processes: real ones, which break, are killed, and come again."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import suppress
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from PIL import Image

from core.errors import BackendUnavailable, BadImage, DiskFull
from core.imaging.images import read_reference
from core.limits import Caps
from engine import decoders as module
from engine.decoders import Bounds, Decoders
from tests.support.fakes import picture_bytes
from tests.support.words import said

ROOT = Path(__file__).resolve().parents[2]
SMALL = picture_bytes("PNG", "RGB", (64, 48))


@pytest_asyncio.fixture
async def decoders() -> AsyncIterator[Decoders]:
    """A pool as on a machine of two cores: one decoder for large pictures, one for small ones."""
    pool = Decoders(Caps(), cores=2)
    yield pool
    await pool.close()


def large(path: Path) -> Path:
    """Write a picture of 4.2 megapixels, of one colour so that it is made at once."""
    Image.new("RGB", (2100, 2000), "teal").save(path, "JPEG")
    return path


def stopped(pid: int) -> None:
    """Wait until a process is stopped: SIGSTOP takes it a moment."""
    os.kill(pid, signal.SIGSTOP)
    while not re.search(r"^State:\s+T", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE):
        pass


async def until(true: Any) -> None:
    """Wait for what a test waits for; the test's own timeout ends it."""
    while not true():  # noqa: ASYNC110 - of processes nobody is told
        await asyncio.sleep(0.005)


def waits(decoders: Decoders, count: int) -> bool:
    """Return whether as many pictures wait."""
    return decoders.waiting == count


def alive(pid: int) -> bool:
    """Return whether a process is at work: neither gone nor a zombie."""
    try:
        return not re.search(r"^State:\s+[ZX]", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    except (FileNotFoundError, ProcessLookupError):
        return False


async def test_a_decoder_returns_what_reading_here_returns(decoders: Decoders, tmp_path: Path) -> None:
    turned = picture_bytes(
        "JPEG", "RGB", (64, 48), exif=b"Exif\0\0MM\0*\0\0\0\x08\0\1\x01\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0"
    )
    path = tmp_path / "a.gif"
    Image.new("RGB", (9, 9)).save(path, save_all=True, append_images=[Image.new("RGB", (9, 9), "red")])
    for data in (SMALL, turned, path.read_bytes()):
        assert await decoders.read_reference(data, "https://a.test/a") == read_reference(data, "https://a.test/a")
    assert said((await decoders.read_reference(path)).notices) == ("Of the animation's 2 frames, the first was used.",)


async def test_limits_are_those_of_the_caps() -> None:
    pool = Decoders(Caps(max_bytes=1_000_000, max_pixels=1_000_000))
    with pytest.raises(BadImage, match=re.escape("The limit is 1 megapixels")):
        await pool.read_reference(picture_bytes("JPEG", "RGB", (1001, 1000)))
    with pytest.raises(BadImage, match="the limit is 1 MB"):
        await pool.read_reference(bytes(1_000_001))
    await pool.close()


async def test_an_error_comes_back_as_it_was_raised(decoders: Decoders) -> None:
    with pytest.raises(BadImage) as here:
        read_reference(b"hello")
    with pytest.raises(BadImage) as there:
        await decoders.read_reference(b"hello")
    assert type(there.value) is BadImage
    assert (vars(there.value), there.value.args, str(there.value)) == (
        vars(here.value),
        here.value.args,
        str(here.value),
    )


async def test_a_file_that_is_gone_is_told_in_words(decoders: Decoders, tmp_path: Path) -> None:
    with pytest.raises(BadImage, match="The uploaded file is gone"):
        await decoders.read_reference(tmp_path / "nowhere.png")


async def test_a_display_copy_is_as_wide_as_asked_and_never_enlarged(decoders: Decoders, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(picture_bytes("PNG", "RGB", (600, 300)))
    for width, size in ((256, (256, 128)), (1024, (600, 300))):
        with Image.open(BytesIO(await decoders.display(path, width))) as shown:
            assert (shown.format, shown.size) == ("WEBP", size)
    path.write_bytes(b"no picture")
    with pytest.raises(BadImage, match="damaged"):
        await decoders.display(path, 256)


async def test_processes_start_with_the_first_picture_and_are_used_again(decoders: Decoders, tmp_path: Path) -> None:
    assert decoders.processes == []
    await decoders.read_reference(SMALL)
    (first,) = decoders.processes
    await decoders.read_reference(SMALL)
    assert decoders.processes == [first]
    await decoders.read_reference(large(tmp_path / "a.jpg"))
    assert len(decoders.processes) == 2


async def test_a_small_picture_passes_large_ones_that_wait(decoders: Decoders, tmp_path: Path) -> None:
    path = large(tmp_path / "a.jpg")
    await decoders.read_reference(path)
    (busy,) = decoders.processes
    stopped(busy)  # the large one that is at work takes for ever
    first = asyncio.create_task(decoders.read_reference(path, owner="ann"))
    await until(lambda: decoders.working)
    queue = [asyncio.create_task(decoders.read_reference(path, owner="ann")) for _ in range(39)]
    await until(lambda: decoders.waiting == 39)
    assert (await decoders.read_reference(SMALL, owner="bob")).width == 64
    assert not any(each.done() for each in (first, *queue))
    for each in queue:
        each.cancel()
    os.kill(busy, signal.SIGCONT)
    assert (await first).width == 2100


async def test_turns_among_large_ones_go_round_by_owner(decoders: Decoders, tmp_path: Path) -> None:
    path = large(tmp_path / "a.jpg")
    await decoders.read_reference(path)
    stopped(decoders.processes[0])
    ended: list[str] = []

    async def read(name: str) -> None:
        await decoders.read_reference(path, owner=name.split()[0])
        ended.append(name)

    tasks = [asyncio.create_task(read("ann 1"))]
    await until(lambda: decoders.working)
    for place, name in enumerate(("ann 2", "ann 3", "bob 1"), start=1):
        tasks.append(asyncio.create_task(read(name)))
        await until(partial(waits, decoders, place))
    os.kill(decoders.processes[0], signal.SIGCONT)
    await asyncio.gather(*tasks)
    assert ended == ["ann 1", "ann 2", "bob 1", "ann 3"]


@pytest.mark.parametrize(
    ("end", "words"),
    [
        (signal.SIGKILL, "needs too much memory"),  # as the system does when memory is out
        (signal.SIGSEGV, "cannot be read"),  # as a C library does that a broken file led astray
    ],
)
async def test_a_decoder_that_is_killed_is_replaced_and_nobody_else_is_affected(
    decoders: Decoders, tmp_path: Path, end: signal.Signals, words: str
) -> None:
    path = large(tmp_path / "a.jpg")
    await decoders.read_reference(path)
    (first,) = decoders.processes
    stopped(first)
    unlucky = asyncio.create_task(decoders.read_reference(path))
    await until(lambda: decoders.working)
    next_one = asyncio.create_task(decoders.read_reference(path))
    await until(lambda: decoders.waiting)
    os.kill(first, end)
    os.kill(first, signal.SIGCONT)
    with pytest.raises(BadImage, match=words):
        await unlucky
    assert (await next_one).width == 2100
    assert first not in decoders.processes


async def test_a_decoder_that_died_idle_is_replaced_unnoticed(decoders: Decoders) -> None:
    await decoders.read_reference(SMALL)
    (first,) = decoders.processes
    os.kill(first, signal.SIGKILL)
    # A zombie may still have threads that end: only what can be waited for has ended.
    await until(lambda: os.waitid(os.P_PID, first, os.WEXITED | os.WNOHANG | os.WNOWAIT))
    assert (await decoders.read_reference(SMALL)).width == 64
    assert first not in decoders.processes


async def test_a_picture_that_needs_more_memory_than_a_decoder_has_is_refused(
    decoders: Decoders, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(decoders._large, "bounds", Bounds(300_000_000, 60, 10))
    file = BytesIO()
    Image.new("RGB", (6000, 6000)).save(file, "PNG", compress_level=1)
    with pytest.raises(BadImage, match="needs too much memory"):
        await decoders.read_reference(file.getvalue())
    assert (await decoders.read_reference(large(tmp_path / "a.jpg"))).width == 2100, "the same decoder, a smaller one"


async def test_a_picture_that_takes_too_much_processor_time_is_refused(
    decoders: Decoders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoders._large, "bounds", Bounds(2_500_000_000, 0, 10))  # a second at most
    file = BytesIO()
    Image.effect_noise((800, 800), 90).resize((6300, 6300)).convert("RGB").save(file, "JPEG", quality=60)
    with pytest.raises(BadImage, match="takes too long"):
        await decoders.read_reference(file.getvalue())


async def test_a_picture_that_takes_too_long_by_the_clock_is_refused(
    decoders: Decoders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = large(tmp_path / "a.jpg")
    await decoders.read_reference(path)
    stopped(decoders.processes[0])
    monkeypatch.setattr(module, "PATIENCE", 0.01)
    with pytest.raises(BadImage, match="takes too long"):
        await decoders.read_reference(path)


async def test_a_caller_who_goes_away_frees_the_decoder_and_the_place_in_the_queue(
    decoders: Decoders, tmp_path: Path
) -> None:
    path = large(tmp_path / "a.jpg")
    await decoders.read_reference(path)
    (first,) = decoders.processes
    stopped(first)
    working = asyncio.create_task(decoders.read_reference(path))
    await until(lambda: decoders.working)
    waiting, last = (asyncio.create_task(decoders.read_reference(path)) for _ in range(2))
    await until(lambda: decoders.waiting == 2)
    waiting.cancel()
    await until(lambda: decoders.waiting == 1)
    working.cancel()
    assert (await last).width == 2100
    assert working.cancelled()
    assert not alive(first)


async def test_an_idle_decoder_ends(decoders: Decoders, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "IDLE", 0.01)
    await decoders.read_reference(SMALL)
    (first,) = decoders.processes
    await until(lambda: not decoders.processes)
    assert not alive(first)


async def test_closing_ends_every_decoder_and_tells_who_waits(decoders: Decoders, tmp_path: Path) -> None:
    path = large(tmp_path / "a.jpg")
    await decoders.read_reference(path)
    await decoders.read_reference(SMALL)
    pids = decoders.processes
    stopped(pids[0])
    asking = [asyncio.create_task(decoders.read_reference(path)) for _ in range(3)]
    await until(lambda: decoders.waiting == 2)
    await decoders.close()
    for each in asking:
        with pytest.raises(BackendUnavailable, match="The app is stopping"):
            await each
    assert not any(map(alive, pids))
    with pytest.raises(BackendUnavailable):
        await decoders.read_reference(SMALL)


async def test_a_signal_that_stops_the_whole_app_is_the_parents_alone(decoders: Decoders) -> None:
    await decoders.read_reference(SMALL)
    (pid,) = decoders.processes
    for each in (signal.SIGINT, signal.SIGTERM):
        os.kill(pid, each)
        assert (await decoders.read_reference(SMALL)).width == 64
    assert decoders.processes == [pid]


async def test_a_decoder_has_no_keys_no_open_files_and_a_low_priority(
    decoders: Decoders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAVESPEED_API_KEY", "wsk-secret")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.set_inheritable(True)
        await decoders.read_reference(SMALL)
    (pid,) = decoders.processes
    about = Path(f"/proc/{pid}")
    assert {each.split(":")[0] for each in map(os.readlink, (about / "fd").iterdir())} <= {"pipe", "/dev/null"}
    assert b"wsk-secret" not in (about / "environ").read_bytes()
    lowest = 19
    own = os.getpriority(os.PRIO_PROCESS, 0)
    assert own < os.getpriority(os.PRIO_PROCESS, pid) or own == lowest
    loaded = (about / "maps").read_text()
    assert "PIL" in loaded
    assert not [each for each in ("torch", "numpy", "pydantic", "orjson") if f"/{each}" in loaded]


PARENT = """
import asyncio, signal, sys
from engine.decoders import Decoders
from core.limits import Caps

async def main():
    pool = Decoders(Caps(), cores=2)
    data = sys.stdin.buffer.read()
    await pool.read_reference(data)
    print(*pool.processes, flush=True)
    while True:
        await pool.read_reference(data)

signal.signal(signal.SIGINT, signal.default_int_handler)  # what runs in the background may ignore it
asyncio.run(main())
"""


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_decoders_end_with_their_parent_and_without_a_word(end: signal.Signals) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    with parent:
        assert parent.stdin is not None
        assert parent.stdout is not None
        assert parent.stderr is not None
        parent.stdin.write(SMALL)
        parent.stdin.close()
        pids = [int(each) for each in parent.stdout.readline().split()]
        assert pids
        assert all(map(alive, pids))
        os.killpg(parent.pid, end)
        while any(map(alive, pids)):
            with suppress(subprocess.TimeoutExpired):
                parent.wait(0.01)
        assert b"core/imaging/decoder_process.py" not in parent.stderr.read()


def test_the_number_of_decoders_follows_the_cores() -> None:
    assert [Decoders(Caps(), cores=cores)._large.turns.free for cores in (1, 2, 3, 4, 64)] == [1, 1, 2, 2, 2]


async def test_a_decoder_for_which_the_system_has_no_process_is_refused_in_words(
    decoders: Decoders, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none_left(*_: object, **__: object) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(module, "Decoder", none_left)
    with pytest.raises(BackendUnavailable):
        await decoders.read_reference(SMALL, owner="ann")


@pytest.mark.parametrize(
    ("answer", "error"), [({"memory": True}, BadImage), ({"full": True}, DiskFull), ({"broken": "trace"}, BadImage)]
)
async def test_what_a_decoder_could_not_do_is_said_in_words(
    decoders: Decoders, monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any], error: type[Exception]
) -> None:
    monkeypatch.setattr(module.Decoder, "ask", lambda *_: (answer, b""))
    with pytest.raises(error):
        await decoders.read_reference(SMALL, owner="ann")


async def test_closing_while_pictures_are_decoded_ends_their_decoders_and_starts_no_other(
    decoders: Decoders, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, held = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def slow(*_: object) -> tuple[dict[str, Any], bytes]:
        loop.call_soon_threadsafe(asked.set)
        held.wait()
        return {"broken": "ended"}, b""

    monkeypatch.setattr(module.Decoder, "ask", slow)
    reading = asyncio.create_task(decoders.read_reference(SMALL, owner="ann"))
    await asked.wait()
    closing = asyncio.create_task(decoders.close())
    await asyncio.sleep(0)
    held.set()
    with pytest.raises(BadImage):
        await reading
    await closing
    with pytest.raises(BackendUnavailable):
        await decoders.read_reference(SMALL, owner="ann")


async def test_a_decoder_takes_the_inline_image_out_of_a_request(decoders: Decoders, tmp_path: Path) -> None:
    file = SMALL + bytes(100_000)  # a small one stays where it is
    into = tmp_path / "image"
    body = json.dumps({"image": base64.b64encode(file).decode(), "prompt": "a lake"}).encode()
    left = await decoders.separate(body, ("image",), into, owner="ann")
    assert json.loads(left) == {"image": str(into), "prompt": "a lake"}
    assert into.read_bytes() == file
