"""Results as a library: an owner's pictures by time, by cost, by what they noted on them, by words."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from core.recipe import ImageRef
from storage.rows import (
    EVERYTHING,
    Changes,
    Facets,
    Figures,
    Filter,
    Index,
    LibraryRow,
    Lineage,
    Page,
    ProjectRow,
    Sort,
    Unmeasured,
)
from storage.sqlite.listing import Sql, blocks_by_day, blocks_by_figure, cursor_behind, listing
from storage.sqlite.reader import OWNER, Reader
from storage.sqlite.room import free, goes_first, oldest_removable, share

COLUMNS = """results.id, jobs.id as job, place, results.seed, results.model, pictures.name as file, width, height,
    pictures.bytes, star, note, project, results.parent, results.backend, source, recipe, report, error,
    nullif(results.cost, -1) as cost, missing, why, iif(json_valid(recipe), recipe ->> '$.prompt', null) as prompt,
    nullif(structure, -2) as structure, colour_shift, nullif(sharpness, -1) as sharpness, metrics,
    (select json_group_array(tags.name) from result_tags join tags on number = tag where result = results.id) as tags"""
JOINS = "cross join jobs on jobs.number = results.job left join pictures on pictures.number = picture"
"""Cross joins keep the order: the list's own index first, then a look at each of the few rows that it gives."""
PARENTS, CHILDREN = 50, 100
"""Results of a lineage, at most."""


