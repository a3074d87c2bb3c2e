"""The library as the event loop uses it."""

from __future__ import annotations

from storage.rows import LibraryRow
from storage.sqlite.queries import Queries
from storage.sqlite.store import Store
from storage.threads import StoreThreads


class AsyncLibrary:
    """An owner's results: finds, stars and deletes them.

    Args:
        store: where they are.
        threads: the store's.
    """

    def __init__(self, store: Store, threads: StoreThreads) -> None:
        self._store = store
        self._threads = threads

    async def page(
        self, owner: str, limit: int, before_id: int | None = None, *, starred: bool = False
    ) -> list[LibraryRow]:
        """Return an owner's latest results, newest first; see `storage.protocols.Library`."""
        return await self._threads.read(Queries.result_page, owner, limit, before_id, starred=starred)

    async def search(self, owner: str, text: str, limit: int, before_id: int | None = None) -> list[LibraryRow]:
        """Return an owner's latest results that a text finds, newest first; see `storage.protocols.Library`."""
        return await self._threads.read(Queries.search_results, owner, text, limit, before_id)

    async def find(self, owner: str, result_id: int) -> LibraryRow | None:
        """Return an owner's result, None where they have none of that id."""
        return await self._threads.read(Queries.find_result, owner, result_id)

    async def star(self, owner: str, result_id: int, *, on: bool = True) -> bool:
        """Give an owner's result a star, or take it away; return whether there is such a result."""
        return await self._threads.write(self._store.star, owner, result_id, on)

    async def delete(self, owner: str, result_id: int) -> bool:
        """Delete an owner's result and its picture, and the job with its last result; return whether there was one."""
        return await self._threads.write(self._delete, owner, result_id)

    def _delete(self, owner: str, result_id: int) -> bool:
        gone, names = self._store.delete_result(owner, result_id)
        self._store.images.drop(names)
        return gone
