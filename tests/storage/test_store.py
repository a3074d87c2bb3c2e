"""The database: every state of a job outlives its process, and a picture is seen by its owners alone."""

from __future__ import annotations

import errno
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.job_state import JobState
from storage.protocols import CallTaken
from storage.rows import Done, Record, ReferenceRow, ResultRow
from storage.sqlite.database import StoreError, unusable
from storage.sqlite.inserts import Kept
from storage.sqlite.migrations import MIGRATIONS
from storage.sqlite.store import Store

RECORD = Record(id="j1", owner="ann", backend="fake", created=100.0, recipe="{}", remote="[null]")
REFERENCE = Kept("r.png", 10)


def done(*pictures: tuple[str, int], report: str = "{}") -> Done:
    """Return what is written down of a job that made pictures, each of a name without its end and so many bytes."""
    rows = [
        ResultRow(place=place, seed=place, digest=name, mime="image/png", width=4, height=3, bytes=size)
        for place, (name, size) in enumerate(pictures)
    ]
    return Done(report=report, recipe='{"model":"m"}', model="m", parent=None, results=tuple(rows))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def again(store: Store, tmp_path: Path) -> Store:
    """Return the store as the next process finds it."""
    store.close()
    return Store(tmp_path)


def test_a_job_is_found_again_as_it_was_written(store: Store, tmp_path: Path) -> None:
    record = replace(RECORD, own_key=True, estimate=0.1, remote='[null,"there"]')
    store.add(record, REFERENCE)
    assert again(store, tmp_path).unfinished() == [record]


def test_what_happened_to_a_job_is_found_again(store: Store, tmp_path: Path) -> None:
    store.add(replace(RECORD, remote="[null,null]"), REFERENCE)
    store.move("j1", JobState.SUBMITTING)
    store = again(store, tmp_path)
    assert store.unfinished()[0].state == "submitting"
    store.accepted("j1", 1, "second")
    store = again(store, tmp_path)
    (found,) = store.unfinished()
    assert (found.state, found.remote) == ("running", '[null,"second"]')
    store.end("j1", JobState.DONE, 200.0, cost=0.25, done=done(("p", 7), report='{"x":1}'))
    store = again(store, tmp_path)
    assert store.unfinished() == []
    (found,) = store.recent("ann", 10)
    assert (found.state, found.ended, found.report, found.cost) == ("done", 200.0, '{"x":1}', 0.25)
    assert found.recipe == '{"model":"m"}', "with the model that was really used"
    assert found.results == done(("p", 7)).results


@pytest.mark.parametrize("state", [state for state in JobState if state.terminal])
def test_an_end_is_final(store: Store, state: JobState) -> None:
    store.add(RECORD, REFERENCE)
    store.end("j1", state, 200.0)
    store.move("j1", JobState.SUBMITTING)
    store.accepted("j1", 0, "late")
    store.end("j1", JobState.DONE, 300.0, done=done(("p", 7)))
    (found,) = store.recent("ann", 1)
    assert (found.state, found.ended, found.remote, found.report) == (state, 200.0, "[null]", None)
    assert found.results == ()


def test_recent_jobs_are_the_owners_alone_newest_first(store: Store) -> None:
    for number in range(5):
        owner = "ann" if number != 3 else "bob"
        store.add(replace(RECORD, id=f"j{number}", owner=owner, created=float(number)), REFERENCE)
    assert [each.id for each in store.recent("ann", 3)] == ["j4", "j2", "j1"]
    assert [each.id for each in store.recent("bob", 3)] == ["j3"]


def test_a_picture_is_seen_by_whoever_has_a_job_with_it_or_uploaded_it(store: Store) -> None:
    store.add(RECORD, REFERENCE)
    store.end("j1", JobState.DONE, 200.0, done=done(("p", 7)))
    store.grant("bob", Kept("b.png", 5), 200.0)
    seen = {
        (owner, name)
        for owner in ("ann", "bob", "")
        for name in ("r.png", "p.png", "b.png")
        if store.may_see(owner, name)
    }
    assert seen == {("ann", "r.png"), ("ann", "p.png"), ("bob", "b.png")}


def test_a_picture_is_a_result_of_the_owner_for_whom_it_was_made(store: Store) -> None:
    store.add(RECORD, REFERENCE)
    store.end("j1", JobState.DONE, 200.0, done=done(("p", 7)))
    assert store.is_result("ann", "p")
    assert not store.is_result("bob", "p")
    assert not store.is_result("ann", "r")


