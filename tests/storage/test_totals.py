"""Running totals: after any sequence of operations they are what a sum over the rows is."""

from __future__ import annotations

import contextlib
import random
from pathlib import Path

import pytest

from core.job_state import JobState
from storage.protocols import ShareFull
from storage.rows import Done, Marks, Record, ReferenceRow, ResultRow
from storage.sqlite import room
from storage.sqlite.inserts import Kept
from storage.sqlite.store import Store

OWNERS = ("ann", "bob", "eve")
NAMES = tuple(f"{number}" for number in range(12))
SUMS = {
    "stored": """select coalesce(sum(bytes), 0) from (select bytes from pictures union all select bytes from displays
        union all select max(bytes) from files group by path)""",
    "unused": """select coalesce(sum(bytes), 0) from (select bytes from files union all
        select bytes from grants join pictures on number = picture where job = 0)""",
}
JOB_BYTES = """select owners.name, job_bytes, (select coalesce(sum(bytes), 0)
    from grants join pictures on number = picture where owner = owners.number and job != 0) from owners"""


HELD = "(select sum(bytes) from pictures where number in (select picture from grants where owner = owners.number{}))"
KEPT = """select number, kept, exists (select 1 from results where job = number and {0}) and not exists
    (select 1 from results where job = number and picture is not null and ({0}) is not 1) from jobs"""


def size_of(name: str) -> int:
    """Return the bytes of a picture: its content gives both its name and them."""
    return 10 + int(name) * 7


class Script:
    """Operations on a store, chosen by chance."""

    def __init__(self, store: Store, chance: random.Random) -> None:
        self.store, self.chance, self.jobs, self.now = store, chance, list[tuple[str, str]](), 1.0

    def picture(self) -> Kept:
        name = self.chance.choice(NAMES)
        return Kept(f"{name}.png", size_of(name))

    def project(self, owner: str) -> int | None:
        """Return the owner's project, or 0 for none, or None for no change."""
        if not self.store.projects(owner):
            self.store.add_project(owner, "lakes", self.now)
        return self.chance.choice((self.store.projects(owner)[0].id, 0, None))

    def step(self) -> None:
        self.now += 1
        owner, chance, store = self.chance.choice(OWNERS), self.chance, self.store
        match chance.randrange(13):
            case 0 | 1:
                job = f"j{self.now}"
                store.add(Record(id=job, owner=owner, backend="fake", created=self.now, recipe="{}"), self.picture())
                self.jobs.append((owner, job))
            case 2 | 3 if self.jobs:
                names = chance.choices(NAMES, k=3)
                rows = [
                    ResultRow(place=at, seed=at, digest=name, mime="image/png", width=1, height=1, bytes=size_of(name))
                    for at, name in enumerate(names)
                ]
                store.end(
                    chance.choice(self.jobs)[1],
                    JobState.DONE,
                    self.now,
                    done=Done("{}", "{}", "m", None, rows, "a lake"),
                )
            case 4 if self.jobs:
                store.delete(*chance.choice(self.jobs))
            case 5:
                store.grant(owner, self.picture(), self.now)
            case 6:
                kept = self.picture()
                store.add_reference(owner, ReferenceRow(name=kept.name, width=1, height=1, bytes=kept.size), self.now)
            case 7:
                store.add_file(owner, f"{chance.randrange(5)}/a.png", chance.randrange(1, 99), self.now)
            case 8:
                store.displayed(self.picture().name, chance.choice((256, 512)), chance.randrange(1, 9))
            case 9 if self.now > 30:
                store.forget(self.now - chance.randrange(10, 40))
                results = [each.id for each in store.result_page(owner, 9).rows]
                store.trash(owner, results[:2], self.now)
                store.restore(owner, results[:1], self.now - 3)
                store.purge(self.now - chance.randrange(1, 20))
            case 11 | 12:
                results = [each.id for each in store.result_page(owner, 9).rows]
                some = chance.sample(results, len(results) // 2)
                marks = Marks(star=chance.choice((True, False, None)), project=self.project(owner))
                with contextlib.suppress(ShareFull):
                    store.mark(owner, some, marks, 2000)
            case 10:
                store.make_room(chance.randrange(200, 900), coming=chance.choice((0, 0, 50)))
            case _:
                store.forget_leftovers(100.0)


@pytest.mark.parametrize("_", range(6))
def test_totals_are_the_sums_after_any_operations(tmp_path: Path, _: int) -> None:
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")
    store = Store(tmp_path)
    script = Script(store, random.Random(seed))
    for _ in range(250):
        script.step()
        found = {name: store._base.execute(f"select {name} from totals").fetchone()[0] for name in SUMS}
        assert found == {name: store._base.execute(query).fetchone()[0] for name, query in SUMS.items()}
        assert all(kept == summed for _, kept, summed in store._base.execute(JOB_BYTES))
        assert store.size() == found["stored"]
        for column, which in (("bytes", ""), ("protected", " and pinned = 1")):
            sums = f"select {column}, coalesce({HELD.format(which)}, 0) from owners"
            assert all(counted == summed for counted, summed in store._base.execute(sums)), column
        for owner in OWNERS:
            assert store.count_results(owner) == sum(each.count for each in store.result_index(owner).blocks)
        assert all(kept == true for _, kept, true in store._base.execute(KEPT.format(room.IS_PROTECTED)))
    orphans = "select count(*) from pictures where number not in (select picture from grants)"
    assert store._base.execute(orphans).fetchone() == (0,)
    store.close()


def test_an_owner_of_whom_nothing_is_left_is_forgotten(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.grant("ann", Kept("1.png", 5), 1.0)
    store.ticket("bob", "u1", 100.0)
    assert store.forget_leftovers(100.0) == 0
    store.forget(50.0)
    assert store.forget_leftovers(100.0) == 1
    assert [name for (name,) in store._base.execute("select name from owners")] == ["bob"]
    store.close()
