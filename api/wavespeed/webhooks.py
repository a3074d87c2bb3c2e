"""Webhooks: the end of a task is reported to who asked for it, signed, and again until they have heard.

Headers and signature as WaveSpeedAI's page on webhooks describes them: HMAC-SHA256 over `{id}.{timestamp}.{body}`
with the secret less its `whsec_`. An address that has not heard yet is stored with its job, over a restart too.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

from api.gateway import ApiGateway
from api.wavespeed.predictions import input_of, view
from core.errors import StudioError
from core.job import Job
from core.links import Links

log = logging.getLogger(__name__)

Post = Callable[[str, bytes, Mapping[str, str]], Awaitable[int]]
"""Sends a body to an address under the rules for strangers' addresses; returns the status of the answer."""

WAITS = (0.0, 5.0, 30.0, 120.0, 600.0, 3600.0)
"""Seconds before each attempt; after the last one the address is given up."""


class Hooks:
    """Tells ends.

    Args:
        gateway: knows the jobs and signs addresses.
        links: makes the secrets, so that none need be kept.
        post: sends.
        waits: seconds before each attempt.
    """

    def __init__(self, gateway: ApiGateway, links: Links, post: Post, waits: Sequence[float] = WAITS) -> None:
        self._gateway = gateway
        self._links = links
        self._post = post
        self._waits = waits
        self._telling: dict[str, asyncio.Task[None]] = {}
        gateway.engine.on_end.append(self._ended)

    def secret(self, owner: str) -> str:
        """Return the secret with which an owner's webhooks are signed."""
        return f"whsec_{self._links.derived(f'webhook {owner}')}"

    async def recover(self) -> None:
        """Tell what an earlier process did not come to tell."""
        for job in await self._gateway.engine.unreported():
            self._ended(job)

    async def close(self) -> None:
        """Stop telling; the next process goes on."""
        tasks = list(self._telling.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, job: Job) -> None:
        """Begin to tell an end. Where the wait alone has ended, the provider goes on: a later process tells the end."""
        if not job.state.terminal or job.call is None or not job.call.hook or job.id in self._telling:
            return
        task = asyncio.get_running_loop().create_task(self._tell(job), name=f"webhook {job.id}")
        self._telling[job.id] = task
        task.add_done_callback(lambda _: self._telling.pop(job.id, None))

    async def _tell(self, job: Job) -> None:
        assert job.call is not None
        for wait in self._waits:
            await asyncio.sleep(wait)
            try:
                # Looked up again: in an hour it may have been deleted.
                if await self._gateway.engine.find(job.owner, job.id) is None or await self._told(job):
                    break
            except StudioError as error:
                log.info("webhook of task %s: %s", job.id, error)
            except Exception:
                log.exception("webhook of task %s", job.id)
        else:
            log.warning("webhook of task %s: given up", job.id)
        await self._gateway.engine.reported(job)

    async def _told(self, job: Job) -> bool:
        """Send once; return whether it was heard."""
        assert job.call is not None
        base = job.call.base
        body = {**await view(self._gateway, job, base), "input": input_of(self._gateway, job, base)}
        raw = json.dumps(body).encode()
        return 200 <= await self._post(job.call.hook, raw, self._headers(job, raw)) < 300

    def _headers(self, job: Job, raw: bytes) -> dict[str, str]:
        now = str(int(time.time()))
        key = self.secret(job.owner).removeprefix("whsec_").encode()
        signature = hmac.new(key, f"{job.id}.{now}.".encode() + raw, hashlib.sha256).hexdigest()
        return {
            "Content-Type": "application/json",
            "webhook-id": job.id,
            "webhook-timestamp": now,
            "webhook-signature": f"v3,{signature}",
        }