class LibraryQueries(Reader):
    """What of the results can be read. Those in the trash are in no answer."""

    def result_page(
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
            cursor: where it begins, as an earlier part or a block said; None for the beginning of the list.
            wanted: what the list has.
            sort: its order.

        Raises:
            ValueError: the cursor is of no list in this order.
        """
        number = self._number(owner)
        ids = listing(number or 0, wanted, sort, cursor)
        if number is None:
            return Page((), None)
        with self._snapshot():
            found = self._base.execute(f"{ids.text} limit ?", (*ids.values, limit + 1)).fetchall()
            rows = self._in_order([row[0] for row in found[:limit]])
        return Page(rows, cursor_behind(found[limit - 1]) if len(found) > limit else None)

    def result_index(
        self, owner: str, wanted: Filter = EVERYTHING, sort: Sort = Sort.NEWEST, zone: int = 0, first: int = 0
    ) -> Index:
        """Return a whole list of an owner's results, cut into blocks, with so many of its first results.

        Args:
            owner: whose.
            wanted: what the list has.
            sort: its order.
            zone: minutes east of UTC, of the place whose days they are.
            first: how many of its first results come with it.
        """
        with self._snapshot():
            number = self._number(owner)
            if number is None:
                return Index()
            asked = listing(number, wanted, sort, None)
            figures = [] if sort.by_date else self._base.execute(*asked).fetchall()
            ids = self._ids(asked, sort) if sort.by_date else [row[0] for row in figures]
            rows = self._in_order(ids[:first])
            revision = self.revision(owner)
        blocks = blocks_by_day(ids, sort, zone) if sort.by_date else blocks_by_figure(figures)
        return Index(tuple(blocks), rows, revision)

    def _ids(self, asked: Sql, sort: Sort) -> list[int]:
        """Return the ids of a list by date.

        As JSON all come in one step, during which other threads go on: row by row, 100,000 hold them up.
        """
        query = f"with listed (id) as ({asked.text}) select json_group_array(id) from listed"  # noqa: S608 - our own words
        (ids,) = self._base.execute(query, asked.values).fetchone()
        return sorted(json.loads(ids), reverse=sort is Sort.NEWEST)  # SQLite promises no order within an aggregate

    def revision(self, owner: str) -> int:
        """Return the number of the latest change of an owner's results, 0 where none is remembered."""
        query = f"select coalesce(max(seq), 0) from changes where owner = {OWNER}"  # noqa: S608 - our own words
        return int(self._base.execute(query, (owner,)).fetchone()[0])

    def find_result(self, owner: str, result_id: int) -> LibraryRow | None:
        """Return an owner's result, a picture or what did not come; None where they have none of that id."""
        return next(iter(self.find_results(owner, [result_id])), None)

    def find_results(self, owner: str, ids: Sequence[int]) -> tuple[LibraryRow, ...]:
        """Return those of an owner's results that have these ids, in their order."""
        query = f"""select id from results
            where id in (select value from json_each(?)) and owner = {OWNER} and shown is not null"""  # noqa: S608 - our own words
        there = {id for (id,) in self._base.execute(query, (json.dumps(list(ids)), owner))}
        return self._in_order([each for each in dict.fromkeys(ids) if each in there])

    def results_of_job(self, owner: str, job_id: str) -> tuple[LibraryRow, ...]:
        """Return the results of an owner's job, in their places."""
        which = f"jobs.id = ? and results.owner = {OWNER} and shown is not null order by place"
        query = f"select results.id from jobs join results on job = number where {which}"  # noqa: S608 - our own words
        return self._in_order([id for (id,) in self._base.execute(query, (job_id, owner))])

    def count_results(self, owner: str) -> int:
        """Return how many pictures an owner has."""
        found = self._base.execute("select pictures from owners where name = ?", (owner,)).fetchone()
        return int(found[0]) if found else 0

    def facets(self, owner: str, quota: int) -> Facets:
        """Return what an owner has, and by what it can be filtered.

        Args:
            owner: whose.
            quota: bytes that all owners' files may have.
        """
        with self._snapshot():
            found = self._base.execute(
                "select number, pictures, bytes, protected from owners where name = ?", (owner,)
            ).fetchone()
            part = share(self._base, quota)
            full = self._base.execute("select stored from totals").fetchone()[0] / quota
            left = free(self._base, quota)
            if found is None:
                return Facets(share=part, full=full, free=left)
            number, total, size, protected = found
            (starred,) = self._base.execute(
                "select count(*) from results indexed by results_starred where owner = ? and shown = 1 and star = 1",
                (number,),
            ).fetchone()
            kinds = self._base.execute(
                """select backend, model, styles, count(*) from results indexed by results_counted
                    where owner = ? and shown = 1 group by backend, model, styles""",
                (number,),
            ).fetchall()
            tags = self._base.execute(
                """select name, count(*) as pictures from tags join result_tags on tag = number
                    where owner = ? and result not in (select id from results where deleted is not null)
                    group by number order by pictures desc, name""",
                (number,),
            ).fetchall()
            (filed,) = self._base.execute(
                """select count(*) from results indexed by results_of_project
                    where owner = ? and project is not null and shown = 1 and star = 0""",
                (number,),
            ).fetchone()
            first, oldest = goes_first(self._base, number), oldest_removable(self._base, number)
            projects = self.projects(owner)
        counted = tuple(Counter[str]() for _ in range(3))
        for backend, model, styles, count in kinds:
            for counter, names in zip(counted, ([backend], [model], json.loads(styles)), strict=True):
                counter.update(dict.fromkeys(names, count))
        backends, models, by_style = (dict(each.most_common()) for each in counted)
        return Facets(
            total=total,
            starred=starred,
            bytes=size,
            protected=protected,
            share=part,
            full=full,
            free=left,
            removable=size - protected,
            removable_pictures=total - starred - filed,
            goes_first=first,
            oldest=oldest,
            backends=backends,
            styles=by_style,
            models=models,
            tags=dict(tags),
            projects=projects,
        )

    def has_trash(self, before: float) -> bool:
        """Return whether something is in the trash that was put there before then."""
        return self._exists("select 1 from results where deleted < ? limit 1", before)

    def projects(self, owner: str) -> tuple[ProjectRow, ...]:
        """Return an owner's projects by name."""
        rows = self._base.execute(
            f"""select number, name, created, (select count(*) from results indexed by results_of_project
                    where results.owner = projects.owner and project = number and shown = 1)
                from projects where owner = {OWNER} order by name""",  # noqa: S608 - our own words
            (owner,),
        )
        return tuple(ProjectRow(*row) for row in rows)

    def lineage(self, owner: str, result_id: int) -> Lineage | None:
        """Return where an owner's result comes from and what was made of it; None where they have none of that id.

        A parent was made before its child: of pictures that are the same, the latest before it.
        """
        with self._snapshot():
            row = self.find_result(owner, result_id)
            if row is None:
                return None
            parents = list[LibraryRow]()
            while len(parents) < PARENTS and (parent := self._parent(owner, parents[-1] if parents else row)):
                parents.append(parent)
            children = self._base.execute(
                f"""select id from results where owner = {OWNER} and parent = ? and id > ? and shown = 1
                    order by id desc limit ?""",  # noqa: S608 - our own words
                (owner, row.digest, row.id, CHILDREN),
            )
            below = self._in_order([id for (id,) in children])
        return Lineage(row, tuple(parents), parents[-1] if parents else row, below)

    def _parent(self, owner: str, row: LibraryRow) -> LibraryRow | None:
        if row.parent is None:
            return None
        found = self._base.execute(
            f"""select results.id from pictures join results on picture = number
                where name > ? and name < ? and owner = {OWNER} and results.id < ? and shown = 1
                order by results.id desc limit 1""",  # noqa: S608 - our own words
            (f"{row.parent}.", f"{row.parent}/", owner, row.id),
        ).fetchone()
        return None if found is None else self.find_result(owner, found[0])

    def unmeasured(self, before: int, limit: int) -> list[int]:
        """Return the ids of pictures of all owners that are to be measured, newest first.

        Args:
            before: only those below this id.
            limit: at most so many.
        """
        found = self._base.execute(
            """select id from results indexed by results_unmeasured
                where measured = 0 and shown = 1 and id < ? order by id desc limit ?""",
            (before, limit),
        )
        return [id for (id,) in found]

    def to_measure(self, result_id: int) -> Unmeasured | None:
        """Return a picture that is to be measured; None where it was, or is no longer shown."""
        found = self._base.execute(
            """select owners.name, pictures.name, iif(json_valid(recipe), recipe -> '$.reference', null)
                from results join owners on owners.number = results.owner join jobs on jobs.number = results.job
                join pictures on pictures.number = picture where results.id = ? and measured = 0 and shown = 1""",
            (result_id,),
        ).fetchone()
        return None if found is None else Unmeasured(result_id, found[0], found[1], _reference_name(found[2]))

    def changes(self, owner: str, seq: int | None, most: int) -> Changes:
        """Return what happened to an owner's results after a change.

        Args:
            owner: whose.
            seq: the number of the last change that is known; None asks for the latest number alone.
            most: changes that are told one by one.
        """
        with self._snapshot():
            (latest,) = self._base.execute("select coalesce(max(seq), 0) from changes").fetchone()
            revision = self.revision(owner)
            if seq is None or seq == latest:
                return Changes(latest, revision)
            (oldest,) = self._base.execute("select coalesce(min(seq), 1) from changes").fetchone()
            if not oldest - 1 <= seq <= latest:
                return Changes(latest, revision, stale=True)
            which = f"owner = {OWNER} and seq > ? limit ?"
            found = self._rows(f"select distinct result from changes where {which}", (owner, seq, most + 1))  # noqa: S608 - our own words
            ids = [row["result"] for row in found]
            if len(ids) > most:
                return Changes(latest, revision, stale=True)
            rows = self.find_results(owner, sorted(ids, reverse=True))
        there = {row.id for row in rows}
        return Changes(latest, revision, rows, tuple(each for each in ids if each not in there))

    def _number(self, owner: str) -> int | None:
        found = self._base.execute("select number from owners where name = ?", (owner,)).fetchone()
        return found[0] if found else None

    def _in_order(self, ids: Iterable[int]) -> tuple[LibraryRow, ...]:
        """Return the rows of these ids in their order."""
        which = "results.id in (select value from json_each(?))"
        query = f"select {COLUMNS} from results {JOINS} where {which}"  # noqa: S608 - our own words
        wanted = list(ids)
        found = {row["id"]: _library_row(row) for row in self._rows(query, (json.dumps(wanted),))}
        return tuple(found[each] for each in wanted)


def _library_row(row: dict[str, Any]) -> LibraryRow:
    tags = tuple(sorted(json.loads(row["tags"])))
    figures = [row.pop(name) for name in ("structure", "colour_shift", "sharpness", "metrics")]
    meters = None if figures[0] is None else Figures(*figures)
    return LibraryRow(**row | {"star": bool(row["star"]), "prompt": row["prompt"] or "", "tags": tags}, meters=meters)


def _reference_name(text: str | None) -> str | None:
    """Return the name of the file of a reference by the JSON of a recipe, None where there is none."""
    try:
        return ImageRef.model_validate_json(text or "").name
    except (ValueError, LookupError):
        return None
