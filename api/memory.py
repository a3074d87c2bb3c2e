"""Freed memory is returned to the system: the C library keeps what lies below the last piece in use, however much."""

from __future__ import annotations

import asyncio
import ctypes
from collections.abc import Callable

import psutil

EVERY = 15.0
"""Seconds between two looks."""
GROWN = 8_000_000
"""Bytes by which the process has to be larger than it was at its smallest; below that, nothing is worth returning."""


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
    smallest = process.memory_info().rss
    while True:
        await asyncio.sleep(every)
        if process.memory_info().rss > smallest + GROWN:
            await asyncio.to_thread(trim, 0)
        smallest = min(smallest, process.memory_info().rss)


def _glibc_trim() -> Callable[[int], int] | None:
    """Return glibc's `malloc_trim`, None where there is none."""
    try:
        trim: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError, TypeError):
        return None
    return trim
