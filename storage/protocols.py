"""What the rest of the app needs of storage, whatever is behind it: SQLite and a folder today.

One object may be several of these, as `storage.async_store.AsyncStore` is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from core.events import Completed
from core.imaging.images import Reference
from core.job import Job
from core.recipe import ImageRef
from core.result import Result
from storage.archive import Archive, ArchivedJob
from storage.rows import (
    EVERYTHING,
    CellRow,
    Changes,
    ExperimentRow,
    Facets,
    Figures,
    Filter,
    Index,
    LibraryRow,
    Lineage,
    Marks,
    Money,
    Page,
    PlannedCell,
    ProjectRow,
    Sort,
    Unmeasured,
)


class CallTaken(Exception):
    """An owner's call of this mark is there already."""


class ShareFull(Exception):
    """Stars and projects of an owner protect all that they can.

    Args:
        share: how many bytes that is.
        needed: how many they would protect.
    """

    def __init__(self, share: int, needed: int) -> None:
        super().__init__(share, needed)
        self.share = share
        self.needed = needed


class ProjectUnknown(Exception):
    """An owner has no project of that id."""


class NameTaken(Exception):
    """An owner has a project of that name already."""


class TooManyProjects(Exception):
    """An owner has as many projects as one can have."""


class TooManyTags(Exception):
    """A result would have more tags than one can have."""


MOST_PROJECTS = 500
"""Projects of an owner."""
MOST_TAGS = 20
"""Tags of a result."""


class JobStore(Protocol):
    """Jobs that outlive the process: each step is on the disk when its call returns.

    Attributes:
        on_removed: called, on the event loop, with the id of each job that was removed other than by `delete`.
    """

    on_removed: list[Callable[[str], None]]

    async def add(self, job: Job, estimate: float, afford: Callable[[float], None], since: float) -> None:
        """Write a new job, before anything of it is sent.

        Args:
            job: with its reference.
            estimate: US dollars that it may cost.
            afford: is given what the app owner's keys cost since `since`, and raises where that leaves too little.
            since: seconds since the epoch.

        Raises:
            CallTaken: the owner's job of the same mark is there.
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

    async def unreported(self) -> list[Job]:
        """Return the ended jobs whose end somebody waits to hear."""

    async def reported(self, job_id: str) -> None:
        """Write that nobody waits to hear of a job's end any more."""

    async def spent(self, since: float) -> float:
        """Return the US dollars that jobs with the app owner's keys cost since then."""

    async def spending(self, owner: str, since: float) -> dict[str, float]:
        """Return the US dollars that an owner's jobs cost since then, by backend, whoever's keys they ran on."""

    async def tidy(self, quota: int, age: float, spared: str = "") -> int:
        """Remove references of more than `age` seconds that no job uses, and the oldest jobs above `quota` bytes.

        What a star or a project protects stays.

        Returns:
            How many jobs were removed, or lost those of their pictures that no star and no project protects.
        """

    async def has_room(self, quota: int, reference: int) -> bool:
        """Return whether the quota has room for a run, or something may be removed for it.

        Args:
            quota: bytes that all files may have.
            reference: bytes of the run's reference where that is stored already: it cannot go, for the run needs it.
        """

    async def sweep(self) -> None:
        """Remove the half files that an earlier process left."""

    async def drop_strays(self) -> None:
        """Remove old files that no row names, as a crash leaves them, and owners without any row."""

    async def close(self) -> None:
        """Finish what was asked for, and close the database."""


class ExperimentStore(Protocol):
    """Experiments and their cells, which outlive the process."""

    async def add(
        self,
        row: ExperimentRow,
        cells: Sequence[PlannedCell],
        references: Sequence[ImageRef],
        once: str | None,
        money: Money,
    ) -> None:
        """Write a new experiment with all of its cells: all or nothing.

        Args:
            row: the experiment.
            cells: in the order in which they begin.
            references: stored files that the cells begin with; they stay until no cell waits.
            once: the caller's mark, unique to its owner.
            money: checks what the cells cost.

        Raises:
            CallTaken: the owner's experiment of the same mark is there.
            StudioError: it is not affordable, a reference is gone, or the disk is full.
        """

    async def extend(
        self, experiment: str, plan: str, cells: Sequence[PlannedCell], references: Sequence[ImageRef], money: Money
    ) -> int:
        """Append cells to an experiment, replace its plan, and return the place of the first new one.

        Raises:
            StudioError: as `add`.
        """

    async def set_state(self, experiment: str, state: str, why: str | None = None) -> None:
        """Write the state of an experiment, and JSON of why it is paused."""

    async def retry(
        self, experiment: str, places: Sequence[int], references: Sequence[ImageRef], money: Money
    ) -> list[CellRow]:
        """Let cells begin that are without a picture; return those.

        Args:
            experiment: its id.
            places: of the cells; what is at work there, or made, stays as it is.
            references: what they begin with.
            money: checks what they cost.

        Raises:
            BadImage: a reference is gone.
            StudioError: they are not affordable.
        """

    async def delete(self, owner: str, experiment: str) -> bool:
        """Delete an owner's experiment without its results; return whether there was one."""

    async def latest(self, owner: str, limit: int) -> list[ExperimentRow]:
        """Return an owner's latest experiments, newest first."""

    async def find(self, owner: str, experiment: str) -> ExperimentRow | None:
        """Return an owner's experiment, None where they have none of that id."""

    async def find_call(self, owner: str, once: str) -> ExperimentRow | None:
        """Return an owner's experiment by the mark of its call, None where there is none."""

    async def unfinished(self) -> list[ExperimentRow]:
        """Return the experiments of all owners that are neither done nor cancelled, oldest first."""

    async def cells(self, experiment: str) -> list[CellRow]:
        """Return the cells of an experiment in the order in which they begin."""


