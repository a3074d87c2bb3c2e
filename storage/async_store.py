"""The store as the event loop uses it: rows are written by one thread, in the order in which that was asked.

Files are written by another, since they take longer. Until its row is written, each file is held, so that it is not
removed as one without an owner. Files are removed on the thread that writes rows. Reads wait for neither.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from core.errors import BadImage, DiskFull, RunCancelled, RunFailed, StudioError
from core.events import Completed, Picture
from core.imaging.images import Reference
from core.job import Job
from core.job_state import JobState
from core.recipe import ImageRef
from core.result import Made, Missing, Result
from storage.async_experiments import AsyncExperiments
from storage.async_library import AsyncLibrary
from storage.files.disk import disk_errors, disk_full
from storage.files.upload_folder import BLOCK, UploadFolder
from storage.protocols import CallTaken, ExperimentStore, Library
from storage.records import (
    error_text,
    failure_of,
    job_of,
    record_of,
    reference_of,
    reference_row,
    report_text,
    rows_of,
    styles_of,
)
from storage.rows import Done, Record
from storage.sqlite.inserts import Kept
from storage.sqlite.queries import Queries
from storage.sqlite.room import Freed
from storage.sqlite.store import Store
from storage.threads import StoreThreads

log = logging.getLogger(__name__)

NOT_STARTED = {"disk-full": "disk-full-not-started", "disk-readonly": "disk-readonly-not-started"}
"""What is said of a run that the disk had no room for, by what the disk's error is."""

STRAYS_AT_ONCE = 500
"""Files that are looked up in one go, in some milliseconds: the store's thread has other work."""
RESERVE = 20_000_000
"""Bytes of the disk that uploads leave free, so that the database and the results of runs can be written."""


def _with_id(image: Made | Missing, row: int) -> Made | Missing:
    return replace(image, id=row)


