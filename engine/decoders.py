"""Processes that decode pictures, so that neither the event loop nor one visitor's pictures stop the others'.

Pictures under 4 megapixels have a decoder of their own; larger ones share two, or one on a machine of two cores (a free
Space, a small laptop), and take turns by owner. So a small picture waits for other small ones only: each takes a few
tenths of a second. A decoder starts with the first picture (0.2 s), runs at a low priority and ends after half a minute
without one, which gives its memory back. Before its first picture it holds 25 MB, at work what its picture needs, at
most its `Bounds`.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.errors import BackendUnavailable, BadImage, DiskFull, StudioError, error_of
from core.imaging.decoder import Bounds, Decoder, Gone
from core.imaging.headers import HEAD, size_of
from core.imaging.images import Reference
from core.limits import Caps
from core.messages import message_of
from engine.turns import Turns

log = logging.getLogger(__name__)

SMALL_PIXELS = 4_000_000
"""Pixels below which a picture goes to the reserved decoder."""
SMALL_BYTES = 20_000_000
"""Bytes of a file above which it does not: a few pixels in so many bytes are not what they seem."""
IDLE = 30.0
"""Seconds without a picture after which a decoder ends."""
PATIENCE = 180.0
"""Seconds in which a picture must be read, however busy the machine is; limits on processor time come first."""
_CPU_SPENT = getattr(signal, "SIGXCPU", 0)
_CRASHES = tuple(-getattr(signal, name, 0) for name in ("SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE"))
"""How a C library ends that stumbles over a broken file."""


LARGE = Bounds(2_500_000_000, 60, 10)
"""The memory is a backstop, for what no estimate of a picture's needs foresaw."""
SMALL = Bounds(1_000_000_000, 10, 5)


@dataclass
class Group:
    """Decoders that share a queue."""

    bounds: Bounds
    turns: Turns[object]
    idle: list[Decoder] = field(default_factory=list)
    working: set[Decoder] = field(default_factory=set)


