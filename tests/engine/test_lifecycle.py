"""Jobs through any order of clicks, answers, cancels, keys and crashes: one submit each, one end each, nothing lost.

The engine and the store are the real ones; the provider is a fake that answers when a rule says so. A crash leaves the
process's tasks and drops its connection to the database, as SIGKILL does; what the provider has, it keeps.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
import tempfile
from collections import Counter
from collections.abc import AsyncGenerator, Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, precondition, rule

from core.backend import OWNERS, Backend, RunContext
from core.errors import KeyRejected, RunFailed, SubmitUnknown, TimedOut
from core.events import Accepted, Completed, Event, Working
from core.job import Job, Visitor
from core.job_state import JobState
from core.request import EditRequest
from core.result import Made
from core.spec import BackendSpec
from engine.engine import Engine
from storage.async_store import AsyncStore
from storage.sqlite.store import Store
from tests.support.fakes import FakeProvider, make_reference, make_request, make_spec, results

_T = TypeVar("_T")

KEY = "a visitor's key"
REFERENCE = make_reference(8, 8)
SPEC = make_spec(concurrency=2, key_env="FAKE_KEY", price=0.5)


class Task:
    """A task at the provider: its answer, and the runs of the app that wait for it."""

    def __init__(self) -> None:
        self.answer: Completed | Exception | None = None
        self.changed = asyncio.Event()


class SlowProvider(Backend):
    """A provider that outlives the app: it accepts and answers when it is made to."""

    def __init__(self) -> None:
        self.submits: Counter[str] = Counter()
        self.accepting: dict[str, asyncio.Future[bool]] = {}
        self.tasks: dict[str, Task] = {}
        self.good_key = True

    @property
    def spec(self) -> BackendSpec:
        return SPEC

    @property
    def provider(self) -> FakeProvider:
        return FakeProvider()

    def ready(self, key: str | None = None) -> str | None:
        return None

    def status(self) -> str:
        return "fake"

    async def edit(self, request: EditRequest, context: RunContext = OWNERS) -> AsyncGenerator[Event, None]:
        """Send once, wait until it is accepted or its answer is lost, then for the end."""
        name = request.prompt
        yield Working("sent")
        self.submits[name] += 1
        answer = self.accepting[name] = asyncio.get_running_loop().create_future()
        task = self.tasks[name] = Task()
        accepted = await answer
        yield Working("processing")
        if not accepted:
            raise SubmitUnknown("recorded", what="The answer is lost.", todo="")
        yield Accepted(0, name)
        async for event in self._wait(request, task, context):
            yield event

    async def resume(
        self, request: EditRequest, remote: Sequence[str | None], context: RunContext = OWNERS
    ) -> AsyncGenerator[Event, None]:
        """Ask for a task again."""
        assert remote == (request.prompt,)
        async for event in self._wait(request, self.tasks[request.prompt], context):
            yield event

    async def _wait(self, request: EditRequest, task: Task, context: RunContext) -> AsyncGenerator[Event, None]:
        yield Working("processing")
        if context.key is not None and not self.good_key:
            raise KeyRejected("recorded", what="The key is not known.", todo="")
        while task.answer is None:
            await task.changed.wait()
        answer, task.answer = task.answer, None if isinstance(task.answer, TimedOut) else task.answer
        task.changed = asyncio.Event()
        if isinstance(answer, Exception):
            raise answer
        yield answer


class Jobs(RuleBasedStateMachine):
    """What may happen to a few jobs, in any order."""

    prompts = Bundle("prompts")

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = Path(tempfile.mkdtemp())
        self.provider = SlowProvider()
        self.count = 0
        self.ends: Counter[str] = Counter()
        self.terminal: dict[str, str] = {}
        self.jobs: dict[str, Job] = {}
        self.engine = self.start()

    def do(self, work: Coroutine[Any, Any, _T]) -> _T:
        return self.loop.run_until_complete(work)

    def start(self) -> Engine:
        async def begin() -> Engine:
            engine = Engine({"fake": self.provider}, AsyncStore(Store(self.folder)), queue_size=100)
            engine.on_end.append(self.count_end)
            await engine.recover()
            return engine

        engine = self.do(begin())
        self.jobs = {job.request.prompt: job for job in engine.jobs}
        return engine

    def count_end(self, job: Job) -> None:
        if job.state.terminal:
            self.ends[job.request.prompt] += 1

    async def settle(self) -> None:
        """Let what is possible happen: until the store is idle and no task can go on."""
        for _ in range(6):
            await asyncio.sleep(0)
            await self.engine._store.sweep()  # on the thread for files
            await self.engine._store.reported("nobody")  # on the thread for rows

    @rule(target=prompts, own_key=st.booleans())
    def submit(self, own_key: bool) -> str:
        self.count += 1
        prompt = f"picture {self.count}"
        request = make_request(SPEC, prompt, REFERENCE)
        key = KEY if own_key else None
        self.jobs[prompt] = self.do(self.engine.submit("fake", request, key, Visitor("ann")))
        self.do(self.settle())
        return prompt

    @rule(prompt=prompts, taken=st.booleans())
    def answer_submit(self, prompt: str, taken: bool) -> None:
        waiting = self.provider.accepting.get(prompt)
        if waiting is not None and not waiting.done():
            waiting.set_result(taken)
            self.do(self.settle())

    @rule(prompt=prompts, how=st.sampled_from(["done", "failed", "timeout"]))
    def answer_task(self, prompt: str, how: str) -> None:
        task = self.provider.tasks.get(prompt)
        if task is None or task.answer is not None:
            return
        request = make_request(SPEC, prompt, REFERENCE)
        ends = {
            "done": Completed(results(request), {"inference": 1.0}, 0.5),
            "failed": RunFailed("recorded", what="It broke there.", todo=""),
            "timeout": TimedOut("recorded", what="It takes too long.", todo="", remote_id=prompt),
        }
        task.answer = ends[how]
        task.changed.set()
        self.do(self.settle())

    @rule(prompt=prompts)
    def cancel(self, prompt: str) -> None:
        if prompt in self.jobs:
            self.do(self.engine.cancel(self.jobs[prompt]))
            self.do(self.settle())

    @precondition(lambda self: self.count)
    @rule(good=st.booleans())
    def give_key(self, good: bool) -> None:
        self.provider.good_key = good
        self.do(self.unlock())

    async def unlock(self) -> None:
        self.engine.unlock("ann", "FAKE_KEY", KEY)
        await self.settle()

    @precondition(lambda self: self.count)
    @rule()
    def crash(self) -> None:
        self.do(self.kill())
        self.engine = self.start()
        self.do(self.settle())

    async def kill(self) -> None:
        """End the process's tasks without a word to the store, as SIGKILL does."""
        self.engine._store._store.close()
        logging.disable(logging.CRITICAL)  # a killed process says nothing
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        self.engine.on_end.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.engine._store._threads.close()
        logging.disable(logging.NOTSET)

    def rows(self) -> dict[str, Job]:
        found = self.do(self.engine.history("ann", 1000))
        return {job.request.prompt: job for job in found}

    @invariant()
    def no_job_is_sent_twice(self) -> None:
        assert all(sent == 1 for sent in self.provider.submits.values()), self.provider.submits

    @invariant()
    def no_job_is_lost_and_none_ends_twice(self) -> None:
        rows = self.rows()
        assert set(rows) == {f"picture {number + 1}" for number in range(self.count)}
        assert all(ended <= 1 for ended in self.ends.values()), self.ends
        for prompt, job in rows.items():
            if prompt in self.terminal:
                assert job.state == self.terminal[prompt], "an end is final"
            elif job.state.terminal:
                self.terminal[prompt] = job.state

    @invariant()
    def what_is_done_has_its_picture_and_what_failed_its_reason(self) -> None:
        for job in self.rows().values():
            if job.state is JobState.DONE:
                assert job.result is not None
                assert job.error is None
                (made,) = job.result.images
                assert isinstance(made, Made)
                assert (self.folder / "images" / made.image.name).is_file()
            elif job.state.terminal or job.state is JobState.DETACHED:
                assert job.error is not None
            else:
                assert (job.result, job.error) == (None, None)

    def teardown(self) -> None:
        """Answer all that is open: everything ends, but for what was given up on and what waits for a key."""
        try:
            self.provider.good_key = True
            for _ in range(self.count + 1):  # places come free one after the other
                for waiting in list(self.provider.accepting.values()):
                    if not waiting.done():
                        waiting.set_result(True)
                self.do(self.settle())
                for prompt in list(self.provider.tasks):
                    self.answer_task(prompt, "done")
                self.do(self.unlock())
            for job in self.rows().values():
                timed_out = job.state is JobState.DETACHED and isinstance(job.error, TimedOut)
                assert job.state.terminal or timed_out, job
            self.no_job_is_sent_twice()
        finally:
            self.do(self.engine.close(1.0))
            self.loop.close()
            shutil.rmtree(self.folder)


Jobs.TestCase.settings = settings(
    max_examples=30, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
test_jobs_through_any_order_of_what_may_happen = pytest.mark.integration(Jobs.TestCase)