def test_an_image_that_is_missing_has_a_row_and_no_file(store: Store) -> None:
    store.add(RECORD, REFERENCE)
    made = done(("p", 7))
    missing = ResultRow(place=1, seed=9, missing="nsfw", why="Not safe for work.")
    store.end("j1", JobState.DONE, 200.0, done=replace(made, results=(*made.results, missing)))
    (found,) = store.recent("ann", 1)
    assert found.results == (*made.results, missing)
    assert store.size() == 10 + 7


def test_only_the_app_owners_money_counts_and_an_unknown_cost_by_its_estimate(store: Store) -> None:
    def run(name: str, created: float, cost: float | None, *, own_key: bool = False) -> None:
        store.add(replace(RECORD, id=name, created=created, own_key=own_key, estimate=0.5), REFERENCE)
        if cost is not None:
            store.end(name, "done", created, cost=cost)

    run("yesterday", 50.0, 3.0)
    run("known", 100.0, 0.2)
    run("going on", 101.0, None)
    run("visitor's", 102.0, 9.0, own_key=True)
    run("refused", 103.0, 0.0)
    assert store.spent(100.0) == pytest.approx(0.7)


def test_an_owners_spending_is_told_by_backend_on_whoevers_keys_and_deleted_jobs_count(store: Store) -> None:
    def run(name: str, created: float, cost: float | None, backend: str, owner: str = "ann", **more: Any) -> None:
        store.add(
            replace(RECORD, id=name, created=created, backend=backend, owner=owner, estimate=0.5, **more), REFERENCE
        )
        if cost is not None:
            store.end(name, "done", created, cost=cost)

    run("yesterday", 50.0, 3.0, "one")
    run("known", 100.0, 0.25, "one")
    run("going on", 101.0, None, "one")
    run("own key", 102.0, 9.0, "two", own_key=True)
    run("free", 103.0, 0.0, "three")
    run("imported", 104.0, 7.0, "one", source="import", own_key=True)
    run("another's", 105.0, 2.0, "one", owner="bob")
    spent = {"one": 0.75, "two": 9.0}
    assert store.spending("ann", 100.0) == spent
    for name in ("known", "own key", "imported"):
        store.delete("ann", name)
    assert store.spending("ann", 100.0) == spent
    assert store.spending("ann", 102.5) == {}
    assert store.spending("nobody", 0.0) == {}
    store.forget_leftovers(105.0 + 3 * 86_400)
    assert store.spending("ann", 100.0) == {"one": 0.5}


def test_a_deleted_job_gives_no_money_back_until_its_day_is_long_over(store: Store) -> None:
    for name, own_key in (("j1", False), ("j2", False), ("j3", True)):
        store.add(replace(RECORD, id=name, created=100.0, own_key=own_key, estimate=0.5), REFERENCE)
        store.end(name, JobState.DONE, 101.0, cost=None if name == "j1" else 0.2)
        store.delete("ann", name)
    assert store.spent(100.0) == pytest.approx(0.7)
    assert store.spent(101.0) == 0.0
    store.forget_leftovers(101.0)
    assert store.spent(0.0) == pytest.approx(0.7)
    store.forget_leftovers(101.0 + 3 * 86_400)
    assert store.spent(0.0) == 0.0


def test_room_is_made_from_the_oldest_ended_jobs(store: Store) -> None:
    for number in range(4):
        store.add(replace(RECORD, id=f"j{number}", created=float(number)), Kept("shared.png", 10))
        if number != 1:
            store.end(f"j{number}", "done", 9.0, done=done((f"p{number}", 100)))
    assert store.size() == 310
    assert store.make_room(400) == ([], [], [], [])
    assert store.make_room(220) == (["j0"], ["p0.png"], [], [])
    assert store.size() == 210
    assert store.make_room(0) == (["j2", "j3"], ["p2.png", "p3.png"], [], [])
    assert [each.id for each in store.recent("ann", 9)] == ["j1"], "it goes on"
    assert store.may_see("ann", "shared.png")


def test_what_is_known_of_a_reference_is_its_owners_as_long_as_it_is_stored(store: Store) -> None:
    row = ReferenceRow(
        name="r.png",
        width=4,
        height=3,
        bytes=10,
        notices='["n"]',
        address="https://a",
        parent="p",
        profile="P3",
        dpi=300.0,
    )
    store.add_reference("ann", row, 5.0)
    assert store.reference("ann", "r.png") == row
    assert store.reference("bob", "r.png") is None
    assert store.may_see("ann", "r.png")
    store.add(RECORD, REFERENCE)
    assert store.forget(6.0) == []
    assert store.reference("ann", "r.png") == row, "a job has it"
    store.end("j1", JobState.DONE, 200.0)
    store.delete("ann", "j1")
    assert store.reference("ann", "r.png") is None
    store.forget(6.0)
    store.grant("ann", REFERENCE, 7.0)
    assert store.reference("ann", "r.png") is None, "the note is gone with the file"


