"""How the page's jobs begin."""

from __future__ import annotations

import contextlib
from typing import Any

from pydantic import ValidationError

from api.idempotency import Idempotency, job_body, mark
from api.statuses import Refused
from api.studio.references import References
from api.studio.schemas import NewJob
from api.studio.views import View, job_view, rows_view
from core.errors import BadParameter, StudioError
from core.events import Picture
from core.job import Call, Job, Visitor
from core.request import EditRequest
from core.secrets import redactor
from core.spec import BackendSpec
from engine.engine import Engine
from engine.live import LiveDrafts
from storage.protocols import Library


class Jobs:
    """Takes jobs and finds them.

    Args:
        engine: does them.
        references: has what they begin with.
        library: has what they made.
        live: makes drafts.
    """

    def __init__(self, engine: Engine, references: References, library: Library, live: LiveDrafts) -> None:
        self._engine = engine
        self._live = live
        self._library = library
        self._references = references
        self._once = Idempotency(engine.find_call, job_body)

    async def submit(self, visitor: Visitor, body: NewJob, once: str, key: str | None) -> tuple[Job, bool]:
        """Begin a job, or find the one that the same request began before.

        Args:
            visitor: who asks.
            body: what to make.
            once: the browser's idempotency key.
            key: the visitor's own at the backend's provider; None takes the app owner's.

        Returns:
            The job, and whether it had begun before.

        Raises:
            StudioError: it cannot be taken.
        """
        own, whole = mark("studio", once, body.model_dump(mode="json"))
        call = Call(body.backend, "", once=own, body=whole)
        key = (key or "").strip() or None
        if key is not None:
            redactor.learn(key)

        async def start() -> Job:
            return await self._start(visitor, body, call, key)

        return await self._once.begin(visitor.owner, own, whole, start)

    async def draft(self, visitor: Visitor, body: NewJob) -> Picture:
        """Return a live draft of what a job would make; nothing of it is recorded.

        Raises:
            StudioError: there is none; see `engine.live.LiveDrafts.make`.
        """
        request, _ = await self._request(visitor, body)
        return await self._live.make(visitor.owner, request)

    async def _start(self, visitor: Visitor, body: NewJob, call: Call, key: str | None) -> Job:
        request, spec = await self._request(visitor, body)
        key = key if spec.key_env is not None else None
        return await self._engine.submit(body.backend, request, key, visitor, call)

    async def _request(self, visitor: Visitor, body: NewJob) -> tuple[EditRequest, BackendSpec]:
        spec = self._engine.specs.get(body.backend)
        if spec is None:
            raise BadParameter(
                "backend-unknown", field="backend", backend=body.backend, backends=", ".join(self._engine.specs)
            )
        reference, parent = await self._references.find(visitor, body.reference)
        values: dict[str, Any] = dict(body.params)
        if body.num_images is not None and "num_images" in spec.by_name:
            values["num_images"] = body.num_images
        return EditRequest.build(spec, body.prompt, reference, values, body.style, parent), spec

    async def submit_event(self, visitor: Visitor, data: Any) -> None:
        """Begin a job by an event of the framework's, which alone carries the visitor's quota of GPU time.

        Whatever comes of it, the page then asks by `POST /jobs` with the same key, and is answered with the job, or
        with why there is none.

        Args:
            visitor: whose event it is.
            data: `{body, once}`: what to make, and the idempotency key.
        """
        with contextlib.suppress(StudioError, ValidationError, KeyError, TypeError):
            await self.submit(visitor, NewJob.model_validate(dict(data["body"])), str(data["once"])[:255], None)

    async def find(self, visitor: Visitor, job_id: str) -> Job:
        """Return a visitor's job.

        Raises:
            Refused: they have none of that id.
        """
        job = await self._engine.find(visitor.owner, job_id)
        if job is None:
            raise Refused("job-unknown", status=404)
        return job

    async def view(self, job: Job) -> View:
        """Return a job as the page sees it."""
        return view_of(self._engine, job) | await stored_results(self._library, job)


async def stored_results(library: Library, job: Job) -> View:
    """Return what of a job's view its stored results know better: what was noted on them, and which are there."""
    return {} if job.result is None else {"results": rows_view(await library.of_job(job.owner, job.id))}


def view_of(engine: Engine, job: Job) -> View:
    """Return a job as the page sees it, with the time that it should take while it is unfinished."""
    return job_view(job, None if job.ended else engine.expected_seconds(job.backend, job.request))
