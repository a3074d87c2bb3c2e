"""Begins the cells of experiments, a few at a time, and goes on after a restart with those that are missing."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from core.errors import BackendUnavailable, BadImage, BudgetSpent, DiskFull, RunFailed, StudioError
from core.experiment import Cell, ExperimentState, price_by_backend
from core.job import Job, Visitor, new_id
from core.job_state import JobState
from core.recipe import ImageRef, Recipe
from core.request import EditRequest
from engine.engine import Engine
from engine.quotas import Quotas
from storage.protocols import ExperimentStore, PictureStore
from storage.rows import CellRow, ExperimentRow, Money, PlannedCell

log = logging.getLogger(__name__)

AHEAD = 2
"""Cells of an owner that wait in the queue of a backend behind those at work: its places are never empty."""
ENDED = 100
"""Experiments whose end is remembered, for those who watch."""
STOPS = (BackendUnavailable, BudgetSpent, DiskFull)
"""Errors after which the next cell would fail as well: the experiment is paused."""


@dataclass(frozen=True)
class Standing:
    """How far an experiment is.

    Attributes:
        id: the experiment's.
        state: what becomes of the cells that wait.
        why: JSON of what stood in its way, where it is paused by that.
        waiting: how many cells have not begun.
        needs_keys: which providers' keys it waits for, by what names them in the specs.
    """

    id: str
    state: str
    why: str | None
    waiting: int
    needs_keys: tuple[str, ...]


@dataclass
class _Active:
    """An experiment with cells that have not begun, or are at work.

    Attributes:
        row: as it was read or written.
        waiting: the cells that have not begun, by backend, in their order.
        live: the ids of the jobs at work.
        keys: the owner's own, by what names their provider.
        state: an `ExperimentState`; the row's may be older.
        why: JSON of what stood in its way, where it is paused by that.
    """

    row: ExperimentRow
    waiting: dict[str, deque[CellRow]] = field(default_factory=dict)
    live: dict[str, str] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict, repr=False)
    state: str = ExperimentState.RUNNING
    why: str | None = None

    def take(self, cells: Sequence[CellRow]) -> None:
        for cell in cells:
            self.waiting.setdefault(cell.backend, deque()).append(cell)

    @property
    def waits(self) -> bool:
        return any(self.waiting.values())

    def go_on(self) -> None:
        self.state, self.why = ExperimentState.RUNNING, None


class Experiments:
    """Plans, begins and follows experiments.

    Everything here runs on the engine's event loop.

    Args:
        engine: runs the cells.
        store: has the experiments.
        pictures: have the references.
        quotas: what a visitor may ask for.
    """

    def __init__(self, engine: Engine, store: ExperimentStore, pictures: PictureStore, quotas: Quotas) -> None:
        self._engine = engine
        self._store = store
        self._pictures = pictures
        self._quotas = quotas
        self._active: dict[str, _Active] = {}  # oldest first
        self._ended = deque[tuple[str, Standing]](maxlen=ENDED)
        self._wanted = asyncio.Event()
        self._filling: asyncio.Task[None] | None = None
        self._closing = False
        engine.on_end.append(self._job_ended)
        engine.on_key.append(self._unlock)

    # ---- beginning -----------------------------------------------------------------------------------

    def cost(self, cells: Sequence[Cell]) -> dict[str, float]:
        """Return what cells cost at each backend, in US dollars."""
        return price_by_backend(cells, {key: spec.price for key, spec in self._engine.specs.items()})

    def seconds(self, cells: Sequence[Cell]) -> float | None:
        """Return about how long cells take, backends side by side; None where a backend has not run yet."""
        took: dict[str, float] = {}
        for cell in cells:
            expected = self._engine.expected_seconds(cell.backend, cell.request)
            if expected is None:
                return None
            took[cell.backend] = took.get(cell.backend, 0.0) + expected
        specs = self._engine.specs
        return max((seconds / specs[key].concurrency for key, seconds in took.items()), default=0.0)

    async def fits(self, visitor: Visitor, cells: Sequence[Cell], own_keys: Mapping[str, str]) -> int:
        """Return how many of the cells, from the first, the visitor's day and the app owner's budget have room for."""
        left = self._quotas.left_today(visitor)
        fits = len(cells) if left is None else min(left, len(cells))
        budget = self._quotas.caps.budget
        if budget is not None:
            money = budget - await self._engine.spent_today()
            for number, cell in enumerate(cells[:fits]):
                money -= self._estimate(cell, own_keys)
                if money < -1e-9:
                    return number
        return fits

    async def start(
        self,
        visitor: Visitor,
        plan: str,
        cells: Sequence[Cell],
        own_keys: Mapping[str, str],
        once: str | None = None,
        body: str = "",
    ) -> ExperimentRow:
        """Store an experiment and start to run its cells in the background.

        Args:
            visitor: who asks.
            plan: JSON of its base and axes.
            cells: in the order in which they begin.
            own_keys: the visitor's own provider keys, by what names the provider in the specs of its backends.
            once: the caller's mark.
            body: a mark of everything that the call asked for.

        Raises:
            CallTaken: the visitor's experiment of the same mark is there.
            StudioError: a limit is reached, or the disk takes nothing.
        """
        row = ExperimentRow(
            id=new_id(),
            owner=visitor.owner,
            created=self._quotas.now(),
            plan=plan,
            state=ExperimentState.RUNNING,
            body=body,
            cells=len(cells),
            waiting=len(cells),
        )
        self._quotas.check(visitor, len(cells))
        planned = self._planned(cells, own_keys)
        await self._store.add(row, planned, _references([each.request.recipe for each in cells]), once, self._money())
        self._quotas.count(visitor, len(cells))
        active = self._active[row.id] = _Active(row, keys=dict(own_keys))
        active.take(_rows(planned, 0))
        self._wake(row.owner)
        return row

    async def extend(
        self, visitor: Visitor, experiment: ExperimentRow, plan: str, cells: Sequence[Cell], own_keys: Mapping[str, str]
    ) -> None:
        """Add cells to an experiment: another row or column.

        Args:
            visitor: its owner.
            experiment: as `find` returned it.
            plan: JSON of its base and axes as they are now.
            cells: the new ones, in the order in which they begin.
            own_keys: as of `start`.

        Raises:
            StudioError: a limit is reached, or the disk takes nothing.
        """
        self._quotas.check(visitor, len(cells))
        planned = self._planned(cells, own_keys)
        first = await self._store.extend(
            experiment.id, plan, planned, _references([each.request.recipe for each in cells]), self._money()
        )
        self._quotas.count(visitor, len(cells))
        active = self._activate(experiment)
        active.keys.update(own_keys)
        active.take(_rows(planned, first))
        active.go_on()
        self._wake(experiment.owner)

    def _planned(self, cells: Sequence[Cell], own_keys: Mapping[str, str]) -> list[PlannedCell]:
        return [
            PlannedCell(
                at=cell.at,
                backend=cell.backend,
                estimate=self._estimate(cell, own_keys),
                recipe=cell.request.recipe.model_dump_json(),
                own_key=self._pays_itself(cell.backend, own_keys),
            )
            for cell in cells
        ]

    def _estimate(self, cell: Cell, own_keys: Mapping[str, str]) -> float:
        """Return the US dollars that a cell costs the app's owner."""
        if self._pays_itself(cell.backend, own_keys):
            return 0.0
        return self._engine.specs[cell.backend].price * len(cell.request.seeds)

    def _pays_itself(self, backend: str, own_keys: Mapping[str, str]) -> bool:
        """Return whether a visitor's own key pays: one that came, or that is waited for, since the app has none."""
        key_env = self._key_env(backend)
        return key_env is not None and (key_env in own_keys or self._engine.backend(backend).ready(None) is not None)

    def _key_env(self, backend: str) -> str | None:
        spec = self._engine.specs.get(backend)
        return spec.key_env if spec is not None else None

    def _money(self) -> Money:
        return Money(self._quotas.today(), partial(self._quotas.afford, 0.0))

    # ---- what there is -------------------------------------------------------------------------------

    async def latest(self, owner: str, limit: int = 50) -> list[ExperimentRow]:
        """Return an owner's latest experiments, newest first."""
        return await self._store.latest(owner, limit)

    async def find(self, owner: str, experiment: str) -> ExperimentRow | None:
        """Return an owner's experiment, None where they have none of that id."""
        return await self._store.find(owner, experiment)

    async def find_call(self, owner: str, once: str, _since: float) -> ExperimentRow | None:
        """Return an owner's experiment by the mark of its call, however old; None where there is none."""
        return await self._store.find_call(owner, once)

    async def cells(self, experiment: ExperimentRow) -> list[CellRow]:
        """Return the cells of an experiment in the order in which they begin."""
        return await self._store.cells(experiment.id)

    def standings(self, owner: str) -> list[Standing]:
        """Return how far an owner's unfinished experiments are, and those that have ended lately."""
        ended = {standing.id: standing for of, standing in self._ended if of == owner}
        active = {
            each.row.id: Standing(
                id=each.row.id,
                state=each.state,
                why=each.why,
                waiting=sum(map(len, each.waiting.values())),
                needs_keys=tuple(sorted(self.wants_keys(each.row.id))),
            )
            for each in self._active.values()
            if each.row.owner == owner
        }
        return list((ended | active).values())

    def _note_end(self, row: ExperimentRow, state: ExperimentState) -> None:
        self._ended.append((row.owner, Standing(row.id, state, None, 0, ())))

    def wants_keys(self, experiment: str) -> set[str]:
        """Return which providers an experiment waits for a key to, by what names them in the specs."""
        active = self._active.get(experiment)
        if active is None:
            return set()
        wanted = {self._key_env(key) for key, cells in active.waiting.items() if any(each.own_key for each in cells)}
        return {each for each in wanted if each is not None and each not in active.keys}

    # ---- acting --------------------------------------------------------------------------------------

    async def pause(self, experiment: ExperimentRow) -> None:
        """Begin no further cells; those at work end."""
        await self._set(experiment, ExperimentState.PAUSED)

    async def resume(self, experiment: ExperimentRow) -> None:
        """Go on with a paused experiment."""
        await self._set(experiment, ExperimentState.RUNNING)

    async def cancel(self, experiment: ExperimentRow) -> None:
        """Begin no further cells, and cancel those at work."""
        await self._set(experiment, ExperimentState.CANCELLED)
        active = self._active.pop(experiment.id, None)
        if active is None:
            return
        self._note_end(experiment, ExperimentState.CANCELLED)
        for job in map(self._engine.jobs.get, list(active.live)):
            if job is not None:
                await self._engine.cancel(job)

    async def _set(self, experiment: ExperimentRow, state: ExperimentState) -> None:
        await self._store.set_state(experiment.id, state)
        active = self._active.get(experiment.id)
        if active is not None:
            active.state, active.why = state, None
        self._wake(experiment.owner)

    async def retry(self, experiment: ExperimentRow, visitor: Visitor, place: int | None = None) -> int:
        """Let the cells begin that have failed, or were cancelled before they were made; return how many.

        Args:
            experiment: as `find` returned it.
            visitor: its owner.
            place: of the one cell; None for all.

        Raises:
            BadImage: a reference is gone.
            StudioError: a limit is reached.
        """
        missing = [
            each
            for each in await self._store.cells(experiment.id)
            if each.can_retry and (place is None or each.place == place)
        ]
        if not missing:
            return 0
        self._quotas.check(visitor, len(missing))
        references = _references([_recipe(each) for each in missing])
        for reference in references:
            if await self._pictures.find_reference(visitor.owner, reference.name) is None:
                raise BadImage("image-not-stored")
        places = [each.place for each in missing]
        again = await self._store.retry(experiment.id, places, references, self._money())
        self._quotas.count(visitor, len(again))
        active = self._activate(experiment)
        active.take(again)
        active.go_on()
        self._wake(experiment.owner)
        return len(again)

    async def delete(self, experiment: ExperimentRow) -> None:
        """Cancel an experiment, and forget it; its results stay."""
        await self.cancel(experiment)
        await self._store.delete(experiment.owner, experiment.id)
        self._engine.feed.wake(experiment.owner)

    def _unlock(self, owner: str, key_env: str, key: str) -> None:
        """Go on with an owner's experiments that wait for the key to a provider."""
        for active in self._active.values():
            if active.row.owner == owner and key_env in self.wants_keys(active.row.id):
                active.keys[key_env] = key
        self._wake(owner)

    # ---- cells begin and end -------------------------------------------------------------------------

    async def recover(self) -> None:
        """Continue the unfinished experiments of an earlier process. Call it after the engine's own `recover`.

        A cell whose job had not been sent when that process ended runs again.
        """
        for row in await self._store.unfinished():
            await self._take_up(row)
        self._want()

    async def _take_up(self, row: ExperimentRow) -> None:
        active = self._activate(row)
        active.state, active.why = row.state, row.why
        for cell in await self._store.cells(row.id):
            if cell.waits:
                active.take([cell])
            elif cell.state == JobState.INTERRUPTED:
                active.take(await self._store.retry(row.id, [cell.place], [], Money(0.0, lambda _: None)))
            elif cell.job is not None and (job := self._engine.jobs.get(cell.job)) is not None and not job.ended:
                job.cell = row.id, cell.place
                active.live[job.id] = cell.backend

    def _activate(self, row: ExperimentRow) -> _Active:
        return self._active.setdefault(row.id, _Active(row))

    def _wake(self, owner: str) -> None:
        self._engine.feed.wake(owner)
        self._want()

    def _want(self) -> None:
        """See to it that cells begin where there is room."""
        self._wanted.set()
        if self._filling is None or self._filling.done():
            self._filling = asyncio.get_running_loop().create_task(self._fill(), name="experiments")

    async def close(self) -> None:
        """Begin no further cells; the next process's `recover` goes on."""
        self._closing = True
        await asyncio.gather(*filter(None, [self._filling]))  # a cell that begins is written down

    async def _fill(self) -> None:
        """Begin cells, the owners in turn, until nothing has room."""
        while self._wanted.is_set():
            self._wanted.clear()
            for active, backend in list(self._next()):
                if self._closing:
                    return
                cell = active.waiting[backend].popleft()
                try:
                    job = await self._begin(active, cell)
                except StudioError as error:
                    active.waiting[backend].appendleft(cell)
                    await self._stop(active, error)
                    continue
                active.live[job.id] = backend
                self._wanted.set()
                if active.row.id not in self._active:  # cancelled meanwhile
                    await self._engine.cancel(job)
                if job.ended:
                    self._job_ended(job)
            await self._end_done()

    def _next(self) -> Iterator[tuple[_Active, str]]:
        """Yield at most one experiment of each owner with each backend that has room for a cell of theirs."""
        seen = set[tuple[str, str]]()
        for active in self._active.values():
            for backend, cells in active.waiting.items():
                owned = active.row.owner, backend
                if not cells or owned in seen or active.state != ExperimentState.RUNNING:
                    continue
                if self._has_room(*owned) and self._may_begin(active, cells[0]):
                    seen.add(owned)
                    yield active, backend

    def _has_room(self, owner: str, backend: str) -> bool:
        spec = self._engine.specs.get(backend)
        if spec is None:
            return True  # it is said when the cell begins
        live = sum(
            each == backend
            for active in self._active.values()
            if active.row.owner == owner
            for each in active.live.values()
        )
        return live < spec.concurrency * spec.together + AHEAD

    def _may_begin(self, active: _Active, cell: CellRow) -> bool:
        return not cell.own_key or self._key_env(cell.backend) in active.keys

    async def _begin(self, active: _Active, cell: CellRow) -> Job:
        """Begin a cell.

        Raises:
            StudioError: it cannot begin now.
        """
        if cell.backend not in self._engine.specs:
            raise BackendUnavailable("run-backend-removed")
        recipe = _recipe(cell)
        assert recipe.reference is not None
        found = await self._pictures.find_reference(active.row.owner, recipe.reference.name)
        if found is None:
            raise RunFailed("image-not-stored")
        return await self._engine.submit(
            cell.backend,
            EditRequest(recipe, found[0]),
            active.keys[self._key_env(cell.backend) or ""] if cell.own_key else None,
            Visitor(owner=active.row.owner),
            cell=(active.row.id, cell.place),
        )

    async def _stop(self, active: _Active, error: StudioError) -> None:
        """Pause an experiment, and say why; one that was cancelled meanwhile stays so."""
        if active.row.id not in self._active:
            return
        log.info("experiment %s is paused: %s", active.row.id, error)
        active.state, active.why = ExperimentState.PAUSED, json.dumps(error.message.as_json())
        await self._store.set_state(active.row.id, active.state, active.why)
        self._engine.feed.wake(active.row.owner)

    def _job_ended(self, job: Job) -> None:
        if job.cell is None or (active := self._active.get(job.cell[0])) is None:
            return
        active.live.pop(job.id, None)
        if isinstance(job.error, STOPS) and active.state == ExperimentState.RUNNING and active.waits:
            asyncio.get_running_loop().create_task(self._stop(active, job.error), name="experiment pauses")
        self._want()

    async def _end_done(self) -> None:
        """Write down of experiments that all of their cells have ended."""
        for active in [each for each in self._active.values() if not each.waits and not each.live]:
            del self._active[active.row.id]
            await self._store.set_state(active.row.id, ExperimentState.DONE)
            self._note_end(active.row, ExperimentState.DONE)
            self._engine.feed.wake(active.row.owner)


def _references(recipes: Sequence[Recipe]) -> list[ImageRef]:
    """Return the references of recipes, each once."""
    return list(dict.fromkeys(each.reference for each in recipes if each.reference is not None))


def _recipe(cell: CellRow) -> Recipe:
    return Recipe.model_validate_json(cell.recipe)


def _rows(planned: Sequence[PlannedCell], first: int) -> list[CellRow]:
    return [CellRow(place=first + place, **each.__dict__) for place, each in enumerate(planned)]
