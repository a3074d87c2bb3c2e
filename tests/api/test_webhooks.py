"""Who asked to be told of a task's end is told, signed, until they have heard; nobody else is ever called."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from backends.wavespeed.answers import signed
from core.backend import OWNERS, RunContext
from core.errors import Moderated, TimedOut
from core.events import Accepted, Completed, Event, Working
from core.job_state import JobState
from core.request import EditRequest
from tests.support.api_app import WAVE, ApiApp, api_app, patient
from tests.support.fakes import FakeBackend, make_spec, results
from tests.support.loopback import serving
from tests.support.wavespeed_calls import BODY, PREDICTIONS, RUN, settled, until

pytestmark = pytest.mark.integration

SECRET = "/api/v3/webhook/secret"
NOW = (0.0, 0.05, 0.05)
"""Waits before each of three attempts, for tests that see more than the first."""


class Receiver:
    """Somebody who wants to be told.

    Attributes:
        heard: headers and body of each call, in the order in which they came.
        answers: statuses for the next calls; 200 when there are none left.
        takes: seconds before it answers.
        gate: it answers nobody before this is set; None holds nobody.
    """

    def __init__(self, *answers: int, takes: float = 0.0, gate: asyncio.Event | None = None) -> None:
        self.answers = list(answers)
        self.takes = takes
        self.gate = gate
        self.heard: list[tuple[dict[str, str], bytes]] = []

    @property
    def told(self) -> list[dict[str, Any]]:
        """The bodies."""
        return [json.loads(body) for _, body in self.heard]

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[tuple[str, str]]:
        """Yield the origin and the whole address."""

        async def hook(request: Request) -> Response:
            self.heard.append((dict(request.headers), await request.body()))
            await asyncio.sleep(self.takes)
            if self.gate is not None:
                await self.gate.wait()
            status = self.answers.pop(0) if self.answers else 200
            return Response(status_code=status, headers={"location": "/elsewhere"} if 300 <= status < 400 else {})

        routes = [Route("/hook", hook, methods=["POST"]), Route("/elsewhere", hook, methods=["GET", "POST"])]
        async with serving(Starlette(routes=routes)) as origin:
            yield origin, f"{origin}/hook?customer=7"


class Recording(httpx.AsyncBaseTransport):
    """Answers everybody, and remembers who was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(str(request.url))
        return httpx.Response(200)


async def submitted(at: ApiApp, hook: str, key: dict[str, str] | None = None, **more: Any) -> str:
    """Submit a task whose end somebody wants to be told."""
    answer = await at.client.post(RUN, json={**BODY, **more}, params={"webhook": hook}, headers=key)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["data"]["id"])


async def over(at: ApiApp) -> None:
    """Return when every run is over, and nobody is being told any more."""
    await until(lambda: all(job.task is None or job.task.done() for job in at.engine.jobs))
    await until(lambda: not at.own_api.hooks._telling)


# ---- what is told ----------------------------------------------------------------------------------------


async def test_a_result_is_told_as_the_bare_prediction(tmp_path: Path) -> None:
    receiver = Receiver()
    async with receiver.listening() as (origin, hook), api_app(tmp_path, webhook_origins=(origin,)) as at:
        task = await submitted(at, hook)
        data = await settled(at, task)
        await over(at)
        ((headers, _),) = receiver.heard
        (told,) = receiver.told
        asked = told.pop("input")
        assert told == data
        assert told["status"] == "completed"
        assert asked["prompt"] == BODY["prompt"]
        assert headers["content-type"] == "application/json"
        assert (await at.client.get(told["outputs"][0])).status_code == 200


async def test_a_failure_is_told_too(tmp_path: Path) -> None:
    receiver = Receiver()
    backend = FakeBackend(make_spec("local"), fail=Moderated("recorded", what="The provider refuses it.", todo=""))
    async with (
        receiver.listening() as (origin, hook),
        api_app(tmp_path, {"local": backend}, webhook_origins=(origin,)) as at,
    ):
        task = await submitted(at, hook)
        await until(lambda: receiver.heard)
        (told,) = receiver.told
        assert (told["id"], told["status"], told["code"]) == (task, "failed", 1200)
        assert told["error"] == "The provider refuses it."


class Slow(FakeBackend):
    """A provider that takes a task, and has its result only when it is asked again."""

    async def edit(self, request: EditRequest, context: RunContext = OWNERS) -> AsyncGenerator[Event, None]:
        yield Working("sent")
        yield Accepted(0, "remote-0")
        raise TimedOut("recorded", what="It takes too long.", todo="")

    async def resume(
        self, request: EditRequest, remote: Sequence[str | None], context: RunContext = OWNERS
    ) -> AsyncGenerator[Event, None]:
        yield Completed(results(request), {"inference": 1.0})


