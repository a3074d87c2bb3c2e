"""On whose quota of GPU time a run counts: known to its backend while it runs, kept by nobody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from api.middleware import AccessRules, protected
from core.backend import OWNERS, RunContext
from core.errors import RunCancelled, RunFailed
from core.events import Event
from core.job import VISITOR, Job, Visitor
from core.request import EditRequest
from engine.engine import Engine
from storage.async_store import AsyncStore
from storage.sqlite.store import Store
from tests.support.fakes import FakeBackend, make_request, make_spec

TOKEN = "token-of-ann"


class Asking(FakeBackend):
    """Notes on whose quota each run counts: when it begins, at each event, and when it is over."""

    def __init__(self, **options: Any) -> None:
        super().__init__(make_spec(concurrency=3), **options)
        self.seen: dict[str, list[str]] = {}

    async def edit(self, request: EditRequest, context: RunContext = OWNERS) -> AsyncGenerator[Event, None]:
        seen = self.seen.setdefault(request.prompt, [])
        seen.append(context.gpu_token)
        try:
            async with aclosing(super().edit(request, context)) as events:
                async for event in events:
                    seen.append(context.gpu_token)
                    yield event
        finally:
            seen.append(context.gpu_token)


async def submit(engine: Engine, prompt: str, token: str = TOKEN) -> Job:
    visitor = Visitor(f"owner of {prompt}", gpu_token=token)
    return await engine.submit("fake", make_request(prompt=prompt), visitor=visitor)


def kept(folder: Path) -> bytes:
    """Return everything that lies under a folder."""
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


# ---- while it runs -----------------------------------------------------------------------------------


async def test_a_backend_knows_the_visitors_token_during_the_run(tmp_path: Path) -> None:
    backend = Asking()
    engine = Engine({"fake": backend}, AsyncStore(Store(tmp_path)))
    await engine.result(await submit(engine, "a lake"))
    assert set(backend.seen["a lake"]) == {TOKEN}


async def test_runs_at_the_same_time_have_each_their_own(tmp_path: Path) -> None:
    gate = asyncio.Event()
    backend = Asking(gate=gate)
    engine = Engine({"fake": backend}, AsyncStore(Store(tmp_path)))
    jobs = [await submit(engine, name, token) for name, token in (("ann", "one"), ("bob", "two"), ("eve", ""))]
    while backend.working < 3:  # noqa: ASYNC110 - nobody tells of it
        await asyncio.sleep(0.001)
    gate.set()
    await asyncio.gather(*(engine.result(job) for job in jobs))
    assert {name: set(seen) for name, seen in backend.seen.items()} == {"ann": {"one"}, "bob": {"two"}, "eve": {""}}


async def test_a_run_takes_nothing_over_from_the_runs_before_it(tmp_path: Path) -> None:
    backend = Asking()
    engine = Engine({"fake": backend}, AsyncStore(Store(tmp_path)))
    await engine.result(await submit(engine, "a lake"))
    await engine.result(await submit(engine, "a forest", ""))
    await engine.result(await engine.submit("fake", make_request(prompt="a hill")))
    assert [set(seen) for seen in backend.seen.values()] == [{TOKEN}, {""}, {""}]


# ---- and after ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("failure", [None, RunFailed("recorded", what="It broke.", todo=""), ZeroDivisionError()])
async def test_an_ended_run_has_forgotten_it(tmp_path: Path, failure: Exception | None) -> None:
    engine = Engine({"fake": Asking(fail=failure)}, AsyncStore(Store(tmp_path)))
    job = await submit(engine, "a lake")
    assert job.gpu_token == TOKEN
    assert job.task is not None
    await asyncio.wait([job.task])
    assert job.ended
    assert job.gpu_token == ""


async def test_a_run_that_was_cancelled_while_it_worked_has_forgotten_it(tmp_path: Path) -> None:
    backend = Asking(gate=asyncio.Event())
    engine = Engine({"fake": backend}, AsyncStore(Store(tmp_path)))
    job = await submit(engine, "a lake")
    while not backend.working:  # noqa: ASYNC110 - nobody tells of it
        await asyncio.sleep(0.001)
    await engine.cancel(job)
    assert isinstance(job.error, RunCancelled)
    assert job.gpu_token == ""


async def test_a_run_that_was_cancelled_before_its_first_step_has_forgotten_it(tmp_path: Path) -> None:
    engine = Engine({"fake": Asking()}, AsyncStore(Store(tmp_path)))
    visitor = Visitor("ann", gpu_token=TOKEN)
    job = await engine.submit("fake", make_request(), key="a-pasted-key", visitor=visitor)
    await engine.cancel(job)  # its task has not run at all yet
    assert isinstance(job.error, RunCancelled)
    assert (job.key, job.gpu_token, job.request.image.data) == (None, "", b"")


async def test_nothing_on_the_disk_holds_it(tmp_path: Path) -> None:
    gate = asyncio.Event()
    backend = Asking(gate=gate)
    engine = Engine({"fake": backend}, AsyncStore(Store(tmp_path)))
    job = await submit(engine, "a lake by night")
    while not backend.working:  # noqa: ASYNC110 - nobody tells of it
        await asyncio.sleep(0.001)
    assert b"a lake by night" in kept(tmp_path), "the run itself is written down"
    assert TOKEN.encode() not in kept(tmp_path)
    gate.set()
    await engine.result(job)
    await engine.close()
    assert TOKEN.encode() not in kept(tmp_path)


async def test_a_run_that_a_restart_begins_anew_counts_on_nobodys(tmp_path: Path) -> None:
    before = Asking(gate=asyncio.Event())
    engine = Engine({"fake": before}, AsyncStore(Store(tmp_path)))
    job = await submit(engine, "a lake")
    while not before.working:  # noqa: ASYNC110 - nobody tells of it
        await asyncio.sleep(0.001)
    await engine.close()
    after = Asking()
    engine = Engine({"fake": after}, AsyncStore(Store(tmp_path)))
    await engine.recover()
    again = await engine.find(job.owner, job.id)
    assert again is not None
    await engine.result(again)
    await engine.close()
    assert (set(before.seen["a lake"]), set(after.seen["a lake"])) == ({TOKEN}, {""})


def test_no_print_of_a_visitor_a_job_or_a_runs_context_shows_it() -> None:
    visitor = Visitor("ann", gpu_token=TOKEN)
    job = Job("1", "fake", make_request(), gpu_token=TOKEN)
    context = RunContext("a-pasted-key", TOKEN)
    assert TOKEN not in f"{visitor} {visitor!r} {job} {job!r} {context} {context!r}"
    assert "a-pasted-key" not in repr(context)


# ---- the request's header ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("public", "headers", "token"),
    [
        (True, {"x-ip-token": TOKEN}, TOKEN),
        (True, {"X-IP-Token": TOKEN}, TOKEN),
        (True, {}, ""),
        (False, {"x-ip-token": TOKEN}, ""),
    ],
)
async def test_the_proxys_header_is_believed_on_a_public_address_only(
    public: bool, headers: dict[str, str], token: str
) -> None:
    async def told(request: Request) -> Response:
        return JSONResponse(request.scope[VISITOR].gpu_token)

    app = protected(Starlette(routes=[Route("/", told)]), AccessRules(public=public, max_body=1000))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
        answer = await client.get("/", headers=headers)
    assert answer.json() == token
    assert TOKEN not in str(answer.headers)
