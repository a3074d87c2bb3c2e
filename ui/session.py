"""What one browser tab has on its stage, and how the browser sees it.

`Session` is the server's side of the page: the reference, and the runs of this tab with their jobs.
`Session.view` turns it into the plain value that `assets/stage.js` draws; nothing else is sent.
"""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.errors import BadInput, FetchFailed, RunCancelled, StudioError
from core.events import Loading, Progress, Queued, Working
from core.imaging.images import Reference
from core.job import Job, Visitor
from core.job_state import JobState
from core.messages import Message, in_full, say
from core.recipe import StyleUse
from core.result import Made
from core.spec import BackendSpec
from engine.engine import Engine
from ui import text

View = dict[str, Any]

MIN_INTERVAL = 0.1
"""Seconds between two pictures of the stage: more often than that nobody sees, and a phone's line is spared."""
HEARTBEAT = 5.0
"""Seconds after which the stage is sent again though nothing changed."""
KEPT_RUNS = 60
"""Runs that a tab's strip holds; older ones leave it, their files stay."""
SHOWN = {JobState.QUEUED: "queued", JobState.NEEDS_KEY: "queued", JobState.DONE: "done"}
"""What the stage calls the states that are not `running`; of an error, its kind decides."""


@dataclass
class Shown:
    """A reference as the page needs it.

    Attributes:
        file: where it is stored.
        reference: its size in pixels, and what else a run needs to know.
        parent: digest of the result that it was made of, None where it was none.
    """

    file: Path
    reference: Reference
    parent: str | None = None

    def view(self) -> View:
        """Return what the stage draws."""
        width, height = self.reference.width, self.reference.height
        return {
            "url": f"images/{self.file.name}",
            "display": f"display/{self.file.name}",
            "width": width,
            "height": height,
            "alt": text.reference_alt(width, height),
        }


