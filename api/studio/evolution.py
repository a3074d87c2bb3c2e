"""Rounds of neighbours: an experiment whose cells are recipes near some results."""

from __future__ import annotations

import json
from dataclasses import dataclass

from api.statuses import Refused
from api.studio.references import References
from api.studio.schemas import Evolve
from api.studio.views import messages, recipe_of
from core.axes import Axis, Base, written
from core.errors import BadParameter
from core.evolve import neighbours
from core.experiment import Cell
from core.job import Visitor
from core.recipe import Recipe
from core.request import EditRequest, draw_seed
from engine.services import Services

NEIGHBOUR = "neighbour"
"""The axis of a round; its values count its cells from 1."""


@dataclass(frozen=True)
class Round:
    """A round that can begin.

    Attributes:
        plan: JSON of it, as an experiment's row has it.
        cells: in their order.
    """

    plan: str
    cells: list[Cell]


async def evolved(services: Services, references: References, visitor: Visitor, body: Evolve) -> Round:
    """Return a round of neighbours of a visitor's results.

    Args:
        services: have the results and the backends.
        references: have what they were made of.
        visitor: whose they are.
        body: which, and by which seed.

    Raises:
        BadParameter: one cannot be made again here: it has no prompt, or its backend is gone.
        Refused: one is none of the visitor's, or its reference is gone.
    """
    favourites = [
        await _favourite(services, visitor, id, f"favourites[{number}]") for number, id in enumerate(body.favourites)
    ]
    seed = draw_seed() if body.seed is None else body.seed
    found = neighbours(favourites, services.engine.specs, seed)
    digests = dict.fromkeys(ref.digest for each in found if (ref := each.recipe.reference) is not None)
    images = {digest: await references.find(visitor, digest) for digest in digests}
    cells = []
    for number, each in enumerate(found):
        assert each.recipe.reference is not None
        image, _ = images[each.recipe.reference.digest]
        cells.append(Cell((number,), EditRequest(each.recipe, image)))
    first = favourites[0]
    assert first.reference is not None
    base = Base(first.backend, first.prompt, first.style, first.params, first.reference.digest)
    plan = written(base, [Axis(NEIGHBOUR, tuple(range(1, len(cells) + 1)))])
    facts = {"favourites": body.favourites, "seed": seed, "reasons": [messages(each.reasons) for each in found]}
    return Round(json.dumps({**plan, "adapted": [], "evolved": facts}), cells)


async def _favourite(services: Services, visitor: Visitor, id: int, field: str) -> Recipe:
    row = await services.library.find(visitor.owner, id)
    if row is None or row.digest is None:
        raise Refused("result-unknown", status=404, field=field)
    recipe = recipe_of(row)
    if recipe.reference is None:
        raise BadParameter("image-not-stored", field=field)
    return recipe
