"""Providers that break, at every place of a run and in every way that we could think of.

Each case runs with ten seeds at once, each against a server of its own. Whatever happens, a run ends in time, in a
result or in a typed error; it is paid for at most once; and nothing on loopback is read but the provider itself.

The client's limits of time are the true ones, minutes long. They pass on a loop whose time leaps: see `Leaping`.
"""

from __future__ import annotations

import asyncio
import gc
import selectors
import ssl
import time
import tracemalloc
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from backends.aimlapi import AimlapiBackend
from backends.aimlapi.backend import SPEC as AIMLAPI
from backends.aimlapi.provider import AimlapiProvider
from backends.http.client import ProviderClient
from backends.wavespeed import WavespeedBackend
from backends.wavespeed.backend import SPEC as WAVESPEED
from backends.wavespeed.provider import WavespeedProvider
from core import errors
from core.backend import RunContext
from core.events import Completed, Picture
from core.request import EditRequest
from core.settings import Settings
from tests.support.fakes import make_reference, make_request
from tests.support.providers.broken import BOMB, CHANGES, FAILURES, KEYS, PACKED_BOMB, RETRY_AFTER, WIRES, Broken, bomb

pytestmark = pytest.mark.integration

SEEDS = range(10)
FEW = range(4)
"""For what is heavy: always and once, in one piece and in small ones."""
DEADLINE = 900.0
"""Seconds in which a run must have ended: ten minutes for a task, and the requests before and after it."""
HURRY = 60
"""Times as fast as all else that a task's ten minutes pass where they are what ends a run: some looks tell enough."""
TLS = ssl.create_default_context()  # reading the certificates takes 30 ms a client, and nothing here is encrypted

BOMBS = {"gzip bomb": BOMB, "gzip bomb in a gzip file": PACKED_BOMB}
"""MiB that each grows to."""
HELD = 32.0
"""MiB that ended runs together may keep alive."""

LINE = ("reset before the request is read", *WIRES)
LIMITED = tuple(name for name in CHANGES if name.startswith("429"))
BROKEN = ("500", "502", "503")
REFUSED = ("401", "402", "403", "404")
UNREADABLE = ("invalid JSON", "wrong schema", "HTML with status 200")
SENT_ON = ("redirect to loopback", "redirect loop", "redirect to nowhere")
STRANGE = ("strange numbers", "result nowhere", "result on loopback")

ANSWERED = (*LIMITED, *BROKEN, *REFUSED, "wrong content type", *SENT_ON)
GRID = {
    ("wavespeed", "submit"): (*LINE, *UNREADABLE, *ANSWERED, "strange words", "failed", "strange id"),
    ("wavespeed", "poll"): (
        *(*LINE, *UNREADABLE, *ANSWERED, *STRANGE),
        *("strange words", "failed", "never ends", "another task's answer"),
    ),
    ("wavespeed", "download"): (*LINE, *ANSWERED, "HTML with status 200", "no picture"),
    ("aimlapi", "submit"): (*LINE, *UNREADABLE, *ANSWERED, *STRANGE, "strange words"),
    ("aimlapi", "download"): (*LINE, *ANSWERED, "HTML with status 200", "no picture"),
    ("wavespeed", "upload"): ("wrong schema",),
}
CASES = [
    pytest.param(provider, place, failure, id=f"{provider}-{place}-{failure}")
    for (provider, place), failures in GRID.items()
    for failure in failures
    if failure not in BOMBS
]
BOMBED = [(*where, name) for where, failures in GRID.items() for name in BOMBS if name in failures]

Ends = tuple[Any, Any]
ANY: Ends = (Completed, ...)
"""A result or a typed error, whichever."""


@dataclass
class Run:
    """How a run ended.

    Attributes:
        seed: of the case.
        there: its provider.
        end: what came: Completed, an error, or None where it did not end.
        took: seconds, by the clock on the wall.
        mebibytes: of memory that it took at its highest, where that was measured.
    """

    seed: int
    there: Broken
    end: Completed | BaseException | None
    took: float
    mebibytes: float = 0.0