class PictureStore(Protocol):
    """Pictures with what is known of them: whose they are, references before any job, copies for the screen."""

    async def keep(self, owner: str, data: bytes, mime: str) -> Path:
        """Store a picture of an owner's that is no job's yet, and return its file.

        Raises:
            DiskFull: the disk takes nothing.
        """

    async def keep_reference(self, owner: str, reference: Reference, parent: str | None) -> Reference:
        """Store a normalised reference for an owner, and return it without its bytes in memory.

        Args:
            owner: may see it.
            reference: with its bytes in memory.
            parent: digest of the result that it was made of, None where it was none.

        Raises:
            DiskFull: the disk takes nothing.
        """

    async def find_reference(self, owner: str, name: str) -> tuple[Reference, str | None] | None:
        """Return an owner's stored reference and the digest of the result that it was, None where there is none."""

    async def keep_display(self, name: str, width: int, data: bytes) -> Path:
        """Store a picture's copy at a display width, and return its file.

        Raises:
            BadImage: the picture was removed meanwhile; then no copy is stored.
            DiskFull: the disk takes nothing.
        """

    async def may_see(self, owner: str, name: str) -> bool:
        """Return whether an owner may see a stored picture."""

    async def picture_of(self, owner: str, digest: str) -> str | None:
        """Return the file's name of a picture that an owner may see, by its digest; None where there is none."""

    async def is_result(self, owner: str, digest: str) -> bool:
        """Return whether a picture was made for an owner."""


class UploadStore(Protocol):
    """What comes in before a job: tickets with their pictures, and files in the folder of uploads."""

    async def ticket(self, owner: str, upload_id: str) -> None:
        """Let an owner send a picture under an id.

        Raises:
            DiskFull: the disk takes nothing.
        """

    async def awaited(self, upload_id: str) -> bool:
        """Return whether a picture may still come under an id."""

    async def upload(self, upload_id: str, picture: Reference) -> bool:
        """Store the picture that came under an id, its bytes in memory; return whether that was still open.

        Raises:
            DiskFull: the disk takes nothing.
        """

    async def uploaded(self, upload_id: str) -> str | None:
        """Return the file's name of the picture that came under an id, None where nothing came."""

    async def add_file(self, owner: str, path: Path) -> bool:
        """Record an uploaded file, named relative to the folder of uploads; return whether it still exists.

        Raises:
            OSError, sqlite3.Error: the disk is full or not writable.
        """

    async def owns_file(self, owner: str, path: Path) -> bool:
        """Return whether an uploaded file, named relative to the folder of uploads, is an owner's."""

    async def make_room(self, size: int, quota: int) -> bool:
        """Make room for a file of `size` bytes; return whether the quota and the disk have it now."""


class BlobStore(Protocol):
    """Image files by their content: the same bytes are stored once."""

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
        """Remove files but those that are held, and the display copies of all; one that is gone already is no error."""


