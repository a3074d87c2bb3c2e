"""The library: results in the order of time, by star, and by the words of their prompts."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from core.job_state import JobState
from storage import async_library
from storage.async_store import AsyncStore
from storage.rows import Done, Failure, Filter, Marks, Page, Record, ResultRow
from storage.sqlite import room
from storage.sqlite.inserts import Kept
from storage.sqlite.room import Freed
from storage.sqlite.search_text import query
from storage.sqlite.store import Store

BEFORE_RECIPES = Path(__file__).parent / "data" / "before_recipes"
HERS = "a" * 64
RECIPE = json.dumps({"prompt": "a lake"})


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path)
    yield store
    store.close()


def made(store: Store, prompt: str, owner: str = "ann", names: tuple[str, ...] = (), recipe: str = "") -> list[int]:
    """Write a job that made pictures of these names, or one picture; return the ids of its results."""
    number = store._base.execute("select count(*) from jobs").fetchone()[0] + 1
    job = f"j{number}"
    text = recipe or json.dumps({"prompt": prompt})
    store.add(
        Record(id=job, owner=owner, backend="fake", created=float(number), recipe=text), Kept(f"r{number}.png", 1)
    )
    rows = tuple(
        ResultRow(place=place, seed=place, digest=name, mime="image/png", width=4, height=3, bytes=10)
        for place, name in enumerate(names or (f"p{number}",))
    )
    store.end(job, JobState.DONE, float(number), done=Done("{}", text, "model", "parent", rows, prompt))
    return [
        id
        for (id,) in store._base.execute(
            "select results.id from results join jobs on number = job where jobs.id = ?", (job,)
        )
    ]


def prompts(store: Store, text: str, owner: str = "ann") -> list[str]:
    return [each.prompt for each in store.result_page(owner, 50, wanted=Filter(text=text)).rows]


def test_a_page_begins_behind_the_result_where_the_last_one_ended(store: Store) -> None:
    for number in range(5):
        made(store, f"prompt {number}")
    made(store, "his", "bob")
    first = store.result_page("ann", 2)
    assert [each.prompt for each in first.rows] == ["prompt 4", "prompt 3"]
    made(store, "new")
    second = store.result_page("ann", 2, first.next)
    assert [each.prompt for each in second.rows] == ["prompt 2", "prompt 1"], "what is new moves no page"
    assert store.result_page("ann", 1, second.next).next is None
    assert [each.prompt for each in store.result_page("bob", 2).rows] == ["his"]
    assert store.result_page("eve", 2) == Page((), None)


def test_a_result_is_found_with_all_that_a_list_shows_of_it(store: Store) -> None:
    (id,) = made(store, "a lake", names=("d",))
    (row,) = store.result_page("ann", 9).rows
    assert store.find_result("ann", id) == row
    assert store.find_result("bob", id) is None
    assert store.results_of_job("ann", "j1") == (row,)
    assert store.results_of_job("bob", "j1") == ()
    assert (row.job, row.place, row.created, row.seed, row.model, row.parent) == ("j1", 0, 1.0, 0, "model", "parent")
    assert (row.digest, row.mime, row.width, row.height, row.bytes) == ("d", "image/png", 4, 3, 10)


def failed(store: Store, name: str, state: JobState = JobState.FAILED, owner: str = "ann") -> int:
    """Write a run that failed; return its id in the library, 0 where it has none."""
    error = json.dumps({"kind": "RunFailed", "code": "run-broke", "values": {}})
    store.add(Record(id=name, owner=owner, backend="fake", created=50.0, recipe=RECIPE), Kept("r.png", 1))
    failure = (
        None if state is JobState.CANCELLED else Failure("model", None, 3, "a lake", (("oil", "an oil painting"),))
    )
    store.end(name, state, 50.0, error=error, failure=failure)
    found = store._base.execute("select results.id from results join jobs on job = number where jobs.id = ?", (name,))
    return next((id for (id,) in found), 0)


def test_what_did_not_come_is_a_list_of_its_own(store: Store) -> None:
    store.add(Record(id="j1", owner="ann", backend="fake", created=1.0, recipe=RECIPE), Kept("r.png", 1))
    missing = ResultRow(place=0, seed=1, missing="nsfw", why="Withheld.")
    store.end("j1", JobState.DONE, 2.0, done=Done("{}", "{}", "model", None, (missing,), "a lake"))
    (id,) = store._base.execute("select id from results").fetchone()
    assert store.result_page("ann", 9).rows == ()
    assert prompts(store, "lake") == []
    runs = [failed(store, state.value, state) for state in (JobState.FAILED, JobState.UNKNOWN, JobState.INTERRUPTED)]
    assert not failed(store, "cancelled", JobState.CANCELLED)
    listed = store.result_page("ann", 9, wanted=Filter(failed=True)).rows
    assert [each.id for each in listed] == [*reversed(runs), id]
    assert [each.missing for each in listed] == ["run"] * 3 + ["nsfw"]
    assert (listed[-1].why, listed[-1].file, listed[-1].digest, listed[-1].mime) == ("Withheld.", None, None, None)
    assert listed[0].error is not None
    assert store.result_page("ann", 9, wanted=Filter(failed=True, text="lak", style="oil")).rows == listed[:3]
    assert store.find_result("ann", runs[0]) == listed[2]
    assert store.find_result("bob", runs[0]) is None
    assert store.mark("ann", [id, *runs], Marks(star=True), 1000) == ()
    assert store.count_results("ann") == 0
    changes = store.changes("ann", 0, 9)
    assert ([each.id for each in changes.results], changes.gone) == ([*reversed(runs), id], ())


def test_a_run_that_failed_is_deleted_with_its_row_in_the_library(store: Store) -> None:
    run = failed(store, "broken")
    assert store.trash("ann", [run], 60.0) == ((run,), ("broken",))
    assert store.result_page("ann", 9, wanted=Filter(failed=True)).rows == ()
    assert store.purge(61.0) == Freed(["broken"], ["r.png"], [], [])


# ---- search -----------------------------------------------------------------------------------------------------


def test_a_search_finds_the_results_that_have_every_word_newest_first(store: Store) -> None:
    for prompt in ("a red lake", "a red house", "the Lake is red", "blue lake"):
        made(store, prompt)
    made(store, "a red lake of his", "bob")
    assert prompts(store, "lake red") == ["the Lake is red", "a red lake"]
    assert prompts(store, "RED h") == ["a red house"], "the last word may be unfinished"
    assert prompts(store, "re lake") == [], "another may not"
    assert prompts(store, "lake", "eve") == []


def test_a_search_goes_on_behind_the_last_result_of_a_page(store: Store) -> None:
    ids = [id for number in range(4) for id in made(store, f"lake {number}")]
    first = store.result_page("ann", 2, wanted=Filter(text="lake"))
    assert [each.id for each in store.result_page("ann", 2, first.next, Filter(text="lake")).rows] == [ids[1], ids[0]]


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        ("水彩の風景画", "水彩"),
        ("水彩の風景画", "風景"),
        ("水彩の風景画", "画"),
        ("ネオンの街", "ネオン"),
        ("夜の東京 neon", "東京 ne"),
        ("油画风格的猫", "风格"),
        ("ﾈｵﾝの街", "ネオン"),
        ("ＮＥＯＮ", "neon"),
    ],
)
def test_parts_of_japanese_and_chinese_prompts_are_found(store: Store, prompt: str, text: str) -> None:
    made(store, "something else 水")
    made(store, prompt)
    assert prompts(store, text) == [prompt]


def test_signs_of_a_word_are_found_in_their_order_alone(store: Store) -> None:
    made(store, "彩水")
    assert prompts(store, "水彩") == []


@pytest.mark.parametrize(
    "text",
    [
        "neon-lit",
        '"neon lit"',
        "neon* lit",
        "words:neon lit",
        "neon OR lit",
        "(neon lit",
        "neon\0lit",
        "NEAR(neon lit)",
    ],
)
def test_what_a_person_types_is_never_syntax(store: Store, text: str) -> None:
    made(store, "a neon-lit street")
    assert prompts(store, text) in (["a neon-lit street"], [])


def test_words_that_a_hyphen_joins_are_found_in_a_row(store: Store) -> None:
    made(store, "a neon-lit street")
    made(store, "lit by neon")
    assert prompts(store, "neon-lit") == ["a neon-lit street"]


@pytest.mark.parametrize("text", ["", "  ", '"', "!!! ..."])
def test_a_search_without_words_finds_everything(store: Store, text: str) -> None:
    made(store, "a lake")
    assert prompts(store, text) == ["a lake"]


def test_another_owners_number_in_a_prompt_finds_nothing_of_theirs(store: Store) -> None:
    made(store, "1 lake")
    made(store, "1 lake of his", "bob")
    assert prompts(store, "1") == ["1 lake"]
    assert query(2, "1") == 'scope : "2" AND {words marks} : ("1" *)'


def test_a_result_whose_job_has_a_damaged_row_is_listed_without_its_prompt(store: Store) -> None:
    made(store, "a lake", recipe='{"prompt": cut')
    assert prompts(store, "lake") == [""]


def test_deleted_results_are_found_no_more_and_the_index_stays_whole(store: Store) -> None:
    for number in range(6):
        made(store, f"lake {number}")
    store.delete("ann", "j2")
    store.make_room(33)
    assert prompts(store, "lake") == ["lake 5", "lake 4", "lake 3"]
    store._base.execute("insert into found_by (found_by, rank) values ('integrity-check', 1)")


def test_prompts_of_an_old_folder_are_found(tmp_path: Path) -> None:
    shutil.copytree(BEFORE_RECIPES, tmp_path / "data")
    store = Store(tmp_path / "data")
    listed = store.result_page(HERS, 99).rows
    assert {each.prompt for each in listed} >= {"one withheld, one failed"}
    assert [each.prompt for each in store.result_page(HERS, 9, wanted=Filter(text="withheld fail")).rows] == [
        "one withheld, one failed"
    ]
    store._base.execute("insert into found_by (found_by, rank) values ('integrity-check', 1)")
    store.close()


# ---- the trash ------------------------------------------------------------------------------------------------------


def test_a_deleted_result_is_in_no_answer_and_comes_back_with_all_that_was_noted_on_it(store: Store) -> None:
    one, two = made(store, "a lake", names=("one", "two"))
    store.mark("ann", [one], Marks(star=True, add_tags=("dawn",), note="the best"), 1000)
    before = store.find_result("ann", one)
    assert store.trash("bob", [one], 10.0) == ((), ())
    assert store.trash("ann", [one, one, 99], 10.0) == ((one,), ())
    assert store.trash("ann", [one], 11.0) == ((), ())
    assert [each.id for each in store.result_page("ann", 9).rows] == [two]
    for wanted in (Filter(text="best"), Filter(tag="dawn"), Filter(starred=True), Filter(failed=True)):
        assert store.result_page("ann", 9, wanted=wanted).rows == (), wanted
        assert store.result_index("ann", wanted).blocks == (), wanted
    facets = store.facets("ann", 1000)
    assert (facets.total, facets.starred, facets.protected, facets.tags) == (1, 0, 0, {})
    assert store.find_result("ann", one) is None
    assert [each.id for each in store.results_of_job("ann", "j1")] == [two]
    assert [each.place for each in store.recent("ann", 9)[0].results] == [1]
    assert not store.may_see("ann", "one.png")
    assert store.picture_of("ann", "one") is None
    assert not store.is_result("ann", "one")
    assert store.restore("bob", [one], 5.0) == ()
    assert store.restore("ann", [one], 10.0) == (), "too late"
    assert store.restore("ann", [one, 99], 9.0) == (one,)
    assert store.find_result("ann", one) == before
    assert store.may_see("ann", "one.png")
    assert store.facets("ann", 1000).protected == 11
    assert store.purge(99.0) == Freed([], [], [], [])
    store._base.execute("insert into found_by (found_by, rank) values ('integrity-check', 1)")


def test_what_is_in_the_trash_is_removed_for_good_with_its_files(store: Store) -> None:
    one, two = made(store, "a lake", names=("one", "two"))
    store.trash("ann", [one], 10.0)
    assert store.purge(10.0) == Freed([], [], [], []), "not yet"
    assert store.purge(10.5) == Freed([], ["one.png"], [], [])
    assert store.restore("ann", [one], 0.0) == ()
    assert [each.id for each in store.result_page("ann", 9).rows] == [two]


def test_a_job_goes_with_its_last_picture(store: Store) -> None:
    one, two = made(store, "a lake", names=("one", "two"))
    assert store.trash("ann", [one], 10.0) == ((one,), ())
    assert store.trash("ann", [two], 11.0) == ((two,), ("j1",))
    assert store.recent("ann", 9) == []
    assert store.place("ann", 1) is None
    assert store.find("ann", "j1") is None
    assert store.restore("ann", [two], 0.0) == (two,)
    assert store.find("ann", "j1") is not None
    store.trash("ann", [two], 11.0)
    assert store.purge(99.0) == Freed(["j1"], ["one.png", "r1.png", "two.png"], [], [])
    assert store.size() == 0


def test_a_job_of_which_a_picture_is_missing_goes_with_its_last_picture_too(store: Store) -> None:
    store.add(Record(id="j1", owner="ann", backend="fake", created=1.0, recipe=RECIPE), Kept("r.png", 1))
    picture = ResultRow(place=0, seed=1, digest="p", mime="image/png", width=4, height=3, bytes=10)
    missing = [ResultRow(place=place, seed=1, missing="failed", why="Broken.") for place in (1, 2)]
    store.end("j1", JobState.DONE, 2.0, done=Done("{}", RECIPE, "model", None, (picture, *missing), "a lake"))
    first, second, third = (each.id for each in store.results_of_job("ann", "j1"))
    store.trash("ann", [third], 10.0)
    assert store.purge(11.0) == Freed([], [], [], [])
    assert [each.id for each in store.results_of_job("ann", "j1")] == [first, second]
    store.trash("ann", [first], 12.0)
    assert [each.id for each in store.results_of_job("ann", "j1")] == [second], "it can still be read"
    assert store.purge(13.0) == Freed(["j1"], ["p.png", "r.png"], [], [])
    assert store.result_page("ann", 9, wanted=Filter(failed=True)).rows == ()


def test_a_picture_in_the_trash_takes_what_did_not_come_of_its_job_along(store: Store) -> None:
    store.add(Record(id="j1", owner="ann", backend="fake", created=1.0, recipe=RECIPE), Kept("r.png", 1))
    picture = ResultRow(place=0, seed=1, digest="p", mime="image/png", width=4, height=3, bytes=10)
    missing = ResultRow(place=1, seed=1, missing="failed", why="Broken.")
    ids = store.end("j1", JobState.DONE, 2.0, done=Done("{}", RECIPE, "model", None, (picture, missing), "a lake"))
    store.trash("ann", ids[:1], 10.0)
    store.trash("ann", ids[1:], 11.0)
    assert store.purge(12.0) == Freed(["j1"], ["p.png", "r.png"], [], [])


def test_results_of_one_job_in_the_trash_go_together(store: Store) -> None:
    ids = made(store, "a lake", names=("one", "two"))
    store.trash("ann", ids, 10.0)
    assert store.purge(11.0) == Freed(["j1"], ["one.png", "r1.png", "two.png"], [], [])


def test_the_mark_of_a_call_is_free_when_its_job_is_in_the_trash(store: Store) -> None:
    record = Record(id="j1", owner="ann", backend="fake", created=1.0, recipe=RECIPE, once="mark")
    store.add(record, Kept("r.png", 1))
    row = ResultRow(place=0, seed=1, digest="p", mime="image/png", width=4, height=3, bytes=10)
    (id,) = store.end("j1", JobState.DONE, 2.0, done=Done("{}", RECIPE, "model", None, (row,)))
    store.trash("ann", [id], 3.0)
    assert store.find_call("ann", "mark") is None
    store.add(replace(record, id="j2"), Kept("r.png", 1))


def test_a_picture_stays_as_long_as_its_job_has_it_otherwise(store: Store) -> None:
    one, _, other = made(store, "a lake", names=("same", "same", "other"))
    store.trash("ann", [one], 1.0)
    assert store.may_see("ann", "same.png")
    assert store.purge(2.0) == Freed([], [], [], [])
    assert store.may_see("ann", "same.png")
    recipe = json.dumps({"prompt": "", "reference": {"digest": "ref"}})
    store.grant("ann", Kept("ref.png", 1), 1.0)
    echo, _ = made(store, "a lake", names=("ref", "made"), recipe=recipe)
    store.forget(2.0)
    store.trash("ann", [echo], 3.0)
    assert store.may_see("ann", "ref.png"), "it is the job's reference too"
    assert store.purge(4.0) == Freed([], [], [], [])
    assert store.may_see("ann", "ref.png")
    store.trash("ann", [other], 5.0)
    assert store.purge(6.0) == Freed([], ["other.png"], [], [])


async def test_the_library_is_read_and_written_beside_the_event_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Store(tmp_path)
    ids = [id for number in range(3) for id in made(database, f"lake {number}")]
    file = database.images.folder / "p2.png"
    file.parent.mkdir()
    file.touch()
    store = AsyncStore(database)
    library, removed = store.library, list[str]()
    store.on_removed.append(removed.append)
    (row,) = await library.mark("ann", ids[:1], Marks(star=True), 1000)
    assert (await library.page("ann", 9, wanted=Filter(starred=True))).rows == (row,)
    gone, until = await library.delete("ann", [ids[1]])
    assert (gone, removed) == ((ids[1],), ["j2"])
    assert until == pytest.approx(time.time() + 60.0, abs=5)
    assert await library.restore("ann", [ids[1]]) == (ids[1],)
    await library.delete("ann", [ids[1]])
    await library.purge()
    assert file.exists(), "it can still be restored"
    monkeypatch.setattr(async_library, "UNDO", -1.0)
    assert await library.restore("ann", [ids[1]]) == (), "the minute is over"
    await library.purge()
    assert not file.exists()
    assert removed[-1] == "j2"
    assert await library.find("ann", ids[1]) is None
    assert await library.of_job("ann", "j2") == ()
    assert [each.id for each in (await library.page("ann", 9, wanted=Filter(text="lake"))).rows] == [ids[2], ids[0]]
    assert sum(each.count for each in (await library.index("ann")).blocks) == 2
    assert (await library.facets("ann", 1000)).total == await library.count("ann") == 2
    assert (await library.lineage("ann", ids[0])) is not None
    assert (await library.changes("ann", None)).seq > 0
    assert await store.has_room(1, 0)
    project = await library.add_project("ann", "lakes")
    assert await library.rename_project("ann", project.id, "seas") == replace(project, name="seas")
    assert await library.projects("ann") == (replace(project, name="seas"),)
    assert await library.delete_project("ann", project.id)
    await store.close()


async def test_a_result_deleted_before_a_restart_can_be_restored_and_is_removed_after_the_minute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Store(tmp_path)
    one, two = made(database, "a lake", names=("one", "two"))
    store = AsyncStore(database)
    await store.library.delete("ann", [one, two])
    await store.close()
    store = AsyncStore(Store(tmp_path))
    await store.library.purge()
    assert await store.library.restore("ann", [one]) == (one,)
    await store.close()
    monkeypatch.setattr(async_library, "UNDO", -1.0)
    store = AsyncStore(Store(tmp_path))
    await store.library.purge()
    assert await store.library.restore("ann", [two]) == ()
    assert [each.id for each in (await store.library.page("ann", 9)).rows] == [one]
    await store.close()


def test_changes_tell_which_results_came_changed_and_went_since_a_number(store: Store) -> None:
    (old,) = made(store, "old")
    known = store.changes("ann", None, 10).seq
    (first,), (second,) = made(store, "first"), made(store, "second")
    made(store, "his", "bob")
    store.trash("ann", [first], 1.0)
    store.mark("ann", [old], Marks(star=True), 1000)
    changes = store.changes("ann", known, 10)
    assert ([each.id for each in changes.results], changes.gone) == ([second, old], (first,))
    assert not store.changes("ann", changes.seq, 10).results


def test_changes_too_many_or_too_old_to_tell_are_stale(store: Store) -> None:
    made(store, "one")
    known = store.changes("ann", None, 10).seq
    for number in range(4):
        made(store, f"prompt {number}")
    assert store.changes("ann", known, 3).stale
    assert store.changes("ann", known + 1000, 10).stale, "of another database"
    with store._writing():
        room.forget_changes(store._base, 2)
    assert store.changes("ann", known, 10).stale
    assert not store.changes("ann", known + 2, 10).stale


def test_an_owners_pictures_are_counted_as_they_come_and_go(store: Store) -> None:
    assert store.count_results("ann") == 0
    (first,) = made(store, "first")
    made(store, "second", names=("a", "b"))
    made(store, "his", "bob")
    store.trash("ann", [first], 1.0)
    assert store.count_results("ann") == 2
    store.delete("ann", "j2")
    assert store.count_results("ann") == 0


def test_the_result_of_a_job_has_the_ids_of_its_rows(store: Store) -> None:
    first, second = made(store, "two", names=("a", "b"))
    record = store.find("ann", "j1")
    assert record is not None
    assert [row.id for row in record.results] == [first, second]


async def test_a_page_that_was_away_asks_what_it_missed_off_the_loop(tmp_path: Path) -> None:
    store = AsyncStore(Store(tmp_path))
    assert await store.library.count("ann") == 0
    assert (await store.library.changes("ann", None)).seq == 0
    await store.close()


async def test_each_change_of_an_owners_results_has_a_higher_number(tmp_path: Path) -> None:
    own = Store(tmp_path)
    store = AsyncStore(own)
    try:
        before = await store.library.revision("ann")
        made(own, "a lake")
        after = await store.library.revision("ann")
        assert after > before
        made(own, "his", "bob")
        assert await store.library.revision("ann") == after
    finally:
        await store.close()
