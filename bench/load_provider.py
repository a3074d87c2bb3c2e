"""The provider of the load benchmark: prints its address, and tells at `/submits` how many paid requests it has had."""

from __future__ import annotations

import asyncio
import sys

from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from tests.support.loopback import serving
from tests.support.providers.wavespeed import Wavespeed


async def main() -> None:
    """Serve until the process is ended."""
    stand_in = Wavespeed(seconds=float(sys.argv[1]))

    async def submits(_: Request) -> PlainTextResponse:
        return PlainTextResponse(str(len(stand_in.submits)))

    app = stand_in.app()
    app.routes.append(Route("/submits", submits))
    async with serving(app) as url:
        print(url, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
