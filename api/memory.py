"""Freed memory is returned to the system: the C library keeps what lies below the last piece in use, however much."""

from __future__ import annotations

import asyncio
import ctypes
from collections.abc import Callable

import psutil

EVERY = 15.0
"""Seconds between two looks."""
GROWN = 8_000_000
"""Bytes by which the process has to have grown since the last time; below that, nothing is worth returning."""
FREED = 1_000_000
"""Bytes that a trim has to return for another look to be worth it though the process does not grow."""


async def return_freed_memory(every: float = EVERY) -> None:
    """Return freed memory now and then, until cancelled. Does nothing where the C library is not glibc.

    Large requests, passed on in pieces, leave the heap with holes that glibc does not give back by itself. A trim
    takes milliseconds, on a thread of its own.

    Args:
        every: seconds between two looks.
    """
    trim = _glibc_trim()
    if trim is None:
        return
    process = psutil.Process()
    last, again = process.memory_info().rss, False
    while True:
        await asyncio.sleep(every)
        size = process.memory_info().rss
        if size > last + GROWN or again:
            await asyncio.to_thread(trim, 0)
            last = process.memory_info().rss
            again = size - last > FREED  # what is busy now may have more to return when it has ended


def _glibc_trim() -> Callable[[int], int] | None:
    """Return glibc's `malloc_trim`, None where there is none."""
    try:
        trim: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError, TypeError):
        return None
    return trim
