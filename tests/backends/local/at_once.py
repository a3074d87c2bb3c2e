"""Run two requests on two devices that have nothing loaded yet, and then one more; print the seeds that came.

Runs in a process of its own: what loading puts aside for a moment belongs to the whole process.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from backends.local import LocalBackend
from backends.local.hardware import GIB, Hardware
from core.events import Completed
from core.settings import Settings
from tests.support.fakes import make_reference, make_request


async def seed_of(backend: LocalBackend, seed: int) -> int:
    request = make_request(backend.spec, "a lake", make_reference(32, 32), num_inference_steps=2, seed=seed)
    events = [event async for event in backend.edit(request)]
    assert isinstance(events[-1], Completed)
    return events[-1].images[0].seed


async def main() -> None:
    machines = [Hardware("cpu", 64 * GIB, 64 * GIB, index=index) for index in range(2)]
    backend = LocalBackend(Settings(data_dir=Path(sys.argv[1]), local_model="mini"), cuda=0, machines=machines)
    print(*await asyncio.gather(seed_of(backend, 1), seed_of(backend, 2)), await seed_of(backend, 3))


if __name__ == "__main__":
    asyncio.run(main())
