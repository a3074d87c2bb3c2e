"""The API doors on a backend with jobs of a second, ten at a time; prints its address, and a key for each name."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import AsyncGenerator
from pathlib import Path

from core.backend import OWNERS, RunContext
from core.events import Completed, Event, Working
from core.request import EditRequest
from tests.support.api_app import api_app
from tests.support.fakes import FakeBackend, make_spec, results
from tests.support.loopback import serving

SECONDS, PLACES = 1.0, 10


class Second(FakeBackend):
    """A backend whose jobs take a second."""

    async def edit(self, request: EditRequest, context: RunContext = OWNERS) -> AsyncGenerator[Event, None]:
        """Sleep, and give a picture."""
        yield Working("processing")
        await asyncio.sleep(SECONDS)
        yield Completed(results(request), {"inference": SECONDS})


def backend() -> Second:
    """Return it, with as many places as the measurement wants."""
    return Second(make_spec("local", concurrency=PLACES))


async def main() -> None:
    """Serve until the process is ended."""
    with tempfile.TemporaryDirectory() as folder:
        async with api_app(Path(folder), {"local": backend()}, queue_size=500) as at, serving(at.app) as url:
            letters = [at.own_api.ring.new(name)[1] for name in sys.argv[1:]]
            print(url, *letters, flush=True)
            await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
