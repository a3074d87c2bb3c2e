"""What the rest of the app needs of storage, whatever is behind it: SQLite and a folder today."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from core.events import Completed
from core.job import Job
from core.result import Result
from storage.rows import LibraryRow


class JobStore(Protocol):
    """Jobs that outlive the process: each step is on the disk when its call returns."""

    async def add(self, job: Job, estimate: float, afford: Callable[[float], None], since: float) -> None:
        """Write a new job, before anything of it is sent.

        Args:
            job: with its reference.
            estimate: US dollars that it may cost.
            afford: is given what the app owner's keys cost since `since`, and raises where that leaves too little.
            since: seconds since the epoch.

        Raises:
            StudioError: it is not affordable, or the disk is full.
        """

    async def moved(self, job: Job) -> None:
        """Write the state of a job that goes on.

        Raises:
            OSError, sqlite3.Error: the disk is full or not writable.
        """

    async def submitting(self, job: Job) -> None:
        """Write that a job's request is about to be sent: a restart must not send it again.

        Raises:
            OSError, sqlite3.Error: the disk is full or not writable; then it must not be sent.
        """

    async def accepted(self, job: Job, place: int, remote_id: str) -> None:
        """Write the provider's id of the task for image `place`. It waits for no read, and raises nothing."""

    async def done(self, job: Job, event: Completed) -> Result:
        """Write the images, then that the job is done.

        Raises:
            OSError: the disk is full or not writable.
        """

    async def ended(self, job: Job) -> None:
        """Write that a job ended without a result, and why."""

    async def unfinished(self) -> list[Job]:
        """Return the jobs that an earlier process left, oldest first."""

    async def history(self, owner: str, limit: int, before: int | None = None, since: float = 0.0) -> list[Job]:
        """Return an owner's latest jobs, newest first.

        Args:
            owner: whose.
            limit: at most so many.
            before: only those behind this place of the list, as `place` returns it; None begins at the newest.
            since: seconds since the epoch; older jobs are left out.
        """

    async def place(self, owner: str, skip: int, since: float = 0.0) -> int | None:
        """Return the place in `history` behind an owner's `skip` latest jobs, None where there are fewer."""

    async def find(self, owner: str, job_id: str) -> Job | None:
        """Return an owner's job, None where they have none of that id."""

    async def find_call(self, owner: str, once: str, since: float) -> Job | None:
        """Return an owner's job by the mark of its API call, None where there is none as new as `since`."""

    async def delete(self, owner: str, job_id: str) -> bool:
        """Remove an owner's ended job with its images; return whether there was one."""

    async def tidy(self, quota: int, age: float, spared: str = "") -> int:
        """Remove references of more than `age` seconds that no job uses, and the oldest jobs above `quota` bytes.

        Returns:
            How many jobs were removed.
        """


class BlobStore(Protocol):
    """Image files by their content: the same bytes are stored once.

    Attributes:
        folder: where they are.
    """

    folder: Path

    def put(self, data: bytes, mime: str, digest: str | None = None) -> Path:
        """Store a file's bytes as they are, and return where.

        Args:
            data: an encoded picture.
            mime: one of `core.image_types.SUFFIX`.
            digest: SHA-256 of the bytes, in hexadecimal; None hashes them.

        Raises:
            OSError: the disk is full or not writable.
        """

    def held(self, data: bytes, mime: str, digest: str | None = None) -> AbstractContextManager[Path]:
        """As `put`, and spare the file from `drop` inside the block, by whose end a row names it."""

    def path(self, name: str) -> Path:
        """Return where a picture's file is, or was."""

    def copy(self, name: str) -> Path:
        """Return where a display copy is, or was, by the copy's own name."""

    def display(self, name: str, width: int) -> Path:
        """Return where a picture's copy at a display width is, or will be."""

    def put_display(self, name: str, width: int, data: bytes) -> Path:
        """Store a picture's copy at a display width, and return where.

        Raises:
            OSError: the disk is full or not writable.
        """

    def drop(self, names: Iterable[str]) -> None:
        """Remove files and their display copies but those that are held; one that is gone is as good as removed."""


class Library(Protocol):
    """An owner's results with their pictures, newest first. Ids rise with the time, so a page begins behind an id."""

    async def page(
        self, owner: str, limit: int, before_id: int | None = None, *, starred: bool = False
    ) -> list[LibraryRow]:
        """Return an owner's latest results.

        Args:
            owner: whose.
            limit: at most so many.
            before_id: only those behind the result of this id; None begins at the newest.
            starred: only those with a star.
        """

    async def search(self, owner: str, text: str, limit: int, before_id: int | None = None) -> list[LibraryRow]:
        """Return an owner's latest results whose prompts have every word of a text; the last may be unfinished.

        Of Chinese and Japanese, two signs in a row are enough.

        Args:
            owner: whose.
            text: words between spaces, none of it syntax; without any word, every result is found.
            limit: at most so many.
            before_id: only those behind the result of this id; None begins at the newest.
        """

    async def find(self, owner: str, result_id: int) -> LibraryRow | None:
        """Return an owner's result, None where they have none of that id."""

    async def star(self, owner: str, result_id: int, *, on: bool = True) -> bool:
        """Give an owner's result a star, or take it away; return whether there is such a result."""

    async def delete(self, owner: str, result_id: int) -> bool:
        """Delete an owner's result and its picture, and the job with its last result; return whether there was one."""
