"""Results as a library: an owner's pictures by time, by star, by the words of their prompts."""

from __future__ import annotations

from typing import Any

from core.image_types import MIME_OF
from storage.rows import LibraryRow
from storage.sqlite import search_text
from storage.sqlite.reader import NEWEST, OWNER, Reader

COLUMNS = """results.id, jobs.id as job, place, results.created, results.seed, model, pictures.name as file, width,
    height, pictures.bytes, star, parent, iif(json_valid(recipe), recipe ->> '$.prompt', null) as prompt"""
JOINS = "cross join pictures on pictures.number = picture cross join jobs on jobs.number = results.job"
"""Cross joins keep the order: the list's own index first, then a look at each of the few rows that it gives."""


class LibraryQueries(Reader):
    """What of the results can be read. Lists are newest first; an image that is missing is in none."""

    def result_page(
        self, owner: str, limit: int, before_id: int | None = None, *, starred: bool = False
    ) -> list[LibraryRow]:
        """Return an owner's latest results.

        Args:
            owner: whose.
            limit: at most so many.
            before_id: only those behind the result of this id; None begins at the newest.
            starred: only those with a star.
        """
        which = (
            f"results.owner = {OWNER} and picture is not null and results.id < ?{' and star = 1' if starred else ''}"
        )
        return self._library(
            f"select {COLUMNS} from results {JOINS} where {which} order by results.id desc limit ?",  # noqa: S608 - our own words
            (owner, NEWEST if before_id is None else before_id, limit),
        )

    def search_results(self, owner: str, text: str, limit: int, before_id: int | None = None) -> list[LibraryRow]:
        """Return an owner's latest results whose prompts have every word of a text; the last may be unfinished.

        Args:
            owner: whose.
            text: words between spaces, none of it syntax; without any word, every result is found.
            limit: at most so many.
            before_id: only those behind the result of this id; None begins at the newest.
        """
        found = self._base.execute("select number from owners where name = ?", (owner,)).fetchone()
        query = search_text.query(found[0], text) if found else None
        if query is None:
            return self.result_page(owner, limit, before_id)
        return self._library(
            f"""select {COLUMNS} from prompts cross join results on results.id = prompts.rowid {JOINS}
                where prompts match ? and prompts.rowid < ? order by prompts.rowid desc limit ?""",  # noqa: S608 - our own words
            (query, NEWEST if before_id is None else before_id, limit),
        )

    def find_result(self, owner: str, result_id: int) -> LibraryRow | None:
        """Return an owner's result, None where they have none of that id, or its image is missing."""
        which = f"results.id = ? and results.owner = {OWNER}"
        rows = self._library(f"select {COLUMNS} from results {JOINS} where {which}", (result_id, owner))  # noqa: S608 - our own words
        return next(iter(rows), None)

    def _library(self, query: str, values: tuple[object, ...]) -> list[LibraryRow]:
        return [_library_row(row) for row in self._rows(query, values)]


def _library_row(row: dict[str, Any]) -> LibraryRow:
    digest, _, suffix = row.pop("file").partition(".")
    facts = {"digest": digest, "mime": MIME_OF[f".{suffix}"], "star": bool(row["star"]), "prompt": row["prompt"] or ""}
    return LibraryRow(**row | facts)