# ---- how it must end ---------------------------------------------------------------------------------------


def wanted(provider: str, place: str, failure: str, once: bool) -> Ends:
    """Return what a run ends in: a type, and what its error says of the charge (`...` where either will do)."""
    if failure == "wrong content type":
        return Completed, ...
    if place == "submit":
        return of_submit(provider, failure)
    if place == "poll":
        return of_poll(failure, once)
    if place == "download":
        if failure == "no picture":
            return errors.MalformedAnswer, True
        return (Completed, ...) if once else (errors.ResultGone, True)
    return ANY


def of_submit(provider: str, failure: str) -> Ends:
    wavespeed = provider == "wavespeed"
    if failure in LINE or (failure in BROKEN and wavespeed):
        return errors.SubmitUnknown, None
    if failure in UNREADABLE:
        return errors.MalformedAnswer, None
    if failure == "redirect to nowhere":  # where the address cannot even be read, the answer counts as lost
        return errors.MalformedAnswer | errors.SubmitUnknown, ...
    if failure in SENT_ON:
        return errors.MalformedAnswer, ...
    if failure in BROKEN:
        return errors.ProviderDown, False
    if failure in LIMITED:
        return errors.RateLimited, False
    if failure in ("result nowhere", "result on loopback"):
        return errors.StudioError, True
    return {
        "401": (errors.KeyRejected, False),
        "402": (errors.NoCredits, False),
        "403": (errors.PermissionRefused, False),
        "404": (errors.ParameterRefused, False),
        "strange words": (errors.PermissionRefused, False),
        "failed": (errors.RunFailed, None),
    }.get(failure, ANY)


def of_poll(failure: str, once: bool) -> Ends:
    ends: dict[str, Ends] = {
        "401": (errors.KeyRejected, None),
        "402": (errors.NoCredits, None),
        "403": (errors.PermissionRefused, None),
        "404": (errors.ResultGone, None),
        "failed": (errors.RunFailed, None),
        "strange words": (errors.RunFailed, None),
        "result nowhere": (errors.StudioError, True),
        "result on loopback": (errors.StudioError, True),
        "strange numbers": ANY,
        "another task's answer": ANY,
    }
    if failure == "redirect to nowhere":
        return ANY
    if failure in SENT_ON:
        return errors.MalformedAnswer, None
    return ends.get(failure, (Completed, ...) if once else (errors.TimedOut, None))


def complaint(run: Run, place: str, failure: str) -> str:
    """Return what is wrong with how a run ended, empty where nothing is."""
    there, end = run.there, run.end
    kind, charged = wanted(there.provider, place, failure, there.once)
    if end is None:
        return f"did not end in {DEADLINE} s"
    if not isinstance(end, Completed | errors.StudioError):
        return f"an untyped {type(end).__name__}: {str(end)[:200]}"
    if there.paid > 1:
        return f"{there.paid} paid POSTs"
    if there.leaks:
        return "the key went to the file server"
    if isinstance(end, Completed):
        if not all(isinstance(each, Picture) and each.data for each in end.images):
            return "completed without a picture"
        return "" if kind is Completed else f"completed, {kind} was wanted"
    text = str(end)
    if there.key in text or "Traceback" in text:
        return f"says what it must not: {text}"
    if not text.isprintable() or len(text) > 600:
        return f"words that cannot be shown: {text[:700]!r}"
    if (kind, charged) == ANY:
        return ""
    if not isinstance(end, kind):
        return f"{type(end).__name__} ({text}), {kind} was wanted"
    if charged is not ... and not agrees(end.charged, charged):
        return f"{type(end).__name__} ({text}) says charged={end.charged}, {charged} was wanted"
    if isinstance(end, errors.TimedOut) and end.remote_id != "p1":
        return f"a task given up without its id: {end.remote_id}"
    if isinstance(end, errors.RateLimited):
        return wait(end.wait, failure, run.took)
    return ""