class Library(Protocol):
    """An owner's results: pictures, and what did not come; those in the trash are in no answer.

    Ids rise with the time, so lists by date go by them. A part of a list begins at a cursor, which is opaque.
    """

    async def page(
        self,
        owner: str,
        limit: int,
        cursor: str | None = None,
        wanted: Filter = EVERYTHING,
        sort: Sort = Sort.NEWEST,
    ) -> Page:
        """Return a part of a list of an owner's results.

        Args:
            owner: whose.
            limit: at most so many.
            cursor: where it begins, as an earlier part or a block of the same list said; None for its beginning.
            wanted: what the list has.
            sort: its order.

        Raises:
            ValueError: the cursor is of no list in this order.
        """

    async def index(
        self, owner: str, wanted: Filter = EVERYTHING, sort: Sort = Sort.NEWEST, zone: int = 0, first: int = 0
    ) -> Index:
        """Return a whole list of an owner's results, cut into blocks of at most 200, by date never across a day.

        Args:
            owner: whose.
            wanted: what the list has.
            sort: its order.
            zone: minutes east of UTC, of the place whose days they are.
            first: how many of its first results come with it.
        """

    async def revision(self, owner: str) -> int:
        """Return the number of the latest change of an owner's results; see `Changes`."""

    async def facets(self, owner: str, quota: int) -> Facets:
        """Return what an owner has, and by what it can be filtered.

        Args:
            owner: whose.
            quota: bytes that all owners' files may have.
        """

    async def find(self, owner: str, result_id: int) -> LibraryRow | None:
        """Return an owner's result, a picture or what did not come; None where they have none of that id."""

    async def of_job(self, owner: str, job_id: str) -> tuple[LibraryRow, ...]:
        """Return the results of an owner's job, in their places."""

    async def lineage(self, owner: str, result_id: int) -> Lineage | None:
        """Return where an owner's result comes from and what was made of it; None where they have none of that id.

        At most 50 parents and 100 children. A parent that was deleted ends the chain.
        """

    async def count(self, owner: str) -> int:
        """Return how many pictures an owner has."""

    async def changes(self, owner: str, seq: int | None, most: int = 100) -> Changes:
        """Return what happened to an owner's results after a change.

        Args:
            owner: whose.
            seq: the number of the last change that is known; None asks for the latest number alone.
            most: changes that are told one by one.
        """

    async def mark(self, owner: str, ids: Sequence[int], marks: Marks, quota: int) -> tuple[LibraryRow, ...]:
        """Change what an owner notes on pictures of theirs; return those that are there, in the order of their ids.

        Args:
            owner: whose.
            ids: of pictures; others are left out.
            marks: the change.
            quota: bytes that all owners' files may have: stars and projects protect within the owner's share of it.

        Raises:
            ShareFull: stars and projects protect all that they can, and these would protect more; nothing is changed.
            ProjectUnknown: the owner has no such project.
            TooManyTags: one of them would have more than `MOST_TAGS`.
        """

    async def projects(self, owner: str) -> tuple[ProjectRow, ...]:
        """Return an owner's projects by name."""

    async def add_project(self, owner: str, name: str) -> ProjectRow:
        """Make a project.

        Raises:
            NameTaken: the owner has one of that name.
            TooManyProjects: they have `MOST_PROJECTS`.
        """

    async def rename_project(self, owner: str, project: int, name: str) -> ProjectRow:
        """Rename a project.

        Raises:
            NameTaken: the owner has another of that name.
            ProjectUnknown: they have no such project.
        """

    async def delete_project(self, owner: str, project: int) -> bool:
        """Delete a project and leave its pictures without one; return whether there was one."""

    async def unmeasured(self, before: int, limit: int) -> list[int]:
        """Return the ids of pictures of all owners that are to be measured, newest first.

        Args:
            before: only those below this id.
            limit: at most so many.
        """

    async def to_measure(self, result_id: int) -> Unmeasured | None:
        """Return a picture that is to be measured; None where it was, or is no longer shown."""

    async def measured(self, figures: Mapping[int, Figures | None]) -> None:
        """Write once how pictures compare with their references, by their ids.

        Of one where that cannot be said, None is written, and it is not tried again. Figures are a change of the
        result, as a star is.
        """

    async def archived(
        self,
        owner: str,
        project: int | None,
        behind: int = 0,
        limit: int | None = None,
        ids: Sequence[int] | None = None,
    ) -> tuple[list[ArchivedJob], int | None]:
        """Return an owner's jobs for an archive, oldest first; damaged ones and runs that failed are left out.

        Args:
            owner: whose.
            project: only results in the project of this id; None returns all.
            behind: only results behind this id.
            limit: at most so many results.
            ids: only these results; None returns all.

        Returns:
            The jobs, and the id behind which more results are, None where there are none.
        """

    async def take_in(self, owner: str, archive: Archive, job: ArchivedJob, quota: int) -> int:
        """Store a job of an archive with its files; return how many of its results are new.

        Args:
            owner: whose it becomes.
            archive: has the files.
            job: of its manifest.
            quota: bytes that all owners' files may have.

        Raises:
            BadInput: a file is other than the manifest says.
            ShareFull: stars and projects would protect more than the owner's share.
            DiskFull: the disk takes nothing.
        """

    async def delete(self, owner: str, ids: Sequence[int]) -> tuple[tuple[int, ...], float]:
        """Put an owner's results into the trash; return the ids of those that were there, and until when they can be
        restored, in seconds since the epoch.

        Of a job without any other result the `JobStore` behind the same rows tells, by its `on_removed`.
        """

    async def restore(self, owner: str, ids: Sequence[int]) -> tuple[int, ...]:
        """Take an owner's results out of the trash again; return the ids of those that were there."""

    async def purge(self) -> None:
        """Remove for good what can be restored no more, with its files, and each job with its last picture."""