async def test_a_wait_that_ends_before_its_task_is_told_as_nothing_and_the_tasks_end_once(tmp_path: Path) -> None:
    receiver, slow = Receiver(), {"local": Slow(make_spec("local"))}
    async with receiver.listening() as (origin, hook):
        async with api_app(tmp_path, slow, webhook_origins=(origin,)) as at:
            task = await submitted(at, hook)
            await over(at)
            (job,) = at.engine.jobs
            assert (job.state, receiver.heard) == (JobState.DETACHED, [])
        async with api_app(tmp_path, slow, webhook_origins=(origin,)) as at:
            await over(at)
            assert [(told["id"], told["status"]) for told in receiver.told] == [(task, "completed")]


async def test_a_call_is_signed_as_the_providers_page_says(tmp_path: Path) -> None:
    receiver = Receiver()
    async with receiver.listening() as (origin, hook), api_app(tmp_path, webhook_origins=(origin,)) as at:
        key = at.key()
        secret = (await at.client.get(SECRET, headers=key)).json()["data"]["secret"]
        task = await submitted(at, hook, key)
        await until(lambda: receiver.heard)
        ((headers, body),) = receiver.heard
        assert headers["webhook-id"] == task
        assert abs(int(headers["webhook-timestamp"]) - time.time()) < 300
        text = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        wanted = hmac.new(secret.removeprefix("whsec_").encode(), text, hashlib.sha256).hexdigest()
        assert headers["webhook-signature"] == f"v3,{wanted}"


async def test_this_apps_own_client_of_the_provider_takes_the_call(tmp_path: Path) -> None:
    receiver = Receiver()
    async with receiver.listening() as (origin, hook), api_app(tmp_path, webhook_origins=(origin,)) as at:
        secret = (await at.client.get(SECRET)).json()["data"]["secret"]
        await submitted(at, hook)
        await until(lambda: receiver.heard)
        ((headers, body),) = receiver.heard
        assert signed(headers, body, secret, time.time())
        assert not signed(headers, body + b" ", secret, time.time())
        assert not signed(headers, body, secret, time.time() + 400)


async def test_each_key_has_a_secret_of_its_own_and_keeps_it(tmp_path: Path) -> None:
    async with api_app(tmp_path) as at:
        nobody = (await at.client.get(SECRET)).json()["data"]["secret"]
        ann, bob = at.key("ann"), at.key("bob")
        first = [(await at.client.get(SECRET, headers=key)).json()["data"]["secret"] for key in (ann, bob)]
    async with api_app(tmp_path) as at:
        again = [(await at.client.get(SECRET, headers=key)).json()["data"]["secret"] for key in (ann, bob)]
    assert first == again
    assert len({nobody, *first}) == 3
    assert all(re.fullmatch(r"whsec_[0-9a-f]{64}", each) for each in (nobody, *first))


async def test_one_keys_call_does_not_fit_anothers_secret(tmp_path: Path) -> None:
    receiver = Receiver()
    async with receiver.listening() as (origin, hook), api_app(tmp_path, webhook_origins=(origin,)) as at:
        ann, bob = at.key("ann"), at.key("bob")
        of_bob = (await at.client.get(SECRET, headers=bob)).json()["data"]["secret"]
        await submitted(at, hook, ann)
        await until(lambda: receiver.heard)
        ((headers, body),) = receiver.heard
        assert not signed(headers, body, of_bob, time.time())


async def test_a_task_without_a_webhook_tells_nobody(tmp_path: Path) -> None:
    async with api_app(tmp_path) as at:
        at.own_api.hooks._post = patient(transport=(line := Recording()))
        task = (await at.client.post(RUN, json=BODY)).json()["data"]["id"]
        await settled(at, task)
        await over(at)
        assert line.asked == []


async def test_the_same_call_twice_is_told_once(tmp_path: Path) -> None:
    receiver = Receiver()
    async with receiver.listening() as (origin, hook), api_app(tmp_path, webhook_origins=(origin,)) as at:
        call = {"json": BODY, "params": {"webhook": hook}, "headers": {"Idempotency-Key": "order 1"}}
        answers = await asyncio.gather(at.client.post(RUN, **call), at.client.post(RUN, **call))
        await settled(at, answers[0].json()["data"]["id"])
        await over(at)
        await at.client.post(RUN, **call)
        await over(at)
        assert len(receiver.heard) == 1


