"""Drafts that follow the dials: small and quick, never recorded, never paid, and out of everybody's way."""

from __future__ import annotations

import asyncio
import io
from collections import OrderedDict
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from core.errors import BackendUnavailable, DraftRefused
from core.events import Completed, Picture
from core.imaging.images import Reference
from core.job_state import JobState
from core.request import EditRequest
from engine.engine import Engine
from engine.images import Images

SIDE = 256
"""Pixels of the longer side of a draft."""
STEPS = 4
"""Steps of a draft that really run, as near as its strength lets it."""
SMALL = 16
"""References kept in memory at a draft's size; 100 KB each."""


@dataclass
class _Draft:
    """A draft that is made, or waits for the one before it to end.

    Attributes:
        owner: whose.
        ended: set when it leaves the backend alone.
    """

    owner: str
    ended: asyncio.Event = field(default_factory=asyncio.Event)


class LiveDrafts:
    """Makes one draft at a time on each backend that is free of charge; a newer one takes the place of an older.

    Nothing is written down. A draft gives way to every job within a step, and none begins while a job is there.

    Args:
        engine: has the backends and the jobs.
        images: have the references.
    """

    def __init__(self, engine: Engine, images: Images) -> None:
        self._engine = engine
        self._images = images
        self._latest: dict[str, _Draft] = {}
        self._small: OrderedDict[str, Reference] = OrderedDict()

    async def make(self, owner: str, request: EditRequest) -> Picture:
        """Return a draft of a request.

        Args:
            owner: who turns the dials.
            request: of one seed, as it would run at full size.

        Raises:
            BackendUnavailable: the backend cannot take runs now, or its runs cost money.
            BadImage: the reference is gone.
            DraftRefused: jobs or somebody else's drafts have the backend, a newer draft has taken this one's place, or
                the picture is withheld.
        """
        key = request.recipe.backend
        backend = self._engine.backend(key)
        if backend.spec.price or backend.provider is not None:
            raise BackendUnavailable("live-not-here")
        if (reason := backend.ready(None)) is not None:
            raise BackendUnavailable(reason)
        before = self._latest.get(key)
        if self._busy(key) or (before is not None and before.owner != owner):
            raise DraftRefused("live-busy")
        mine = self._latest[key] = _Draft(owner)
        try:
            if before is not None:
                await before.ended.wait()
            small = await self._at_draft_size(owner, request.image)
            return await self._made(mine, _draft_of(request, small))
        finally:
            mine.ended.set()
            if self._latest.get(key) is mine:
                del self._latest[key]

    async def _made(self, mine: _Draft, request: EditRequest) -> Picture:
        key = request.recipe.backend
        async with aclosing(self._engine.backend(key).edit(request)) as events:
            self._check(mine, key)
            async for event in events:
                if isinstance(event, Completed):
                    if isinstance(event.images[0], Picture):
                        return event.images[0]
                    break
                self._check(mine, key)
        raise DraftRefused("live-withheld")

    def _check(self, mine: _Draft, key: str) -> None:
        if self._latest.get(key) is not mine:
            raise DraftRefused("live-replaced")
        if self._busy(key):
            raise DraftRefused("live-busy")

    def _busy(self, key: str) -> bool:
        return any(
            not job.ended and job.backend == key and job.state is not JobState.NEEDS_KEY for job in self._engine.jobs
        )

    async def _at_draft_size(self, owner: str, image: Reference) -> Reference:
        small = self._small.get(image.digest)
        if small is None:
            assert image.file is not None
            copy = await self._images.display(image.file.name, SIDE, owner)
            small = await asyncio.to_thread(_shrunk, copy)
            if len(self._small) >= SMALL:
                self._small.popitem(last=False)
        self._small[image.digest] = small
        self._small.move_to_end(image.digest)
        return small


def _shrunk(copy: Path) -> Reference:
    """Return a display copy as a reference of a draft's size."""
    with Image.open(copy) as picture:
        small = picture.convert("RGB")
    small.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    small.save(file, "PNG", compress_level=1)
    return Reference(file.getvalue(), small.width, small.height)


def _draft_of(request: EditRequest, small: Reference) -> EditRequest:
    """Return a request with few steps on a small reference; its recipe is never seen."""
    params = request.recipe.params
    strength, steps = float(params.get("strength", 1.0)), int(params.get("num_inference_steps", STEPS))
    few = max(1, min(steps, round(STEPS / max(strength, 0.05))))
    recipe = request.recipe.model_copy(update={"params": {**params, "num_inference_steps": few}})
    return EditRequest(recipe, small)
