"""What owners note on pictures: stars, tags, notes and projects, and what these protect from being removed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.job_state import JobState
from storage.protocols import (
    MOST_PROJECTS,
    MOST_TAGS,
    NameTaken,
    ProjectUnknown,
    ShareFull,
    TooManyProjects,
    TooManyTags,
)
from storage.rows import EVERYTHING, Done, Filter, LibraryRow, Marks, Record, ResultRow
from storage.sqlite.inserts import Kept
from storage.sqlite.room import Freed
from storage.sqlite.store import Store

LARGE = 1 << 40
NOTHING = Freed([], [], [], [])


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path)
    yield store
    store.close()


def made(
    store: Store, name: str, images: int = 1, owner: str = "ann", reference: str = "", parent: str | None = None
) -> tuple[int, ...]:
    """Write a job that made pictures of 100 bytes of a reference of 10; return their ids."""
    number = store._base.execute("select count(*) from jobs").fetchone()[0] + 1.0
    reference = reference or f"r-{name.upper()}"
    recipe = json.dumps({"prompt": name.upper(), "reference": {"digest": reference}})  # no digest but the one
    store.add(Record(id=name, owner=owner, backend="fake", created=number, recipe=recipe), Kept(f"{reference}.png", 10))
    rows = [
        ResultRow(place=place, seed=1, digest=f"{name}{place or ''}", mime="image/png", width=4, height=3, bytes=100)
        for place in range(images)
    ]
    return store.end(name, JobState.DONE, number, done=Done("{}", recipe, "model", parent, rows, name))


def star(store: Store, *ids: int, owner: str = "ann", quota: int = LARGE, on: bool = True) -> None:
    store.mark(owner, ids, Marks(star=on), quota)


def listed(store: Store, wanted: Filter = EVERYTHING, owner: str = "ann") -> list[str]:
    return [each.prompt.lower() for each in store.result_page(owner, 99, wanted=wanted).rows]


# ---- room -----------------------------------------------------------------------------------------------


def test_how_full_the_storage_is_and_what_goes_first_of_an_owners_is_known(store: Store) -> None:
    assert (store.facets("ann", 1000).full, store.facets("ann", 1000).oldest) == (0.0, None)
    (first,) = made(store, "one")
    made(store, "two")
    made(store, "hers", owner="bob")
    assert store.facets("ann", 1000).full == store.size() / 1000 > 0
    assert store.facets("nobody", 1000).full == store.size() / 1000
    assert store.facets("ann", 1000).oldest == 1.0
    star(store, first)
    assert store.facets("ann", 1000).oldest == 2.0
    assert store.facets("bob", 1000).oldest == 3.0


def test_what_goes_first_is_the_oldest_picture_and_nothing_that_failed_or_lies_in_the_trash(store: Store) -> None:
    (deleted,), (filed,), _ = made(store, "one"), made(store, "two"), made(store, "three")
    recipe = json.dumps({"prompt": "broken", "reference": {"digest": "r"}})
    store.add(Record(id="broken", owner="ann", backend="fake", created=0.5, recipe=recipe), Kept("r.png", 10))
    store.end("broken", JobState.FAILED, 1.0, error="{}")
    assert store.facets("ann", 1000).oldest == 1.0
    store.trash("ann", [deleted], 9.0)
    assert store.facets("ann", 1000).oldest == 2.0
    store.mark("ann", [filed], Marks(project=store.add_project("ann", "lakes", 5.0).id), LARGE)
    assert store.facets("ann", 1000).oldest == 3.0
    store.mark("ann", [filed], Marks(star=True), LARGE)
    assert store.facets("ann", 1000).removable_pictures == 1


def test_it_is_known_what_room_is_left_what_may_go_for_more_and_whose_goes_first(store: Store) -> None:
    assert (store.facets("ann", 1000).free, store.facets("ann", 1000).goes_first) == (1000, False)
    (one, two) = made(store, "ones", 2)
    made(store, "his", owner="bob")
    facets = store.facets("ann", 1000)
    assert (facets.free, facets.removable, facets.removable_pictures) == (1000 - 320, 210, 2)
    assert (facets.goes_first, store.facets("bob", 1000).goes_first) == (True, False)
    star(store, one, two)
    facets = store.facets("ann", 1000)
    assert (facets.removable, facets.removable_pictures, facets.oldest) == (0, 0, None)
    assert store.facets("bob", 1000).goes_first, "nothing of hers may go"
    star(store, two, on=False)
    store.trash("ann", [two], 9.0)
    assert store.facets("ann", 1000).free == 1000 - 320 + 100, "the trash goes before"
    assert store.facets("ann", 50).free == 0


# ---- marks ----------------------------------------------------------------------------------------------


def test_what_is_noted_is_on_the_pictures_in_the_order_of_their_ids(store: Store) -> None:
    (one,), (two,), (his,) = made(store, "one"), made(store, "two"), made(store, "his", owner="bob")
    project = store.add_project("ann", "lakes", 5.0).id
    marks = Marks(star=True, project=project, add_tags=("dawn", "best"))
    rows = store.mark("ann", [two, his, 99, one, two], marks, LARGE)
    assert [each.id for each in rows] == [two, one]
    assert {(each.star, each.project, each.tags, each.note) for each in rows} == {(True, project, ("best", "dawn"), "")}
    (row,) = store.mark("ann", [one], Marks(note="a note", remove_tags=("dawn", "none")), LARGE)
    assert (row.star, row.project, row.tags, row.note) == (True, project, ("best",), "a note")
    (row,) = store.mark("ann", [one], Marks(star=False, project=0), LARGE)
    assert (row.star, row.project, row.tags, row.note) == (False, None, ("best",), "a note")
    assert store.mark("ann", [one], Marks(), LARGE) == (row,)
    assert store.mark("ann", [his], Marks(star=True), LARGE) == ()
    (untouched,) = store.result_page("bob", 9).rows
    assert (untouched.star, untouched.tags) == (False, ())


def test_tags_and_notes_are_found_by_their_words_as_long_as_they_are_there(store: Store) -> None:
    (one,), _ = made(store, "one"), made(store, "two")
    store.mark("ann", [one], Marks(add_tags=("夜明け",), note="print it"), LARGE)
    for text in ("夜明", "print", "one prin"):
        assert listed(store, Filter(text=text)) == ["one"], text
    store.mark("ann", [one], Marks(remove_tags=("夜明け",), note=""), LARGE)
    for text in ("夜明", "print"):
        assert listed(store, Filter(text=text)) == [], text
    store._base.execute("insert into found_by (found_by, rank) values ('integrity-check', 1)")


def test_a_picture_has_so_many_tags_and_one_more_changes_nothing(store: Store) -> None:
    (one,), (two,) = made(store, "one"), made(store, "two")
    names = tuple(f"tag {number}" for number in range(MOST_TAGS))
    store.mark("ann", [one], Marks(add_tags=names), LARGE)
    with pytest.raises(TooManyTags):
        store.mark("ann", [two, one], Marks(star=True, add_tags=("one more",)), LARGE)
    assert listed(store, Filter(tag="one more")) == []
    assert listed(store, Filter(starred=True)) == []
    (row,) = store.mark("ann", [one], Marks(add_tags=("one more",), remove_tags=names[:1]), LARGE)
    assert len(row.tags) == MOST_TAGS


def test_a_tag_is_its_owners(store: Store) -> None:
    (mine,), (his,) = made(store, "mine"), made(store, "his", owner="bob")
    store.mark("ann", [mine], Marks(add_tags=("dawn",)), LARGE)
    assert store.facets("bob", LARGE).tags == {}
    assert listed(store, Filter(tag="dawn"), "bob") == []
    store.mark("bob", [his], Marks(add_tags=("dawn",)), LARGE)
    store.mark("ann", [mine], Marks(remove_tags=("dawn",)), LARGE)
    assert store.facets("bob", LARGE).tags == {"dawn": 1}
    store.forget_leftovers(1.0)
    assert store._base.execute("select count(*) from tags").fetchone() == (1,), "a tag of nothing is forgotten"


def test_every_mark_is_a_change_that_is_told(store: Store) -> None:
    (one,) = made(store, "one")
    project = store.add_project("ann", "lakes", 5.0).id
    seq = store.changes("ann", None, 9).seq
    steps = [
        lambda: star(store, one),
        lambda: store.mark("ann", [one], Marks(add_tags=("dawn",)), LARGE),
        lambda: store.mark("ann", [one], Marks(note="a note"), LARGE),
        lambda: store.mark("ann", [one], Marks(project=project), LARGE),
        lambda: store.delete_project("ann", project),
        lambda: store.restore("ann", store.trash("ann", [one], 5.0)[0], 1.0),
    ]
    for step in steps:
        step()
        changes = store.changes("ann", seq, 9)
        assert [each.id for each in changes.results] == [one]
        assert changes.seq > seq
        seq = changes.seq
    store.trash("ann", [one], 5.0)
    gone = store.changes("ann", seq, 9)
    assert (gone.results, gone.gone) == ((), (one,))
    store.purge(6.0)
    assert store.changes("ann", gone.seq, 9).seq == gone.seq, "its deletion is an earlier change"


# ---- projects -------------------------------------------------------------------------------------------


def test_projects_are_their_owners_and_their_names_are_unique_to_them(store: Store) -> None:
    mine = store.add_project("ann", "lakes", 5.0)
    with pytest.raises(NameTaken):
        store.add_project("ann", "lakes", 6.0)
    his = store.add_project("bob", "lakes", 7.0)
    assert store.projects("ann") == (mine,)
    other = store.add_project("ann", "harbours", 8.0)
    assert [each.name for each in store.projects("ann")] == ["harbours", "lakes"]
    with pytest.raises(NameTaken):
        store.rename_project("ann", other.id, "lakes")
    assert store.rename_project("ann", other.id, "seas").name == "seas"
    with pytest.raises(ProjectUnknown):
        store.rename_project("ann", his.id, "mine now")
    assert not store.delete_project("ann", his.id)
    (row,) = made(store, "one")
    with pytest.raises(ProjectUnknown):
        store.mark("ann", [row], Marks(project=his.id), LARGE)
    with pytest.raises(ProjectUnknown):
        store.mark("ann", [99], Marks(project=his.id), LARGE)
    assert store.projects("bob") == (his,)


def test_an_owner_has_so_many_projects(store: Store) -> None:
    for number in range(MOST_PROJECTS):
        store.add_project("ann", f"project {number}", 5.0)
    with pytest.raises(TooManyProjects):
        store.add_project("ann", "one more", 5.0)


def test_a_deleted_project_leaves_its_pictures_without_one_and_its_id_is_never_used_again(store: Store) -> None:
    (one,), (two,) = made(store, "one"), made(store, "two")
    project = store.add_project("ann", "lakes", 5.0).id
    store.mark("ann", [one, two], Marks(project=project), LARGE)
    store.trash("ann", [two], 5.0)
    assert [each.count for each in store.projects("ann")] == [1]
    assert store.facets("ann", LARGE).protected == 110
    assert store.delete_project("ann", project)
    assert not store.delete_project("ann", project)
    store.restore("ann", [two], 1.0)
    assert {each.project for each in store.result_page("ann", 9).rows} == {None}
    assert store.facets("ann", LARGE).protected == 0
    assert store.add_project("ann", "lakes", 6.0).id > project


def test_an_owner_of_a_new_project_alone_is_remembered_for_a_while(store: Store) -> None:
    store.add_project("ann", "lakes", 1_000_000.0)
    assert store.forget_leftovers(1_000_001.0) == 0
    assert store.forget_leftovers(2_000_000.0) == 1
    assert store._base.execute("select count(*) from projects").fetchone() == (0,)


# ---- protection -----------------------------------------------------------------------------------------


def test_room_is_made_without_what_stars_and_projects_protect(store: Store) -> None:
    (one,), (two,), _ = made(store, "one"), made(store, "two"), made(store, "three")
    star(store, one)
    store.mark("ann", [two], Marks(project=store.add_project("ann", "lakes", 5.0).id), LARGE)
    assert store.make_room(300) == Freed(["three"], ["r-THREE.png", "three.png"], [], [])
    assert store.make_room(0) == NOTHING
    star(store, one, on=False)
    assert store.make_room(0) == Freed(["one"], ["one.png", "r-ONE.png"], [], [])
    assert listed(store) == ["two"]


def test_of_a_job_with_one_protected_picture_the_others_go(store: Store) -> None:
    ids = made(store, "one", 3)
    star(store, ids[1])
    freed = store.make_room(0)
    assert freed == Freed([], ["one.png", "one2.png"], [], ["one"])
    assert [each.id for each in store.result_page("ann", 9).rows] == [ids[1]]
    assert store.size() == 110, "the picture and its reference"
    assert store.make_room(0) == NOTHING


def test_a_picture_that_is_its_own_jobs_reference_is_protected_with_the_other(store: Store) -> None:
    recipe = json.dumps({"prompt": "", "reference": {"digest": "ref"}})
    store.add(Record(id="j", owner="ann", backend="fake", created=1.0, recipe=recipe), Kept("ref.png", 10))
    rows = [
        ResultRow(place=place, seed=1, digest=name, mime="image/png", width=1, height=1, bytes=10)
        for place, name in enumerate(("ref", "made"))
    ]
    _, kept = store.end("j", JobState.DONE, 2.0, done=Done("{}", recipe, "model", None, rows))
    star(store, kept)
    assert store.facets("ann", LARGE).protected == 20
    assert store.make_room(0) == Freed([], [], [], ["j"]), "its row goes, and its file is needed"
    assert store.may_see("ann", "ref.png")


def test_bytes_that_are_held_or_protected_count_each_picture_once(store: Store) -> None:
    (one,), (two,) = made(store, "one", reference="same"), made(store, "two", reference="same")
    assert store.facets("ann", LARGE).bytes == 210
    star(store, one)
    assert store.facets("ann", LARGE).protected == 110
    star(store, two)
    assert store.facets("ann", LARGE).protected == 210
    star(store, one, on=False)
    assert store.facets("ann", LARGE).protected == 110
    store.trash("ann", [two], 5.0)
    assert store.facets("ann", LARGE).protected == 0
    store.restore("ann", [two], 1.0)
    assert store.facets("ann", LARGE).protected == 110
    store.delete("ann", "two")
    assert (store.facets("ann", LARGE).protected, store.facets("ann", LARGE).bytes) == (0, 110)


def test_beyond_the_share_a_star_is_refused_and_nothing_is_changed(store: Store) -> None:
    (one,), (two,), (three,) = made(store, "one"), made(store, "two"), made(store, "three")
    quota = 300  # three quarters of it are 225
    star(store, one, two, quota=quota)
    with pytest.raises(ShareFull) as refused:
        store.mark("ann", [three], Marks(star=True, add_tags=("dawn",)), quota)
    assert (refused.value.share, refused.value.needed) == (225, 330)
    assert listed(store, Filter(starred=True)) == ["two", "one"]
    assert store.facets("ann", quota).tags == {}
    with pytest.raises(ShareFull):
        store.mark("ann", [three], Marks(project=store.add_project("ann", "lakes", 5.0).id), quota)
    assert store.facets("ann", quota).protected == 220
    project = store.projects("ann")[0].id
    store.mark("ann", [one], Marks(project=project), quota)  # it is protected already
    star(store, two, quota=quota, on=False)
    star(store, three, quota=quota)


def test_a_share_is_smaller_where_others_have_pictures_and_what_is_protected_stays(store: Store) -> None:
    (one,), (two,) = made(store, "one"), made(store, "two")
    star(store, one, two, quota=300)
    made(store, "his", owner="bob")
    store.grant("eve", Kept("e.png", 1), 1.0)
    assert store.facets("ann", 300).share == store.facets("eve", 300).share == 112
    assert store.make_room(220).jobs == ["his"]
    assert store.facets("ann", 300).share == 225, "nobody else has any"
    made(store, "again", owner="bob")
    with pytest.raises(ShareFull):
        star(store, *made(store, "three"), quota=300)
    star(store, one, quota=300)  # again: it protects no more than before
    star(store, one, quota=300, on=False)


def test_the_trash_goes_first_where_room_is_needed(store: Store) -> None:
    made(store, "old")
    (one,), (two,), (three,) = made(store, "one"), made(store, "two"), made(store, "three")
    star(store, one)
    store.trash("ann", [two], 6.0)
    store.trash("ann", [one, three], 5.0)
    assert store.make_room(440) == NOTHING
    assert store.make_room(330) == Freed(["one"], ["one.png", "r-ONE.png"], [], [])
    assert store.make_room(200).jobs == ["three", "two"]
    assert listed(store) == ["old"]


def test_there_is_room_for_a_run_until_all_that_is_stored_is_protected(store: Store) -> None:
    assert store.has_room(100, 0)
    ids = made(store, "one", 2)
    assert store.has_room(100, 0), "the run may go"
    star(store, ids[0])
    assert store.has_room(100, 0), "its other picture may go"
    store.trash("ann", [ids[1]], 5.0)
    assert store.has_room(100, 0), "the trash may go"
    store.purge(6.0)
    assert not store.has_room(100, 0)
    assert store.has_room(111, 0)
    store.grant("ann", Kept("reference.png", 7), 1.0)
    assert not store.has_room(100, 7), "the run itself needs it"
    store.grant("ann", Kept("unused.png", 7), 1.0)
    assert store.has_room(100, 7)


# ---- lineage --------------------------------------------------------------------------------------------


def names(rows: tuple[LibraryRow, ...]) -> list[str]:
    return [each.prompt.lower() for each in rows]


def test_a_lineage_goes_back_to_the_first_photo_and_one_step_forth(store: Store) -> None:
    made(store, "first")
    (second,) = made(store, "second", parent="first")
    (third,) = made(store, "third", parent="second")
    made(store, "other", parent="second")
    made(store, "last", parent="third")
    made(store, "his", parent="second", owner="bob")
    found = store.lineage("ann", third)
    assert found is not None
    assert (names(found.parents), found.first.prompt.lower(), names(found.children)) == (
        ["second", "first"],
        "first",
        ["last"],
    )
    found = store.lineage("ann", second)
    assert found is not None
    assert names(found.children) == ["other", "third"]
    assert store.lineage("bob", second) is None
    store.trash("ann", [second], 5.0)
    found = store.lineage("ann", third)
    assert found is not None
    assert (found.parents, found.first.prompt.lower()) == ((), "third"), "one that was deleted ends the chain"
    assert store.lineage("ann", second) is None


def test_of_pictures_that_are_the_same_the_latest_before_it_is_the_parent(store: Store) -> None:
    for number in range(3):
        recipe = json.dumps({"prompt": f"same {number}"})
        record = Record(id=f"s{number}", owner="ann", backend="fake", created=number + 1.0, recipe=recipe)
        store.add(record, Kept("r.png", 1))
        row = ResultRow(place=0, seed=1, digest="same", mime="image/png", width=1, height=1, bytes=10)
        ids = store.end(record.id, JobState.DONE, number * 10 + 5.0, done=Done("{}", recipe, "m", "same", [row]))
    found = store.lineage("ann", ids[0])
    assert found is not None
    assert (names(found.parents), found.children) == (["same 1", "same 0"], ())
    first = store.lineage("ann", found.first.id)
    assert first is not None
    assert (first.parents, names(first.children)) == ((), ["same 2", "same 1"])
    long = store.lineage("bob", ids[0])
    assert long is None


def test_a_lineage_ends_after_so_many_steps(store: Store) -> None:
    parent = None
    for number in range(53):
        ids = made(store, f"p{number}", parent=parent)
        parent = f"p{number}"
    found = store.lineage("ann", ids[0])
    assert found is not None
    assert len(found.parents) == 50
    assert found.first.prompt == "P2"