def test_references_that_nobody_ran_go_before_any_job(store: Store) -> None:
    for number in range(2):
        store.add(replace(RECORD, id=f"j{number}", created=float(number)), Kept(f"r{number}.png", 10))
        store.end(f"j{number}", "done", 9.0)
    for name, kept in (("old.png", 5.0), ("new.png", 6.0)):
        store.grant("bob", Kept(name, 100), kept)
    assert store.make_room(150) == ([], ["old.png"], [], [])
    assert store.make_room(10, "j0") == (["j1"], ["new.png", "r1.png"], [], [])
    assert [each.id for each in store.recent("ann", 9)] == ["j0"]


def test_an_uploaded_file_is_whose_it_is_in_the_next_process_too(store: Store, tmp_path: Path) -> None:
    store.add_file("ann", "d/a.png", 10, 1.0)
    store.add_file("bob", "d/a.png", 10, 2.0)
    store = again(store, tmp_path)
    owned = [(who, path) for who in ("ann", "bob", "") for path in ("d/a.png", "d/b.png") if store.owns_file(who, path)]
    assert owned == [("ann", "d/a.png"), ("bob", "d/a.png")]
    assert store.size() == 10, "one file"


def test_an_upload_that_came_again_counts_from_then(store: Store) -> None:
    store.add_file("ann", "d/a.png", 10, 1.0)
    store.add_file("ann", "d/a.png", 10, 90.0)
    store.add_file("ann", "d/b.png", 10, 1.0)
    store.forget(50.0)
    assert store.owns_file("ann", "d/a.png")
    assert not store.owns_file("ann", "d/b.png")
    assert store.size() == 10


def test_whoever_holds_the_most_loses_their_oldest_upload_first(store: Store) -> None:
    for number in range(4):
        store.add_file("stranger", f"{number}/s.png", 100, 10.0 + number)
    store.add_file("ann", "a/a.png", 60, 1.0)
    store.grant("bob", Kept("b.png", 50), 2.0)
    assert store.make_room(510) == ([], [], [], [])
    assert store.make_room(500) == ([], [], ["0/s.png"], [])
    assert store.make_room(150) == ([], [], ["1/s.png", "2/s.png", "3/s.png"], [])
    assert store.owns_file("ann", "a/a.png")
    assert store.may_see("bob", "b.png")


def test_whoever_holds_the_most_loses_their_oldest_run_first(store: Store) -> None:
    def run(name: str, owner: str, created: float, size: int) -> None:
        store.add(replace(RECORD, id=name, owner=owner, created=created), Kept(f"r-{name}.png", 1))
        store.end(name, "done", created, done=done((f"{name}", size)))

    run("a1", "ann", 1.0, 40)
    for number in range(3):
        run(f"s{number}", "stranger", 10.0 + number, 100)
    assert store.make_room(250).jobs == ["s0"]
    assert store.make_room(150).pictures == ["r-s1.png", "s1.png"]
    assert [each.id for each in store.recent("ann", 9)] == ["a1"]
    assert [each.id for each in store.recent("stranger", 9)] == ["s2"]


def test_a_file_is_dropped_only_when_it_is_nobodys_any_more(store: Store) -> None:
    for owner in ("ann", "bob"):
        store.add_file(owner, "d/a.png", 100, 1.0)
    assert store.make_room(600, coming=1) == ([], [], [], [])
    assert [store.owns_file(owner, "d/a.png") for owner in ("ann", "bob")] == [False, True]
    assert store.make_room(50) == ([], [], ["d/a.png"], [])


def test_uploads_have_a_fourth_of_the_quota_and_runs_keep_the_rest(store: Store) -> None:
    store.add(RECORD, REFERENCE)
    store.end("j1", JobState.DONE, 200.0, done=done(("p", 290)))
    store.add_file("ann", "d/a.png", 60, 1.0)
    store.add_file("ann", "d/b.png", 40, 2.0)
    assert store.make_room(400) == ([], [], [], [])
    assert store.make_room(400, coming=50) == ([], [], ["d/a.png"], [])
    assert store.make_room(400, coming=60) == ([], [], [], [])
    assert store.make_room(339) == (["j1"], ["p.png", "r.png"], [], []), (
        "the upload is within its part: the old run goes"
    )


