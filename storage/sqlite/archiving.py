"""Jobs as an archive has them: read out of the database, and written into another."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from core.image_types import MIME_OF, SUFFIX
from core.job import Source
from core.job_state import JobState
from core.recipe import Recipe
from storage.archive import ArchivedFile, ArchivedImage, ArchivedJob
from storage.records import styles_of
from storage.rows import RUN, made_at
from storage.sqlite import noted
from storage.sqlite.inserts import Kept, cost_of_one, free_job_number, free_result_id, grant, insert, searched
from storage.sqlite.reader import OWNER, Reader

COLUMNS = """results.id, place, results.seed, results.model, width, height, damaged, missing, why, star, note,
    pictures.name as file, pictures.bytes as size, projects.name as project, jobs.id as job, jobs.backend, jobs.created,
    jobs.ended, source, jobs.cost, recipe, report, notices,
    (select json_group_array(tags.name) from result_tags join tags on number = tag where result = results.id) as tags"""
JOINS = """cross join jobs on jobs.number = results.job left join pictures on pictures.number = picture
    left join projects on projects.number = results.project"""


class ArchiveQueries(Reader):
    """What an archive is made of."""

    def archived_jobs(
        self,
        owner: str,
        project: int | None,
        behind: int = 0,
        limit: int | None = None,
        ids: Sequence[int] | None = None,
    ) -> tuple[list[ArchivedJob], int | None]:
        """Return an owner's jobs with their results; see `storage.protocols.Library.archived`."""
        where = f"results.owner = {OWNER} and results.id > ? and shown is not null and missing is not ?"
        values: list[object] = [owner, behind, RUN]
        if project is not None:
            where += " and results.project = ?"
            values.append(project)
        if ids is not None:
            where += " and results.id in (select value from json_each(?))"
            values.append(json.dumps(list(ids)))
        query = f"select {COLUMNS} from results {JOINS} where {where} order by results.id limit ?"  # noqa: S608 - our own words
        rows = self._rows(query, [*values, -1 if limit is None else limit])
        jobs = (_archived(list(each)) for _, each in groupby(rows, key=lambda row: row["job"]))
        more = rows[-1]["id"] if limit is not None and len(rows) == limit else None
        return [job for job in jobs if job is not None], more


def _archived(rows: list[dict[str, Any]]) -> ArchivedJob | None:
    """Return a job of its results' rows, None where it is damaged."""
    first = rows[0]
    try:
        recipe, report, notices = Recipe.model_validate_json(first["recipe"]), first["report"], first["notices"]
        return ArchivedJob(
            id=first["job"],
            backend=first["backend"],
            created=first["created"],
            ended=first["ended"],
            source=first["source"],
            cost=first["cost"],
            recipe=recipe,
            report=json.loads(report),
            notices=json.loads(notices),
            reference=_reference(recipe),
            images=tuple(map(_image, rows)),
        )
    except (ValueError, TypeError):
        return None


def _reference(recipe: Recipe) -> ArchivedFile | None:
    image = recipe.reference
    if image is None or image.mime not in SUFFIX:
        return None
    return ArchivedFile(name=f"references/{image.name}", digest=image.digest, mime=image.mime, size=image.size)


def _image(row: dict[str, Any]) -> ArchivedImage:
    names = ("place", "seed", "model", "width", "height", "damaged", "missing", "note", "project", "star")
    why = row["why"]
    return ArchivedImage(
        **{name: row[name] for name in names},
        made=made_at(row["id"]),
        file=None if row["file"] is None else _file(row),
        why=json.loads(why) if why is not None and why.startswith("{") else None,
        tags=tuple(sorted(json.loads(row["tags"]))),
    )


def _file(row: dict[str, Any]) -> ArchivedFile:
    digest, _, suffix = row["file"].partition(".")
    name = f"pictures/{row['id']}_{row['seed']}.{suffix}"
    return ArchivedFile(name=name, digest=digest, mime=MIME_OF[f".{suffix}"], size=row["size"])