class AsyncStore:
    """Writes jobs and pictures down, and finds them again: a `JobStore`, `PictureStore` and `UploadStore`.

    Args:
        store: used by nobody else from here on; `close` closes it.

    Attributes:
        on_removed: called, on the event loop, with the id of each job that was removed other than by `delete`.
        library: the results with their pictures.
        experiments: plans of many jobs.
        images: where pictures are.
        uploads: where the framework puts what the page uploads.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.on_removed: list[Callable[[str], None]] = []
        self._threads = StoreThreads(store)
        self._write, self._read, self._row = self._threads.write, self._threads.read, self._threads.submit
        self.library: Library = AsyncLibrary(store, self._threads, self._tell_removed)
        self.experiments: ExperimentStore = AsyncExperiments(store, self._threads)
        self.images = store.images
        self.uploads = UploadFolder(store.images.folder.parent / "uploads")

    async def close(self) -> None:
        """Finish what was asked for, and let go of the database."""
        await self._threads.close()

    # ---- a job's life ------------------------------------------------------------------------------

    async def add(self, job: Job, estimate: float, afford: Callable[[float], None], since: float) -> None:
        """Write a new job down; where the caller goes away meanwhile, the job is noted as cancelled.

        Args:
            job: not known to the store yet.
            estimate: US dollars that it may cost.
            afford: is given what the app owner's keys cost since `since`, and raises where that leaves too little.
            since: seconds since the epoch.

        Raises:
            BudgetSpent: they do not.
            CallTaken: the owner's job of the same mark is there.
            DiskFull: the disk takes nothing.
            RunFailed: it could not be written for another reason.
        """
        file, money = job.request.image.file, (estimate, afford, since)
        adding = (
            self._row(self._add_row, job, file, *money) if file else self._threads.submit_files(self._add, job, *money)
        )
        try:
            await asyncio.shield(asyncio.wrap_future(adding))
        except asyncio.CancelledError:
            job.advance(JobState.CANCELLED, RunCancelled("run-cancelled"))
            adding.add_done_callback(lambda _: self._row(self._ended, job))
            raise
        except (StudioError, CallTaken):
            raise
        except Exception as error:
            full = disk_full(error)
            if full is not None:
                log.warning("job %s was not started: %s", job.id, error)
                raise DiskFull(NOT_STARTED[full.code]) from error
            log.exception("job %s could not be written down", job.id)
            raise RunFailed("run-not-written") from error

    def _add(self, job: Job, estimate: float, afford: Callable[[float], None], since: float) -> None:
        image = job.request.image
        with self.images.held(image.data, image.mime, image.digest) as file:
            self._row(self._add_row, job, file, estimate, afford, since).result()

    def _add_row(self, job: Job, file: Path, estimate: float, afford: Callable[[float], None], since: float) -> None:
        """Count the money and write the row with nobody in between: two clicks never share the last cent."""
        if not job.own_key and estimate:
            afford(self._store.spent(since))
        try:
            kept = Kept(file.name, file.stat().st_size)
        except FileNotFoundError as error:
            raise BadImage("image-not-stored") from error
        self._store.add(record_of(job, estimate), kept, job.cell)
        # From here on the bytes are on the disk, and are read when the job's turn comes.
        job.request = replace(job.request, image=job.request.image.stored_at(file))

    async def submitting(self, job: Job) -> None:
        """Write that a job's request is about to be sent: a restart must not send it again.

        Raises:
            OSError, sqlite3.Error: the disk is full or not writable; then it must not be sent.
        """
        await self._write(self._store.move, job.id, JobState.SUBMITTING)

    async def moved(self, job: Job) -> None:
        """Write the state of a job that goes on, and why nobody waits for it if nobody does."""
        await self._write(self._store.move, job.id, job.state, error_text(job.error) if job.error else None)

    async def accepted(self, job: Job, place: int, remote_id: str) -> None:
        """Note the provider's id. A disk that takes nothing is no reason to lose a run that is paid for."""
        try:
            await asyncio.shield(self._write(self._store.accepted, job.id, place, remote_id))
        except Exception:
            log.exception("task %s of job %s could not be written down", remote_id, job.id)

    async def done(self, job: Job, event: Completed) -> Result:
        """Write the pictures, then that the job is done.

        Raises:
            OSError: the disk is full or not writable.
        """
        return await self._threads.write_files(self._done, job, event)

    def _done(self, job: Job, event: Completed) -> Result:
        recipe = job.request.recipe
        model = event.model or recipe.model
        text = recipe.model_copy(update={"model": model}).model_dump_json()
        with ExitStack() as held:
            images = tuple(each if isinstance(each, Missing) else self._stored(each, held) for each in event.images)
            result = Result(images, model, event.timings, event.cost, event.notices)
            styles = styles_of(recipe)
            done = Done(report_text(result), text, model.id, recipe.parent, rows_of(result), recipe.prompt, styles)
            ids = self._row(self._store.end, job.id, JobState.DONE, time.time(), done=done, cost=event.cost).result()
        return replace(result, images=tuple(map(_with_id, result.images, ids))) if ids else result

    def _stored(self, picture: Picture, held: ExitStack) -> Made:
        """Write a picture, which is held until its row is written, too."""
        file, size = held.enter_context(self.images.held(picture.data, picture.mime)), len(picture.data)
        image = ImageRef(digest=file.stem, mime=picture.mime, width=picture.width, height=picture.height, size=size)
        return Made(image, picture.seed, picture.damaged)

    async def ended(self, job: Job) -> None:
        """Write that a job ended without a result, and why."""
        await self._write(self._ended, job)

    def _ended(self, job: Job) -> None:
        assert job.error is not None
        cost = 0.0 if job.error.charged is False else None
        failure = failure_of(job.request.recipe) if job.state is not JobState.CANCELLED else None
        try:
            self._store.end(job.id, job.state, time.time(), error=error_text(job.error), failure=failure, cost=cost)
        except Exception:  # the next process takes the job for unfinished, and finds out
            log.exception("the end of job %s could not be written down", job.id)

    # ---- later ---------------------------------------------------------------------------------------

    async def unfinished(self) -> list[Job]:
        """Return the jobs that an earlier process left, oldest first; one whose row is damaged ends as failed."""
        found = []
        for record in await self._read(Queries.unfinished):
            job = self._readable(record)
            if job is not None:
                found.append(job)
                continue
            error = RunFailed("run-record-damaged", charged=False if record.state == JobState.QUEUED else None)
            await self._write(self._store.end, record.id, JobState.FAILED, time.time(), error=error_text(error))
        return found

    def _readable(self, record: Record) -> Job | None:
        """Return a row's job, None where the row is damaged: one bad row must not take the others with it."""
        try:
            return job_of(record, self.images.folder)
        except (ValueError, LookupError, TypeError, AttributeError):
            log.error("the row of job %s is damaged and was left out", record.id)
            return None

    def _jobs(self, records: Iterable[Record | None]) -> list[Job]:
        return [job for each in records if each is not None and (job := self._readable(each)) is not None]

    async def history(self, owner: str, limit: int, before: int | None = None, since: float = 0.0) -> list[Job]:
        """Return an owner's latest jobs, newest first, without damaged rows.

        Args:
            owner: whose.
            limit: at most so many.
            before: only those behind this place of the list, as `place` returns it; None begins at the newest.
            since: seconds since the epoch; older jobs are left out.
        """
        return self._jobs(await self._read(Queries.recent, owner, limit, before, since))

    async def place(self, owner: str, skip: int, since: float = 0.0) -> int | None:
        """Return the place in `history` behind an owner's `skip` latest jobs, None where there are fewer."""
        return await self._read(Queries.place, owner, skip, since)

    async def find(self, owner: str, job_id: str) -> Job | None:
        """Return an owner's job from the disk, None where there is none or its row is damaged."""
        return next(iter(self._jobs([await self._read(Queries.find, owner, job_id)])), None)

    async def find_call(self, owner: str, once: str, since: float) -> Job | None:
        """Return an owner's job by the mark of its call, None where there is none or its row is damaged.

        A job from before `since` gives its mark back.
        """
        record = await self._read(Queries.find_call, owner, once)
        if record is not None and record.created < since:
            await self._write(self._store.free_call, owner, once, since)
            return None
        return next(iter(self._jobs([record])), None)

    async def delete(self, owner: str, job_id: str) -> bool:
        """Remove an owner's ended job with its pictures; return whether there was one."""
        return await self._write(self._delete, owner, job_id)

    def _delete(self, owner: str, job_id: str) -> bool:
        gone, names = self._store.delete(owner, job_id)
        self.images.drop(names)
        return gone

    async def unreported(self) -> list[Job]:
        """Return the ended jobs whose end somebody is still to be told."""
        return self._jobs(await self._read(Queries.unreported))

    async def reported(self, job_id: str) -> None:
        """Note that nobody waits to hear of a job's end any more."""
        await self._write(self._store.reported, job_id)

    async def ticket(self, owner: str, upload_id: str) -> None:
        """Note that an owner will upload a picture under an id.

        Raises:
            DiskFull: the disk takes nothing.
        """
        with disk_errors():
            await self._write(self._store.ticket, owner, upload_id, time.time())

    async def upload(self, upload_id: str, picture: Reference) -> bool:
        """Store the picture that came under an id, its bytes in memory; return whether that was still open.

        Raises:
            DiskFull: the disk takes nothing.
        """
        with disk_errors():
            if not await self.awaited(upload_id):
                return False
            return await self._threads.write_files(self._upload, upload_id, picture)

    def _upload(self, upload_id: str, picture: Reference) -> bool:
        with self.images.held(picture.data, picture.mime, picture.digest) as path:
            return self._row(self._store.upload, upload_id, Kept(path.name, picture.size), time.time()).result()

    async def awaited(self, upload_id: str) -> bool:
        """Return whether a picture may still come under an id."""
        return await self._read(Queries.awaited, upload_id)

    async def uploaded(self, upload_id: str) -> str | None:
        """Return the file's name of an upload, None where nothing came."""
        return await self._read(Queries.uploaded, upload_id)

    async def spent(self, since: float) -> float:
        """Return the US dollars that went from the app owner's keys since then."""
        return await self._read(Queries.spent, since)

    async def spending(self, owner: str, since: float) -> dict[str, float]:
        """Return the US dollars that an owner's jobs cost since then, by backend."""
        return await self._read(Queries.spending, owner, since)

    async def keep(self, owner: str, data: bytes, mime: str) -> Path:
        """Keep a picture that is no job's yet for an owner, and return its file.

        Raises:
            DiskFull: the disk takes nothing.
        """
        with disk_errors():
            return await self._threads.write_files(self._keep, owner, data, mime)

    def _keep(self, owner: str, data: bytes, mime: str) -> Path:
        with self.images.held(data, mime) as path:
            self._row(self._store.grant, owner, Kept(path.name, len(data)), time.time()).result()
        return path

    async def keep_reference(self, owner: str, reference: Reference, parent: str | None) -> Reference:
        """Store a normalised reference for an owner, and return it without its bytes in memory.

        Args:
            owner: may see it.
            reference: with its bytes in memory.
            parent: digest of the result that it was made of, None where it was none.

        Raises:
            DiskFull: the disk takes nothing.
        """
        with disk_errors():
            return await self._threads.write_files(self._keep_reference, owner, reference, parent)

    def _keep_reference(self, owner: str, reference: Reference, parent: str | None) -> Reference:
        with self.images.held(reference.data, reference.mime, reference.digest) as file:
            row = reference_row(file.name, reference, parent)
            self._row(self._store.add_reference, owner, row, time.time()).result()
        return reference.stored_at(file)

    async def find_reference(self, owner: str, name: str) -> tuple[Reference, str | None] | None:
        """Return an owner's stored reference and the digest of the result that it was, None where there is none."""
        row = await self._read(Queries.reference, owner, name)
        return None if row is None else (reference_of(row, self.images.folder), row.parent)

    async def keep_display(self, name: str, width: int, data: bytes) -> Path:
        """Store a picture's copy at a display width and return its file; of a picture that is gone, none is stored.

        Raises:
            BadImage: it was removed meanwhile.
            DiskFull: the disk is full or not writable.
        """
        try:
            return await self._threads.write_files(self._keep_display, name, width, data)
        except (OSError, sqlite3.Error) as error:
            raise DiskFull("disk-full-for-copy") from error

    def _keep_display(self, name: str, width: int, data: bytes) -> Path:
        # The row first: a crash leaves no file that the quota does not know.
        if self._row(self._store.displayed, name, width, len(data)).result():
            try:
                path = self.images.put_display(name, width, data)
            except OSError:
                self._row(self._store.not_displayed, name, width).result()
                raise
            if self._row(self._count_display, path, name, width, len(data)).result():
                return path
        self.images.drop_display(name, width)
        raise BadImage("image-removed")

    def _count_display(self, path: Path, name: str, width: int, size: int) -> bool:
        """Count a copy that was written, again: its picture may have been removed and put back meanwhile.

        Returns:
            Whether the copy and its picture are there.
        """
        return path.is_file() and self._store.displayed(name, width, size)

    async def may_see(self, owner: str, name: str) -> bool:
        """Return whether an owner may see a kept picture."""
        return await self._read(Queries.may_see, owner, name)

    async def picture_of(self, owner: str, digest: str) -> str | None:
        """Return the file's name of a picture that an owner may see, by its digest; None where there is none."""
        return await self._read(Queries.picture_of, owner, digest)

    async def is_result(self, owner: str, digest: str) -> bool:
        """Return whether a picture was made for an owner."""
        return await self._read(Queries.is_result, owner, digest)

    async def exchange(self, owner: str) -> bool:
        """Return whether an owner is one whose cookie was never signed, and forget that it is."""
        return await self._read(Queries.is_old_owner, owner) and await self._write(self._store.exchange, owner)

    # ---- files that the page uploaded ----------------------------------------------------------------

    async def add_file(self, owner: str, path: Path) -> bool:
        """Record an uploaded file, named relative to `uploads`, as an owner's; return whether it still exists.

        Raises:
            OSError, sqlite3.Error: the disk is full or not writable.
        """
        return await self._write(self._add_file, owner, path)

    def _add_file(self, owner: str, path: Path) -> bool:
        size = self.uploads.size(path)
        if size is not None:
            self._store.add_file(owner, path.as_posix(), size, time.time())
        return size is not None

    async def owns_file(self, owner: str, path: Path) -> bool:
        """Return whether an uploaded file, named relative to `uploads`, is an owner's."""
        return await self._read(Queries.owns_file, owner, path.as_posix())

    async def make_room(self, size: int, quota: int) -> bool:
        """Make room for a file of `size` bytes; return whether the quota and the disk have it now."""
        fits, removed = await self._write(self._make_room, max(size, BLOCK), quota)
        self._tell_removed(removed)
        return fits

    def _make_room(self, size: int, quota: int) -> tuple[bool, list[str]]:
        freed = self._store.make_room(quota, coming=size)
        self._drop(freed)
        fits = self._store.size() + size <= quota
        return fits and shutil.disk_usage(self.images.folder.parent).free > size + RESERVE, freed.jobs

    def _tell_removed(self, jobs: Iterable[str]) -> None:
        for job_id in jobs:
            for listener in self.on_removed:
                listener(job_id)

    def _drop(self, freed: Freed) -> None:
        self.images.drop(freed.pictures)
        self.uploads.drop(freed.files)

    async def has_room(self, quota: int, reference: int) -> bool:
        """Return whether the quota has room for a run, or something may be removed for it."""
        return await self._read(Queries.has_room, quota, reference)

    async def sweep(self) -> None:
        """Remove half files."""
        await self._threads.write_files(self._sweep)

    def _sweep(self) -> None:
        self.images.sweep()
        self.uploads.sweep()

    async def drop_strays(self) -> None:
        """Remove files older than an hour that no row names, as a crash leaves them, and owners without any row."""
        old = await asyncio.to_thread(self.images.old)
        for first in range(0, len(old), STRAYS_AT_ONCE):
            await self._write(self._drop_strays, old[first : first + STRAYS_AT_ONCE])
        await self._write(self._store.forget_leftovers, time.time())

    def _drop_strays(self, names: Sequence[str]) -> None:
        gone = self.images.drop_strays(name for name in names if not self._store.known(name))
        if gone:
            log.info("removed %d files that nobody knows", gone)

    async def tidy(self, quota: int, age: float, spared: str = "") -> int:
        """Remove old references that nobody ran, and the oldest runs where the files have more than `quota` bytes.

        Returns:
            How many runs were removed, or lost those of their pictures that nothing protects.
        """
        freed = await self._write(self._tidy, quota, age, spared)
        self._tell_removed(freed.jobs)
        return len(freed.jobs) + len(freed.trimmed)

    def _tidy(self, quota: int, age: float, spared: str) -> Freed:
        self.images.drop(self._store.forget(time.time() - age))
        freed = self._store.make_room(quota, spared)
        self._drop(freed)
        if freed.jobs:
            log.info("removed the %d oldest runs: the pictures had more than %d bytes", len(freed.jobs), quota)
        return freed