class Decoders:
    """Decodes pictures in processes of their own. Everything here runs on one event loop.

    Args:
        caps: limits on references.
        cores: of the machine; None counts them.
    """

    def __init__(self, caps: Caps, cores: int | None = None) -> None:
        self._caps = caps
        large = min(2, max(1, (cores or _cores()) - 1))
        self._large = Group(LARGE, Turns(large))
        self._small = Group(SMALL, Turns(1))
        self._threads = ThreadPoolExecutor(large + 1, thread_name_prefix="decoder")
        self._closed = False

    @property
    def processes(self) -> list[int]:
        """The ids of the decoders' processes, idle ones too."""
        return [each.pid for group in (self._large, self._small) for each in (*group.idle, *group.working)]

    @property
    def working(self) -> int:
        """How many pictures are being decoded."""
        return len(self._large.working) + len(self._small.working)

    @property
    def waiting(self) -> int:
        """How many pictures wait for a decoder."""
        return len(self._large.turns.waiting()) + len(self._small.turns.waiting())

    async def read_reference(self, source: bytes | Path, address: str | None = None, *, owner: str = "") -> Reference:
        """Check a picture file of any kind and return it normalised, as `core.imaging.images.read_reference` does.

        Args:
            source: the file's bytes, or where it lies.
            address: the public address that they came from.
            owner: whose turn it takes.

        Raises:
            BadImage: it cannot be used, or takes too much memory or time.
        """
        values = {"task": "reference", "address": address, "limits": self._caps.of_pictures}
        answer, data = await self._ask(owner, values, source)
        fields = answer["reference"]
        fields["notices"] = tuple(map(message_of, fields["notices"]))
        return Reference(data=data, **fields)

    async def display(self, source: Path, width: int, *, owner: str = "") -> bytes:
        """Return a WebP copy of a stored picture, at most `width` pixels wide and never enlarged.

        Raises:
            BadImage: it is damaged or gone.
        """
        return (await self._ask(owner, {"task": "display", "width": width}, source))[1]

    async def separate(self, body: Path, place: Sequence[str | int], into: Path, *, owner: str = "") -> bytes:
        """Write a request's inline image to a file; return the request with the file's path in its place.

        Args:
            body: the request's, stored.
            place: the keys that lead to the image, as for `core.imaging.inline_body.separate`.
            into: the file.
            owner: whose turn it takes.

        Raises:
            StudioError: the image cannot be read, there is too much beside it, or the disk is full.
        """
        values = {"task": "separate", "place": list(place), "into": str(into), "most": self._caps.max_bytes}
        return (await self._ask(owner, values, body))[1]

    async def close(self) -> None:
        """End all decoders; whoever waits for one gets `BackendUnavailable`."""
        self._closed = True
        for group in (self._large, self._small):
            for decoder in group.working:
                decoder.kill()
            while group.idle:
                self._end(group, group.idle[0])
        await asyncio.to_thread(self._threads.shutdown)

    async def _ask(self, owner: str, values: dict[str, Any], source: bytes | Path) -> tuple[dict[str, Any], bytes]:
        group = await self._group(source)
        if isinstance(source, Path):
            values, source = {**values, "path": str(source)}, b""
        await group.turns.enter(owner, object())
        try:
            answer, data = await self._decode(group, values, source)
        finally:
            group.turns.leave()
        if "memory" in answer:
            raise BadImage("image-memory-spent")
        if "full" in answer:
            raise DiskFull("disk-full-for-picture")
        if "broken" in answer:
            log.error("a picture broke its decoder: %s", answer["broken"])
            raise BadImage("image-unreadable")
        if "error" in answer:
            raise error_of(answer["error"])
        return answer, data

    async def _group(self, source: bytes | Path) -> Group:
        """Return the decoders for a picture, by what its header claims and by the length of its file."""
        if isinstance(source, Path):
            head, length = await asyncio.to_thread(_head, source)
        else:
            head, length = source[:HEAD], len(source)
        width, height = size_of(head) or (SMALL_PIXELS, 1)
        return self._small if width * height < SMALL_PIXELS and length < SMALL_BYTES else self._large

    async def _decode(self, group: Group, values: dict[str, Any], file: bytes) -> tuple[dict[str, Any], bytes]:
        """Have a picture decoded; one that ends its decoder is refused, and the next one gets a fresh decoder."""
        if self._closed:
            raise BackendUnavailable("app-stopping")
        loop = asyncio.get_running_loop()
        decoder = _taken(group)
        group.working.add(decoder)
        deadline = loop.time() + PATIENCE
        timer = loop.call_later(PATIENCE, decoder.kill)
        asking = loop.run_in_executor(self._threads, decoder.ask, values, file)
        try:
            answer = await asyncio.shield(asking)
        except asyncio.CancelledError:
            decoder.kill()
            await asyncio.wait([asking])  # a moment: the process has ended
            asking.exception()
            decoder.end()
            raise
        except Gone as gone:
            raise self._refusal(gone.code, late=loop.time() >= deadline) from gone
        finally:
            timer.cancel()
            group.working.discard(decoder)
        self._rest(group, decoder)
        return answer

    def _refusal(self, code: int, *, late: bool) -> StudioError:
        """Return why a decoder ended: by the system's limit on time, by a crash, or most likely for want of memory."""
        if self._closed:
            return BackendUnavailable("app-stopping")
        log.warning("a decoder ended with %d in the middle of a picture", code)
        if late or code == -_CPU_SPENT:
            return BadImage("image-too-slow")
        return BadImage("image-unreadable" if code in _CRASHES else "image-memory-spent")

    def _rest(self, group: Group, decoder: Decoder) -> None:
        """Let a decoder wait for its next picture, or end where none will come."""
        if self._closed:
            decoder.end()
            return
        group.idle.append(decoder)
        decoder.rest(asyncio.get_running_loop().call_later(IDLE, self._end, group, decoder))

    def _end(self, group: Group, decoder: Decoder) -> None:
        group.idle.remove(decoder)
        decoder.rest(None)
        decoder.end()


def _taken(group: Group) -> Decoder:
    """Return an idle decoder, or a fresh one, which takes a few milliseconds, for its start is not waited for.

    Raises:
        BackendUnavailable: the system gives no process.
    """
    while group.idle:
        decoder = group.idle.pop()
        decoder.rest(None)
        if decoder.alive:
            return decoder
        decoder.end()
    try:
        return Decoder(group.bounds)
    except OSError as error:
        log.exception("no decoder could be started")
        raise BackendUnavailable("app-no-process") from error


def _cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _head(path: Path) -> tuple[bytes, int]:
    """Return a file's beginning and its length; of one that is gone, nothing: its decoder says so."""
    try:
        with path.open("rb") as file:
            return file.read(HEAD), os.fstat(file.fileno()).st_size
    except OSError:
        return b"", 0
