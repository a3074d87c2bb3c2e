"""The library: results in the order of time, by star, and by the words of their prompts."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.job_state import JobState
from storage.async_store import AsyncStore
from storage.rows import Record, ResultRow
from storage.sqlite.search_text import query
from storage.sqlite.store import Done, Kept, Store

BEFORE_RECIPES = Path(__file__).parent / "data" / "before_recipes"
HERS = "a" * 64


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
    return [each.prompt for each in store.search_results(owner, text, 50)]


def test_a_page_begins_behind_the_result_where_the_last_one_ended(store: Store) -> None:
    for number in range(5):
        made(store, f"prompt {number}")
    made(store, "his", "bob")
    first = store.result_page("ann", 2)
    assert [each.prompt for each in first] == ["prompt 4", "prompt 3"]
    made(store, "new")
    second = store.result_page("ann", 2, first[-1].id)
    assert [each.prompt for each in second] == ["prompt 2", "prompt 1"], "what is new moves no page"
    assert [each.prompt for each in store.result_page("bob", 2)] == ["his"]
    assert store.result_page("eve", 2) == []


def test_a_result_is_found_with_all_that_a_list_shows_of_it(store: Store) -> None:
    (id,) = made(store, "a lake", names=("d",))
    (row,) = store.result_page("ann", 9)
    assert store.find_result("ann", id) == row
    assert store.find_result("bob", id) is None
    assert (row.job, row.place, row.created, row.seed, row.model, row.parent) == ("j1", 0, 1.0, 0, "model", "parent")
    assert (row.digest, row.mime, row.width, row.height, row.bytes) == ("d", "image/png", 4, 3, 10)


def test_an_image_that_is_missing_is_in_no_list(store: Store) -> None:
    store.add(Record(id="j1", owner="ann", backend="fake", created=1.0, recipe="{}"), Kept("r.png", 1))
    missing = ResultRow(place=0, seed=1, missing="nsfw", why="Withheld.")
    store.end("j1", JobState.DONE, 2.0, done=Done("{}", "{}", "model", None, (missing,), "a lake"))
    (id,) = store._base.execute("select id from results").fetchone()
    assert store.result_page("ann", 9) == store.search_results("ann", "lake", 9) == []
    assert store.find_result("ann", id) is None
    assert not store.star("ann", id, True)
    assert store.delete_result("ann", id) == (False, [])


def test_starred_results_are_a_list_of_their_own(store: Store) -> None:
    ids = [id for number in range(4) for id in made(store, f"prompt {number}")]
    for id in ids[:3]:
        assert store.star("ann", id, True)
    assert store.star("ann", ids[1], False)
    assert not store.star("bob", ids[3], True)
    assert [each.id for each in store.result_page("ann", 9, starred=True)] == [ids[2], ids[0]]
    assert [each.id for each in store.result_page("ann", 9, ids[2], starred=True)] == [ids[0]]
    assert [each.star for each in store.result_page("ann", 9)] == [False, True, False, True]


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
    assert [each.id for each in store.search_results("ann", "lake", 2, ids[2])] == [ids[1], ids[0]]


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
    assert query(2, "1") == 'owner : "2" AND words : ("1" *)'


def test_a_result_whose_job_has_a_damaged_row_is_listed_without_its_prompt(store: Store) -> None:
    made(store, "a lake", recipe='{"prompt": cut')
    assert prompts(store, "lake") == [""]


def test_deleted_results_are_found_no_more_and_the_index_stays_whole(store: Store) -> None:
    for number in range(6):
        made(store, f"lake {number}")
    store.delete("ann", "j2")
    store.make_room(33)
    assert prompts(store, "lake") == ["lake 5", "lake 4", "lake 3"]
    store._base.execute("insert into prompts (prompts, rank) values ('integrity-check', 1)")


def test_prompts_of_an_old_folder_are_found(tmp_path: Path) -> None:
    shutil.copytree(BEFORE_RECIPES, tmp_path / "data")
    store = Store(tmp_path / "data")
    listed = store.result_page(HERS, 99)
    assert {each.prompt for each in listed} >= {"one withheld, one failed"}
    assert [each.prompt for each in store.search_results(HERS, "withheld fail", 9)] == ["one withheld, one failed"]
    store._base.execute("insert into prompts (prompts, rank) values ('integrity-check', 1)")
    store.close()


# ---- deleting -------------------------------------------------------------------------------------------------------


def test_a_deleted_result_takes_its_picture_along_and_leaves_the_others_of_its_job(store: Store) -> None:
    one, two = made(store, "a lake", names=("one", "two"))
    assert store.delete_result("bob", one) == (False, [])
    assert store.delete_result("ann", one) == (True, ["one.png"])
    assert [each.id for each in store.result_page("ann", 9)] == [two]
    assert [each.place for each in store.recent("ann", 9)[0].results] == [1]
    assert store.delete_result("ann", one) == (False, [])


def test_a_job_goes_with_its_last_result(store: Store) -> None:
    one, two = made(store, "a lake", names=("one", "two"))
    store.delete_result("ann", one)
    assert store.delete_result("ann", two) == (True, ["r1.png", "two.png"])
    assert store.recent("ann", 9) == []
    assert store.size() == 0


def test_a_picture_stays_as_long_as_its_job_has_it_otherwise(store: Store) -> None:
    one, _, other = made(store, "a lake", names=("same", "same", "other"))
    assert store.delete_result("ann", one) == (True, [])
    assert store.may_see("ann", "same.png")
    recipe = json.dumps({"prompt": "", "reference": {"digest": "ref"}})
    store.grant("ann", Kept("ref.png", 1), 1.0)
    echo, _ = made(store, "a lake", names=("ref", "made"), recipe=recipe)
    store.forget(2.0)
    assert store.delete_result("ann", echo) == (True, [])
    assert store.may_see("ann", "ref.png"), "it is the job's reference too"
    assert store.delete_result("ann", other) == (True, ["other.png"])


async def test_the_library_is_read_and_written_beside_the_event_loop(tmp_path: Path) -> None:
    database = Store(tmp_path)
    ids = [id for number in range(3) for id in made(database, f"lake {number}")]
    file = database.images.folder / "p2.png"
    file.parent.mkdir()
    file.touch()
    store = AsyncStore(database)
    assert await store.library.star("ann", ids[0])
    assert [each.id for each in await store.library.page("ann", 9, starred=True)] == [ids[0]]
    assert await store.library.delete("ann", ids[1])
    assert not file.exists()
    assert await store.library.find("ann", ids[1]) is None
    assert [each.id for each in await store.library.search("ann", "lake", 9)] == [ids[2], ids[0]]
    await store.close()


def test_a_search_is_in_the_order_of_the_index_and_sorts_nothing(store: Store) -> None:
    plan = store._base.execute(
        "explain query plan select rowid from prompts where prompts match ? and rowid < 9 order by rowid desc",
        (query(1, "lake"),),
    ).fetchall()
    assert not any("TEMP B-TREE" in row[3] for row in plan)
