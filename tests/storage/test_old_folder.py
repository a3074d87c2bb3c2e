"""A public data folder from before owners were digests: visitors keep what is theirs, and the disk opens nothing."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.job import Job
from core.result import Made, Missing, Reason
from storage.records import job_of
from storage.rows import Filter, Sort
from storage.sqlite.inserts import Kept
from storage.sqlite.migrations import MIGRATIONS, library, numbered_rows, sources_of_jobs
from storage.sqlite.store import Store
from tests.support.old_data_folder import ANN, BOB, OTHERS, digest, make_old_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_old_folder(tmp_path / "data")
    return tmp_path / "data"


@pytest.fixture
def store(folder: Path) -> Iterator[Store]:
    store = Store(folder)
    yield store
    store.close()


def test_the_fixture_is_such_a_folder(folder: Path) -> None:
    assert ANN.encode() in (folder / "studio.db").read_bytes()


def test_jobs_pictures_and_uploads_belong_to_the_digests_of_their_owners(store: Store) -> None:
    assert [each.id for each in store.recent(digest(ANN), 10)] == ["j0"]
    assert store.may_see(digest(ANN), "p.png")
    assert store.may_see(digest(BOB), "q.png")
    assert not store.may_see(ANN, "p.png")
    assert store.find_call(digest(ANN), "mark") is not None
    store.upload("u", Kept("u.png", 7), 2.0)
    assert store.may_see(digest(BOB), "u.png")


@pytest.mark.parametrize("owner", OTHERS)
def test_accounts_keys_and_personal_machines_keep_their_names(store: Store, owner: str) -> None:
    assert len(store.recent(owner, 10)) == 1
    assert store.may_see(owner, "p.png")
    assert not store.exchange(digest(owner))


@pytest.mark.parametrize("token", [ANN, BOB])
def test_an_owner_from_then_is_exchanged_once(store: Store, folder: Path, token: str) -> None:
    assert not store.exchange(token)
    assert store.exchange(digest(token))
    assert not store.exchange(digest(token))
    store.close()
    again = Store(folder)
    assert not again.exchange(digest(token))
    again.close()


NUMBERED = MIGRATIONS.index(numbered_rows)
"""Migrations before pictures had numbers."""


@pytest.mark.parametrize("version", range(1, len(MIGRATIONS)))
def test_a_folder_of_each_earlier_version_is_brought_up_to_date(tmp_path: Path, version: int) -> None:
    (tmp_path / "data").mkdir()
    base = sqlite3.connect(tmp_path / "data" / "studio.db", isolation_level=None)
    for migrate in MIGRATIONS[:version]:
        migrate(base)
    base.execute(f"pragma user_version = {version}")
    if version <= NUMBERED:
        base.execute("insert into pictures values ('p.png', 'local', '', 7, 1.0)")
    base.close()
    store = Store(tmp_path / "data")
    if version > NUMBERED:
        store.grant("local", Kept("p.png", 7), 1.0)
    store.add_file("local", "ab/photo.png", 5, 1.0)
    store.displayed("p.png", 256, 3)
    assert store.may_see("local", "p.png")
    assert store.size() == 7 + 5 + 3
    store.close()


def test_no_token_is_left_in_any_file(store: Store, folder: Path) -> None:
    for path in folder.glob("studio.db*"):
        content = path.read_bytes()
        assert ANN.encode() not in content
        assert BOB.encode() not in content
    store.close()
    assert ANN.encode() not in (folder / "studio.db").read_bytes()


def test_an_owner_of_today_is_no_old_one(tmp_path: Path) -> None:
    store = Store(tmp_path / "new")
    assert not store.exchange(digest(ANN))
    store.close()


def modes(folder: Path) -> dict[str, int]:
    paths = (folder, *folder.iterdir())
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in paths}


def test_an_old_folder_is_closed_to_other_users(store: Store, folder: Path) -> None:
    store.grant("ann", Kept("r.png", 7), 1.0)
    files = ("studio.db", "studio.db-wal", "studio.db-shm", "studio.db.lock")
    assert modes(folder) == {"data": 0o700, "images": 0o700, "uploads": 0o700} | dict.fromkeys(files, 0o600)


def test_a_new_folder_is_closed_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        store = Store(tmp_path / "data")
        store.images.put(b"bytes", "image/png")
    finally:
        os.umask(before)
    assert {mode & 0o077 for mode in modes(tmp_path / "data").values()} == {0}
    assert {mode & 0o077 for mode in modes(tmp_path / "data" / "images").values()} == {0}
    store.close()


def test_a_folder_with_other_peoples_files_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").touch()
    tmp_path.chmod(0o755)
    for _ in range(2):
        Store(tmp_path).close()
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755
    assert stat.S_IMODE((tmp_path / "studio.db").stat().st_mode) == 0o600


# ---- a folder as the app left it before recipes, with runs of every kind on three backends --------------------

BEFORE_RECIPES = Path(__file__).parent / "data" / "before_recipes"
"""Made by running the app of then: mini's runs are real, the providers were stand-ins."""
HERS, HIS = "a" * 64, "b" * 64