def agrees(said: bool | None, true: bool | None) -> bool:
    """Return whether an error's word on the charge holds; of a picture that was made, "not known" does too."""
    return said is true or (true is True and said is None)


def wait(seconds: float | None, failure: str, took: float) -> str:
    """Return what is wrong with the wait that an error of a run tells, which took so many seconds by the wall."""
    if failure == "429 with a date":
        right = seconds is not None and RETRY_AFTER - took - 1 <= seconds <= RETRY_AFTER  # dates are whole seconds
    else:
        right = seconds == {"429 with seconds": 5, "429 with 9999": 9999}.get(failure)
    return "" if right else f"{failure}: wait is {seconds}"


# ---- time --------------------------------------------------------------------------------------------------


class Leaping(asyncio.SelectorEventLoop):
    """A loop whose time stands still while anything happens, and leaps to the next timer when nothing does.

    Both ends of every connection are on it, so what is silent for a moment is silent until a timer ends it. Minutes
    pass at once where all wait for them, and not at all where the machine is slow or stalls.

    Attributes:
        now: its time.
        threads: calls that threads work on; the system is asked for names there.
    """

    def __init__(self) -> None:
        self.now = 0.0
        self.threads = 0
        super().__init__(Quiet(self))

    def time(self) -> float:
        return self.now

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:
        def back(_: object) -> None:
            self.threads -= 1

        future = super().run_in_executor(executor, func, *args)
        self.threads += 1
        future.add_done_callback(back)
        return future


class Quiet(selectors.DefaultSelector):
    """Waits for what happens on a loop's sockets, and makes its time leap when nothing does."""

    def __init__(self, loop: Leaping) -> None:
        super().__init__()
        self.loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or timeout <= 0:
            return super().select(timeout)
        # The longer the leap, the longer the silence before it: 6 ms where a connection would be given up next.
        silence = 0.001 + timeout / (30 if self.loop.threads else 1000)
        ready = super().select(min(timeout, silence))
        if not ready:
            self.loop.now += max(timeout, 0.1)  # what is due at nearly the same time comes together
        return ready


def leaping(work: Coroutine[Any, Any, list[Run]]) -> list[Run]:
    """Return what some work gives, done on a loop of its own."""
    with asyncio.Runner(loop_factory=Leaping) as runner:
        return runner.run(work)


# ---- a run -------------------------------------------------------------------------------------------------


