"""Lists of the library: whatever is wanted, in whatever order, they are what a look at every result finds."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.job_state import JobState
from storage.rows import (
    EVERYTHING,
    Done,
    ExperimentRow,
    Failure,
    Figures,
    Filter,
    Marks,
    Money,
    PlannedCell,
    Record,
    ResultRow,
    Sort,
)
from storage.sqlite.inserts import Kept
from storage.sqlite.listing import listing
from storage.sqlite.store import Store

START = datetime(2026, 11, 24, 12, tzinfo=UTC).timestamp()
DAY = 86_400
WORDS = ("lake", "lamp", "harbour", "dawn", "neon", "oak")
BACKENDS, MODELS, TAGS = ("local", "cloud"), ("lab/flux.1-dev", "mini"), ("best", "dawn", "print")
STYLES = {"oil": "an oil painting", "ink": "drawn in ink", "in": "inside"}
SIZES = ((64, 48), (100, 100), (200, 150))
COSTS = (None, 0.0, 0.025, 0.05)
JOBS = 400
HERS, HIS, NOBODYS = ("a" * 32, "b" * 32, "c" * 32)
"""Experiments."""
QUOTA = 1 << 40


@dataclass
class Made:
    """A result as this test knows it."""

    id: int
    picture: bool
    prompt: str
    styles: tuple[str, ...]
    backend: str
    model: str
    cost: float | None
    size: tuple[int, int] | None
    star: bool = False
    project: int | None = None
    tags: set[str] = field(default_factory=set)
    note: str = ""
    deleted: bool = False
    experiment: str | None = None
    figures: Figures | None = None

    def figure(self, sort: Sort) -> float | None:
        figure: float | None = getattr(self if sort is Sort.COST else self.figures, sort, None)
        return figure

    def words(self) -> set[str]:
        styles = [part for each in self.styles for part in (each, STYLES[each])]
        return set(
            re.findall("[a-z0-9]+", " ".join([self.prompt, *styles, self.backend, self.model, *self.tags, self.note]))
        )


@dataclass
class Filled:
    """A store with results of one owner, and what they are; a stranger's are beside them."""

    store: Store
    results: list[Made]
    projects: tuple[int, ...]

    def expected(self, wanted: Filter, sort: Sort) -> list[int]:
        found = [
            each for each in self.results if not each.deleted and each.picture != wanted.failed and fits(each, wanted)
        ]
        found.sort(key=lambda each: each.id, reverse=sort is not Sort.OLDEST)
        if not sort.by_date:
            found.sort(key=lambda each: -9.0 if (figure := each.figure(sort)) is None else figure, reverse=True)
        return [each.id for each in found]


def fits(each: Made, wanted: Filter) -> bool:
    words = re.findall("[a-z0-9]+", wanted.text)
    pixels = each.size and each.size[0] * each.size[1]
    return (
        all(word in each.words() for word in words[:-1])
        and (not words or any(word.startswith(words[-1]) for word in each.words()))
        and (each.star or not wanted.starred)
        and wanted.backend in (None, each.backend)
        and (wanted.style is None or wanted.style in each.styles)
        and wanted.model in (None, each.model)
        and (wanted.tag is None or wanted.tag in each.tags)
        and wanted.project in (None, each.project)
        and wanted.experiment in (None, each.experiment)
        and within(each.id / 1e6, wanted.since, None)
        and (wanted.until is None or each.id / 1e6 < wanted.until)
        and within(pixels, wanted.pixels_min, wanted.pixels_max)
        and within(each.cost, wanted.cost_min, wanted.cost_max)
    )


