"""The page on two backends without a model. A prompt's first word says how its run goes."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from api import health
from api.body_limits import ARCHIVES
from api.connections import connection_options
from api.middleware import AccessRules, protected
from api.serving import Server, leave, listen
from api.studio import routes as studio
from app import after, serve
from backends.hosted.refusals import quoted
from core.backend import OWNERS, RunContext
from core.errors import FetchFailed, ProviderDown, RunFailed
from core.events import Event, Loading, Progress
from core.imaging.sources import is_data_uri, read_data_uri
from core.messages import recorded
from core.request import EditRequest
from core.settings import Settings
from core.spec import MAX_SEED, AnyParam, Choice, Integer, Number, Style, Toggle
from storage.files.secret import lasting_secret
from tests.support.fakes import FakeBackend, make_spec, picture_bytes, preview
from tests.support.services import services_at

OTHER: tuple[AnyParam, ...] = (
    Number(name="strength", minimum=0.2, maximum=0.5, default=0.3),
    Integer(name="num_inference_steps", minimum=1, maximum=12, default=8),
    Integer(name="seed", minimum=1, maximum=MAX_SEED, default=None),
    Choice(name="acceleration", choices=("none", "regular", "high"), default="regular"),
    Toggle(name="enable_safety_checker", default=True),
)

EVERYTHING = "everything"
"""The word that releases what is held when its file is written: so no test's run stands in the next one's way."""
HELD = 120
"""Seconds after which a run that nobody cancelled ends, so that one failed test does not fail those after it."""


class Directed(FakeBackend):
    """Held runs, failing runs, and runs that were charged: as the prompt says. `folder` is where tests release them."""

    folder = Path()

    async def edit(self, request: EditRequest, context: RunContext = OWNERS) -> AsyncGenerator[Event, None]:
        """Go as the prompt's first word says.

        `held`, `loading`, `steps`, `fail`, `down`, `charged`, `crash`; else at once.

        `held` and `loading` go on until they are cancelled, or `release` says their second word: so a test that looks
        at them is never too late.
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
        if word == "down":
            raise ProviderDown("provider-down", provider="Away", status=502, says=quoted("internal"))
        if word == "charged":
            raise RunFailed("recorded", what="The answer was lost.", todo="Look at your account.", charged=None)
        if word == "crash":
            raise ZeroDivisionError("/secret/path of the server")
        async for event in super().edit(request):
            yield event

    async def _released(self, prompt: str) -> None:
        own, everything = self.folder / prompt.split()[1].strip(","), self.folder / EVERYTHING
        begun = time.time()
        for _ in range(int(HELD / 0.05)):
            if own.exists() or (everything.exists() and everything.stat().st_mtime > begun):
                return
            await asyncio.sleep(0.05)


async def fetch(address: str) -> bytes:
    """Answer for one address, in place of the network, and read data URIs; another holds until a test releases it."""
    if is_data_uri(address):
        return read_data_uri(address, 30_000_000)
    if address == "https://slow.example/lake.png":
        while not (Directed.folder / "slow-address").exists():  # noqa: ASYNC110 - the test is another process
            await asyncio.sleep(0.05)
    elif address != "https://pictures.example/lake.png":
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
    from ui.web_files import WebFiles

    styles = (Style("pencil", "Pencil sketch", "a pencil sketch"), Style("odd", '<b>"Odd"', 'a "quoted" & <odd> look'))
    first = make_spec("first", label=recorded("First"), styles=styles)
    Directed.folder = settings.data_dir
    backends = {
        "first": Directed(first),
        "other": Directed(replace(first, key="other", label=recorded("Other"), params=OTHER, price=0.04, styles=())),
        "away": Directed(make_spec("away", label=recorded("Away")), reason="Needs a key: set AWAY_KEY and restart."),
    }
    services = services_at(settings.data_dir, backends, settings.caps, settings.queue_size)
    # Each test's browser is a visitor of its own, unless a test says that there is one person alone.
    secret = lasting_secret(settings.data_dir)
    rules = AccessRules(
        public="ALONE" not in os.environ,
        max_body=30_000_000,
        other_bodies={ARCHIVES: settings.caps.archive},
        secret=secret,
    )
    sockets = listen("127.0.0.1", settings.server_port)
    mcp = McpEndpoint(services, fetch, 30_000_000)
    web = WebFiles()
    page, jobs = studio.build(
        services, fetch, settings.data_dir / "uploads", web.build, models={"flux/srpo/image-to-image": "first"}
    )
    submit = jobs.submit_event if settings.zero_gpu else None
    further = [*health.routes(services.engine, services.disk, None), *mcp.routes, *studio.routes(page)]
    demo, options = build(services, fetch, web, submit), launch_options(services, web, further)
    demo.queue(default_concurrency_limit=8)

    @asynccontextmanager
    async def lifespan(_: object) -> AsyncIterator[None]:
        recovery = services.engine.start_recovery()
        taken_up = asyncio.create_task(after(recovery, services.experiments.recover))
        beside = asyncio.create_task(after(recovery, services.meters.recover))
        async with mcp.running():
            yield
        await asyncio.gather(taken_up, beside)

    options["app_kwargs"]["lifespan"] = lifespan
    serve(
        demo,
        sockets,
        lambda app: Server(protected(app, rules), sockets, services.close, **connection_options()),
        **options,
    )
    leave(0)


if __name__ == "__main__":
    main()