@asynccontextmanager
async def canary() -> AsyncIterator[tuple[int, list[int]]]:
    """Yield a loopback port that nobody must connect to, and a list that grows by one for each who does."""
    met: list[int] = []

    async def sing(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        met.append(1)
        writer.close()

    server = await asyncio.start_server(sing, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], met
    finally:
        server.close()
        await server.wait_closed()


REFERENCES = [make_reference(64, 48), make_reference(700, 500)]


def asked(provider: str, seed: int) -> EditRequest:
    spec = WAVESPEED if provider == "wavespeed" else AIMLAPI
    return make_request(spec, "as a watercolour", REFERENCES[seed % 4 == 0], seed=11 + seed)


def backend_of(there: Broken) -> WavespeedBackend | AimlapiBackend:
    """Return a backend for a provider, with the true limits of time."""
    now = asyncio.get_running_loop().time
    hurry = HURRY if there.place == "poll" and not there.once else 1
    client = ProviderClient(there.origin, transport=httpx.AsyncHTTPTransport(verify=TLS), clock=lambda: now() * hurry)
    if there.provider == "wavespeed":
        return WavespeedBackend(WavespeedProvider(Settings(), client))
    return AimlapiBackend(AimlapiProvider(Settings(), client))


async def play(provider: str, place: str, failure: str, seed: int, port: int) -> Run:
    """Run once against a provider that breaks; odd seeds break once, even ones always."""
    once, begun = seed % 2 == 1, time.time()
    there = Broken(provider, place, failure, seed, once, port)
    end: Completed | BaseException | None = None
    async with there:
        backend = backend_of(there)
        try:
            events = backend.edit(asked(provider, seed), RunContext(there.key))
            async with asyncio.timeout(DEADLINE) as limit, aclosing(events):
                async for event in events:
                    if isinstance(event, Completed):
                        end = event
        except Exception as error:
            end = None if limit.expired() else error
        await backend.provider.close()
    return Run(seed, there, end, time.time() - begun)


async def play_all(provider: str, place: str, failure: str, most: float = 0.0) -> list[Run]:
    """Run every seed, and say which of them ended as they must not.

    With `most` MiB a few seeds run one after the other, and their memory is measured; the first that takes as much as
    that, or keeps as much as `HELD`, is the last.
    """
    stray: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: stray.append(str(context)))
    before = asyncio.all_tasks()
    async with canary() as (port, met):
        runs: list[Run] = []
        for seed in FEW if most else ():
            runs.append(await weighed(provider, place, failure, seed, port))
            if runs[-1].mebibytes >= most or held() >= HELD:
                break
        if not most:
            runs = await asyncio.gather(*(play(provider, place, failure, seed, port) for seed in SEEDS))
        await asyncio.sleep(0.01)
    left = asyncio.all_tasks() - before
    wrong = {run.seed: complaint(run, place, failure) for run in runs}
    lines = [f"seed {seed} ({'once' if seed % 2 else 'always'}): {what}" for seed, what in wrong.items() if what]
    unplayed = [run.seed for run in runs if failure and not run.there.played]
    assert not lines, "\n".join(lines)
    assert not met, f"{len(met)} connections to loopback"
    assert not left, f"left hanging: {left}"
    assert not stray, "\n".join(stray)
    assert not unplayed, f"seeds that never met the failure: {unplayed}"
    return runs


async def weighed(provider: str, place: str, failure: str, seed: int, port: int) -> Run:
    """Run once, and measure the memory that it took at its highest."""
    before = held()
    tracemalloc.reset_peak()
    run = await play(provider, place, failure, seed, port)
    run.mebibytes = tracemalloc.get_traced_memory()[1] / 2**20 - before
    return run


def held() -> float:
    """Return the MiB that are alive."""
    gc.collect()
    return tracemalloc.get_traced_memory()[0] / 2**20


# ---- the cases ---------------------------------------------------------------------------------------------


def test_every_failure_is_met_somewhere() -> None:
    assert {failure for failures in GRID.values() for failure in failures} == set(FAILURES)


@pytest.mark.parametrize("provider", KEYS)
def test_what_comes_in_pieces_and_late_is_read_all_the_same(provider: str) -> None:
    leaping(play_all(provider, "download", "wrong content type"))


@pytest.mark.parametrize(("provider", "place", "failure"), CASES)
def test_a_broken_provider_ends_a_run_in_time_in_words_and_paid_once(provider: str, place: str, failure: str) -> None:
    leaping(play_all(provider, place, failure))


@pytest.mark.parametrize(("provider", "place", "failure"), BOMBED)
def test_what_grows_when_it_is_unpacked_is_never_held_whole(provider: str, place: str, failure: str) -> None:
    bomb(), bomb(2)  # made before anything is measured
    tracemalloc.start()
    try:
        runs = leaping(play_all(provider, place, failure, most=BOMBS[failure]))
        kept = held()
    finally:
        tracemalloc.stop()
    whole = {run.seed: round(run.mebibytes) for run in runs if run.mebibytes >= BOMBS[failure]}
    assert not whole, f"MiB in memory at once by seed, of {BOMBS[failure]} in all: {whole}"
    # An error lives as long as its job, and its traceback keeps alive what stood in the frames.
    assert kept < HELD, f"seeds {[run.seed for run in runs]}, ended, keep {kept:.0f} MiB alive"