def take_in(
    base: sqlite3.Connection, owner: int, job: ArchivedJob, files: Sequence[tuple[str, int]], quota: int, now: float
) -> int:
    """Write an archived job and those of its results that are not there; return how many these are.

    A job is known by its id, here and in the app that the archive is from: to take the same in again changes nothing,
    and gives back what was deleted.

    Args:
        base: in a transaction.
        owner: whose it becomes, by their number.
        job: as the archive has it.
        files: names and sizes of its files that are stored.
        quota: bytes that all owners' files may have.
        now: seconds since the epoch.

    Raises:
        ShareFull: stars and projects would protect more than the owner's share.
    """
    known = json.dumps([job.id, _own_id(owner, job.id)])
    query = "select number from jobs where owner = ? and id in (select value from json_each(?))"
    found = base.execute(query, (owner, known)).fetchone()
    number = _add_job(base, owner, job) if found is None else int(found[0])
    # No others: an archive gives nobody the right to what is here already.
    pictures = {name: grant(base, owner, number, Kept(name, size)) for name, size in files}
    added = 0
    for image in job.images:
        picture = None if image.file is None else pictures.get(image.file.stored)
        if image.file is None or picture is not None:
            added += _add_image(base, owner, number, job, image, picture, now)
    noted.protect(base, owner, {number}, quota)
    return added


def _own_id(owner: int, job: str) -> str:
    return hashlib.sha256(f"{owner}\n{job}".encode()).hexdigest()[:32]


def _add_job(base: sqlite3.Connection, owner: int, job: ArchivedJob) -> int:
    number = free_job_number(base, job.created)
    row = {
        "number": number,
        "id": _own_id(owner, job.id),
        "owner": owner,
        "backend": job.backend,
        "created": job.created,
        "ended": job.ended,
        "state": JobState.DONE.value,
        "own_key": 1,  # what it cost was paid elsewhere, and counts on no budget here
        "estimate": 0.0,
        "cost": job.cost,
        "remote": "[]",
        "notices": json.dumps(job.notices),
        "report": json.dumps(job.report),
        "recipe": job.recipe.model_dump_json(),
        "source": Source.IMPORT.value,
    }
    insert(base, "jobs", row)
    return number


def _add_image(
    base: sqlite3.Connection,
    owner: int,
    number: int,
    job: ArchivedJob,
    image: ArchivedImage,
    picture: int | None,
    now: float,
) -> bool:
    """Write a result, with its picture's number; return whether it was not there, or was in the trash."""
    there = base.execute("select id, shown from results where job = ? and place = ?", (number, image.place)).fetchone()
    if there is not None:
        base.execute(
            "update results set shown = picture is not null, deleted = null where id = ? and shown is null", (there[0],)
        )
        return there[1] is None
    recipe, id = job.recipe, free_result_id(base, image.made)
    row = {
        "id": id,
        "job": number,
        "place": image.place,
        "owner": owner,
        "seed": image.seed,
        "width": image.width,
        "height": image.height,
        "damaged": image.damaged,
        "missing": image.missing,
        "why": None if image.why is None else json.dumps(image.why),
        "parent": recipe.parent,
        **searched(recipe.prompt, styles_of(recipe), job.backend, image.model),
        "cost": cost_of_one(job.cost, len(recipe.seeds)),
        "shown": int(picture is not None),
        "picture": picture,
        "star": image.star,
        "note": image.note,
        "project": None if image.project is None else _project(base, owner, image.project, now),
    }
    insert(base, "results", row)
    noted.add_tags(base, owner, [id], image.tags)
    noted.index(base, [id])
    return True


def _project(base: sqlite3.Connection, owner: int, name: str, now: float) -> int:
    """Return the number of an owner's project, which is new where they have none of that name."""
    found = base.execute("select number from projects where owner = ? and name = ?", (owner, name)).fetchone()
    return int(found[0]) if found else noted.add_project(base, owner, name, now).id
