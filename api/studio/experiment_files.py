"""The routes of experiments as files: contact sheet, archive, table."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import FastAPI, Query
from starlette.responses import Response, StreamingResponse

from api.answers import refusals
from api.statuses import Refused
from api.studio.asker import PREFIX, Asker, ExperimentId
from api.studio.exports import disposition
from api.studio.schemas import Problem
from core.job import Visitor
from engine.experiment_files import ExperimentFiles
from engine.services import Services
from storage.rows import CellRow, ExperimentRow

MIME = {"png": "image/png", "pdf": "application/pdf"}
FRESH = {"Cache-Control": "no-store"}


def add_experiment_files(app: FastAPI, services: Services) -> None:
    """Add the routes to the page's own API.

    Args:
        app: answers under its prefix.
        services: have the experiments and what they made.
    """
    experiments = services.experiments
    files = ExperimentFiles(services.library, services.images, services.engine.specs)
    problems: dict[str, Any] = {"responses": refusals(Problem)}

    @app.get(f"{PREFIX}/experiments/{{experiment_id}}/sheet", response_class=Response, **problems)
    async def sheet(
        experiment_id: ExperimentId,
        visitor: Asker,
        file_format: Annotated[Literal["png", "pdf"], Query(alias="format")] = "png",
    ) -> Response:
        """Return a labelled contact sheet: the first axis across, the second down, the third by pages."""
        row, cells = await found(visitor, experiment_id)
        made = await files.sheet(row, cells, file_format)
        return Response(made, headers=FRESH | disposition(f"experiment.{file_format}"), media_type=MIME[file_format])

    @app.get(f"{PREFIX}/experiments/{{experiment_id}}/archive", response_class=StreamingResponse, **problems)
    async def archive(experiment_id: ExperimentId, visitor: Asker) -> StreamingResponse:
        """Return the pictures as a zip, named by their axes, with the table, a contact sheet and notes on licences."""
        row, cells = await found(visitor, experiment_id)
        parts = await files.archive(row, cells)
        headers = FRESH | disposition("experiment.zip")
        return StreamingResponse(parts, media_type="application/zip", headers=headers)

    @app.get(f"{PREFIX}/experiments/{{experiment_id}}/table", response_class=Response, **problems)
    async def table(experiment_id: ExperimentId, visitor: Asker) -> Response:
        """Return a table of all cells as CSV."""
        row, cells = await found(visitor, experiment_id)
        text = await files.table(row, cells)
        return Response(text, headers=FRESH | disposition("experiment.csv"), media_type="text/csv; charset=utf-8")

    async def found(visitor: Visitor, experiment_id: str) -> tuple[ExperimentRow, list[CellRow]]:
        row = await experiments.find(visitor.owner, experiment_id)
        if row is None:
            raise Refused("experiment-unknown", status=404)
        return row, await experiments.cells(row)
