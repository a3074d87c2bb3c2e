"""One stream a browser of what changes: jobs, results, experiments and backends of one owner.

The stream compares what is true now with what it has sent, each time it wakes and the last part has left. So a slow
reader misses steps in between and never the latest state, and nothing piles up.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

from api.studio.backends import Backends, changes
from api.studio.jobs import stored_results, view_of
from api.studio.views import View, rows_view
from core.job import Job
from engine.engine import Engine
from engine.experiments import Experiments, Standing
from storage.protocols import Library
from storage.rows import Changes

INTERVAL = 0.1
"""Seconds between two parts: nobody sees more, and a phone's line is spared."""
BEAT = 15.0
"""Seconds after which an idle stream shows that it is there, and looks at what nobody wakes it for."""
RECENT = 10
"""Ended jobs that a new stream begins with; their pictures stand in the results anyway."""


class Events:
    """Makes the streams.

    Args:
        engine: has the jobs.
        library: has the results.
        experiments: tells how far they are.
        backends: tells of the backends.
        build: of the app.
    """

    def __init__(
        self, engine: Engine, library: Library, experiments: Experiments, backends: Backends, build: str
    ) -> None:
        self._engine = engine
        self._experiments = experiments
        self._library = library
        self._backends = backends
        self._build = build

    async def stream(self, owner: str, last: int | None) -> AsyncIterator[bytes]:
        """Yield server-sent events until the reader goes.

        Args:
            owner: whose.
            last: the number of the last stored change that the reader knows, None for a new reader.
        """
        with self._engine.feed.watch(owner) as watch:
            seq, hello, sent = await self._hello(owner, last)
            yield _event("hello", hello, seq)
            while True:
                woken, look = await watch.wait(BEAT)
                new = await self._library.changes(owner, seq) if look else None
                change = self._change(owner, sent)
                number = None
                if new is not None and new.seq != seq:
                    change |= await self._stored(owner, new)
                    seq = number = new.seq
                if change:
                    yield _event("change", change, number)
                    await asyncio.sleep(INTERVAL)
                elif not woken:
                    yield b": beat\n\n"

    async def _hello(self, owner: str, last: int | None) -> tuple[int, View, dict[str, Any]]:
        missed = await self._library.changes(owner, last)
        sent: dict[str, Any] = {"jobs": {}, "backends": {}, "experiments": {}}
        ended = [job.id for job in self._engine.jobs.of(owner) if job.ended]
        for job in self._engine.jobs.of(owner):
            if job.id in ended[:-RECENT]:
                sent["jobs"][job.id] = view_of(self._engine, job)
        hello = {"build": self._build, "now": time.time(), "jobs": [], **self._change(owner, sent)}
        for view in hello["jobs"]:
            if (found := self._engine.jobs.get(view["id"])) is not None:
                view |= await stored_results(self._library, found)
        hello |= {"total": await self._library.count(owner), "revision": missed.revision}
        if last is not None:
            hello |= await self._stored(owner, missed)
        return missed.seq, hello, sent

    def _change(self, owner: str, sent: dict[str, Any]) -> View:
        """Return what is other than it was sent, and note that it is sent."""
        change: View = {}
        status = self._backends.status()
        if status is not sent["backends"] and (backends := _differences(sent["backends"], status)):
            change["backends"] = backends
        jobs = {job.id: self._view(job, sent["jobs"].get(job.id)) for job in self._engine.jobs.of(owner)}
        changed = [{"id": job, **fields} for job, fields in _differences(sent["jobs"], jobs).items()]
        if changed:
            change["jobs"] = changed
        experiments = {each.id: _standing_view(each) for each in self._experiments.standings(owner)}
        moved = [{"id": key, **fields} for key, fields in _differences(sent["experiments"], experiments).items()]
        if moved:
            change["experiments"] = moved
        sent |= {"jobs": jobs, "backends": status, "experiments": experiments}
        return change

    def _view(self, job: Job, sent: View | None) -> View:
        """Return a job as it is to be sent; one that has ended stays as it was sent."""
        if sent is not None and job.ended and sent["state"] == job.state.value:
            return sent
        return view_of(self._engine, job)

    async def _stored(self, owner: str, new: Changes) -> View:
        if not new.stale and not new.results and not new.gone:
            return {}
        stored = {"total": await self._library.count(owner), "revision": new.revision}
        if new.stale:
            return {"stale": True, **stored}
        return {"results": rows_view(new.results), "deleted": list(new.gone), **stored}


def _standing_view(standing: Standing) -> View:
    return {
        "state": standing.state,
        "why": None if standing.why is None else json.loads(standing.why),
        "waiting": standing.waiting,
        "needs_keys": list(standing.needs_keys),
    }


def _differences(before: Mapping[str, View], now: Mapping[str, View]) -> dict[str, View]:
    """Return by key what is new, and of what was there the fields that are other now."""
    found = {key: changes(before.get(key, {}), view) for key, view in now.items()}
    return {key: fields for key, fields in found.items() if fields}


def _event(kind: str, data: View, seq: int | None) -> bytes:
    """Return an event; its number is that of a stored change, and what is not stored has none."""
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False)
    number = "" if seq is None else f"id: {seq}\n"
    return f"{number}event: {kind}\ndata: {text}\n\n".encode()
