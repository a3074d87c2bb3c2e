"""Drafts that follow the dials: small and quick, never recorded, never paid, and out of everybody's way."""

from __future__ import annotations

import asyncio
import io
import time
from collections import OrderedDict, deque
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from core.errors import BackendUnavailable, DraftRefused
from core.events import Completed, Loading, Picture
from core.imaging.display import rounded
from core.imaging.images import Reference
from core.job_state import JobState
from core.request import EditRequest
from engine.engine import Engine
from engine.fair_queue import Pace
from engine.images import Images

SIZES = ((256, 4), (224, 3), (192, 3), (160, 2), (128, 2))
"""Pixels of a draft's longer side, and its steps that really run, as near as its strength lets it; the best first."""
GOAL = 0.5
"""Seconds that the backend should take: with the way there and back, the draft is seen within 0.7."""
REMEMBERED = 8
"""Drafts of a backend from which its pace is learnt."""
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

    Nothing is written down. Drafts are the largest that the backend makes in time. A draft gives way to every job
    within a step, and none begins while a job is there.

    Args:
        engine: has the backends and the jobs.
        images: have the references.
    """

    def __init__(self, engine: Engine, images: Images) -> None:
        self._engine = engine
        self._images = images
        self._latest: dict[str, _Draft] = {}
        self._small: OrderedDict[tuple[str, int], Reference] = OrderedDict()
        self._runs: dict[str, deque[tuple[float, float]]] = {}  # the work of drafts, and their seconds

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
            short, long = sorted((request.image.width, request.image.height))
            side, steps = best_size(self._runs.get(key, ()), short / long)
            small = await self._at_size(owner, request.image, side)
            return await self._made(mine, _draft_of(request, small, steps))
        finally:
            mine.ended.set()
            if self._latest.get(key) is mine:
                del self._latest[key]

    async def _made(self, mine: _Draft, request: EditRequest) -> Picture:
        key = request.recipe.backend
        begun = time.monotonic()
        async with aclosing(self._engine.backend(key).edit(request)) as events:
            self._check(mine, key)
            async for event in events:
                if isinstance(event, Completed):
                    if isinstance(event.images[0], Picture):
                        work = _work(request.image.width, request.image.height, request.steps_run)
                        self._runs.setdefault(key, deque(maxlen=REMEMBERED)).append((work, time.monotonic() - begun))
                        return event.images[0]
                    break
                if isinstance(event, Loading):  # how long a model loads says nothing about the next draft
                    begun = time.monotonic()
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

    async def _at_size(self, owner: str, image: Reference, side: int) -> Reference:
        mark = image.digest, side
        small = self._small.get(mark)
        if small is None:
            assert image.file is not None
            copy = await self._images.display(image.file.name, rounded(side), owner)
            small = await asyncio.to_thread(_shrunk, copy, side)
            if len(self._small) >= SMALL:
                self._small.popitem(last=False)
        self._small[mark] = small
        self._small.move_to_end(mark)
        return small


def best_size(runs: Sequence[tuple[float, float]], ratio: float) -> tuple[int, int]:
    """Return the side and the steps of a draft: the best that should be there in time, else the smallest.

    Args:
        runs: earlier drafts of the backend: steps times megapixels, and seconds.
        ratio: of the picture's sides, 0 to 1.
    """
    if not runs:
        return SIZES[0]
    pace = Pace.of(runs)
    in_time = ((side, steps) for side, steps in SIZES if pace.seconds(_work(side, side * ratio, steps)) <= GOAL)
    return next(in_time, SIZES[-1])


def _work(width: float, height: float, steps: int) -> float:
    """Return the work of a draft: steps times megapixels."""
    return steps * width * height / 1e6


def _shrunk(copy: Path, side: int) -> Reference:
    """Return a display copy as a reference of a draft's size."""
    with Image.open(copy) as picture:
        small = picture.convert("RGB")
    small.thumbnail((side, side), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    small.save(file, "PNG", compress_level=1)
    return Reference(file.getvalue(), small.width, small.height)


def _draft_of(request: EditRequest, small: Reference, most: int) -> EditRequest:
    """Return a request with few steps on a small reference; its recipe is never seen."""
    params = request.recipe.params
    strength, steps = float(params.get("strength", 1.0)), int(params.get("num_inference_steps", most))
    few = max(1, min(steps, round(most / max(strength, 0.05))))
    recipe = request.recipe.model_copy(update={"params": {**params, "num_inference_steps": few}})
    return EditRequest(recipe, small)