@pytest.fixture
def before_recipes(tmp_path: Path) -> Path:
    shutil.copytree(BEFORE_RECIPES, tmp_path / "data")
    return tmp_path / "data"


def by_prompt(folder: Path) -> dict[str, Job]:
    """Return every readable job by its prompt."""
    store = Store(folder)
    records = [each for owner in (HERS, HIS, "local") for each in store.recent(owner, 100)]
    store.close()
    return {
        job.recipe.prompt: job for job in (job_of(each, folder / "images") for each in records if each.id != "damaged")
    }


def test_no_run_and_no_word_of_it_is_lost_when_runs_become_recipes(before_recipes: Path) -> None:
    base = sqlite3.connect(before_recipes / "studio.db")
    names = ("id", "backend", "state", "request", "reference", "error", "call", "remote", "cost", "result", "created")
    old = [dict(zip(names, row, strict=True)) for row in base.execute(f"select {', '.join(names)} from jobs")]
    base.close()
    jobs = by_prompt(before_recipes)
    assert len(jobs) == len(old) - 1 == 11
    for row in old:
        if row["id"] == "damaged":
            continue
        request = json.loads(row["request"])
        job = jobs[request["prompt"]]
        recipe, image = job.recipe, job.request.image
        assert (job.id, job.backend, recipe.backend, job.created) == (row["id"], *[row["backend"]] * 2, row["created"])
        assert {**recipe.params, "seed": recipe.seed} == request["params"]
        assert list(recipe.seeds) == request["seeds"]
        assert (recipe.model.id, recipe.app, recipe.style) == ("unknown", "unknown", ())
        assert recipe.reference is not None
        assert recipe.reference.name == row["reference"]
        assert recipe.reference.size == (before_recipes / "images" / row["reference"]).stat().st_size
        assert (image.width, image.height, list(image.notices), image.address) == (
            *(request[name] for name in ("width", "height", "notices", "address")),
        )
        assert image.file is not None
        assert image.file.is_file()
        assert job.remote == json.loads(row["remote"])
        assert (job.error is None) == (row["error"] is None)
        assert (job.call is None) == (row["call"] is None)
        if row["result"] is not None:
            result, images = job.result, json.loads(row["result"])["images"]
            assert result is not None
            assert result.cost == row["cost"]
            assert dict(result.timings) == json.loads(row["result"])["timings"]
            assert [each.seed for each in result.images] == [each["seed"] for each in images]
            made = [each.image for each in result.images if isinstance(each, Made)]
            assert [(each.name, each.width, each.height) for each in made] == [
                (each["file"], each["width"], each["height"]) for each in images if "file" in each
            ]
            assert all((before_recipes / "images" / each.name).stat().st_size == each.size for each in made)