def test_a_run_that_goes_on_is_no_room_for_an_upload(store: Store) -> None:
    store.add(RECORD, Kept("r.png", 100))
    store.add_file("ann", "d/a.png", 60, 1.0)
    assert store.make_room(100, coming=50) == ([], [], ["d/a.png"], [])
    assert store.size() + 50 > 100
    store.add_file("ann", "d/b.png", 20, 3.0)
    assert store.make_room(100) == ([], [], ["d/b.png"], []), "within its part, and there is nothing else"


def test_old_references_that_nobody_ran_are_forgotten(store: Store) -> None:
    store.add(RECORD, REFERENCE)
    for name, kept in (("old.png", 1.0), ("new.png", 90.0), ("r.png", 1.0)):
        store.grant("ann", Kept(name, 5), kept)
    store.grant("bob", Kept("old.png", 5), 90.0)
    assert store.forget(50.0) == []
    assert not store.may_see("ann", "old.png")
    assert store.may_see("ann", "r.png")
    assert store.forget(100.0) == ["new.png", "old.png"]


def test_a_reference_that_is_used_again_counts_from_then(store: Store) -> None:
    store.grant("ann", Kept("a.png", 5), 1.0)
    store.grant("ann", Kept("a.png", 5), 90.0)
    assert store.forget(50.0) == []


def test_a_folder_belongs_to_one_process(store: Store, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="Another process"):
        Store(tmp_path)
    again(store, tmp_path).close()


def test_a_folder_of_a_newer_version_is_left_alone(store: Store, tmp_path: Path) -> None:
    store.close()
    with sqlite3.connect(tmp_path / "studio.db") as base:
        base.execute(f"pragma user_version = {len(MIGRATIONS) + 1}")
    base.close()
    with pytest.raises(StoreError, match="newer version"):
        Store(tmp_path)


def test_a_failed_write_changes_nothing(store: Store) -> None:
    store.add(RECORD, REFERENCE)
    with pytest.raises(sqlite3.IntegrityError):
        store.add(RECORD, Kept("other.png", 1))
    assert not store.may_see("ann", "other.png")
    assert len(store.unfinished()) == 1


# ---- calls by the API's doors ------------------------------------------------------------------------


def test_an_owners_mark_begins_one_job_and_another_owners_their_own(store: Store) -> None:
    store.add(replace(RECORD, once="mark"), REFERENCE)
    with pytest.raises(CallTaken):
        store.add(replace(RECORD, id="j2", once="mark"), REFERENCE)
    store.add(replace(RECORD, id="j3", owner="bob", once="mark"), REFERENCE)
    found = store.find_call("ann", "mark")
    assert found is not None
    assert found.id == "j1"
    assert store.find_call("eve", "mark") is None


def test_an_old_mark_is_free_again(store: Store) -> None:
    store.add(replace(RECORD, once="mark"), REFERENCE)
    store.free_call("ann", "mark", RECORD.created)
    assert store.find_call("ann", "mark") is not None
    store.free_call("ann", "mark", RECORD.created + 1)
    assert store.find_call("ann", "mark") is None
    store.add(replace(RECORD, id="j2", once="mark"), REFERENCE)


def test_a_job_is_found_by_its_owner_alone(store: Store) -> None:
    store.add(RECORD, REFERENCE)
    assert store.find("ann", "j1") == RECORD
    assert store.find("bob", "j1") is None
    assert store.find("ann", "j9") is None


def test_who_is_to_be_told_an_end_is_known_until_it_was(store: Store, tmp_path: Path) -> None:
    for name, hook in (("j1", "https://a.example"), ("j2", None), ("j3", "https://b.example")):
        store.add(replace(RECORD, id=name, hook=hook), REFERENCE)
    store.end("j1", JobState.DONE, 200.0)
    store.end("j2", "done", 200.0)
    store = again(store, tmp_path)
    assert [each.id for each in store.unreported()] == ["j1"]  # the third goes on
    store.reported("j1")
    assert store.unreported() == []


def test_a_page_of_an_owners_jobs_begins_where_the_last_one_ended(store: Store) -> None:
    for number in range(5):
        store.add(replace(RECORD, id=f"j{number}", created=float(number)), REFERENCE)
    before = store.place("ann", 2, since=1.0)
    assert [each.id for each in store.recent("ann", 2, before, since=1.0)] == ["j2", "j1"]
    assert store.place("ann", 4, since=1.0) is not None
    assert store.place("ann", 5, since=1.0) is None


