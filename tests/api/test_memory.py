"""Freed memory goes back to the system, also where much smaller pieces that are still used lie between."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

HOLES = """
import asyncio, psutil
from api.memory import return_freed_memory

def size():
    return psutil.Process().memory_info().rss

async def main():
    task = asyncio.create_task(return_freed_memory(0.01))
    await asyncio.sleep(0.05)
    before = size()
    pieces = [b"x" * (100_000 + number) for number in range(2_000)]
    held = [b"y" * 1_000 for _ in range(10)]
    full = size()
    last = pieces.pop()
    del pieces  # `last` lies at the heap's end: glibc returns nothing below it
    while size() > before + 0.2 * (full - before):
        await asyncio.sleep(0.01)
    print(full - before > 150_000_000, len(last), len(held))
    task.cancel()

asyncio.run(asyncio.wait_for(main(), 60))
"""


async def test_freed_memory_goes_back_to_the_system_while_pieces_around_it_are_used() -> None:
    words = [sys.executable, "-c", HOLES]
    done = await asyncio.to_thread(subprocess.run, words, cwd=ROOT, capture_output=True, text=True)
    assert (done.stdout.split(), done.stderr) == (["True", "101999", "10"], "")