def test_an_image_that_failed_beside_others_is_told_from_one_that_was_withheld(before_recipes: Path) -> None:
    job = by_prompt(before_recipes)["one withheld, one failed"]
    assert job.result is not None
    assert [each.reason if isinstance(each, Missing) else "made" for each in job.result.images] == [
        "made",
        Reason.NSFW,
        Reason.FAILED,
    ]


def test_results_of_old_runs_follow_each_other_in_time(before_recipes: Path) -> None:
    Store(before_recipes).close()
    base = sqlite3.connect(before_recipes / "studio.db")
    rows = base.execute(
        "select ended, results.id from results join jobs on jobs.number = job order by ended, place"
    ).fetchall()
    base.close()
    assert len(rows) == 9, "eight images and a run that failed"
    assert [number for _, number in rows] == sorted({number for _, number in rows})
    assert all(number // 1_000_000 == int(ended) for ended, number in rows)


def test_a_damaged_row_stays_as_it_was(before_recipes: Path) -> None:
    store = Store(before_recipes)
    found = store.find(HERS, "damaged")
    assert found is not None
    assert found.recipe == '{"prompt": cut'
    store.close()


def test_a_report_that_is_damaged_stays_as_it_was_and_a_damaged_recipe_is_found_by_no_word(
    before_recipes: Path,
) -> None:
    base = sqlite3.connect(before_recipes / "studio.db")
    with base:
        ids = [
            id for (id,) in base.execute("select id from jobs where state = 'done' and owner = ? order by id", (HERS,))
        ]
        base.execute("update jobs set result = 'cut' where id = ?", (ids[0],))
        base.execute("update jobs set request = 'cut' where id = ?", (ids[1],))
    base.close()
    store = Store(before_recipes)
    cut = store.find(HERS, ids[0])
    assert cut is not None
    assert (cut.report, cut.results) == ("cut", ())
    assert "" in [each.prompt for each in store.result_page(HERS, 99).rows]
    store.close()


def test_jobs_of_the_wire_formats_say_so_and_others_came_by_the_page(tmp_path: Path) -> None:
    base = folder_before(tmp_path, sources_of_jobs)
    calls = {
        "wavespeed": {"model": "wavespeed-ai/flux-srpo/image-to-image", "base": "http://here"},
        "aimlapi": {"model": "flux/srpo/image-to-image", "base": "http://here"},
        "page": {"model": "local", "base": ""},
        "none": None,
        "damaged": "cut",
    }
    for number, (name, call) in enumerate(calls.items()):
        text = call if call is None or isinstance(call, str) else json.dumps(call)
        base.execute(
            "insert into jobs (number, id, owner, backend, created, state, own_key, estimate, remote, notices, recipe,"
            " call) values (?, ?, 1, 'local', 1.0, 'done', 0, 0.0, '[]', '[]', '{}', ?)",
            (number + 1, name, text),
        )
    sources_of_jobs(base)
    found = dict(base.execute("select id, source from jobs"))
    assert found == {
        "wavespeed": "wavespeed",
        "aimlapi": "aimlapi",
        **dict.fromkeys(("page", "none", "damaged"), "page"),
    }
    base.close()


def folder_before(tmp_path: Path, step: Callable[[sqlite3.Connection], None]) -> sqlite3.Connection:
    """Return the database of a folder that has not seen a migration yet."""
    base = sqlite3.connect(tmp_path / "studio.db", isolation_level=None)
    number = MIGRATIONS.index(step)
    for migrate in MIGRATIONS[:number]:
        migrate(base)
    base.execute(f"pragma user_version = {number}")
    return base


def test_results_and_failed_runs_of_an_old_folder_stand_in_the_library(tmp_path: Path) -> None:
    base = folder_before(tmp_path, library)
    base.execute("insert into owners (number, name) values (1, 'ann')")
    style = [{"id": "oil", "weight": 1.0, "text": "an oil painting 水"}]
    recipe = {"prompt": "a lake", "style": style, "model": {"id": "flux"}, "seed": 3, "seeds": [3, 3], "parent": "up"}
    text = json.dumps({**recipe, "reference": {"digest": "ref"}})
    for number, (state, ended, report, cost, words) in enumerate(
        [
            ("done", 5.0, "{}", 0.05, text),
            ("failed", 5.0, None, 0.0, text),
            ("unknown", 6.0, None, None, text),
            ("cancelled", 7.0, None, None, text),
            ("failed", 8.0, None, None, "cut"),
            ("running", None, None, None, text),
            ("done", 9.0, "{}", None, "cut"),
        ],
        start=1,
    ):
        base.execute(
            "insert into jobs (number, id, owner, backend, created, ended, state, own_key, estimate, remote, notices,"
            " recipe, report, cost) values (?, ?, 1, 'local', 1.0, ?, ?, 0, 0.0, '[]', '[]', ?, ?, ?)",
            (number, f"j{number}", ended, state, words, report, cost),
        )
    for number, name in enumerate(("ref", "one", "two", "three"), start=1):
        base.execute("insert into pictures values (?, ?, 10)", (number, f"{name}.png"))
        base.execute("insert into grants values (?, 1, ?, null)", (number, 1 if number < 4 else 7))
    for id, job, place, picture, star in (
        (5_000_000, 1, 0, 2, 1),
        (5_000_001, 1, 1, 3, 0),
        (9_000_000, 7, 0, 4, 0),
    ):
        base.execute(
            "insert into results (id, job, place, owner, created, seed, model, picture, width, height, star)"
            " values (?, ?, ?, 1, 1.0, 3, 'flux', ?, 4, 3, ?)",
            (id, job, place, picture, star),
        )
    base.close()
    store = Store(tmp_path)
    damaged, two, one = store.result_page("ann", 9).rows
    assert [each.id for each in (damaged, two, one)] == [9_000_000, 5_000_001, 5_000_000]
    assert (one.backend, one.model, one.cost, one.created, one.star) == ("local", "flux", 0.025, 5.0, True)
    assert (damaged.backend, damaged.cost, damaged.prompt) == ("local", None, "")
    failed = store.result_page("ann", 9, wanted=Filter(failed=True), sort=Sort.OLDEST).rows
    assert [(each.id, each.job, each.cost) for each in failed] == [(5_000_002, "j2", 0.0), (6_000_000, "j3", None)]
    assert {(each.missing, each.parent, each.seed, each.prompt) for each in failed} == {("run", "up", 3, "a lake")}
    for wanted in (Filter(text="lake oil pain"), Filter(style="oil"), Filter(text="水"), Filter(text="flux local")):
        assert store.result_page("ann", 9, wanted=wanted).rows == (two, one), wanted
    facets = store.facets("ann", 1000)
    assert (facets.total, facets.starred, facets.bytes, facets.protected) == (3, 1, 40, 20)
    assert store.make_room(0).trimmed == ["j1"]
    assert [each.id for each in store.result_page("ann", 9).rows] == [5_000_000]
    store._base.execute("insert into found_by (found_by, rank) values ('integrity-check', 1)")
    store.close()


def test_a_job_of_an_old_folder_whose_pictures_all_have_stars_stays(tmp_path: Path) -> None:
    base = folder_before(tmp_path, library)
    base.execute("insert into owners (number, name) values (1, 'ann')")
    base.execute(
        "insert into jobs (number, id, owner, backend, created, ended, state, own_key, estimate, remote, notices,"
        " recipe, report) values (1, 'j1', 1, 'local', 1.0, 2.0, 'done', 0, 0.0, '[]', '[]', '{}', '{}')"
    )
    base.execute("insert into pictures values (1, 'one.png', 10)")
    base.execute("insert into grants values (1, 1, 1, null)")
    base.execute(
        "insert into results (id, job, place, owner, created, seed, model, picture, width, height, star)"
        " values (5, 1, 0, 1, 1.0, 3, 'flux', 1, 4, 3, 1)"
    )
    base.close()
    store = Store(tmp_path)
    assert store.make_room(0) == ([], [], [], [])
    store.close()