def test_a_deleted_job_takes_its_pictures_along_where_nobody_else_has_them(store: Store) -> None:
    store.add(RECORD, Kept("shared.png", 10))
    store.add(replace(RECORD, id="j2"), Kept("shared.png", 10))
    store.end("j1", JobState.DONE, 200.0, done=done(("own", 5)))
    assert store.delete("bob", "j1") == (False, [])
    assert store.delete("ann", "j2") == (False, [])  # it goes on
    assert store.delete("ann", "j1") == (True, ["own.png"])
    assert store.delete("ann", "j1") == (False, [])


def test_an_upload_is_its_owners_once_it_came(store: Store) -> None:
    store.ticket("ann", "u1", 100.0)
    assert store.awaited("u1")
    assert not store.awaited("u2")
    assert store.uploaded("u1") is None
    store.upload("u1", Kept("p.png", 7), 110.0)
    assert not store.awaited("u1")
    assert store.uploaded("u1") == "p.png"
    assert store.uploaded("u2") is None
    assert store.may_see("ann", "p.png")


def test_tickets_are_forgotten_with_the_references_of_their_time(store: Store) -> None:
    store.ticket("ann", "old", 100.0)
    store.ticket("ann", "new", 200.0)
    store.forget(150.0)
    assert not store.awaited("old")
    assert store.awaited("new")


def test_display_copies_count_and_leave_the_count_with_their_picture(store: Store) -> None:
    store.add(RECORD, REFERENCE)
    store.end("j1", JobState.DONE, 200.0, done=done(("p", 100)))
    for name, width, size in (("r.png", 256, 1), ("p.png", 256, 2), ("p.png", 512, 30), ("p.png", 512, 3)):
        store.displayed(name, width, size)
    assert store.size() == 10 + 100 + 1 + 2 + 3
    store.grant("bob", Kept("r.png", 10), 200.0)
    assert store.delete("ann", "j1") == (True, ["p.png"])
    assert store.size() == 10 + 1
    assert store.make_room(10) == ([], ["r.png"], [], [])
    assert store.size() == 0


def test_a_picture_is_known_as_long_as_anybody_may_see_it(store: Store) -> None:
    store.add(RECORD, REFERENCE)
    assert store.known("r.png")
    assert not store.known("p.png")


def sqlite_error(code: int) -> sqlite3.Error:
    error = sqlite3.OperationalError("of the disk")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (FileExistsError(errno.EEXIST, "File exists"), "a file is in the way"),
        (NotADirectoryError(errno.ENOTDIR, "Not a directory"), "a file is in the way"),
        (PermissionError(errno.EACCES, "Permission denied"), "cannot be made (Permission denied)"),
        (OSError(errno.EROFS, "Read-only file system"), "cannot be made (Read-only file system)"),
        (sqlite_error(sqlite3.SQLITE_BUSY), "Another process uses"),
        (sqlite_error(sqlite3.SQLITE_READONLY_DBMOVED), "cannot be written"),
        (sqlite_error(sqlite3.SQLITE_CANTOPEN), "cannot be written"),
        (sqlite_error(sqlite3.SQLITE_FULL), "is full"),
        (sqlite_error(sqlite3.SQLITE_IOERR_READ), "gives errors"),
        (sqlite_error(sqlite3.SQLITE_CORRUPT), "is damaged"),
        (sqlite_error(sqlite3.SQLITE_NOTADB), "is damaged"),
        (sqlite3.DatabaseError("a page is not what it says"), "is damaged"),
    ],
)
def test_why_a_folder_cannot_be_used_is_said_with_what_to_do(error: OSError | sqlite3.Error, words: str) -> None:
    text = str(unusable(Path("/srv/studio"), error))
    assert words in text
    assert "/srv/studio" in text
    assert text.endswith(".")


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(StoreError, match="a file is in the way"):
        Store(tmp_path / "data")


@pytest.mark.parametrize("page", [1, 3, 5])
def test_a_damaged_page_is_found_at_the_start(tmp_path: Path, page: int) -> None:
    Store(tmp_path).close()
    path = tmp_path / "studio.db"
    data = bytearray(path.read_bytes())
    data[4096 * page : 4096 * (page + 1)] = b"x" * 4096
    path.write_bytes(data)
    with pytest.raises(StoreError, match="is damaged"):
        Store(tmp_path)


def test_of_a_large_database_only_what_a_start_needs_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Store(tmp_path).close()
    monkeypatch.setattr("storage.sqlite.database.CHECKED", 0)
    Store(tmp_path).close()
