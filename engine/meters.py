"""Measures how results compare with their references, one at a time, in a thread that no run waits for."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from core.imaging.display import FORMATS
from core.job import Job
from core.messages import Message
from core.result import Made
from engine.engine import Engine
from storage.protocols import BlobStore, Library
from storage.rows import Figures, Lineage, Unmeasured

log = logging.getLogger(__name__)

WAITING = 1000
"""Results that wait to be measured; where more come, the oldest of them are measured after the next start."""
LEFT, AT_ONCE = 10_000, 50
"""Results of earlier processes that are measured after a start, at most, and those that are looked up and written at a
time: pages that show lists are told of as many at once."""
MOST_PIXELS = 50_000_000
"""Pixels of a picture that is measured, at most: decoded, it takes three bytes of each."""


class Meters:
    """Measures each picture that has come once, and what earlier processes left.

    Everything but the measuring itself runs on the engine's event loop.

    Args:
        engine: says what has come, and wakes who watches.
        library: has the results.
        files: has the pictures.
    """

    def __init__(self, engine: Engine, library: Library, files: BlobStore) -> None:
        self._library = library
        self._files = files
        self._feed = engine.feed
        self._new = deque[int](maxlen=WAITING)
        self._old = deque[int]()
        self._done: dict[int, tuple[str, Figures | None]] = {}  # with their owners, and not written yet
        self._before = 0  # results of earlier processes below this id are still to be looked up
        self._left = 0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="meters")
        self._working: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()
        engine.on_end.append(self._job_ended)

    async def recover(self) -> None:
        """Measure in the background what earlier processes left, and what came with an archive, newest first."""
        self._before, self._left = 1 << 62, LEFT
        self._want()

    def _job_ended(self, job: Job) -> None:
        images = job.result.images if job.result is not None else ()
        self._new += [each.id for each in images if isinstance(each, Made) and each.id is not None]
        if self._new:
            self._want()

    def _want(self) -> None:
        """See to it that what waits is measured."""
        if not self._closing.is_set() and (self._working is None or self._working.done()):
            self._working = asyncio.get_running_loop().create_task(self._work(), name="meters")

    async def close(self) -> None:
        """Measure no more; what waits is left to the next process's `recover`."""
        self._closing.set()
        await asyncio.gather(*filter(None, [self._working]))
        self._thread.shutdown()

    async def _work(self) -> None:
        try:
            while not self._closing.is_set():
                if self._new:
                    await self._measure(self._new.popleft())
                    await self._write()
                elif self._old:
                    begun = time.monotonic()
                    await self._measure(self._old.popleft())
                    await self._pause(time.monotonic() - begun)
                elif self._done:
                    await self._write()
                elif not await self._look():
                    return
            await self._write()
        except Exception:  # a full disk, say: the next start measures them
            self._done.clear()
            log.exception("results could not be measured")

    async def _look(self) -> bool:
        """Look up what earlier processes left; return whether there is something."""
        found = await self._library.unmeasured(self._before, min(AT_ONCE, self._left)) if self._left else []
        self._before, self._left = (found[-1], self._left - len(found)) if found else (0, 0)
        self._old += found
        return bool(found)

    async def _pause(self, seconds: float) -> None:
        """Leave the processor to others as long as it was used, for nobody waits for old results."""
        closing = asyncio.ensure_future(self._closing.wait())
        await asyncio.wait([closing], timeout=seconds)
        closing.cancel()

    async def _measure(self, result: int) -> None:
        wanted = None if result in self._done else await self._library.to_measure(result)
        if wanted is not None:
            figures = await asyncio.get_running_loop().run_in_executor(self._thread, self._figures, wanted)
            self._done[result] = wanted.owner, figures

    async def _write(self) -> None:
        """Write what is measured, and wake who watches."""
        done, self._done = self._done, {}
        await self._library.measured({result: figures for result, (_, figures) in done.items()})
        for owner in {owner for owner, figures in done.values() if figures is not None}:
            self._feed.wake(owner)

    def _figures(self, wanted: Unmeasured) -> Figures | None:
        """Return a picture's figures, None where it has no reference, or one of the files cannot be read."""
        if wanted.reference is None:
            return None
        try:
            return measured(self._files.path(wanted.file), self._files.path(wanted.reference))
        except Exception as error:  # decoders raise whatever broke in them
            log.warning("result %d cannot be measured: %s", wanted.id, error)
            return None


def measured(result: Path, reference: Path) -> Figures:
    """Return how a picture compares with its reference.

    Raises:
        ValueError: a picture is too large.
        Exception: whatever broke in a decoder.
    """
    from PIL import Image

    from core.imaging.meters import SIDE, measure  # here, since numpy takes a part of the start

    with Image.open(result, formats=FORMATS) as one, Image.open(reference, formats=FORMATS) as other:
        for picture in (one, other):
            if picture.width * picture.height > MOST_PIXELS:
                raise ValueError("the picture is too large")
            picture.draft("RGB", (3 * SIDE, 3 * SIDE))
        meters = measure(one, other)
    stored = meters.as_json()
    metrics = {name: stored[name] for name in ("palette", "tone", "reference_tone")}
    return Figures(meters.structure, meters.colour_shift, meters.sharpness, json.dumps(metrics))


def drift_of(lineage: Lineage) -> tuple[Message, ...]:
    """Return what has changed notably since the first picture of a chain of references, A to B to C.

    Args:
        lineage: of the last; nothing is said of one that was made of a photo, or where a tone is not known.
    """
    now, first = lineage.result.meters, lineage.first.meters
    if not lineage.parents or now is None or first is None:
        return ()
    from core.imaging.meters import Tone, drift

    return drift(Tone(**json.loads(first.metrics)["reference_tone"]), Tone(**json.loads(now.metrics)["tone"])).warnings
