"""Experiments: many runs with one plan, and how far each is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from core.request import EditRequest


class ExperimentState(StrEnum):
    """What becomes of the cells of an experiment that have not begun."""

    RUNNING = "running"
    """They begin as there is room."""
    PAUSED = "paused"
    """They wait until somebody goes on with it: its owner paused it, or something stood in its way."""
    CANCELLED = "cancelled"
    """They never begin, unless somebody asks for them again."""
    DONE = "done"
    """There are none, and those that began have ended."""


@dataclass(frozen=True)
class Cell:
    """One run of an experiment.

    Attributes:
        at: its place on each axis, from 0.
        request: what it will make, validated by its backend's spec.
    """

    at: tuple[int, ...]
    request: EditRequest

    @property
    def backend(self) -> str:
        """The key of its backend."""
        return self.request.recipe.backend


def price_by_backend(cells: Sequence[Cell], prices: dict[str, float]) -> dict[str, float]:
    """Return what cells cost at each backend, in US dollars.

    Args:
        cells: those to price.
        prices: of one image at each backend, by its key.
    """
    costs: dict[str, float] = {}
    for cell in cells:
        costs[cell.backend] = costs.get(cell.backend, 0.0) + prices[cell.backend] * len(cell.request.seeds)
    return costs