# ---- told again ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [500, 503, 404, 429, 302, 307])
async def test_an_answer_that_is_no_success_is_asked_again(tmp_path: Path, status: int) -> None:
    receiver = Receiver(status)
    async with receiver.listening() as (origin, hook), api_app(tmp_path, webhook_origins=(origin,)) as at:
        at.own_api.hooks._waits = NOW
        task = await submitted(at, hook)
        await settled(at, task)
        await over(at)
        first, second = receiver.heard
        assert first[0]["webhook-id"] == second[0]["webhook-id"] == task
        assert receiver.told[0] == receiver.told[1]


async def test_every_success_is_heard(tmp_path: Path) -> None:
    receiver = Receiver(204)
    async with receiver.listening() as (origin, hook), api_app(tmp_path, webhook_origins=(origin,)) as at:
        at.own_api.hooks._waits = NOW
        await settled(at, await submitted(at, hook))
        await over(at)
        assert len(receiver.heard) == 1


async def test_a_connection_that_breaks_is_tried_again(tmp_path: Path) -> None:
    calls: list[bytes] = []

    async def hang_up_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        calls.append(await reader.readuntil(b"\r\n\r\n"))
        if len(calls) > 1:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(hang_up_once, "127.0.0.1", 0)
    origin = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, api_app(tmp_path, webhook_origins=(origin,)) as at:
        at.own_api.hooks._waits = NOW
        task = await submitted(at, f"{origin}/hook")
        await settled(at, task)
        await over(at)
    assert len(calls) == 2
    assert all(f"webhook-id: {task}".encode() in each for each in calls)


async def test_an_address_is_given_up_after_the_last_attempt_and_for_good(tmp_path: Path) -> None:
    receiver = Receiver(*[500] * 9)
    async with receiver.listening() as (origin, hook):
        async with api_app(tmp_path, webhook_origins=(origin,)) as at:
            at.own_api.hooks._waits = NOW
            await settled(at, await submitted(at, hook))
            await over(at)
            assert len(receiver.heard) == 3
        async with api_app(tmp_path, webhook_origins=(origin,)) as at:
            await over(at)
            assert len(receiver.heard) == 3


async def test_one_who_does_not_answer_holds_up_nobody_else(tmp_path: Path) -> None:
    quiet, receiver = asyncio.Event(), Receiver()

    async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        quiet.set()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(never, "127.0.0.1", 0)
    silent = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with (
        server,
        receiver.listening() as (origin, hook),
        api_app(tmp_path, webhook_origins=(origin, silent)) as at,
    ):
        await submitted(at, f"{silent}/hook")
        await quiet.wait()
        task = await submitted(at, hook)
        assert (await settled(at, task))["status"] == "completed"
        await until(lambda: receiver.heard)


# ---- who is never called ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1/hook",
        "https://127.0.0.1/hook",
        "http://localhost/hook",
        "http://2130706433/hook",
        "http://[::1]/hook",
        "http://[::ffff:127.0.0.1]/hook",
        "http://10.0.0.1/hook",
        "http://192.168.1.1/hook",
        "http://169.254.169.254/latest/meta-data",
        "http://0.0.0.0/hook",
        "http://93.184.216.34:22/hook",
        "http://somebody@93.184.216.34/hook",
        "http://[",
    ],
)
async def test_an_address_that_is_not_on_the_public_internet_is_never_connected_to(
    tmp_path: Path, address: str
) -> None:
    line = Recording()
    async with api_app(tmp_path) as at:
        at.own_api.hooks._post = patient(transport=line)
        at.own_api.hooks._waits = NOW
        assert (await settled(at, await submitted(at, address)))["status"] == "completed"
        await over(at)
    assert line.asked == []


async def test_a_public_address_needs_nobodys_leave(tmp_path: Path) -> None:
    line = Recording()
    async with api_app(tmp_path) as at:
        at.own_api.hooks._post = patient(transport=line)
        await settled(at, await submitted(at, "https://93.184.216.34/hook"))
        await over(at)
    assert line.asked == ["https://93.184.216.34/hook"]


async def test_an_allowed_origin_allows_no_other_port(tmp_path: Path) -> None:
    allowed, other = Receiver(), Receiver()
    async with (
        allowed.listening() as (origin, _),
        other.listening() as (_, hook),
        api_app(tmp_path, webhook_origins=(origin,)) as at,
    ):
        at.own_api.hooks._waits = NOW
        await settled(at, await submitted(at, hook))
        await over(at)
        assert other.heard == []


# ---- a restart, and deleting -----------------------------------------------------------------------------


