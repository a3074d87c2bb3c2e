"""What is read from the database. Nothing here writes, so any number of connections may do it at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.image_types import MIME_OF
from storage.rows import Record, ReferenceRow, ResultRow
from storage.sqlite import experiments, room
from storage.sqlite.archiving import ArchiveQueries
from storage.sqlite.experiments import ExperimentQueries
from storage.sqlite.library import LibraryQueries
from storage.sqlite.reader import NEWEST, OWNER, number_at

JOB = ", ".join(
    "owners.name as owner" if name == "owner" else f"jobs.{name}"
    for name in Record.__dataclass_fields__
    if name != "results"
)
RESULT = """results.id as id, job, place, seed, pictures.name as file, width, height, pictures.bytes as bytes,
    damaged, missing, why"""


class Queries(LibraryQueries, ArchiveQueries, ExperimentQueries):
    """All that can be read: jobs and who may see which picture, the library, and experiments."""

    # ---- jobs ----------------------------------------------------------------------------------------

    def unfinished(self) -> list[Record]:
        """Return the jobs that go on, oldest first."""
        return self._records("where ended is null order by jobs.number", ())

    def recent(self, owner: str, limit: int, before: int | None = None, since: float = 0.0) -> list[Record]:
        """Return an owner's latest jobs, newest first.

        Args:
            owner: whose.
            limit: at most so many.
            before: only those behind this place of the list, as `place` returns it; None begins at the newest.
            since: seconds since the epoch; older jobs are left out.
        """
        which = (
            f"where jobs.owner = {OWNER} and jobs.hidden = 0 and created >= ? and jobs.number >= ? and jobs.number < ?"
        )
        values = (owner, since, number_at(since), NEWEST if before is None else before, limit)
        return self._records(f"{which} order by jobs.number desc limit ?", values)

    def place(self, owner: str, skip: int, since: float = 0.0) -> int | None:
        """Return the place in `recent` behind an owner's `skip` latest jobs, None where there are fewer.

        It walks over `skip` entries of an index, and reads no job.
        """
        which = f"where owner = {OWNER} and hidden = 0 and number >= ? order by number desc limit 1 offset ?"
        found = self._base.execute(f"select number from jobs {which}", (owner, number_at(since), skip - 1)).fetchone()  # noqa: S608 - our own words
        return found[0] if found else None

    def find(self, owner: str, job_id: str) -> Record | None:
        """Return an owner's job, None where they have none of that id."""
        return next(
            iter(self._records(f"where id = ? and jobs.owner = {OWNER} and jobs.hidden = 0", (job_id, owner))), None
        )

    def find_call(self, owner: str, once: str) -> Record | None:
        """Return an owner's job by the mark of its call, None where there is none."""
        return next(iter(self._records(f"where jobs.owner = {OWNER} and once = ?", (owner, once))), None)

    def unreported(self) -> list[Record]:
        """Return the ended jobs whose end somebody is still to be told."""
        return self._records("where hook is not null and ended is not null order by ended", ())

    def _records(self, which: str, values: tuple[object, ...]) -> list[Record]:
        query = f"select jobs.number, {JOB} from jobs join owners on owners.number = jobs.owner {which}"  # noqa: S608 - our own words
        with self._snapshot():
            jobs = self._rows(query, values)
            results = self._results([row["number"] for row in jobs if row["report"] is not None])
        found = []
        for row in jobs:
            images = tuple(results.get(row.pop("number"), ()))
            found.append(Record(**row | {"own_key": bool(row["own_key"])}, results=images))
        return found

    def _results(self, jobs: Sequence[int]) -> dict[int, list[ResultRow]]:
        """Return the rows of all these jobs' images by the job's number, in one query."""
        found: dict[int, list[ResultRow]] = {}
        which = "where job in (select value from json_each(?)) and shown is not null order by job, place"
        query = f"select {RESULT} from results left join pictures on pictures.number = picture {which}"  # noqa: S608 - our own words
        for row in self._rows(query, (str(list(jobs)),)) if jobs else ():
            found.setdefault(row.pop("job"), []).append(result_row(row))
        return found

    def spent(self, since: float) -> float:
        """Return the US dollars that jobs with the app owner's keys cost since then; where not known, the estimate.

        Jobs that were deleted count for two days, and what experiments have yet to begin counts already.
        """
        (dollars,) = self._base.execute(
            """select coalesce(sum(dollars), 0.0) from (
                select coalesce(cost, estimate) as dollars from jobs
                    where not own_key and number >= :number and created >= :since
                union all select dollars from spending where not own_key and created >= :since
            )""",
            {"number": number_at(since), "since": since},
        ).fetchone()
        return float(dollars) + experiments.reserved(self._base)

    def spending(self, owner: str, since: float) -> dict[str, float]:
        """Return the US dollars that an owner's jobs cost since then, by backend; where not known, the estimate.

        Whoever's keys they ran on. Jobs that were deleted count for two days, those that came with an archive never.
        """
        rows = self._base.execute(
            """select backend, sum(dollars) from (
                select backend, coalesce(cost, estimate) as dollars from jobs
                    where owner = (select number from owners where name = :owner) and source <> 'import'
                        and number >= :number and created >= :since
                union all select backend, dollars from spending
                    where owner = (select number from owners where name = :owner) and created >= :since
            ) where dollars > 0 group by backend order by backend""",
            {"owner": owner, "number": number_at(since), "since": since},
        )
        return {backend: float(dollars) for backend, dollars in rows}

    # ---- uploads, and who may see which picture --------------------------------------------------------

    def awaited(self, upload_id: str) -> bool:
        """Return whether a picture may still come under an id."""
        return self._exists("select 1 from uploads where id = ? and name is null", upload_id)

    def uploaded(self, upload_id: str) -> str | None:
        """Return the file's name of an upload, None where nothing came."""
        found = self._base.execute("select name from uploads where id = ?", (upload_id,)).fetchone()
        return found[0] if found else None

    def owns_file(self, owner: str, path: str) -> bool:
        """Return whether an uploaded file is an owner's."""
        return self._exists(f"select 1 from files where path = ? and owner = {OWNER}", path, owner)  # noqa: S608 - our own words

    def reference(self, owner: str, name: str) -> ReferenceRow | None:
        """Return what is known of a reference that an owner may see, None where there is none."""
        rows = self._rows(
            f"""select name, width, height, bytes, notices, address, parent, profile, dpi
                from pictures join refs on picture = number where name = ? and owner = {OWNER}""",  # noqa: S608 - our own words
            (name, owner),
        )
        return ReferenceRow(**rows[0]) if rows else None

    def may_see(self, owner: str, name: str) -> bool:
        """Return whether an owner may see a picture."""
        which = f"where name = ? and owner = {OWNER} and hidden = 0"
        return self._exists(f"select 1 from pictures join grants on picture = number {which}", name, owner)  # noqa: S608 - our own words

    def is_result(self, owner: str, digest: str) -> bool:
        """Return whether a picture was made for an owner."""
        which = f"where name > ? and name < ? and owner = {OWNER} and shown = 1"
        names = f"{digest}.", f"{digest}/"  # the sign after the dot
        return self._exists(f"select 1 from pictures join results on picture = number {which}", *names, owner)  # noqa: S608 - our own words

    def picture_of(self, owner: str, digest: str) -> str | None:
        """Return the file's name of a picture that an owner may see, by its digest; None where there is none."""
        which = f"where name > ? and name < ? and owner = {OWNER} and hidden = 0"
        names = f"{digest}.", f"{digest}/"
        query = f"select name from pictures join grants on picture = number {which}"  # noqa: S608 - our own words
        found = self._base.execute(query, (*names, owner)).fetchone()
        return found[0] if found else None

    def known(self, name: str) -> bool:
        """Return whether anybody may see a picture."""
        return self._exists("select 1 from pictures where name = ?", name)

    def is_old_owner(self, owner: str) -> bool:
        """Return whether an owner is one whose cookie was never signed."""
        return self._exists("select 1 from old_owners where digest = ?", owner)

    # ---- room ------------------------------------------------------------------------------------------

    def has_room(self, quota: int, reference: int) -> bool:
        """Return whether the quota has room for a run, or something may be removed for it; see `room.has_room`."""
        return room.has_room(self._base, quota, reference)

    def size(self) -> int:
        """Return the bytes of all pictures, their display copies, and uploaded files."""
        return int(self._base.execute("select stored from totals").fetchone()[0])


def result_row(row: dict[str, Any]) -> ResultRow:
    """Return a result's row from the columns of `RESULT`."""
    file = row.pop("file")
    digest, _, suffix = (file or "").partition(".")
    mime = MIME_OF[f".{suffix}"] if file else None
    return ResultRow(**row | {"damaged": bool(row["damaged"])}, digest=digest or None, mime=mime)
