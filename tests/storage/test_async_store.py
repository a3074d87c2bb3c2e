"""The store beside the event loop: what waits for what, and which files are spared while their rows are written."""

from __future__ import annotations

import asyncio
import errno
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.errors import BadImage, DiskFull, RunCancelled
from core.job import Call, Job, new_id
from core.job_state import JobState
from storage.async_store import AsyncStore
from storage.protocols import CallTaken
from storage.sqlite.inserts import Kept
from storage.sqlite.queries import Queries
from storage.sqlite.store import Store
from storage.threads import READERS
from tests.support.fakes import make_reference, make_request, make_spec


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[AsyncStore]:
    store = AsyncStore(Store(tmp_path))
    yield store
    await store.close()


def a_job(once: str | None = None) -> Job:
    request = make_request(make_spec(), image=make_reference(8, 8))
    call = Call(model="m", base="", once=once) if once else None
    return Job(new_id(), "fake", request, owner="ann", call=call, remote=[None])


async def add(store: AsyncStore, job: Job) -> None:
    await store.add(job, 0.0, lambda spent: None, 0.0)


async def test_the_id_of_a_paid_task_waits_for_no_read(store: AsyncStore) -> None:
    job = a_job()
    await add(store, job)
    until = threading.Event()

    def slow(reader: Queries) -> bool:
        return until.wait(30)

    reads = [store._read(slow) for _ in range(READERS + 2)]
    await asyncio.wait_for(store.accepted(job, 0, "task 1"), 10)
    until.set()
    assert await asyncio.gather(*reads) == [True] * len(reads)
    (found,) = await store.unfinished()
    assert found.remote == ["task 1"]


async def test_the_id_of_a_paid_task_waits_for_no_picture(store: AsyncStore, monkeypatch: pytest.MonkeyPatch) -> None:
    job, until, put = a_job(), threading.Event(), store.images.put
    await add(store, job)

    def slow(data: bytes, mime: str, digest: str | None = None) -> Path:
        until.wait(30)
        return put(data, mime, digest)

    monkeypatch.setattr(store.images, "put", slow)
    keeping = asyncio.create_task(store.keep("bob", b"bytes", "image/png"))
    await asyncio.sleep(0)
    await asyncio.wait_for(store.accepted(job, 0, "task 1"), 10)
    assert not keeping.done()
    until.set()
    assert (await keeping).exists()


async def test_a_picture_is_spared_while_it_becomes_another_owners(
    store: AsyncStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.keep("ann", b"bytes", "image/png")
    put, written, until = store.images.put, asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def stopped(data: bytes, mime: str, digest: str | None = None) -> Path:
        path = put(data, mime, digest)
        loop.call_soon_threadsafe(written.set)
        until.wait(30)
        return path

    monkeypatch.setattr(store.images, "put", stopped)
    keeping = asyncio.create_task(store.keep("bob", b"bytes", "image/png"))
    await written.wait()
    await store.tidy(0, 0.0)  # takes ann's right back, who was the only one
    until.set()
    file = await keeping
    assert file.exists()
    assert [await store.may_see(owner, file.name) for owner in ("ann", "bob")] == [False, True]


async def test_a_picture_that_is_removed_while_its_display_copy_is_written_leaves_no_copy(
    store: AsyncStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = await store.keep("ann", b"bytes", "image/png")
    put = store.images.put_display

    def late(name: str, width: int, data: bytes) -> Path:
        store._row(store._tidy, 0, 0.0, "").result()
        return put(name, width, data)

    monkeypatch.setattr(store.images, "put_display", late)
    with pytest.raises(BadImage, match="removed"):
        await store.keep_display(file.name, 256, b"copy")
    assert not store.images.display(file.name, 256).exists()
    with pytest.raises(BadImage, match="removed"):
        await store.keep_display(file.name, 256, b"copy")


async def test_a_copy_of_a_picture_that_is_removed_and_put_back_while_it_is_written_is_counted(
    store: AsyncStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = await store.keep("ann", b"bytes", "image/png")
    put = store.images.put_display

    def late(name: str, width: int, data: bytes) -> Path:
        with store.images.held(b"bytes", "image/png"):
            store._row(store._tidy, 0, 0.0, "").result()
            store._row(store._store.grant, "bob", Kept(name, 5), time.time()).result()
        return put(name, width, data)

    monkeypatch.setattr(store.images, "put_display", late)
    assert (await store.keep_display(file.name, 256, b"copy")).exists()
    assert await store._read(Queries.size) == len(b"bytes") + len(b"copy")


async def test_a_copy_that_the_disk_does_not_take_is_not_counted(
    store: AsyncStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = await store.keep("ann", b"bytes", "image/png")

    def full(*_: object) -> Path:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(store.images, "put_display", full)
    with pytest.raises(DiskFull):
        await store.keep_display(file.name, 256, b"copy")
    assert await store._read(Queries.size) == len(b"bytes")


async def test_a_job_whose_caller_goes_away_while_it_is_written_is_written_as_cancelled(store: AsyncStore) -> None:
    job, until = a_job(), threading.Event()
    store._row(until.wait, 30)
    adding = asyncio.create_task(add(store, job))
    await asyncio.sleep(0)
    adding.cancel()
    with pytest.raises(asyncio.CancelledError):
        await adding
    until.set()
    await store.sweep()
    await store.reported("nobody")  # behind all of it
    (found,) = await store.history("ann", 9)
    assert (found.state, type(found.error)) == (JobState.CANCELLED, RunCancelled)


async def test_a_mark_is_free_again_when_its_job_is_old(store: AsyncStore) -> None:
    job = a_job(once="mark")
    await add(store, job)
    assert (await store.find_call("ann", "mark", job.created)) is not None
    with pytest.raises(CallTaken):
        await add(store, a_job(once="mark"))
    assert await store.find_call("ann", "mark", time.time() + 60) is None
    await add(store, a_job(once="mark"))


async def test_what_was_written_is_read_by_whoever_waited_for_it(store: AsyncStore) -> None:
    for number in range(50):
        file = await store.keep("ann", str(number).encode(), "image/png")
        assert await store.may_see("ann", file.name)


async def test_a_ticket_takes_one_picture(store: AsyncStore) -> None:
    await store.ticket("ann", "1" * 32)
    taken = await asyncio.gather(*(store.upload("1" * 32, make_reference(side)) for side in (32, 64)))
    assert sorted(taken) == [False, True]
    assert not await store.upload("1" * 32, make_reference(96))
