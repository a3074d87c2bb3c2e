"""A library of 100,000 results: how long reads take beside a writer, and what a paid task waits for its id."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bench.table import Row
from core.job_state import JobState
from storage.async_store import AsyncStore
from storage.rows import Done, Filter, Marks, Record, ResultRow
from storage.sqlite.inserts import Kept
from storage.sqlite.store import Store

RESULTS, PAGE, DEEP = 100_000, 60, 1000
"""Results of the library, results a page, and the number of a page far behind the first."""
RUNS, SECONDS = 3, 15.0
READERS, READS, COMMITS, STARS, DELETES, ACCEPTED = 4, 20.0, 100.0, 10.0, 5.0, 20.0
"""Readers, and what each of them, or the writer, does in a second."""
OWNER, SINGLE = "a" * 64, "b" * 64
COMMON, OFTEN, RARE = "light", "street", "obsidian"
WORDS = tuple(f"{first}{second}{third}" for first in "bdfgklmnprst" for second in "aeiou" for third in "lmnrs")
TIDIES, QUOTA = 300, 1 << 50


@dataclass
class Times:
    """Milliseconds by what was done."""

    of: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    async def time(self, name: str, call: Callable[[], Awaitable[object]]) -> None:
        """Time a call from here to its answer."""
        begun = time.perf_counter()
        await call()
        self.of[name].append((time.perf_counter() - begun) * 1000)

    def median(self, name: str) -> float:
        """Return the median."""
        return statistics.median(self.of[name])

    def p99(self, name: str) -> float:
        """Return the 99th percentile."""
        return statistics.quantiles(self.of[name], n=100)[98]


def measure() -> list[Row]:
    """Return the rows on reads, writes and accounting."""
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        fill(Path(folder))
        size = (Path(folder) / "studio.db").stat().st_size
        print(f"{RESULTS} results, {size / 1e6:.0f} MB, made in {time.perf_counter() - begun:.0f} s", file=sys.stderr)
        runs = [asyncio.run(_run(Path(folder), number)) for number in range(RUNS)]
    return [
        _row("first page, median", 3, runs, lambda each: each.median("first page")),
        _row("first page, 99th percentile", 15, runs, lambda each: each.p99("first page")),
        _row("search of two words, median", 3, runs, lambda each: each.median("two words")),
        _row("search of two words, 99th percentile", 15, runs, lambda each: each.p99("two words")),
        _row(
            f"page {DEEP} over the first page, medians",
            1.5,
            runs,
            lambda each: each.median("deep page") / each.median("first page"),
            "x",
        ),
        _row("search of two letters, median", 5, runs, lambda each: each.median("two letters")),
        _row("an owner's single row under a common word, median", 5, runs, lambda each: each.median("single row")),
        _row("star, median", 5, runs, lambda each: each.median("star")),
        _row("star, 99th percentile", 40, runs, lambda each: each.p99("star")),
        _row("delete, median", 5, runs, lambda each: each.median("delete")),
        _row("delete, 99th percentile", 40, runs, lambda each: each.p99("delete")),
        _row("a task's id, 99th percentile", 20, runs, lambda each: each.p99("accepted")),
        _row("a task's id, the slowest", 250, runs, lambda each: max(each.of["accepted"])),
        _row("accounting after a run, median", 1, runs, lambda each: each.median("accounting")),
    ]


def _row(name: str, goal: float, runs: list[Times], value: Callable[[Times], float], unit: str = "ms") -> Row:
    values = sorted(value(each) for each in runs)
    more = ", ".join(f"{each:.2f}" for each in values)
    return Row(f"{RESULTS} results: {name}", values[0], goal, unit, f"{more} in {RUNS} runs")


def prompts(chance: random.Random) -> Iterator[str]:
    """Yield prompts of a dozen words: one word is in half of them, one in a tenth, one in a thousandth."""
    while True:
        words = chance.choices(WORDS, k=10)
        words += [word for word, part in ((COMMON, 0.53), (OFTEN, 0.1), (RARE, 0.001)) if chance.random() < part]
        chance.shuffle(words)
        yield " ".join(words) + ("、水彩の風景画" if chance.random() < 0.1 else "")


def fill(folder: Path) -> None:
    """Make the library in one transaction, with jobs that go on for the runs to end."""
    store, chance = Store(folder), random.Random(7)
    written = prompts(chance)
    writing = store._writing
    store._base.execute("pragma cache_size = -500000")  # all of it: else pages go to the disk and back in between
    with writing():
        store._writing = lambda: contextlib.nullcontext(store._base)  # type: ignore[assignment, return-value]
        start = time.time() - 90 * 86_400
        for number in range(RESULTS):
            owner = SINGLE if number == RESULTS // 2 else OWNER
            prompt = f"{COMMON} over a harbour" if owner == SINGLE else next(written)
            done = job(store, f"{number:032x}", prompt, start + number * 60, owner)
            store.end(f"{number:032x}", JobState.DONE, start + number * 60 + 9, cost=0.0, done=done)
        for number in range(int(RUNS * SECONDS * COMMITS) + 1000):
            job(store, f"open {number:027}", "to come", time.time(), OWNER)
    store._writing = writing
    store._base.execute("pragma wal_checkpoint(truncate)")
    store.close()


def job(store: Store, name: str, prompt: str, created: float, owner: str) -> Done:
    """Write a job that begins, and return what to end it with."""
    recipe = json.dumps({"version": 1, "prompt": prompt, "params": {"strength": 0.6}, "more": "x" * 500})
    reference = Kept(f"{hash((owner, len(name) % 7)) % 100:064x}.png", 1_000_000)
    store.add(Record(id=name, owner=owner, backend="local", created=created, recipe=recipe, remote="[null]"), reference)
    return done_with(name, prompt, recipe)


def done_with(name: str, prompt: str, recipe: str = "{}") -> Done:
    """Return a result of one picture."""
    digest = name.replace("open", "f").replace(" ", "").rjust(64, "e")
    row = ResultRow(place=0, seed=7, digest=digest, mime="image/png", width=1024, height=768, bytes=1_500_000)
    return Done('{"timings":{},"notices":[]}', recipe, "black-forest-labs/FLUX.1-dev", None, [row], prompt)


async def _run(folder: Path, number: int) -> Times:
    """Read and write together for `SECONDS`, then tidy up alone."""
    store, times, chance = AsyncStore(Store(folder)), Times(), random.Random(number)
    (deep,) = await store._read(
        lambda reader: reader._base.execute(
            "select id from results where picture is not null order by id desc limit 1 offset ?",
            (PAGE * (DEEP - 1) - 1,),
        ).fetchone()
    )
    reads: list[tuple[str, Callable[[], Awaitable[object]]]] = [
        ("first page", lambda: store.library.page(OWNER, PAGE)),
        ("two words", lambda: store.library.page(OWNER, PAGE, wanted=Filter(text=f"{COMMON} {OFTEN}"))),
        ("deep page", lambda: store.library.page(OWNER, PAGE, str(deep))),
        ("two letters", lambda: store.library.page(OWNER, PAGE, wanted=Filter(text=chance.choice(WORDS)[:2]))),
        ("single row", lambda: store.library.page(SINGLE, PAGE, wanted=Filter(text=COMMON))),
        ("rare word", lambda: store.library.page(OWNER, PAGE, wanted=Filter(text=f"{COMMON} {RARE}"))),
        ("japanese", lambda: store.library.page(OWNER, PAGE, wanted=Filter(text="風景"))),
    ]
    written = prompts(chance)
    first = int(number * SECONDS * COMMITS)
    ids = [each.id for each in (await store.library.page(OWNER, 5000, str(deep))).rows][
        1000 * number :
    ]  # of no earlier run

    async def read(turn: int) -> None:
        await times.time(*reads[turn % len(reads)])

    async def commit(turn: int) -> None:
        name, prompt = f"open {first + turn:027}", next(written)
        done = done_with(name, prompt, json.dumps({"prompt": prompt}))
        await times.time("insert", lambda: store._write(store._store.end, name, JobState.DONE, time.time(), done=done))

    async def accepted(turn: int) -> None:
        name = f"open {int(RUNS * SECONDS * COMMITS) + turn:027}"
        await times.time("accepted", lambda: store._write(store._store.accepted, name, 0, f"task {number} {turn}"))

    async def star(turn: int) -> None:
        await times.time("star", lambda: store.library.mark(OWNER, [ids[2 * turn]], Marks(star=True), QUOTA))

    async def delete(turn: int) -> None:
        await times.time("delete", lambda: store.library.delete(OWNER, [ids[2 * turn + 1]]))

    await asyncio.gather(
        *(_paced(chance, READS, read, reader) for reader in range(READERS)),
        _paced(chance, COMMITS, commit),
        _paced(chance, ACCEPTED, accepted),
        _paced(chance, STARS, star),
        _paced(chance, DELETES, delete),
    )
    for _ in range(TIDIES):
        await times.time("accounting", lambda: store.tidy(QUOTA, 86_400.0))
    await store.close()
    return times


async def _paced(chance: random.Random, rate: float, work: Callable[[int], Awaitable[None]], first: int = 0) -> None:
    """Do something so many times a second, by chance as people do, whether or not the last has ended."""
    at, tasks = time.perf_counter(), []
    for turn in range(int(SECONDS * rate)):
        at += chance.expovariate(rate)
        await asyncio.sleep(max(0.0, at - time.perf_counter()))
        tasks.append(asyncio.ensure_future(work(first + turn)))
    await asyncio.gather(*tasks)
