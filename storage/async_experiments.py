"""Experiments as the event loop uses them."""

from __future__ import annotations

from collections.abc import Sequence

from core.errors import BadImage
from core.recipe import ImageRef
from storage.files.disk import disk_errors
from storage.rows import CellRow, ExperimentRow, Money, PlannedCell
from storage.sqlite.inserts import Kept
from storage.sqlite.queries import Queries
from storage.sqlite.store import Store
from storage.threads import StoreThreads


class AsyncExperiments:
    """Writes experiments down, and finds them again; see `storage.protocols.ExperimentStore`.

    Args:
        store: where they are.
        threads: the store's.
    """

    def __init__(self, store: Store, threads: StoreThreads) -> None:
        self._store = store
        self._threads = threads

    async def add(
        self,
        row: ExperimentRow,
        cells: Sequence[PlannedCell],
        references: Sequence[ImageRef],
        once: str | None,
        money: Money,
    ) -> None:
        """Write a new experiment with all of its cells."""

        def write() -> None:
            self._store.add_experiment(row, cells, self._kept(references), once, money)

        with disk_errors():
            await self._threads.write(write)

    async def extend(
        self, experiment: str, plan: str, cells: Sequence[PlannedCell], references: Sequence[ImageRef], money: Money
    ) -> int:
        """Append cells to an experiment, and return the place of the first new one."""

        def write() -> int:
            return self._store.add_cells(experiment, plan, cells, self._kept(references), money)

        with disk_errors():
            return await self._threads.write(write)

    def _kept(self, references: Sequence[ImageRef]) -> list[Kept]:
        """Return the files of references.

        Raises:
            BadImage: one of them is gone.
        """
        try:
            return [Kept(each.name, self._store.images.path(each.name).stat().st_size) for each in references]
        except FileNotFoundError as error:
            raise BadImage("image-not-stored") from error

    async def set_state(self, experiment: str, state: str, why: str | None = None) -> None:
        """Write the state of an experiment, and why it is paused."""
        await self._threads.write(self._set_state, experiment, state, why)

    def _set_state(self, experiment: str, state: str, why: str | None) -> None:
        self._store.images.drop(self._store.set_experiment_state(experiment, state, why))

    async def retry(
        self, experiment: str, places: Sequence[int], references: Sequence[ImageRef], money: Money
    ) -> list[CellRow]:
        """Let cells begin that are without a picture; return those."""

        def write() -> list[CellRow]:
            return self._store.retry_cells(experiment, places, self._kept(references), money)

        return await self._threads.write(write)

    async def delete(self, owner: str, experiment: str) -> bool:
        """Delete an owner's experiment without its results; return whether there was one."""
        return await self._threads.write(self._delete, owner, experiment)

    def _delete(self, owner: str, experiment: str) -> bool:
        gone, names = self._store.delete_experiment(owner, experiment)
        self._store.images.drop(names)
        return gone

    async def latest(self, owner: str, limit: int) -> list[ExperimentRow]:
        """Return an owner's latest experiments, newest first."""
        return await self._threads.read(Queries.experiments, owner, limit)

    async def find(self, owner: str, experiment: str) -> ExperimentRow | None:
        """Return an owner's experiment, None where they have none of that id."""
        return await self._threads.read(Queries.experiment, owner, experiment)

    async def find_call(self, owner: str, once: str) -> ExperimentRow | None:
        """Return an owner's experiment by the mark of its call, None where there is none."""
        return await self._threads.read(Queries.experiment_of_call, owner, once)

    async def unfinished(self) -> list[ExperimentRow]:
        """Return the experiments of all owners that are neither done nor cancelled, oldest first."""
        return await self._threads.read(Queries.unfinished_experiments)

    async def cells(self, experiment: str) -> list[CellRow]:
        """Return the cells of an experiment in the order in which they begin."""
        return await self._threads.read(Queries.cells, experiment)
