"""The page on two backends without a model. A prompt's first word says how its run goes."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from api import health
from api.connections import connection_options
from api.middleware import AccessRules, protected
from api.serving import Server, leave, listen
from app import serve
from core.backend import OWNERS, RunContext
from core.errors import FetchFailed, RunFailed
from core.events import Event, Loading, Progress
from core.imaging.sources import is_data_uri, read_data_uri
from core.messages import recorded
from core.request import EditRequest
from core.settings import Settings
from core.spec import MAX_SEED, AnyParam, Choice, Integer, Number, Style, Toggle
from engine.engine import Engine
from engine.quotas import Quotas
from storage.files.secret import lasting_secret
from storage.sqlite.store import Store
from tests.support.fakes import FakeBackend, make_spec, picture_bytes, preview

OTHER: tuple[AnyParam, ...] = (
    Number(name="strength", minimum=0.2, maximum=0.5, default=0.3),
    Integer(name="num_inference_steps", minimum=1, maximum=12, default=8),
    Integer(name="seed", minimum=1, maximum=MAX_SEED, default=None),
    Choice(name="acceleration", choices=("none", "regular", "high"), default="regular"),
    Toggle(name="enable_safety_checker", default=True),
)

HELD = 120
"""Seconds after which a run that nobody cancelled ends, so that one failed test does not fail those after it."""


class Directed(FakeBackend):
    """Held runs, failing runs, and runs that were charged: as the prompt says. `folder` is where tests release them."""

    folder = Path()

    async def edit(self, request: EditRequest, context: RunContext = OWNERS) -> AsyncGenerator[Event, None]:
        """Go as the prompt's first word says: `held`, `loading`, `steps`, `fail`, `charged`, `crash`; else at once.

        `held` and `loading` go on until they are cancelled, or `release` says their last word: so a test that looks at
        them is never too late.
        """
        word = request.prompt.split()[0]
        if word == "loading":
            yield Loading(recorded("transformer"), 2, 5)
            await self._released(request.prompt)
        if word == "held":
            yield Progress(1, 40, (preview(request),) * len(request.seeds))
            await self._released(request.prompt)
        if word == "steps":
            for step in range(1, 41):
                yield Progress(step, 40, (preview(request),) * len(request.seeds))
                await asyncio.sleep(0.1)
        if word == "fail":
            raise RunFailed("recorded", what="The provider broke.", todo="Try again in a minute.")
        if word == "charged":
            raise RunFailed("recorded", what="The answer was lost.", todo="Look at your account.", charged=None)
        if word == "crash":
            raise ZeroDivisionError("/secret/path of the server")
        async for event in super().edit(request):
            yield event

    async def _released(self, prompt: str) -> None:
        file = self.folder / prompt.split()[-1]
        for _ in range(int(HELD / 0.05)):
            if file.exists():
                return
            await asyncio.sleep(0.05)


async def fetch(address: str) -> bytes:
    """Answer for one address, in place of the network, and read data URIs; another holds until a test releases it."""
    if is_data_uri(address):
        return read_data_uri(address, 30_000_000)
    if address == "https://slow.example/lake.png":
        while not (Directed.folder / "slow-address").exists():  # noqa: ASYNC110 - the test is another process
            await asyncio.sleep(0.05)
    if address != "https://pictures.example/lake.png":
        raise FetchFailed(
            "recorded",
            what="This link points to a private network, which the app does not read.",
            todo="Download the picture.",
        )
    return picture_bytes("PNG", "RGB", (320, 200))


def main() -> None:
    """Serve."""
    settings = Settings.from_env(os.environ)
    os.environ["GRADIO_TEMP_DIR"] = str(settings.data_dir / "uploads")
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    from ui import build
    from ui.mcp_tool import McpEndpoint
    from ui.page import launch_options

    styles = (Style("pencil", "Pencil sketch", "a pencil sketch"), Style("odd", '<b>"Odd"', 'a "quoted" & <odd> look'))
    first = make_spec("first", label=recorded("First"), styles=styles)
    Directed.folder = settings.data_dir
    backends = {
        "first": Directed(first),
        "other": Directed(replace(first, key="other", label=recorded("Other"), params=OTHER, price=0.04, styles=())),
        "away": Directed(make_spec("away", label=recorded("Away")), reason="Needs a key: set AWAY_KEY and restart."),
    }
    engine = Engine(backends, Store(settings.data_dir), settings.queue_size, Quotas(settings.caps))
    # Each test's browser is a visitor of its own, unless a test says that there is one person alone.
    secret = lasting_secret(settings.data_dir)
    rules = AccessRules(public="ALONE" not in os.environ, max_body=30_000_000, secret=secret)
    sockets = listen("127.0.0.1", settings.server_port)
    demo = build(engine, fetch).queue(default_concurrency_limit=8)
    mcp = McpEndpoint(engine, fetch, 30_000_000)
    options = launch_options(engine, None, [*health.routes(engine, None), *mcp.routes])

    @asynccontextmanager
    async def lifespan(_: object) -> AsyncIterator[None]:
        async with mcp.running():
            yield

    options["app_kwargs"]["lifespan"] = lifespan
    serve(
        demo,
        sockets,
        lambda app: Server(protected(app, rules), sockets, engine.close, **connection_options()),
        **options,
    )
    leave(0)


if __name__ == "__main__":
    main()