@dataclass
class Run:
    """One click on Run.

    Attributes:
        job: what it began.
        expected: seconds that it may take, None where that is not known.
        earlier: whether it had ended before this tab was opened.
        backend: its label; None where the backend is no longer offered.
        first_step: when the first step was done, on this process's clock.
        previews: the latest of each image.
    """

    job: Job
    expected: float | None = None
    earlier: bool = False
    backend: Message | None = None
    first_step: float | None = None
    previews: tuple[bytes, ...] = ()

    @property
    def shown(self) -> Shown:
        """The reference that the run began with."""
        image = self.job.request.image
        assert image.file is not None  # stored with the job
        return Shown(image.file, image, self.job.recipe.parent)

    @property
    def state(self) -> str:
        """Return `queued`, `loading`, `running`, `done`, `cancelled` or `failed`."""
        if self.job.error is not None:
            return "cancelled" if isinstance(self.job.error, RunCancelled) else "failed"
        if self.job.state is JobState.RUNNING and isinstance(self.job.event, Loading):
            return "loading"
        return SHOWN.get(self.job.state, "running")

    def notice_event(self) -> None:
        """Take from the latest event what the next one may not repeat."""
        event = self.job.event
        if isinstance(event, Progress):
            if event.preview:
                self.previews = event.preview
            if self.first_step is None:
                self.first_step = time.monotonic()

    def view(self) -> View:
        """Return what the stage draws."""
        status, fraction = self._status()
        request = self.job.request
        seconds = self.job.result.timings["total"] if self.job.result else None
        steps = text.steps(request.steps_run, request.integer("num_inference_steps"))
        tail = f" · {text.seconds(seconds)}" if seconds is not None else ""
        notices = request.image.notices
        if self.job.result is not None:
            steps += text.cost(self.job.result.cost)
            notices += self.job.result.notices
        return {
            "id": self.job.id,
            "state": self.state,
            "reference": self.shown.view(),
            "cells": [self._cell(index, f"{tail} · {steps}") for index in range(len(request.seeds))],
            "size": text.size(request.image.width, request.image.height),
            "facts": f"{text.facts(request.seeds[0])}{tail} · {steps}",
            "status": status,
            "fraction": fraction,
            "elapsed": self._elapsed(),
            "expected": self.expected,
            "spoken": self._spoken(),
            "error": problem_view(self.job.error) if self.job.error else None,
            "notices": [str(each) for each in notices],
        }

    def _cell(self, index: int, facts: str) -> View:
        request = self.job.request
        seed = request.seeds[index]
        cell: View = {
            "caption": text.caption(index + 1, len(request.seeds), seed),
            "facts": f"{text.facts(seed)}{facts}",
        }
        made = self.job.result.images[index] if self.job.result is not None else None
        if isinstance(made, Made):
            name = made.image.name
            cell |= {
                "url": f"images/{name}",
                "display": f"display/{name}",
                "alt": text.result_alt(index + 1, len(request.seeds), seed, request.number("strength")),
                "filename": f"srpo-{seed}{Path(name).suffix}",
            }
        elif made is not None:
            cell |= {"caption": say(text.MISSING[made.reason]), "withheld": in_full(made.why)}
        elif index < len(self.previews) and self.job.error is None:
            cell["preview"] = "data:image/jpeg;base64," + base64.b64encode(self.previews[index]).decode()
        return cell

    def _status(self) -> tuple[str, float | None]:
        """Return the line under the progress bar and how full the bar is, None where that is not known."""
        if self.job.error is not None or self.job.result is not None:
            return "", 0.0
        if self.job.state is JobState.NEEDS_KEY:
            return say("ui-key-wanted"), None
        match self.job.event:
            case Queued(position):
                # A run that nobody is ahead of has no place in a line: it is about to start.
                return (text.position(position), None)
            case Loading(stage, done, total):
                return text.loading(stage, done, total), done / total
            case Working(status, done, total):
                return text.working(self.backend, status, done, total), None
            case Progress(step, total):
                left = None
                if step and self.first_step is not None:
                    left = (time.monotonic() - self.first_step) / step * (total - step)
                return text.progress(step, total, left), step / total
        return "", None

    def _elapsed(self) -> float | None:
        """Return the seconds since the run left the line, where nothing else is known of it."""
        at_work = self.job.state in (JobState.SUBMITTING, JobState.RUNNING) and isinstance(self.job.event, Working)
        if not at_work or self.job.started is None:
            return None
        return time.monotonic() - self.job.started

    def _spoken(self) -> str:
        """Return what a screen reader says: the start, each quarter, the end."""
        if self.job.result is not None:
            return say("spoken-done")
        if self.job.error is not None:
            return str(self.job.error)
        if isinstance(self.job.event, Progress) and self.job.event.total:
            return text.spoken_quarter(self.job.event.step * 4 // self.job.event.total)
        return say(text.SPOKEN[self.state])


@dataclass
class Session:
    """The stage of one browser tab.

    Attributes:
        visitor: whose tab it is.
        reference: what the next run starts from.
        chosen: the file in the reference box.
        read_from: the file that `reference` was read from; another than `chosen` while that is being read.
        runs: this tab's, oldest first.
        problem: what is wrong with what the person gave last.
        keys: pasted keys by the `key_env` of their provider; they live here and nowhere else.
        style: the styles that are on.
    """

    visitor: Visitor = field(default_factory=Visitor)
    reference: Shown | None = None
    chosen: str | None = None
    read_from: str | None = None
    runs: list[Run] = field(default_factory=list)
    problem: StudioError | None = None
    keys: dict[str, str] = field(default_factory=dict, repr=False)
    style: tuple[StyleUse, ...] = ()
    watched: bool = False
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    def key(self, spec: BackendSpec) -> str | None:
        """Return the pasted key of a backend's provider, None where there is none."""
        return self.keys.get(spec.key_env) if spec.key_env is not None else None

    @property
    def active(self) -> list[Run]:
        """The runs that go on or wait, oldest first."""
        return [run for run in self.unfinished if run.job.state is not JobState.DETACHED]

    @property
    def going_on(self) -> list[Run]:
        """The active runs, and those whose wait was ended while their provider goes on."""
        return [run for run in self.unfinished if run.job.state is not JobState.NEEDS_KEY]

    @property
    def unfinished(self) -> list[Run]:
        """The runs of which something may still come."""
        return [run for run in self.runs if not run.job.ended]

    @property
    def spent(self) -> float:
        """US dollars that this tab's runs have cost, as far as it was told."""
        return sum(run.job.result.cost or 0.0 for run in self.runs if run.job.result is not None and not run.earlier)

    @property
    def current(self) -> Run | None:
        """The run on stage: the oldest that is not done, else this tab's newest; earlier ones wait in the strip."""
        active = self.active
        return active[0] if active else next((run for run in reversed(self.runs) if not run.earlier), None)

    def add(self, run: Run) -> None:
        """Put a run at the end of the line, in place of what went wrong before."""
        self.problem = None
        self.runs.append(run)
        self.wake.set()
        ended = [run for run in self.runs if run.job.ended]
        for old in ended[: max(0, len(self.runs) - KEPT_RUNS)]:
            self.runs.remove(old)

    def restore(self, jobs: list[Job], labels: Mapping[str, Message]) -> None:
        """Begin with runs that were made before this tab was opened.

        Args:
            jobs: of the visitor, oldest first.
            labels: of the backends, by key.
        """
        known = {run.job.id for run in self.runs}
        self.runs[:0] = [
            Run(job, earlier=job.ended, backend=labels.get(job.backend)) for job in jobs if job.id not in known
        ]

    def find(self, job_id: object) -> Run | None:
        """Return the run of a job, None if it is not this tab's."""
        return next((run for run in self.runs if run.job.id == job_id), None)

    def view(self) -> View:
        """Return the value that `assets/stage.js` draws."""
        current = self.current
        return {
            "at": time.time(),  # two events may hand their views over in another order than they were made in
            "reference": self.reference.view() if self.reference else None,
            "runs": [run.view() for run in self.runs],
            "current": current.job.id if current else None,
            "spent": text.spent(self.spent) if self.spent else "",
            "waiting": text.waiting(max(0, len(self.active) - 1)),
            "problem": problem_view(self.problem) if self.problem else None,
        }


async def follow(engine: Engine, session: Session) -> AsyncGenerator[None, None]:
    """Yield now and after each change of the session's runs, until none goes on.

    One follower serves all runs of a tab, whichever click began it; `session.watched` says that there
    is one. Runs that are added meanwhile are taken up.
    """
    pumps: dict[str, asyncio.Task[None]] = {}

    async def pump(run: Run) -> None:
        try:
            async for _ in engine.watch(run.job):
                run.notice_event()
                session.wake.set()
        except StudioError:
            pass  # the job holds it
        finally:
            session.wake.set()

    session.watched = True
    try:
        while session.going_on:
            for run in session.going_on:
                if run.job.id not in pumps:
                    pumps[run.job.id] = asyncio.create_task(pump(run))
            session.wake.clear()
            yield
            with suppress(TimeoutError):  # a page that was closed is noticed only when something is sent to it
                await asyncio.wait_for(session.wake.wait(), HEARTBEAT)
            await asyncio.sleep(MIN_INTERVAL)
        session.watched = False
        yield
    finally:
        session.watched = False
        for task in pumps.values():
            task.cancel()


def problem_view(error: StudioError) -> View:
    """Return an error as the stage shows it: what happened, what to do, was it charged."""
    # Of a refusal before any work and of a cancelled free run nobody asks whether it cost anything.
    free = error.charged is False and isinstance(error, (RunCancelled, BadInput, FetchFailed))
    charge = "" if free else text.charge(error.charged)
    return {"what": error.what, "todo": error.todo, "charge": charge}