async def test_what_was_not_heard_is_told_after_a_restart(tmp_path: Path) -> None:
    receiver = Receiver(500)
    async with receiver.listening() as (origin, hook):
        async with api_app(tmp_path, webhook_origins=(origin,)) as at:
            at.own_api.hooks._waits = (0.0, 600.0)
            task = await submitted(at, hook)
            await until(lambda: receiver.heard)
        async with api_app(tmp_path, webhook_origins=(origin,)) as at:
            await until(lambda: len(receiver.heard) == 2)
            await over(at)
            assert receiver.told[0] == receiver.told[1]
            assert [each["webhook-id"] for each, _ in receiver.heard] == [task, task]


async def test_what_was_heard_is_not_told_after_a_restart(tmp_path: Path) -> None:
    receiver = Receiver()
    async with receiver.listening() as (origin, hook):
        async with api_app(tmp_path, webhook_origins=(origin,)) as at:
            await submitted(at, hook)
            await until(lambda: receiver.heard)
            await over(at)
        async with api_app(tmp_path, webhook_origins=(origin,)) as at:
            await over(at)
    assert len(receiver.heard) == 1


async def test_a_restart_is_not_told_as_an_end(tmp_path: Path) -> None:
    receiver, stuck = Receiver(), FakeBackend(make_spec("local"), gate=asyncio.Event())
    async with receiver.listening() as (origin, hook):
        async with api_app(tmp_path, {"local": stuck}, webhook_origins=(origin,)) as at:
            task = await submitted(at, hook)
            await until(lambda: stuck.working)
        async with api_app(tmp_path, webhook_origins=(origin,)) as at:
            assert (await settled(at, task))["status"] == "completed"
            await over(at)
        assert [(each["id"], each["status"]) for each in receiver.told] == [(task, "completed")]


async def test_a_task_that_a_restart_ended_is_told(tmp_path: Path) -> None:
    receiver, stuck = Receiver(), FakeBackend(make_spec("local"), gate=asyncio.Event())
    async with receiver.listening() as (origin, hook):
        async with api_app(tmp_path, {"local": stuck}, webhook_origins=(origin,)) as at:
            task = await submitted(at, hook)
            await until(lambda: stuck.working)
        async with api_app(tmp_path, webhook_origins=(origin,), rerun=False) as at:
            await until(lambda: receiver.heard)
            await over(at)
        assert [(each["id"], each["status"], each["code"]) for each in receiver.told] == [(task, "failed", 1405)]


async def test_a_task_that_ends_while_the_others_are_still_taken_up_is_told_once(tmp_path: Path) -> None:
    receiver, gate = Receiver(takes=0.3), asyncio.Event()
    stuck = {key: FakeBackend(make_spec(key), gate=gate) for key in ("local", "gone")}
    async with receiver.listening() as (origin, hook):
        async with api_app(tmp_path, stuck, api_models={WAVE: "local", "old/model": "gone"}) as at:
            task = await submitted(at, hook)
            for _ in range(8):  # each is written down as ended by the next process, which takes its time
                await at.client.post("/api/v3/old/model", json=BODY)
            await until(lambda: stuck["local"].working and stuck["gone"].working)
        receiver.heard.clear()
        async with api_app(tmp_path, webhook_origins=(origin,)) as at:
            assert (await settled(at, task))["status"] == "completed"
            await over(at)
        assert [(each["id"], each["status"]) for each in receiver.told] == [(task, "completed")]


async def test_a_prediction_that_was_deleted_while_somebody_was_to_be_told_is_not_told_again(tmp_path: Path) -> None:
    receiver = Receiver(500, 500, gate=(answers := asyncio.Event()))
    async with receiver.listening() as (origin, hook), api_app(tmp_path, webhook_origins=(origin,)) as at:
        at.own_api.hooks._waits = NOW
        task = await submitted(at, hook)
        await until(lambda: receiver.heard)
        answer = await at.client.post(f"{PREDICTIONS}/delete", json={"ids": [task]})
        assert answer.json()["data"] == {"deleted_count": 1}
        answers.set()
        await over(at)
        assert len(receiver.heard) == 1


async def test_a_prediction_that_was_deleted_while_it_ran_is_not_told(tmp_path: Path) -> None:
    receiver, backend = Receiver(), FakeBackend(make_spec("local"), gate=asyncio.Event())
    async with (
        receiver.listening() as (origin, hook),
        api_app(tmp_path, {"local": backend}, webhook_origins=(origin,)) as at,
    ):
        task = await submitted(at, hook)
        await until(lambda: backend.working)
        answer = await at.client.post(f"{PREDICTIONS}/delete", json={"ids": [task]})
        assert answer.json()["data"] == {"deleted_count": 1}
        await over(at)
        assert receiver.told == []
