"""The library as the event loop uses it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from storage.archive import Archive, ArchivedJob, stored
from storage.files.disk import disk_errors
from storage.rows import (
    EVERYTHING,
    UNDO,
    Changes,
    Facets,
    Figures,
    Filter,
    Index,
    LibraryRow,
    Lineage,
    Marks,
    Page,
    ProjectRow,
    Sort,
    Unmeasured,
)
from storage.sqlite.queries import Queries
from storage.sqlite.room import Freed
from storage.sqlite.store import Store
from storage.threads import StoreThreads


class AsyncLibrary:
    """An owner's results: finds, marks and deletes them; see `storage.protocols.Library`.

    Args:
        store: where they are.
        threads: the store's.
        removed: called, on the event loop, with the ids of the jobs of which no result is shown any more.
    """

    def __init__(self, store: Store, threads: StoreThreads, removed: Callable[[Sequence[str]], None]) -> None:
        self._store = store
        self._threads = threads
        self._removed = removed

    # ---- lists ---------------------------------------------------------------------------------------

    async def page(
        self,
        owner: str,
        limit: int,
        cursor: str | None = None,
        wanted: Filter = EVERYTHING,
        sort: Sort = Sort.NEWEST,
    ) -> Page:
        """Return a part of a list of an owner's results."""
        return await self._threads.read(Queries.result_page, owner, limit, cursor, wanted, sort)

    async def index(
        self, owner: str, wanted: Filter = EVERYTHING, sort: Sort = Sort.NEWEST, zone: int = 0, first: int = 0
    ) -> Index:
        """Return a whole list of an owner's results, cut into blocks."""
        return await self._threads.read(Queries.result_index, owner, wanted, sort, zone, first)

    async def revision(self, owner: str) -> int:
        """Return the number of the latest change of an owner's results."""
        return await self._threads.read(Queries.revision, owner)

    async def facets(self, owner: str, quota: int) -> Facets:
        """Return what an owner has, and by what it can be filtered."""
        return await self._threads.read(Queries.facets, owner, quota)

    async def find(self, owner: str, result_id: int) -> LibraryRow | None:
        """Return an owner's result, None where they have none of that id."""
        return await self._threads.read(Queries.find_result, owner, result_id)

    async def of_job(self, owner: str, job_id: str) -> tuple[LibraryRow, ...]:
        """Return the results of an owner's job, in their places."""
        return await self._threads.read(Queries.results_of_job, owner, job_id)

    async def lineage(self, owner: str, result_id: int) -> Lineage | None:
        """Return where an owner's result comes from and what was made of it, None where they have none of that id."""
        return await self._threads.read(Queries.lineage, owner, result_id)

    async def count(self, owner: str) -> int:
        """Return how many pictures an owner has."""
        return await self._threads.read(Queries.count_results, owner)

    async def changes(self, owner: str, seq: int | None, most: int = 100) -> Changes:
        """Return what happened to an owner's results after a change."""
        return await self._threads.read(Queries.changes, owner, seq, most)

    # ---- marks ---------------------------------------------------------------------------------------

    async def mark(self, owner: str, ids: Sequence[int], marks: Marks, quota: int) -> tuple[LibraryRow, ...]:
        """Change what an owner notes on pictures of theirs."""
        return await self._threads.write(self._store.mark, owner, ids, marks, quota)

    async def projects(self, owner: str) -> tuple[ProjectRow, ...]:
        """Return an owner's projects by name."""
        return await self._threads.read(Queries.projects, owner)

    async def add_project(self, owner: str, name: str) -> ProjectRow:
        """Make a project."""
        return await self._threads.write(self._store.add_project, owner, name, time.time())

    async def rename_project(self, owner: str, project: int, name: str) -> ProjectRow:
        """Rename a project."""
        return await self._threads.write(self._store.rename_project, owner, project, name)

    async def delete_project(self, owner: str, project: int) -> bool:
        """Delete a project and leave its pictures without one; return whether there was one."""
        return await self._threads.write(self._store.delete_project, owner, project)

    # ---- meters --------------------------------------------------------------------------------------

    async def unmeasured(self, before: int, limit: int) -> list[int]:
        """Return the ids of pictures of all owners that are to be measured, newest first."""
        return await self._threads.read(Queries.unmeasured, before, limit)

    async def to_measure(self, result_id: int) -> Unmeasured | None:
        """Return a picture that is to be measured; None where it was, or is no longer shown."""
        return await self._threads.read(Queries.to_measure, result_id)

    async def measured(self, figures: Mapping[int, Figures | None]) -> None:
        """Write once how pictures compare with their references, by their ids; None where that cannot be said."""
        await self._threads.write(self._store.measured, figures)

    # ---- archives ------------------------------------------------------------------------------------

    async def archived(
        self,
        owner: str,
        project: int | None,
        behind: int = 0,
        limit: int | None = None,
        ids: Sequence[int] | None = None,
    ) -> tuple[list[ArchivedJob], int | None]:
        """Return an owner's jobs for an archive, oldest first, and behind which result there are more."""
        return await self._threads.read(Queries.archived_jobs, owner, project, behind, limit, ids)

    async def take_in(self, owner: str, archive: Archive, job: ArchivedJob, quota: int) -> int:
        """Store a job of an archive with its files; return how many of its results are new."""
        return await self._threads.write_files(self._take_in, owner, archive, job, quota)

    def _take_in(self, owner: str, archive: Archive, job: ArchivedJob, quota: int) -> int:
        with disk_errors(), stored(archive, job, self._store.images) as files:
            return self._threads.submit(self._store.take_in, owner, job, files, quota, time.time()).result()

    # ---- the trash -----------------------------------------------------------------------------------

    async def delete(self, owner: str, ids: Sequence[int]) -> tuple[tuple[int, ...], float]:
        """Put an owner's results into the trash; return their ids, and until when they can be restored."""
        now = time.time()
        gone, jobs = await self._threads.write(self._store.trash, owner, ids, now)
        self._removed(jobs)
        return gone, now + UNDO

    async def restore(self, owner: str, ids: Sequence[int]) -> tuple[int, ...]:
        """Take an owner's results out of the trash again; return their ids."""
        return await self._threads.write(self._store.restore, owner, ids, time.time() - UNDO)

    async def purge(self) -> None:
        """Remove for good what can be restored no more, with its files."""
        before = time.time() - UNDO
        if await self._threads.read(Queries.has_trash, before):
            freed = await self._threads.write(self._purge, before)
            self._removed(freed.jobs)

    def _purge(self, before: float) -> Freed:
        freed = self._store.purge(before)
        self._store.images.drop(freed.pictures)
        return freed
