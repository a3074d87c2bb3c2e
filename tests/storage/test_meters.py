"""Figures of results: written once, told to whoever watches, and looked for by an index."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.job_state import JobState
from core.recipe import ImageRef
from storage.rows import Done, Figures, Record, ResultRow, Unmeasured
from storage.sqlite.inserts import Kept
from storage.sqlite.noted import MOST_SHARPNESS
from storage.sqlite.store import Store

NEWEST = 1 << 62
FIGURES = Figures(0.83126, 4.20049, 0.91234, '{"palette":[]}')
REFERENCE = ImageRef(digest="ab" * 32, mime="image/png", width=4, height=4, size=9)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "data")
    yield store
    store.close()


def make(store: Store, name: str, recipe: str, missing: str | None = None, made: float = 2.0) -> int:
    """Write a job of one image, and return the result's id."""
    store.add(Record(id=name, owner="ann", backend="fake", created=made, recipe=recipe), Kept("r.png", 1))
    picture = {"digest": name, "mime": "image/png", "width": 4, "height": 4, "bytes": 9}
    row = ResultRow(place=0, seed=1, missing=missing, **({} if missing else picture))  # type: ignore[arg-type]
    (result,) = store.end(name, JobState.DONE, made, done=Done("{}", recipe, "mini", None, [row]))
    return result


def with_reference(reference: object = REFERENCE.model_dump()) -> str:
    return json.dumps({"prompt": "a lake", "reference": reference})


def test_figures_are_written_once_rounded_and_are_a_change_of_the_result(store: Store) -> None:
    result = make(store, "one", with_reference(), made=time.time())
    before = store.revision("ann")
    store.measured({result: FIGURES})
    (row,) = store.changes("ann", before, 5).results
    assert row.meters == Figures(0.8313, 4.2, 0.9123, '{"palette":[]}')
    after = store.revision("ann")
    store.measured({result: Figures(0.1, 0.1, 0.1, "{}")})
    assert store.find_result("ann", result) == row
    assert store.revision("ann") == after


def test_figures_of_old_results_are_written_without_telling_every_page(store: Store) -> None:
    results = [make(store, name, with_reference(), made=time.time() - 3600) for name in ("one", "two")]
    before = store.revision("ann")
    store.measured(dict.fromkeys(results, FIGURES))
    row = store.find_result("ann", results[0])
    assert row is not None
    assert row.meters is not None
    assert store.revision("ann") == before


def test_what_cannot_be_measured_stays_without_figures_and_is_looked_at_no_more(store: Store) -> None:
    result = make(store, "one", with_reference())
    before = store.revision("ann")
    store.measured({result: None})
    row = store.find_result("ann", result)
    assert row is not None
    assert row.meters is None
    assert store.revision("ann") == before
    assert store.unmeasured(NEWEST, 9) == []
    assert store.to_measure(result) is None


@pytest.mark.parametrize(("sharpness", "written"), [(None, None), (0.0, 0.0), (1e9, MOST_SHARPNESS)])
def test_a_sharpness_may_be_unknown_and_has_an_end(
    store: Store, sharpness: float | None, written: float | None
) -> None:
    result = make(store, "one", with_reference())
    store.measured({result: Figures(-1.0, 0.0, sharpness, "{}")})
    row = store.find_result("ann", result)
    assert row is not None
    assert row.meters == Figures(-1.0, 0.0, written, "{}")


def test_pictures_without_figures_are_found_newest_first_by_an_index(store: Store) -> None:
    first, second, third = (make(store, name, with_reference()) for name in ("one", "two", "three"))
    make(store, "none", with_reference(), missing="nsfw")
    store.trash("ann", [make(store, "deleted", with_reference())], 3.0)
    assert store.unmeasured(NEWEST, 2) == [third, second]
    assert store.unmeasured(second, 2) == [first]
    assert store.to_measure(second) == Unmeasured(second, "ann", "two.png", REFERENCE.name)
    store.measured({third: FIGURES})
    assert store.unmeasured(NEWEST, 9) == [second, first]
    query = "select id from results indexed by results_unmeasured where measured = 0 and shown = 1 and id < 9"
    (step,) = [row[3] for row in store._base.execute(f"explain query plan {query} order by id desc limit 3")]
    assert "INDEX results_unmeasured (id<?)" in step


def test_a_deleted_picture_that_gets_figures_is_no_news(store: Store) -> None:
    result = make(store, "one", with_reference())
    store.trash("ann", [result], 3.0)
    before = store.revision("ann")
    store.measured({result: FIGURES})
    assert store.revision("ann") == before
    store.restore("ann", [result], 2.0)
    row = store.find_result("ann", result)
    assert row is not None
    assert row.meters is not None


@pytest.mark.parametrize(
    "recipe",
    ["{", with_reference(None), with_reference({}), with_reference({**REFERENCE.model_dump(), "mime": "text/plain"})],
)
def test_a_recipe_may_have_no_reference_or_be_damaged(store: Store, recipe: str) -> None:
    result = make(store, "one", recipe)
    assert store.to_measure(result) == Unmeasured(result, "ann", "one.png", None)
