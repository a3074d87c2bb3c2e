"""The threads of the store: one writes rows, one writes files, some read. The event loop never waits for the disk."""

from __future__ import annotations

import asyncio
import contextlib
import queue
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Concatenate, ParamSpec, TypeVar

from storage.sqlite.queries import Queries
from storage.sqlite.store import Store

_T = TypeVar("_T")
_P = ParamSpec("_P")

READERS = 3
"""Connections that read, each on a thread of its own; opened when they are needed. A read takes some milliseconds."""


class StoreThreads:
    """Runs what uses the store on the thread where it belongs.

    A write is done when it is awaited, and a read begins after it was asked for: so whoever awaits a write and then
    reads finds what was written. Where the database is exclusive, reads run on the thread that writes.

    Args:
        store: used by nobody else from here on; `close` closes it.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="store")
        self._files = ThreadPoolExecutor(1, thread_name_prefix="store-files")
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="store-read")
        self._idle = queue.SimpleQueue[Queries]()

    def write(self, call: Callable[_P, _T], *values: _P.args, **named: _P.kwargs) -> asyncio.Future[_T]:
        """Call something that uses the store, on the thread that writes."""
        return asyncio.wrap_future(self.submit(call, *values, **named))

    def submit(self, call: Callable[_P, _T], *values: _P.args, **named: _P.kwargs) -> Future[_T]:
        """As `write`, for other threads than the event loop's."""
        return self._writer.submit(call, *values, **named)

    def write_files(self, call: Callable[_P, _T], *values: _P.args, **named: _P.kwargs) -> asyncio.Future[_T]:
        """Call something that writes pictures' files, and by `submit` their rows, on the thread for files."""
        return asyncio.wrap_future(self.submit_files(call, *values, **named))

    def submit_files(self, call: Callable[_P, _T], *values: _P.args, **named: _P.kwargs) -> Future[_T]:
        """As `write_files`, for a caller who wants to know of its end even when nobody waits for it any more."""
        return self._files.submit(call, *values, **named)

    def read(
        self, call: Callable[Concatenate[Queries, _P], _T], *values: _P.args, **named: _P.kwargs
    ) -> asyncio.Future[_T]:
        """Call a method of `Queries` with a connection that nobody else uses meanwhile."""
        return asyncio.wrap_future(self._readers.submit(self._read, lambda reader: call(reader, *values, **named)))

    def _read(self, call: Callable[[Queries], _T]) -> _T:
        reader: Queries | None = None
        with contextlib.suppress(queue.Empty):
            reader = self._idle.get_nowait()
        if reader is None:
            reader = self._store.open_reader()
        if reader is None:
            return self.submit(call, self._store).result()
        try:
            return call(reader)
        finally:
            self._idle.put(reader)

    async def close(self) -> None:
        """Finish what was asked for, and close the database."""
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self._files.shutdown()
        self._readers.shutdown()
        while not self._idle.empty():
            self._idle.get().close()
        self._writer.submit(self._store.close).result()
        self._writer.shutdown()
