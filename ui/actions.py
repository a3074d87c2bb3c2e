"""What happens on each click: from components' values to the engine, and from its jobs to the stage."""

from __future__ import annotations

import asyncio
import filecmp
import html
import math
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path
from typing import Any

import gradio as gr

from core.errors import BadImage, DiskFull, KeyRejected, StudioError, TooManyRequests
from core.imaging.images import MIME
from core.imaging.sources import tidy
from core.job import EVERYONE
from core.messages import in_full, say
from core.provider import Price, Provider
from core.request import EditRequest, draw_seed
from core.result import Made
from core.secrets import redactor
from core.spec import BackendSpec, Integer
from engine.engine import Engine
from engine.quotas import FETCHES, KEY_CHECKS, REFERENCES
from ui import text
from ui.controls import Controls
from ui.examples import EXAMPLES, Example
from ui.images import stored_name, visitor_of
from ui.reference import path_of, shown_by_browsers
from ui.session import Run, Session, Shown, follow
from ui.styles import known, shown, switched

Updates = tuple[Any, ...]
RECHECK = 300.0
"""Seconds for which the answer about the owner's key is good."""

BOX_WIDTH = 1024
"""Pixels; of the reference box's picture, which has a full view too."""


class Actions:
    """The handlers of the page's events. State lives in the `Session` that each is given."""

    def __init__(self, engine: Engine, fetch_image: Callable[[str], Awaitable[bytes]], controls: Controls) -> None:
        self.engine = engine
        self.fetch_image = fetch_image
        self.controls = controls
        self._prices: dict[str, Price] = {}
        self._asking: set[asyncio.Task[None]] = set()
        self._works: dict[Provider, tuple[float, asyncio.Future[str]]] = {}

    # ---- before a run ---------------------------------------------------------------------------

    async def greet(self, session: Session, backend: str, request: gr.Request) -> Updates:
        """Return the status line, the line above Run and a seed for a fresh page, which begins with earlier runs."""
        session.visitor = visitor_of(request)
        labels = {key: spec.label for key, spec in self.engine.specs.items()}
        session.restore(await self.engine.history(session.visitor.owner), labels)
        return (
            self.status(session, backend),
            _line(say("ui-no-reference")),
            self._fresh_seed(self.engine.specs[backend]),
        )

    async def rejoin(self, session: Session, key: str) -> AsyncGenerator[Updates, None]:
        """Show the earlier runs, and keep the stage up to date as long as any of them goes on."""
        yield session.view(), gr.skip(), gr.skip()
        if session.going_on and not session.watched:
            async for _ in follow(self.engine, session):
                yield session.view(), self.status(session, key), gr.update(interactive=bool(session.active))

    def status(self, session: Session, key: str) -> str:
        """Return the status line of a backend: a dot, its state, and what a person should know."""
        backend = self.engine.backend(key)
        reason = backend.ready(session.key(backend.spec))
        words = html.escape(in_full(reason) if reason is not None else " · ".join(map(in_full, backend.status())))
        notice = html.escape(" ".join(map(str, backend.spec.notices)))
        dot = "blocked" if reason else "ready"
        return f'<span class="dot {dot}"></span><span class="state">{words}</span><small>{notice}</small>'

    async def forecast(self, session: Session, key: str, *values: Any) -> str:
        """Return the line above Run: real steps, expected time, price, output size."""
        if session.reference is None:
            return _line(say("ui-no-reference"))
        spec = self.engine.specs[key]
        reference = session.reference.reference
        try:
            request = EditRequest.build(spec, "forecast", reference, self.controls.values(key, values))
        except StudioError as error:
            return _line(str(error), "bad")
        if request.steps_run == 0:
            return _line(say("ui-no-work"))
        parts = [text.steps(request.steps_run, request.integer("num_inference_steps"))]
        seconds = self.engine.expected_seconds(key, request)
        if seconds is not None:
            parts.append(f"~{text.seconds(seconds)}")
        price = self._price(key)
        parts.append(text.price(price.dollars, len(request.seeds), price.live))
        parts.append(self._sizes(spec, reference.width, reference.height))
        return _line(" · ".join(parts))

    def _price(self, key: str) -> Price:
        """Return the price as it is known now, and ask for a newer one beside."""
        task = asyncio.get_running_loop().create_task(self._ask_price(key))
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)
        return self._prices.get(key, Price(self.engine.specs[key].price))

    async def _ask_price(self, key: str) -> None:
        self._prices[key] = await self.engine.backend(key).price()

    def _sizes(self, spec: BackendSpec, width: int, height: int) -> str:
        inner = spec.working_size(width, height)
        if inner == (width, height):
            return text.size(width, height)
        return text.worked_at(text.size(width, height), text.size(*inner))

    def switch(self, session: Session, key: str, *values: Any) -> Updates:
        """Return the status line, the styles, the key's box and every control as another backend wants it."""
        updates, changed = self.controls.switch(key, values)
        spec = self.engine.specs[key]
        if changed:
            gr.Info(text.clamped(spec.label, changed))
        session.style = known(spec, session.style)
        return (
            self.status(session, key),
            gr.update(**shown(spec, session.style)),
            *self._key_box(session, key),
            *updates,
        )

    def _key_box(self, session: Session, key: str) -> Updates:
        """Return the key's row, shown where the backend takes one, an empty box, and no note."""
        spec = self.engine.specs[key]
        placeholder = say("ui-key-set") if session.key(spec) else say("ui-key-placeholder")
        row = gr.update(visible=spec.key_env is not None)
        return row, gr.update(value="", placeholder=placeholder), ""

    async def check(self, session: Session, key: str, pasted: str, request: gr.Request) -> Updates:
        """Take a pasted key for this tab, and ask the provider what its account has left.

        What is in the owner's account is shown to the owner alone: a visitor without a key learns that theirs works.
        """
        session.visitor = visitor_of(request)
        backend = self.engine.backend(key)  # one without keys takes none
        provider, spec = backend.provider, backend.spec
        given = ((pasted or "").strip() or session.key(spec)) if spec.key_env else None
        try:
            self.engine.quotas.spend(KEY_CHECKS, session.visitor)
            if backend.ready(given) is not None:
                note = _line(say("ui-no-key"), "bad")
            elif given is None and session.visitor.owner != EVERYONE:
                note = await self._owners_key(provider)
            else:
                left = await provider.balance(given) if provider is not None else 0.0
                note = _line(text.balance(left))
                if given:
                    self._take(session, spec, given)
        except TooManyRequests as error:  # nobody was asked: the key is as unknown as before
            note = _line(str(error), "bad")
        except KeyRejected as error:
            session.keys.pop(spec.key_env or "", None)
            note = _line(str(error), "bad")
        except StudioError as error:  # the key may be good: the provider did not say
            if given:
                self._take(session, spec, given)
            note = _line(str(error), "bad")
        row, box, _ = self._key_box(session, key)
        return self.status(session, key), row, box, note

    async def _owners_key(self, provider: Provider | None) -> str:
        """Return whether the owner's key works. The provider is asked once in a while, whoever presses how often."""
        if provider is None:
            return _line(say("ui-owners-key-works"))
        asked, answer = self._works.get(provider, (-math.inf, None))
        if answer is None or time.monotonic() - asked > RECHECK:
            answer = asyncio.ensure_future(self._ask_owners_key(provider))
            self._works[provider] = time.monotonic(), answer
        return await asyncio.shield(answer)

    async def _ask_owners_key(self, provider: Provider) -> str:
        try:
            await provider.balance()
        except StudioError:
            return _line(say("ui-owners-key-fails"), "bad")
        return _line(say("ui-owners-key-works"))

    def _take(self, session: Session, spec: BackendSpec, given: str) -> None:
        """Keep a key for this tab, and go on with what waits for it."""
        if spec.key_env is not None:
            redactor.learn(given)
            session.keys[spec.key_env] = given
            self.engine.unlock(session.visitor.owner, spec.key_env, given)

    def style(self, session: Session, key: str, event: gr.EventData) -> None:
        """Switch a style on or off for the next runs."""
        on = event.on is True
        session.style = switched(self.engine.specs[key], session.style, str(event.id), on=on)

    def roll(self, key: str) -> Updates:
        """Return a fresh seed, and lock it: the seed on screen is the seed that runs."""
        return self._fresh_seed(self.engine.specs[key]), True

    def _fresh_seed(self, spec: BackendSpec) -> int | None:
        seed = spec.by_name.get("seed")
        return seed.clamp(draw_seed()) if isinstance(seed, Integer) else None

    # ---- the reference ----------------------------------------------------------------------------

    async def show_reference(self, session: Session, image: dict[str, Any] | None, request: gr.Request) -> Updates:
        """Put the chosen picture on stage; what cannot be used leaves the box again, and the stage says why."""
        session.visitor = visitor_of(request)
        session.chosen = path = path_of(image)
        if path is None:
            session.reference = None
            return session.view(), gr.skip()
        try:
            reference, problem = await self._read(session, path), None
        except StudioError as error:
            reference, problem = None, error
        if session.chosen != path:  # another was chosen while this one was read
            return gr.skip(), gr.skip()
        session.reference, session.problem, session.read_from = reference, problem, path
        if reference is None:
            return session.view(), None
        if await asyncio.to_thread(shown_by_browsers, Path(path)):
            return session.view(), gr.skip()
        return session.view(), await self._copy(session, reference.file)

    async def fetch(self, session: Session, address: str, request: gr.Request) -> Updates:
        """Read a picture from an address into the reference box."""
        session.visitor = visitor_of(request)
        try:
            self.engine.quotas.spend(FETCHES, session.visitor)
            shown = await self._keep(session, await self.fetch_image(address), tidy(address))
        except StudioError as error:
            session.problem = error
            return gr.skip(), gr.skip(), session.view()
        session.reference, session.problem = shown, None
        return await self._copy(session, shown.file), "", session.view()

    async def _copy(self, session: Session, file: Path) -> str:
        """Return what the reference box shows of a stored picture: a copy that `_read` knows again."""
        try:
            return str(await self.engine.images.display(file.name, BOX_WIDTH, session.visitor.source))
        except StudioError:  # then the picture itself, however large
            return str(file)

    async def _read(self, session: Session, path: str) -> Shown:
        """Return what is in the reference box as a stored, normalised reference.

        Raises:
            BadImage: it cannot be used.
        """
        source = await self._stored(session, Path(path))
        if session.reference is not None and session.reference.file == source:
            return session.reference
        if source is None:
            return await self._keep(session, Path(path))
        owner, images = session.visitor.owner, self.engine.images
        known = await images.find_reference(owner, source.name)
        if known is not None:  # normalised already
            return Shown(source, *known)
        parent = source.stem if await images.is_result(owner, source.stem) else None
        return await self._keep(session, source, parent=parent)

    async def _stored(self, session: Session, path: Path) -> Path | None:
        """Return the stored picture that a file in the box is, or is a display copy of; None of any other file."""
        name = stored_name(path.name)
        if name is None or not await self.engine.images.may_see(session.visitor.owner, name):
            return None
        images = self.engine.images
        own = images.path(name) if name == path.name else images.copy_path(path.name)
        return images.path(name) if await asyncio.to_thread(_same, path, own) else None

    async def _keep(
        self, session: Session, source: bytes | Path, address: str | None = None, parent: str | None = None
    ) -> Shown:
        visitor = session.visitor
        self.engine.quotas.spend(REFERENCES, visitor)
        reference = await self.engine.images.read(source, address, owner=visitor.source)
        if not await self.engine.uploads.make_room(len(reference.data)):
            raise DiskFull("disk-full-for-picture")
        stored = await self.engine.images.keep_reference(visitor.owner, reference, parent)
        assert stored.file is not None
        return Shown(stored.file, stored, parent)

    # ---- a run --------------------------------------------------------------------------------------

    async def run(
        self,
        session: Session,
        request: gr.Request,
        key: str,
        image: dict[str, Any] | None,
        prompt: str,
        locked: bool,
        *values: Any,
    ) -> AsyncGenerator[Updates, None]:
        """Take a click on Run: submit, then keep the stage up to date until nothing goes on any more."""
        session.visitor = visitor_of(request)
        try:
            run = await self._submit(session, key, path_of(image), prompt, locked, values)
        except StudioError as error:
            session.problem = error
            yield session.view(), self.status(session, key), gr.skip(), gr.skip()
            return
        session.add(run)
        seed = run.job.request.params.get("seed")
        if session.watched:  # an earlier click's handler shows this run too
            yield gr.skip(), gr.skip(), gr.skip(), seed
            return
        async for _ in follow(self.engine, session):
            yield session.view(), self.status(session, key), gr.update(interactive=bool(session.active)), seed
            seed = gr.skip()

    async def _submit(
        self, session: Session, key: str, path: str | None, prompt: str, locked: bool, values: tuple[Any, ...]
    ) -> Run:
        if not path:
            raise BadImage("image-not-chosen")
        shown = session.reference
        if shown is None or path != session.read_from:  # its own event has not read it yet
            shown = await self._read(session, path)
        raw = self.controls.values(key, values)
        if not locked:
            raw["seed"] = None
        request = EditRequest.build(self.engine.specs[key], prompt, shown.reference, raw, session.style, shown.parent)
        job = await self.engine.submit(key, request, session.key(self.engine.specs[key]), session.visitor)
        return Run(job, self.engine.expected_seconds(key, request), backend=self.engine.specs[key].label)

    async def cancel(self, session: Session) -> Any:
        """Stop the run that is on stage; those behind it go on."""
        if session.active:
            await self.engine.cancel(session.active[0].job)
        return gr.skip()

    # ---- from the stage back to the controls --------------------------------------------------------

    async def example(self, session: Session, key: str, request: gr.Request, event: gr.EventData) -> Updates:
        """Put an example's picture, prompt and settings in place."""
        session.visitor = visitor_of(request)
        chosen: Example = EXAMPLES[int(event.index)]
        updates, _ = self.controls.show(key, chosen.settings)
        # As a picture of the visitor's own: the box shows it from the framework's cache, which asks whose it is.
        data = await asyncio.to_thread(chosen.path.read_bytes)
        file = await self.engine.images.keep(session.visitor.owner, data, MIME["jpeg"])
        session.style = ()
        return (gr.update(**shown(self.engine.specs[key])), str(file), chosen.prompt, True, *updates)

    async def use_as_reference(self, session: Session, event: gr.EventData) -> Any:
        """Put a result into the reference box."""
        run = session.find(event.run)
        made = run.job.result.images[int(event.cell)] if run is not None and run.job.result is not None else None
        if not isinstance(made, Made):
            return gr.skip()
        return await self._copy(session, self.engine.images.path(made.image.name))

    async def reuse(self, session: Session, event: gr.EventData) -> Updates:
        """Put a run's reference, prompt and settings back; the seed becomes the chosen picture's."""
        run = session.find(event.run)
        if run is None:
            return tuple(gr.skip() for _ in range(9 + len(self.controls.parts)))
        recipe, key = run.job.recipe, run.job.backend
        updates, _ = self.controls.show(key, {**recipe.params, "seed": recipe.seeds[int(event.cell)]})
        session.style = recipe.style
        box = self._key_box(session, key)
        return (
            key,
            self.status(session, key),
            gr.update(**shown(self.engine.specs[key], session.style)),
            *box,
            await self._copy(session, run.shown.file),
            recipe.prompt,
            True,
            *updates,
        )


def _same(one: Path, other: Path) -> bool:
    """Return whether two files have the same bytes; names alone say nothing of what a visitor sent."""
    try:
        return filecmp.cmp(one, other, shallow=False)
    except OSError:
        return False


def _line(words: str, kind: str = "") -> str:
    return f'<p class="{kind}">{html.escape(words)}</p>'