def within(value: float | None, least: float | None, most: float | None) -> bool:
    if least is None and most is None:
        return True
    return value is not None and (least is None or value >= least) and (most is None or value <= most)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")
    chance, store = random.Random(seed), Store(tmp_path_factory.mktemp("library"))
    results, now = list[Made](), START
    for owner, experiment in (("ann", HERS), ("bob", HIS)):
        planned = [PlannedCell(at=(number,), backend="local", estimate=0.0, recipe="{}") for number in range(JOBS)]
        row = ExperimentRow(id=experiment, owner=owner, created=now, plan="{}", state="running")
        store.add_experiment(row, planned, [], None, Money(0.0, lambda _: None))
    for number in range(JOBS):
        now += chance.choice((0, 0, 1, 600, 3000))
        results += job(store, chance, number, now, "ann")
        job(store, chance, JOBS + number, now, "bob")
    projects = tuple(store.add_project("ann", name, now).id for name in ("lakes", "lamps"))
    pictures = [each for each in results if each.picture]
    for each in chance.sample(pictures, len(pictures) // 2):
        each.star, each.project = chance.random() < 0.5, chance.choice((None, *projects))
        each.tags, each.note = set(chance.sample(TAGS, 2)), chance.choice(("", *WORDS))
        project = each.project or 0
        marks = Marks(star=each.star, project=project, add_tags=tuple(each.tags), note=each.note)
        store.mark("ann", [each.id], marks, QUOTA)
    for each in chance.sample(pictures, len(pictures) * 2 // 3):
        structure, shift = chance.choice((-0.5, 0.0, 0.1234, 1.0)), chance.choice((0.0, 1e-3, 4.2, 70.0))
        each.figures = Figures(structure, shift, chance.choice((None, 0.0, 0.9, 1000.0)), "{}")
        store.measured({each.id: each.figures})
    for each in chance.sample(results, 30):
        each.deleted = True
        store.trash("ann", [each.id], now)
    yield Filled(store, results, projects)
    store.close()


def job(store: Store, chance: random.Random, number: int, now: float, owner: str) -> list[Made]:
    prompt, styles = " ".join(chance.choices(WORDS, k=3)), tuple(chance.sample(sorted(STYLES), chance.randrange(3)))
    backend, model, name = chance.choice(BACKENDS), chance.choice(MODELS), f"j{number}"
    recipe = json.dumps({"prompt": prompt})
    texts = tuple((each, STYLES[each]) for each in styles)
    experiment = chance.choice((None, HERS if owner == "ann" else HIS))
    cell = None if experiment is None else (experiment, number % JOBS)
    record = Record(id=name, owner=owner, backend=backend, created=now - 9, recipe=recipe)
    store.add(record, Kept("r.png", 1), cell)
    common: dict[str, Any] = {"prompt": prompt, "styles": styles, "backend": backend, "model": model}
    common["experiment"] = experiment
    if chance.random() < 0.1:
        failure = Failure(model, None, 1, prompt, texts)
        store.end(name, JobState.FAILED, now, failure=failure)
        (row,) = store.results_of_job(owner, name)
        return [Made(row.id, False, cost=None, size=None, **common)]
    images = chance.randrange(1, 4)
    sizes = [chance.choice((*SIZES, *SIZES, None)) for _ in range(images)]
    rows = [
        ResultRow(place=place, seed=place, missing="nsfw", why="Withheld.")
        if size is None
        else ResultRow(
            place=place,
            seed=place,
            digest=f"{number}x{place}",
            mime="image/png",
            width=size[0],
            height=size[1],
            bytes=10,
        )
        for place, size in enumerate(sizes)
    ]
    share = chance.choice(COSTS)
    cost = None if share is None else share * images
    ids = store.end(name, JobState.DONE, now, cost=cost, done=Done("{}", recipe, model, None, rows, prompt, texts))
    return [Made(id, size is not None, cost=share, size=size, **common) for id, size in zip(ids, sizes, strict=True)]


def maybe(values: Any) -> Any:
    """Return a strategy of some values and, mostly, none."""
    return st.one_of(st.none(), st.none(), values)


SECONDS = st.integers(-100, 6 * DAY).map(lambda after: START + after)
WANTED = st.fixed_dictionaries(
    {
        "text": st.one_of(
            st.just(""), st.sampled_from([*WORDS, "la", "lake d", "oil", "flux.1", "cloud", "best", "ink da"])
        ),
        "starred": st.sampled_from((False, False, True)),
        "backend": maybe(st.sampled_from(BACKENDS)),
        "style": maybe(st.sampled_from([*STYLES, "none"])),
        "model": maybe(st.sampled_from(MODELS)),
        "tag": maybe(st.sampled_from([*TAGS, "none"])),
        "project": maybe(st.integers(1, 3)),
        "experiment": maybe(st.sampled_from((HERS, HERS, HIS, NOBODYS))),
        "since": maybe(SECONDS),
        "until": maybe(SECONDS),
        "pixels_min": maybe(st.sampled_from((0, 3072, 3073, 30_000))),
        "pixels_max": maybe(st.sampled_from((0, 3072, 10_000, 30_000))),
        "cost_min": maybe(st.sampled_from((0.0, 0.025, 0.03))),
        "cost_max": maybe(st.sampled_from((0.0, 0.025, 0.05))),
        "failed": st.sampled_from((False, False, False, True)),
    }
).map(lambda given: Filter(**given))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(WANTED, st.sampled_from(Sort), st.integers(1, 200), st.integers(-840, 840))
def test_a_list_by_pages_and_by_blocks_is_what_a_look_at_every_result_finds(
    filled: Filled, wanted: Filter, sort: Sort, limit: int, zone: int
) -> None:
    check(filled, wanted, sort, limit, zone)


@pytest.mark.parametrize("sort", Sort)
@pytest.mark.parametrize(
    "change",
    [
        {},
        {"starred": True},
        {"project": 1},
        {"experiment": HERS},
        {"experiment": HIS},
        {"experiment": HERS, "text": "la", "tag": "best"},
        {"failed": True},
        {"text": "la"},
        {"tag": "best"},
        {"text": "lake", "tag": "best", "starred": True},
    ],
    ids=str,
)
def test_each_kind_of_list_is_whole(filled: Filled, change: dict[str, Any], sort: Sort) -> None:
    check(filled, replace(EVERYTHING, **change), sort, 7, 540)


def check(filled: Filled, wanted: Filter, sort: Sort, limit: int, zone: int) -> None:
    store, expected = filled.store, filled.expected(wanted, sort)
    walked, cursor = list[int](), None
    while True:
        page = store.result_page("ann", limit, cursor, wanted, sort)
        assert len(page.rows) == limit or page.next is None
        walked += [each.id for each in page.rows]
        cursor = page.next
        if cursor is None:
            break
    assert walked == expected
    blocks = store.result_index("ann", wanted, sort, zone).blocks
    at = 0
    for block in blocks:
        rows = store.result_page("ann", block.count, block.cursor, wanted, sort).rows
        assert [each.id for each in rows] == expected[at : at + block.count]
        assert 1 <= block.count <= 200
        days = {str((datetime.fromtimestamp(each.created, UTC) + timedelta(minutes=zone)).date()) for each in rows}
        assert days == {block.day} or (not sort.by_date and block.day is None)
        at += block.count
    assert at == len(expected)
    for block, following in pairwise(blocks):
        assert block.count == 200 or (block.day != following.day and sort.by_date)


def test_a_list_has_all_that_a_result_is(filled: Filled) -> None:
    known = {each.id: each for each in filled.results}
    rows = filled.store.result_page("ann", 200).rows
    assert len(rows) == 200
    for row in rows:
        made = known[row.id]
        assert (row.star, row.project, row.note, row.tags) == (
            made.star,
            made.project,
            made.note,
            tuple(sorted(made.tags)),
        )
        assert (row.backend, row.model, row.cost, row.prompt) == (made.backend, made.model, made.cost, made.prompt)
        assert (row.width, row.height) == made.size
        assert row.meters == made.figures


def test_facets_count_what_lists_have(filled: Filled) -> None:
    store, facets = filled.store, filled.store.facets("ann", QUOTA)

    def count(**wanted: Any) -> int:
        return len(filled.expected(Filter(**wanted), Sort.NEWEST))

    assert (facets.total, facets.starred) == (count(), count(starred=True))
    assert facets.backends == {each: count(backend=each) for each in BACKENDS}
    assert facets.models == {each: count(model=each) for each in MODELS}
    assert facets.styles == {each: count(style=each) for each in STYLES}
    assert facets.tags == {each: count(tag=each) for each in TAGS}
    assert list(facets.tags.values()) == sorted(facets.tags.values(), reverse=True)
    assert [(each.name, each.count) for each in facets.projects] == [
        (name, count(project=id)) for name, id in zip(("lakes", "lamps"), filled.projects, strict=True)
    ]
    assert facets.share == QUOTA * 3 // 4 // 2, "two have pictures"
    assert store.facets("eve", QUOTA) == replace(store.facets("nobody", QUOTA), share=QUOTA * 3 // 4 // 2)


@pytest.mark.parametrize("sort", Sort)
@pytest.mark.parametrize(
    "cursor", ["", "x", "1.5", "-1", "1:2:3", "nan:1", "inf:1", "9" * 30, "٣", "0.5:1\n", "5", "0.5:5"]
)
def test_a_cursor_of_another_list_is_refused(filled: Filled, cursor: str, sort: Sort) -> None:
    own = cursor == ("5" if sort.by_date else "0.5:5")
    for owner in ("ann", "who has nothing"):
        with nullcontext() if own else pytest.raises(ValueError, match="cursor"):
            filled.store.result_page(owner, 5, cursor, sort=sort)


def test_who_has_nothing_has_empty_lists(filled: Filled) -> None:
    assert filled.store.result_page("eve", 5).rows == ()
    assert filled.store.result_index("eve").blocks == ()


@pytest.mark.parametrize("sort", [Sort.NEWEST, Sort.OLDEST])
@pytest.mark.parametrize(
    "wanted",
    [
        EVERYTHING,
        Filter(starred=True),
        Filter(project=1),
        Filter(backend="local", cost_min=0.1, pixels_max=5, style="oil", model="mini", since=5.0),
        Filter(text="lake"),
        Filter(text="lake", backend="local"),
        Filter(tag="best"),
        Filter(tag="best", starred=True),
        Filter(failed=True),
    ],
    ids=str,
)
def test_a_list_by_date_is_one_walk_over_an_index_and_sorts_nothing(filled: Filled, wanted: Filter, sort: Sort) -> None:
    plan = explained(filled.store, wanted, sort)
    assert not any("TEMP B-TREE" in step for step in plan), plan
    for step in plan:
        assert "COVERING INDEX" in step or "found_by VIRTUAL TABLE" in step or "SCALAR SUBQUERY" in step, plan
        if "SEARCH" in step and " tags " in step:
            assert "(owner=? AND name=?)" in step


@pytest.mark.parametrize("sort", [Sort.NEWEST, Sort.OLDEST])
def test_the_list_of_an_experiment_looks_at_its_cells_alone_and_sorts_nothing(filled: Filled, sort: Sort) -> None:
    plan = explained(filled.store, Filter(experiment=HERS), sort)
    assert not any("TEMP B-TREE" in step or "SCAN" in step for step in plan), plan
    assert "SEARCH results USING INTEGER PRIMARY KEY (rowid=?)" in plan


FIGURES = [sort for sort in Sort if not sort.by_date]


@pytest.mark.parametrize("sort", FIGURES)
def test_a_list_by_a_figure_has_an_index_of_its_own(filled: Filled, sort: Sort) -> None:
    plan = explained(filled.store, EVERYTHING, sort)
    assert len(plan) == 1
    assert f"COVERING INDEX results_by_{sort}" in plan[0]


@pytest.mark.parametrize("sort", FIGURES)
def test_a_part_of_a_list_by_a_figure_is_found_in_an_index_that_has_all_of_it(filled: Filled, sort: Sort) -> None:
    plan = explained(filled.store, Filter(backend="local", cost_min=0.1), sort)
    assert "COVERING INDEX results_listed" in plan[0]


def explained(store: Store, wanted: Filter, sort: Sort) -> list[str]:
    """Return how SQLite would find a list's part behind a cursor."""
    query = listing(1, wanted, sort, "9" if sort.by_date else "0.5:9")
    return [row[3] for row in store._base.execute(f"explain query plan {query.text}", query.values)]
