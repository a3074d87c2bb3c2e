"""The routes of experiments: many runs with one plan."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from operator import attrgetter
from typing import Annotated, Any

from fastapi import FastAPI, Header, Query
from starlette.responses import JSONResponse

from api.answers import refusals
from api.idempotency import Idempotency, mark
from api.statuses import Refused
from api.studio.asker import PREFIX, Asker, ExperimentId, ProviderKey
from api.studio.evolution import evolved
from api.studio.references import References
from api.studio.schemas import (
    AxisBody,
    Evolve,
    ExperimentDeleted,
    Experiments,
    ExperimentView,
    MoreCells,
    NewExperiment,
    PlanView,
    Problem,
    Retried,
    Retry,
)
from api.studio.views import View, error_view, figures_view, messages
from core.axes import Axis, Base, Plan, plan, read, replaced, spread, value_of
from core.errors import BadParameter, error_of
from core.experiment import Cell
from core.job import Visitor
from core.recipe import Recipe
from core.request import draw_seed
from core.secrets import redactor
from core.spec import Integer, Number
from engine.services import Services
from storage.rows import CellRow, ExperimentRow

IdempotencyKey = Annotated[str, Header(max_length=255, description="The same key begins no second experiment.")]


def add_experiments(app: FastAPI, services: Services, references: References) -> None:
    """Add the routes of experiments to the page's own API.

    Args:
        app: answers under its prefix.
        services: plan and run them.
        references: have what the cells begin with.
    """
    engine, experiments, caps = services.engine, services.experiments, services.quotas.caps
    calls = Idempotency(experiments.find_call, attrgetter("body"))
    problems: dict[str, Any] = {"responses": refusals(Problem)}

    @app.post(f"{PREFIX}/experiments", response_model=ExperimentView, status_code=201, **problems)
    async def start(
        body: NewExperiment, visitor: Asker, idempotency_key: IdempotencyKey, x_provider_key: ProviderKey = None
    ) -> JSONResponse:
        """Begin an experiment: all of its cells, or none. Sent again with the same key, it returns what began first."""
        once, whole = mark("experiments", idempotency_key, body.model_dump(mode="json"))

        async def begin() -> ExperimentRow:
            planned = await planned_of(visitor, *asked_for(body))
            if not body.confirm:
                ask(planned.cells)
            own_keys = keys_of(body.base.backend, x_provider_key)
            return await experiments.start(visitor, json.dumps(planned.as_json()), planned.cells, own_keys, once, whole)

        row, earlier = await calls.begin(visitor.owner, once, whole, begin)
        return JSONResponse(await view(row), 200 if earlier else 201)

    @app.post(f"{PREFIX}/experiments/plan", response_model=PlanView, **problems)
    async def dry_run(body: NewExperiment, visitor: Asker, x_provider_key: ProviderKey = None) -> JSONResponse:
        """Say what an experiment would make, cost and take, and what was adapted; nothing begins."""
        planned = await planned_of(visitor, *asked_for(body))
        own_keys = keys_of(body.base.backend, x_provider_key)
        cost = experiments.cost(planned.cells)
        dollars = sum(cost.values())
        return JSONResponse(
            {
                "cells": len(planned.cells),
                "cost": cost,
                "dollars": dollars,
                "seconds": experiments.seconds(planned.cells),
                "adapted": messages(planned.adapted),
                "fits": await experiments.fits(visitor, planned.cells, own_keys),
                "asks": caps.asks(len(planned.cells), dollars),
            }
        )

    @app.post(f"{PREFIX}/experiments/evolve", response_model=ExperimentView, status_code=201, **problems)
    async def evolve(
        body: Evolve, visitor: Asker, idempotency_key: IdempotencyKey, x_provider_key: ProviderKey = None
    ) -> JSONResponse:
        """Begin a round of eight runs near one to four results, each with the reasons for its settings."""
        once, whole = mark("experiments", idempotency_key, body.model_dump(mode="json"))

        async def begin() -> ExperimentRow:
            round = await evolved(services, references, visitor, body)
            own_keys = keys_of(round.cells[0].backend, x_provider_key)
            return await experiments.start(visitor, round.plan, round.cells, own_keys, once, whole)

        row, earlier = await calls.begin(visitor.owner, once, whole, begin)
        return JSONResponse(await view(row), 200 if earlier else 201)

    @app.get(f"{PREFIX}/experiments", response_model=Experiments, **problems)
    async def latest(visitor: Asker, limit: Annotated[int, Query(ge=1, le=200)] = 50) -> JSONResponse:
        """Return the latest experiments, newest first, without their cells."""
        rows = await experiments.latest(visitor.owner, limit)
        return JSONResponse({"experiments": [summary(row) for row in rows]})

    @app.get(f"{PREFIX}/experiments/{{experiment_id}}", response_model=ExperimentView, **problems)
    async def one(experiment_id: ExperimentId, visitor: Asker) -> JSONResponse:
        """Return an experiment with its cells in the order in which they begin."""
        return JSONResponse(await view(await found(visitor, experiment_id)))

    @app.post(f"{PREFIX}/experiments/{{experiment_id}}/pause", response_model=ExperimentView, **problems)
    async def pause(experiment_id: ExperimentId, visitor: Asker) -> JSONResponse:
        """Begin no further cells; those at work end."""
        return await acted(visitor, experiment_id, experiments.pause)

    @app.post(f"{PREFIX}/experiments/{{experiment_id}}/resume", response_model=ExperimentView, **problems)
    async def resume(experiment_id: ExperimentId, visitor: Asker) -> JSONResponse:
        """Go on with a paused experiment."""
        return await acted(visitor, experiment_id, experiments.resume)

    @app.post(f"{PREFIX}/experiments/{{experiment_id}}/cancel", response_model=ExperimentView, **problems)
    async def cancel(experiment_id: ExperimentId, visitor: Asker) -> JSONResponse:
        """Begin no further cells, and cancel those at work; what a provider has goes on there."""
        return await acted(visitor, experiment_id, experiments.cancel)

    @app.post(f"{PREFIX}/experiments/{{experiment_id}}/retry", response_model=Retried, **problems)
    async def retry(experiment_id: ExperimentId, body: Retry, visitor: Asker) -> JSONResponse:
        """Make the cells that failed, or were cancelled before they were made: one, or all."""
        row = await found(visitor, experiment_id)
        return JSONResponse({"retried": await experiments.retry(row, visitor, body.place)})

    @app.post(f"{PREFIX}/experiments/{{experiment_id}}/cells", response_model=ExperimentView, **problems)
    async def extend(
        experiment_id: ExperimentId, body: MoreCells, visitor: Asker, x_provider_key: ProviderKey = None
    ) -> JSONResponse:
        """Add values to an axis: more rows or columns."""
        row = await found(visitor, experiment_id)
        base, axes = read(json.loads(row.plan))
        number = next((number for number, axis in enumerate(axes) if axis.name == body.axis), None)
        if number is None:
            raise BadParameter("axes-unknown", field="axis", name=body.axis)
        before = axes[number]
        axes[number] = Axis(before.name, (*before.values, *map(value_of, body.values)))
        planned = await planned_of(visitor, base, axes)
        more = [cell for cell in planned.cells if cell.at[number] >= len(before.values)]
        own_keys = keys_of(base.backend, x_provider_key)
        if not body.confirm:
            ask(more)
        await experiments.extend(visitor, row, json.dumps(planned.as_json()), more, own_keys)
        return JSONResponse(await view(await found(visitor, row.id)))

    @app.delete(f"{PREFIX}/experiments/{{experiment_id}}", response_model=ExperimentDeleted, **problems)
    async def delete(experiment_id: ExperimentId, visitor: Asker) -> JSONResponse:
        """Cancel an experiment and forget it; its results stay."""
        await experiments.delete(await found(visitor, experiment_id))
        return JSONResponse({"deleted": True})

    async def found(visitor: Visitor, experiment_id: str) -> ExperimentRow:
        row = await experiments.find(visitor.owner, experiment_id)
        if row is None:
            raise Refused("experiment-unknown", status=404)
        return row

    async def acted(
        visitor: Visitor, experiment_id: str, act: Callable[[ExperimentRow], Awaitable[None]]
    ) -> JSONResponse:
        """Do something with an experiment, and return it as it is then."""
        await act(await found(visitor, experiment_id))
        return JSONResponse(await view(await found(visitor, experiment_id)))

    async def planned_of(visitor: Visitor, base: Base, axes: Sequence[Axis]) -> Plan:
        varied = next((axis for axis in axes if axis.name == "reference"), None)
        digests = [base.reference] if varied is None else [str(value) for value in varied.values]
        images = {digest: await references.find(visitor, digest) for digest in dict.fromkeys(digests)}
        return plan(base, axes, engine.specs, images, caps.cells)

    def asked_for(body: NewExperiment) -> tuple[Base, list[Axis]]:
        """Return what was asked for, ranges spread and seeds drawn."""
        base = Base(body.base.backend, body.base.prompt, tuple(body.base.style), body.base.params, body.reference)
        axes = [axis_of(each, base, f"axes[{number}]") for number, each in enumerate(body.axes)]
        if body.repeat > 1:
            axes.append(Axis("seed", tuple(draw_seed() for _ in range(body.repeat))))
        return base, axes

    def axis_of(body: AxisBody, base: Base, place: str) -> Axis:
        try:
            if body.spread is not None:
                known = (spec.by_name.get(body.name) for spec in engine.specs.values())
                param = next((each for each in known if isinstance(each, Number | Integer)), None)
                if param is None:
                    raise BadParameter("axes-range", name=body.name)
                return Axis(body.name, spread(param, body.spread.low, body.spread.high, body.spread.count))
            if body.search is not None:
                return Axis("prompt", replaced(base.prompt, body.search, [str(each) for each in body.values]))
        except BadParameter as error:
            error.field = f"{place}.search" if body.spread is None else f"{place}.spread"
            raise
        return Axis(body.name, tuple(map(value_of, body.values)))

    def keys_of(backend: str, key: str | None) -> dict[str, str]:
        key, spec = (key or "").strip(), engine.specs.get(backend)
        if not key or spec is None or spec.key_env is None:
            return {}
        redactor.learn(key)
        return {spec.key_env: key}

    def ask(cells: Sequence[Cell]) -> None:
        """Have somebody say yes to what is large.

        Raises:
            Refused: nobody has.
        """
        dollars = sum(experiments.cost(cells).values())
        if caps.asks(len(cells), dollars):
            raise Refused("experiment-asks", status=409, field="confirm", runs=len(cells), dollars=dollars)

    async def view(row: ExperimentRow) -> View:
        cells = await experiments.cells(row)
        return {**summary(row), **json.loads(row.plan), "cells": [cell_view(each) for each in cells]}

    def summary(row: ExperimentRow) -> View:
        return {
            "id": row.id,
            "created": row.created,
            "state": row.state,
            "why": None if row.why is None else json.loads(row.why),
            "count": row.cells,
            "waiting": row.waiting,
            "names": [axis["name"] for axis in json.loads(row.plan)["axes"]],
            "spent": round(row.spent, 6),
            "needs_keys": sorted(experiments.wants_keys(row.id)),
        }


def cell_view(cell: CellRow) -> View:
    """Return a cell as the page sees it."""
    return {
        "place": cell.place,
        "at": list(cell.at),
        "backend": cell.backend,
        "state": cell.phase,
        "job": cell.job,
        "result": cell.result,
        "star": cell.star,
        "meters": None if cell.structure is None else figures_view(cell),
        "error": None if cell.error is None else error_view(error_of(json.loads(cell.error))),
        "recipe": Recipe.model_validate_json(cell.recipe).model_dump(mode="json"),
    }
