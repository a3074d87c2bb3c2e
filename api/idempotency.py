"""Idempotency keys: a call that comes twice begins once, also in the same moment, also after a restart."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Generic, TypeVar
from weakref import WeakValueDictionary

from api.statuses import Refused
from core.errors import BadParameter
from core.job import Job

Begun = TypeVar("Begun")
"""What a call begins: a job, or an experiment."""
REPLAYED = 86_400.0
"""Seconds in which the same key begins no second job."""


class Idempotency(Generic[Begun]):
    """Begins each call once.

    Args:
        find_call: returns what an owner's earlier call of a mark began, if it is not older than a time.
        body_of: returns the mark of all that the call which began something had asked for; None where it had none.
    """

    def __init__(
        self,
        find_call: Callable[[str, str, float], Awaitable[Begun | None]],
        body_of: Callable[[Begun], str | None],
    ) -> None:
        self._find_call = find_call
        self._body_of = body_of
        self._locks = WeakValueDictionary[tuple[str, str], asyncio.Lock]()

    async def begin(
        self, owner: str, once: str | None, body: str, start: Callable[[], Awaitable[Begun]]
    ) -> tuple[Begun, bool]:
        """Begin what a call asks for, or find what the same call began before.

        Args:
            owner: whose call it is.
            once: the call's mark; without one, it is begun in any case.
            body: the mark of all that it asks for.
            start: begins it.

        Returns:
            What was begun, and whether it had been before.

        Raises:
            Refused: the key stood with another body.
            StudioError: `start` could not begin it.
        """
        if once is None:
            return await start(), False
        # The same call twice at the same moment: the second waits, and finds what the first began.
        lock = self._locks.setdefault((owner, once), asyncio.Lock())
        async with lock:
            earlier = await self._find_call(owner, once, time.time() - REPLAYED)
            if earlier is None:
                return await start(), False
            if self._body_of(earlier) not in (None, body):
                raise Refused("idempotency-key-reused", status=409)
            return earlier, True


def job_body(job: Job) -> str | None:
    """Return the mark of all that the call which began a job had asked for."""
    return None if job.call is None else job.call.body


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
