"""Idempotency keys: a call that comes twice begins one job, also in the same moment, also after a restart."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from weakref import WeakValueDictionary

from api.statuses import Refused
from core.errors import BadParameter
from core.job import Call, Job

REPLAYED = 86_400.0
"""Seconds in which the same key begins no second job."""

FindCall = Callable[[str, str, float], Awaitable[Job | None]]
"""Returns an owner's job by the mark of its call, if it is not older than a time."""


class Idempotency:
    """Begins each call once.

    Args:
        find_call: finds the job that an earlier call began.
    """

    def __init__(self, find_call: FindCall) -> None:
        self._find_call = find_call
        self._locks = WeakValueDictionary[tuple[str, str], asyncio.Lock]()

    async def begin(self, owner: str, call: Call, start: Callable[[], Awaitable[Job]]) -> tuple[Job, bool]:
        """Begin a job, or find the one that the same call began before.

        Args:
            owner: whose call it is.
            call: with its mark; without one, it is begun in any case.
            start: begins the job.

        Returns:
            The job, and whether it had begun before.

        Raises:
            Refused: the key stood with another body.
            StudioError: `start` could not begin it.
        """
        if call.once is None:
            return await start(), False
        # The same call twice at the same moment: the second waits, and finds what the first began.
        lock = self._locks.setdefault((owner, call.once), asyncio.Lock())
        async with lock:
            job = await self._find_call(owner, call.once, time.time() - REPLAYED)
            if job is None:
                return await start(), False
            if job.call is not None and job.call.body != call.body:
                raise Refused("idempotency-key-reused", status=409)
            return job, True


def mark(wire_format: str, given: str | None, body: Mapping[str, Any]) -> tuple[str | None, str]:
    """Return a call's own mark, and a mark of all that it asks for.

    Args:
        wire_format: whose calls; the keys of two never meet.
        given: the `Idempotency-Key` header.
        body: everything that makes the call what it is.

    Raises:
        BadParameter: the header is empty or too long.
    """
    told = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    if given is None:
        return None, told
    if not 1 <= len(given.strip()) <= 255:
        raise BadParameter("idempotency-key-length", field="Idempotency-Key")
    return hashlib.sha256(f"{wire_format}\n{given.strip()}".encode("utf-8", "surrogateescape")).hexdigest(), told
