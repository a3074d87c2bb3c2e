"""The routes of the library: lists of results, what their owner notes on them, the trash, projects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import FastAPI, Query
from fastapi import Path as PathParam
from starlette.responses import JSONResponse

from api.answers import refusals
from api.statuses import Refused
from api.studio.asker import PREFIX, Asker, ResultId
from api.studio.schemas import (
    LARGEST,
    Changed,
    Deleted,
    Ids,
    Index,
    LibraryView,
    LineageView,
    Named,
    Noted,
    Problem,
    ProjectDeleted,
    Projects,
    ProjectView,
    Restored,
    Results,
    WantedIndex,
    WantedPage,
)
from api.studio.views import messages, row_view, rows_view
from core.errors import BadParameter
from engine.meters import drift_of
from engine.services import Services
from storage.protocols import (
    MOST_PROJECTS,
    MOST_TAGS,
    NameTaken,
    ProjectUnknown,
    ShareFull,
    TooManyProjects,
    TooManyTags,
)

ProjectId = Annotated[int, PathParam(ge=1, le=LARGEST)]


def add_library(app: FastAPI, services: Services) -> None:
    """Add the routes of the library to the page's own API.

    Args:
        app: answers under its prefix.
        services: have the library, and wake who watches it.
    """
    library, feed, quota = services.library, services.engine.feed, services.quotas.caps.quota
    problems: dict[str, Any] = {"responses": refusals(Problem)}

    @app.get(f"{PREFIX}/results", response_model=Results, **problems)
    async def results(visitor: Asker, wanted: Annotated[WantedPage, Query()]) -> JSONResponse:
        """Return a part of a list of results."""
        try:
            page = await library.page(visitor.owner, wanted.limit, wanted.cursor, wanted.filter, wanted.sort)
        except ValueError as error:
            raise BadParameter("fault-cursor", field="cursor") from error
        total = await library.count(visitor.owner)
        return JSONResponse({"results": rows_view(page.rows), "next": page.next, "total": total})

    @app.get(f"{PREFIX}/results/index", response_model=Index, **problems)
    async def index(visitor: Asker, wanted: Annotated[WantedIndex, Query()]) -> JSONResponse:
        """Return a whole list of results as blocks with their cursors, and its first results of the same moment."""
        found = await library.index(visitor.owner, wanted.filter, wanted.sort, wanted.zone, wanted.first)
        return JSONResponse(
            {
                "total": sum(each.count for each in found.blocks),
                "blocks": [asdict(each) for each in found.blocks],
                "results": rows_view(found.first),
                "revision": found.revision,
            }
        )

    @app.get(f"{PREFIX}/library", response_model=LibraryView, **problems)
    async def view(visitor: Asker) -> JSONResponse:
        """Return what there is, and by what it can be filtered."""
        facets = await library.facets(visitor.owner, quota)
        return JSONResponse(
            {
                "total": facets.total,
                "starred": facets.starred,
                "bytes": facets.bytes,
                "protected_bytes": facets.protected,
                "share_bytes": facets.share,
                "full": round(facets.full, 2),
                "quota_bytes": quota,
                "free_bytes": facets.free,
                "removable_bytes": facets.removable,
                "removable_pictures": facets.removable_pictures,
                "goes_first": facets.goes_first,
                "oldest": facets.oldest,
                "backends": _counted(facets.backends, "key"),
                "styles": _counted(facets.styles, "id"),
                "models": _counted(facets.models, "id"),
                "tags": _counted(facets.tags, "name"),
                "projects": [asdict(each) for each in facets.projects],
            }
        )

    @app.patch(f"{PREFIX}/results", response_model=Changed, **problems)
    async def note(body: Noted, visitor: Asker) -> JSONResponse:
        """Star pictures, tag them, put them into a project, write a note; what is no picture here is left out."""
        if body.note is not None and len(set(body.ids)) > 1:
            raise BadParameter("fault-note-of-one", field="note")
        with refused():
            rows = await library.mark(visitor.owner, body.ids, body.marks, quota)
        feed.wake(visitor.owner)
        return JSONResponse({"results": rows_view(rows), "revision": await library.revision(visitor.owner)})

    @app.delete(f"{PREFIX}/results", response_model=Deleted, **problems)
    async def delete(body: Ids, visitor: Asker) -> JSONResponse:
        """Delete results; for a minute they can be restored. Those that are not there are left out of the answer."""
        gone, until = await library.delete(visitor.owner, body.ids)
        feed.wake(visitor.owner)
        revision = await library.revision(visitor.owner)
        return JSONResponse({"deleted": gone, "until": until, "revision": revision})

    @app.post(f"{PREFIX}/results/restore", response_model=Restored, **problems)
    async def restore(body: Ids, visitor: Asker) -> JSONResponse:
        """Restore results that were deleted in the last minute."""
        restored = await library.restore(visitor.owner, body.ids)
        feed.wake(visitor.owner)
        return JSONResponse({"restored": restored, "revision": await library.revision(visitor.owner)})

    @app.get(f"{PREFIX}/results/{{result_id}}/lineage", response_model=LineageView, **problems)
    async def lineage(result_id: ResultId, visitor: Asker) -> JSONResponse:
        """Return where a result comes from, and what was made of it."""
        found = await library.lineage(visitor.owner, result_id)
        if found is None:
            raise Refused("result-unknown", status=404)
        first = row_view(found.first)
        photo = None if first is None else first["recipe"]["reference"]
        return JSONResponse(
            {
                "parents": rows_view(found.parents),
                "photo": photo,
                "children": rows_view(found.children),
                "drift": messages(drift_of(found)),
            }
        )

    # ---- projects ------------------------------------------------------------------------------------

    @app.get(f"{PREFIX}/projects", response_model=Projects, **problems)
    async def projects(visitor: Asker) -> JSONResponse:
        """Return all projects."""
        return JSONResponse({"projects": [asdict(each) for each in await library.projects(visitor.owner)]})

    @app.post(f"{PREFIX}/projects", response_model=ProjectView, status_code=201, **problems)
    async def add_project(body: Named, visitor: Asker) -> JSONResponse:
        """Make a project."""
        with refused():
            return JSONResponse(asdict(await library.add_project(visitor.owner, body.name)), 201)

    @app.patch(f"{PREFIX}/projects/{{project_id}}", response_model=ProjectView, **problems)
    async def rename_project(project_id: ProjectId, body: Named, visitor: Asker) -> JSONResponse:
        """Rename a project."""
        with refused():
            return JSONResponse(asdict(await library.rename_project(visitor.owner, project_id, body.name)))

    @app.delete(f"{PREFIX}/projects/{{project_id}}", response_model=ProjectDeleted, **problems)
    async def delete_project(project_id: ProjectId, visitor: Asker) -> JSONResponse:
        """Delete a project; its pictures stay, without one."""
        if not await library.delete_project(visitor.owner, project_id):
            raise Refused("project-unknown", status=404)
        feed.wake(visitor.owner)
        return JSONResponse({"deleted": True})


def _counted(counts: Mapping[str, int], name: str) -> list[dict[str, Any]]:
    return [{name: each, "count": count} for each, count in counts.items()]


@contextmanager
def refused() -> Iterator[None]:
    """Turn what the library refuses into what a caller reads."""
    try:
        yield
    except ShareFull as error:
        megabytes = error.share / 1e6
        raise Refused("library-share-full", status=409, share=megabytes) from error
    except ProjectUnknown as error:
        raise Refused("project-unknown", status=404, field="project") from error
    except NameTaken as error:
        raise Refused("project-name-taken", status=409, field="name") from error
    except TooManyProjects as error:
        raise Refused("projects-too-many", status=409, limit=MOST_PROJECTS) from error
    except TooManyTags as error:
        raise BadParameter("tags-too-many", field="add_tags", limit=MOST_TAGS) from error
