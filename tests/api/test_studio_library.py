"""The library over the page's own API: lists, marks, the trash, projects, lineage; each owner has their own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from app import empty_trash
from core.backend import OWNERS, RunContext
from core.errors import RunFailed
from core.events import Completed, Event
from core.job import Visitor
from core.limits import Caps
from core.messages import recorded
from core.request import EditRequest
from core.result import Missing, Reason
from storage import async_library
from tests.support.aimlapi_calls import BODY as AIML_BODY
from tests.support.aimlapi_calls import RUN as AIML_RUN
from tests.support.api_app import ApiApp
from tests.support.fakes import FakeBackend, make_spec
from tests.support.studio_calls import S, add_reference, done, studio, submit, until
from tests.support.wavespeed_calls import RUN as WAVE_RUN
from tests.support.wavespeed_calls import SYNC as WAVE_BODY

pytestmark = pytest.mark.integration

UNKNOWN = 2**50
"""An id of nothing."""
NO_INDEX = {"total": 0, "blocks": [], "results": [], "revision": 0}


class Fickle(FakeBackend):
    """A backend that fails where the prompt says so, or withholds the first of its images."""

    async def edit(self, request: EditRequest, context: RunContext = OWNERS) -> AsyncGenerator[Event, None]:
        async for event in super().edit(request, context):
            if request.recipe.prompt == "broken":
                raise RunFailed("run-broke")
            if isinstance(event, Completed) and request.recipe.prompt == "withheld":
                first = Missing(Reason.NSFW, recorded("Withheld."), request.seeds[0])
                yield replace(event, images=(first, *event.images[1:]))
                return
            yield event


async def run(app: ApiApp, prompt: str = "a lake", **body: Any) -> list[dict[str, Any]]:
    """Run once, and return the results."""
    answer = await submit(app.client, once=f"{prompt} {time.time_ns()}", prompt=prompt, **body)
    assert answer.status_code == 201, answer.text
    job = app.engine.jobs.get(answer.json()["id"])
    assert job is not None
    while not job.ended:  # its state is known before its end is written
        await job.changed.wait()
    await app.measured()
    return list((await get(app.client, f"jobs/{job.id}"))["results"])


async def get(client: httpx.AsyncClient, path: str, **params: Any) -> Any:
    answer = await client.get(f"{S}/{path}", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def call(client: httpx.AsyncClient, method: str, path: str, **body: Any) -> httpx.Response:
    return await client.request(method, f"{S}/{path}", json=body)


async def mark(app: ApiApp, ids: list[int], **marks: Any) -> list[dict[str, Any]]:
    answer = await call(app.client, "PATCH", "results", ids=ids, **marks)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["results"])


def ids_of(results: list[dict[str, Any]]) -> list[int]:
    return [each["id"] for each in results]


# ---- lists ----------------------------------------------------------------------------------------------


async def test_results_say_what_was_noted_on_them_wherever_they_are_shown(tmp_path: Path) -> None:
    async with studio(tmp_path) as app:
        (one,) = await run(app)
        assert (one["star"], one["note"], one["tags"], one["project"], one["source"]) == (False, "", [], None, "page")
        project = (await call(app.client, "POST", "projects", name=" lakes  and seas ")).json()
        assert (project["name"], project["count"]) == ("lakes and seas", 0)
        (marked,) = await mark(
            app, [one["id"], one["id"]], star=True, add_tags=["b", "a", " b "], note="the best", project=project["id"]
        )
        assert marked == {**one, "star": True, "note": "the best", "tags": ["a", "b"], "project": project["id"]}
        assert await get(app.client, f"results/{one['id']}") == marked
        assert (await get(app.client, "results"))["results"] == [marked]
        assert (await get(app.client, f"jobs/{one['job']}"))["results"] == [marked]
        assert (await mark(app, [one["id"]], project=None, remove_tags=["a"]))[0]["project"] is None
        assert (await get(app.client, f"results/{one['id']}"))["tags"] == ["b"]


async def test_lists_are_filtered_and_sorted_as_the_query_says(tmp_path: Path) -> None:
    async with studio(tmp_path) as app:
        reference = (await add_reference(app.client))["digest"]
        small = (await add_reference(app.client, (32, 32)))["digest"]
        oil = [{"id": "oil", "weight": 1, "text": "an oil painting"}]
        (lake,) = await run(app, "a lake", reference=reference, style=oil)
        (sea,) = await run(app, "a sea", reference=small)
        await mark(app, [sea["id"]], star=True, add_tags=["blue"])
        at = sea["created"]
        for params, expected in (
            ({}, [sea, lake]),
            ({"sort": "oldest"}, [lake, sea]),
            ({"sort": "cost"}, [sea, lake]),
            ({"q": "oil pain"}, [lake]),
            ({"q": "blue"}, [sea]),
            ({"star": "true"}, [sea]),
            ({"star": "false"}, [sea, lake]),
            ({"backend": "local"}, [sea, lake]),
            ({"backend": "other"}, []),
            ({"model": lake["recipe"]["model"]["id"]}, [sea, lake]),
            ({"style": "oil"}, [lake]),
            ({"tag": "blue"}, [sea]),
            ({"project": 9}, []),
            ({"since": at}, [sea]),
            ({"until": at}, [lake]),
            ({"pixels_min": 64 * 48}, [lake]),
            ({"pixels_max": 32 * 32}, [sea]),
            ({"cost_min": 0, "cost_max": 1}, [sea, lake]),
            ({"cost_min": 0.1}, []),
            ({"failed": "true"}, []),
        ):
            page = await get(app.client, "results", **params)
            assert ids_of(page["results"]) == ids_of(expected), params
            assert page["total"] == 2
            index = await get(app.client, "results/index", **params)
            assert index["total"] == sum(each["count"] for each in index["blocks"]) == len(expected)


async def test_an_index_has_the_blocks_that_its_cursors_bring(tmp_path: Path) -> None:
    async with studio(tmp_path) as app:
        for number in range(2):
            await run(app, f"lake {number}", num_images=4)
        index = await get(app.client, "results/index", zone=540)
        (block,) = index["blocks"]
        every = ids_of((await get(app.client, "results"))["results"])
        assert block == {"day": block["day"], "count": 8, "cursor": None, "sum": sum(every) % 2**32}
        assert len(block["day"]) == 10
        first = await get(app.client, "results", limit=3)
        rest = await get(app.client, "results", limit=5, cursor=first["next"])
        assert rest["next"] is None
        assert ids_of(first["results"] + rest["results"]) == every


async def test_an_index_brings_its_first_results_and_says_which_changes_it_has(tmp_path: Path) -> None:
    async with studio(tmp_path) as app:
        shown = await run(app, num_images=3)
        before = await get(app.client, "results/index", first=2)
        assert before["results"] == [shown[2], shown[1]]
        assert (await get(app.client, "results/index"))["results"] == []
        gone = (await call(app.client, "DELETE", "results", ids=[shown[1]["id"]])).json()
        assert gone["revision"] > before["revision"]
        after = await get(app.client, "results/index", first=2)
        assert (after["revision"], after["results"]) == (gone["revision"], [shown[2], shown[0]])
        back = (await call(app.client, "POST", "results/restore", ids=[shown[1]["id"]])).json()
        marked = (await call(app.client, "PATCH", "results", ids=[shown[0]["id"]], star=True)).json()
        assert gone["revision"] < back["revision"] < marked["revision"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("results?cursor=x", "cursor"),
        ("results?cursor=5&sort=cost", "cursor"),
        ("results?limit=201", "limit"),
        ("results?limit=0", "limit"),
        ("results?sort=size", "sort"),
        ("results?since=nan", "since"),
        ("results?project=0", "project"),
        ("results?star=perhaps", "star"),
        (f"results?q={'x' * 501}", "q"),
        ("results/index?zone=841", "zone"),
        ("results/index?cost_min=-1", "cost_min"),
    ],
)
async def test_a_query_that_does_not_fit_is_refused_at_its_field(tmp_path: Path, query: str, field: str) -> None:
    async with studio(tmp_path) as app:
        answer = await app.client.get(f"{S}/{query}")
        assert (answer.status_code, answer.json()["error"]["field"]) == (400, field)


async def test_what_did_not_come_is_listed_on_its_own_read_and_deleted(tmp_path: Path) -> None:
    async with studio(tmp_path, Fickle(make_spec("local"))) as app:
        missing, made = await run(app, "withheld", num_images=2)
        await run(app, "broken")
        failed = (await get(app.client, "results", failed=True))["results"]
        whole, image = failed
        assert image == missing
        assert (image["image"], image["missing"]["reason"], image["place"]) == (None, "nsfw", 0)
        assert (whole["image"], whole["missing"]["reason"]) == (None, "failed")
        assert whole["missing"]["why"]["code"] == "run-broke"
        assert (whole["recipe"]["prompt"], whole["recipe"]["index"]) == ("broken", None)
        assert await get(app.client, f"results/{whole['id']}") == whole
        for path in ("file", "view?width=64"):
            answer = await app.client.get(f"{S}/results/{whole['id']}/{path}")
            assert (answer.status_code, answer.json()["error"]["code"]) == (404, "picture-unknown")
        refused = await app.client.post(f"{S}/references", json={"result": whole["id"]})
        assert refused.status_code == 404
        lineage = await get(app.client, f"results/{whole['id']}/lineage")
        assert (lineage["parents"], lineage["children"]) == ([], [])
        assert lineage["photo"] == whole["recipe"]["reference"]
        assert await mark(app, [whole["id"]], star=True) == []
        assert ids_of((await get(app.client, "results"))["results"]) == [made["id"]]
        assert (await get(app.client, "results"))["total"] == 1
        gone = (await call(app.client, "DELETE", "results", ids=ids_of(failed))).json()
        assert gone["deleted"] == ids_of(failed)
        assert (await get(app.client, "results", failed=True))["results"] == []
        assert (await app.client.get(f"{S}/jobs/{whole['job']}")).status_code == 404


async def test_the_library_counts_by_what_it_can_be_filtered(tmp_path: Path) -> None:
    async with studio(tmp_path, caps=Caps(quota=1_000_000)) as app:
        style = [{"id": "oil", "weight": 1, "text": "an oil painting"}]
        one, two = await run(app, "a lake", num_images=2, style=style)
        project = (await call(app.client, "POST", "projects", name="lakes")).json()["id"]
        await mark(app, [one["id"]], star=True, project=project, add_tags=["blue"])
        view = await get(app.client, "library")
        model = one["recipe"]["model"]["id"]
        assert view["backends"] == [{"key": "local", "count": 2}]
        assert view["styles"] == [{"id": "oil", "count": 2}]
        assert view["models"] == [{"id": model, "count": 2}]
        assert view["tags"] == [{"name": "blue", "count": 1}]
        assert [(each["id"], each["count"]) for each in view["projects"]] == [(project, 1)]
        assert (view["total"], view["starred"], view["share_bytes"]) == (2, 1, 750_000)
        sizes = [each["image"]["size"] for each in (one, two)]
        reference = one["recipe"]["reference"]["size"]
        assert view["bytes"] == sum(sizes) + reference
        assert view["protected_bytes"] == sizes[0] + reference


# ---- marks ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("marks", "field"),
    [
        ({"ids": []}, "ids"),
        ({"ids": [1] * 501}, "ids"),
        ({"ids": [0]}, "ids.0"),
        ({"ids": [1], "add_tags": [""]}, "add_tags.0"),
        ({"ids": [1], "add_tags": [" "]}, "add_tags.0"),
        ({"ids": [1], "add_tags": ["x" * 41]}, "add_tags.0"),
        ({"ids": [1], "add_tags": ["a\nb"]}, "add_tags.0"),
        ({"ids": [1], "add_tags": ["x"] * 21}, "add_tags"),
        ({"ids": [1], "note": "x" * 2001}, "note"),
        ({"ids": [1, 2], "note": "x"}, "note"),
        ({"ids": [1], "project": 0}, "project"),
        ({"ids": [1], "colour": "red"}, "colour"),
    ],
)
async def test_marks_that_do_not_fit_are_refused_at_their_field(
    tmp_path: Path, marks: dict[str, Any], field: str
) -> None:
    async with studio(tmp_path) as app:
        answer = await call(app.client, "PATCH", "results", **marks)
        assert (answer.status_code, answer.json()["error"]["field"]) == (400, field)


async def test_more_tags_than_a_picture_can_have_are_refused_in_words(tmp_path: Path) -> None:
    async with studio(tmp_path) as app:
        (one,) = await run(app)
        await mark(app, [one["id"]], add_tags=[f"tag {number}" for number in range(20)])
        answer = await call(app.client, "PATCH", "results", ids=[one["id"]], add_tags=["one more"])
        error = answer.json()["error"]
        assert (answer.status_code, error["code"], error["values"]) == (400, "tags-too-many", {"limit": 20})


async def test_a_star_beyond_the_share_and_a_run_without_any_room_are_refused_in_words(tmp_path: Path) -> None:
    async with studio(tmp_path, caps=Caps(quota=9_000)) as app:
        reference = (await add_reference(app.client))["digest"]
        (one,) = await run(app, "one", reference=reference)
        size = (await get(app.client, "library"))["bytes"]
    quota = size + 100
    async with studio(tmp_path, caps=Caps(quota=quota)) as app:
        refused = await call(app.client, "PATCH", "results", ids=[one["id"]], star=True)
        error = refused.json()["error"]
        assert (refused.status_code, error["code"]) == (409, "library-share-full")
        assert error["values"] == {"share": quota * 3 // 4 / 1e6}
        assert not (await get(app.client, f"results/{one['id']}"))["star"]
    async with studio(tmp_path, caps=Caps(quota=2 * size)) as app:
        await mark(app, [one["id"]], star=True)
    async with studio(tmp_path, caps=Caps(quota=size)) as app:
        refused = await submit(app.client, "full", reference=reference)
        error = refused.json()["error"]
        assert (refused.status_code, error["code"], error["charged"]) == (507, "quota-full-not-started", False)
        assert (await get(app.client, "results"))["total"] == 1
        await mark(app, [one["id"]], star=False)
        assert (await submit(app.client, "fits", reference=reference)).status_code == 201


# ---- the trash ------------------------------------------------------------------------------------------


async def test_a_deleted_result_is_nowhere_and_can_be_restored_for_a_minute(tmp_path: Path) -> None:
    async with studio(tmp_path) as app:
        one, two = await run(app, num_images=2)
        gone = (await call(app.client, "DELETE", "results", ids=[one["id"], UNKNOWN])).json()
        assert gone["deleted"] == [one["id"]]
        assert gone["until"] == pytest.approx(time.time() + 60, abs=30)
        for path in ("", "/file", "/view?width=64", "/lineage"):
            assert (await app.client.get(f"{S}/results/{one['id']}{path}")).status_code == 404, path
        for path in ("", "/file", "/view?width=64"):
            answer = await app.client.get(f"{S}/references/{one['image']['digest']}{path}")
            assert answer.status_code == 404, path
        page = await get(app.client, "results")
        assert (ids_of(page["results"]), page["total"]) == ([two["id"]], 1)
        assert (await get(app.client, "library"))["total"] == 1
        assert (await get(app.client, "results/index"))["total"] == 1
        assert ids_of((await get(app.client, f"jobs/{one['job']}"))["results"]) == [two["id"]]
        assert await mark(app, [one["id"]], star=True) == []
        restored = (await call(app.client, "POST", "results/restore", ids=[one["id"], two["id"]])).json()
        assert restored["restored"] == [one["id"]]
        assert await get(app.client, f"results/{one['id']}") == one
        assert (await app.client.get(f"{S}/results/{one['id']}/file")).status_code == 200
        await call(app.client, "DELETE", "results", ids=[one["id"], two["id"]])
        assert (await app.client.get(f"{S}/jobs/{one['job']}")).status_code == 404
        await call(app.client, "POST", "results/restore", ids=[two["id"]])
        assert ids_of((await get(app.client, f"jobs/{one['job']}"))["results"]) == [two["id"]]


async def test_after_a_restart_within_the_minute_a_result_can_be_restored_and_later_its_files_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = tmp_path / "images"
    async with studio(tmp_path) as app:
        one, two = await run(app, num_images=2)
        await call(app.client, "DELETE", "results", ids=[one["id"], two["id"]])
    async with studio(tmp_path) as app:
        await emptied(app)
        assert await get(app.client, "results") == {"results": [], "next": None, "total": 0}
        restored = (await call(app.client, "POST", "results/restore", ids=[one["id"]])).json()
        assert restored["restored"] == [one["id"]]
        assert ids_of((await get(app.client, "results"))["results"]) == [one["id"]]
        assert len([*images.glob("*.png")]) == 3
    monkeypatch.setattr(async_library, "UNDO", -1.0)  # as if the minute were over
    async with studio(tmp_path) as app:
        restored = (await call(app.client, "POST", "results/restore", ids=[two["id"]])).json()
        assert restored["restored"] == []
        await emptied(app)
        assert not [*images.glob(f"{two['image']['digest']}*")]
        assert [*images.glob(f"{one['image']['digest']}*")]


async def emptied(app: ApiApp) -> None:
    """Do what the app does when it starts."""
    task = asyncio.create_task(empty_trash(app.services.library))
    await asyncio.sleep(0.3)
    task.cancel()


async def test_a_trash_that_cannot_be_emptied_is_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    class Broken:
        async def purge(self) -> None:
            raise OSError("no disk")

    task = asyncio.create_task(empty_trash(Broken()))  # type: ignore[arg-type]
    await asyncio.sleep(0.05)
    assert not task.done()
    task.cancel()
    assert "deleted results could not be removed" in caplog.text


# ---- projects and lineage -------------------------------------------------------------------------------


async def test_projects_are_made_renamed_and_deleted(tmp_path: Path) -> None:
    async with studio(tmp_path) as app:
        (one,) = await run(app)
        made = await call(app.client, "POST", "projects", name="lakes")
        assert made.status_code == 201
        project = made.json()
        again = await call(app.client, "POST", "projects", name="lakes")
        assert (again.status_code, again.json()["error"]["code"]) == (409, "project-name-taken")
        for name in ("", " ", "x" * 81, "a\tb"):
            assert (await call(app.client, "POST", "projects", name=name)).status_code == 400
        await mark(app, [one["id"]], project=project["id"])
        renamed = await call(app.client, "PATCH", f"projects/{project['id']}", name="seas")
        assert renamed.json() == {**project, "name": "seas", "count": 1}
        assert await get(app.client, "projects") == {"projects": [renamed.json()]}
        deleted = await app.client.delete(f"{S}/projects/{project['id']}")
        assert deleted.json() == {"deleted": True}
        assert (await get(app.client, f"results/{one['id']}"))["project"] is None
        for method in ("PATCH", "DELETE"):
            answer = await call(app.client, method, f"projects/{project['id']}", name="x")
            assert (answer.status_code, answer.json()["error"]["code"]) == (404, "project-unknown")
        unknown = await call(app.client, "PATCH", "results", ids=[one["id"]], project=project["id"])
        assert (unknown.status_code, unknown.json()["error"]["field"]) == (404, "project")


async def test_there_are_so_many_projects_and_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.sqlite.noted.MOST_PROJECTS", 1)
    async with studio(tmp_path) as app:
        await call(app.client, "POST", "projects", name="one")
        answer = await call(app.client, "POST", "projects", name="two")
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "projects-too-many")


async def test_a_lineage_has_the_first_photo_the_parents_and_the_children(tmp_path: Path) -> None:
    async with studio(tmp_path, meters=True) as app:
        photo = (await add_reference(app.client))["digest"]
        (one,) = await run(app, "one", reference=photo)
        made = [one]
        for prompt in ("two", "three"):
            reference = (await app.client.post(f"{S}/references", json={"result": made[-1]["id"]})).json()["digest"]
            made += await run(app, prompt, reference=reference)
        one, two, three = made
        lineage = await get(app.client, f"results/{two['id']}/lineage")
        assert (lineage["parents"], lineage["children"]) == ([one], [three])
        assert lineage["photo"] == one["recipe"]["reference"]
        assert lineage["photo"]["digest"] == photo
        # The fake backend lays half of one colour over each reference.
        drift = [(await get(app.client, f"results/{each['id']}/lineage"))["drift"] for each in made]
        assert drift[0] == []
        assert {each["code"] for each in drift[1]} <= {each["code"] for each in drift[2]}
        assert {"drift-flat", "drift-colour"} <= {each["code"] for each in drift[2]}
        assert ids_of((await get(app.client, f"results/{three['id']}/lineage"))["parents"]) == [two["id"], one["id"]]
        assert (await app.client.get(f"{S}/results/{UNKNOWN}/lineage")).status_code == 404


# ---- other doors ----------------------------------------------------------------------------------------


async def test_runs_by_both_wire_formats_stand_in_the_owners_library_with_their_source(tmp_path: Path) -> None:
    async with studio(tmp_path) as app:
        for path, body, source in ((AIML_RUN, AIML_BODY, "aimlapi"), (WAVE_RUN, WAVE_BODY, "wavespeed")):
            answer = await app.client.post(path, json=body)
            assert answer.status_code in (200, 201), answer.text
            assert (await get(app.client, "results"))["results"][0]["source"] == source


# ---- strangers ------------------------------------------------------------------------------------------


@asynccontextmanager
async def two_visitors(folder: Path) -> AsyncIterator[tuple[ApiApp, httpx.AsyncClient]]:
    """Yield a public app whose client is a visitor, and the client of another."""
    async with studio(folder, Fickle(make_spec("local")), server_name="0.0.0.0") as app:
        await app.client.get("/")
        transport = httpx.ASGITransport(app=app.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:7860") as stranger:
            await stranger.get("/")
            yield app, stranger


async def test_a_stranger_reaches_lists_and_counts_nothing_of_a_visitors_library(tmp_path: Path) -> None:
    async with two_visitors(tmp_path) as (app, stranger):
        (one,) = await run(app, "a lake")
        await run(app, "broken")
        project = (await call(app.client, "POST", "projects", name="lakes")).json()
        await mark(app, [one["id"]], star=True, add_tags=["blue"], note="mine", project=project["id"])
        before = await get(app.client, f"results/{one['id']}")
        for path in ("results/{}", "results/{}/file", "results/{}/view?width=64", "results/{}/lineage"):
            theirs = await stranger.get(f"{S}/{path.format(one['id'])}")
            nobodys = await stranger.get(f"{S}/{path.format(UNKNOWN)}")
            assert theirs.status_code == nobodys.status_code == 404
            assert theirs.json() == nobodys.json()
        for filters in (
            {},
            {"q": "lake"},
            {"tag": "blue"},
            {"project": project["id"]},
            {"star": True},
            {"failed": True},
        ):
            for sort in ("newest", "oldest", "cost"):
                page = await get(stranger, "results", **filters, sort=sort)
                assert page == {"results": [], "next": None, "total": 0}
                assert await get(stranger, "results/index", **filters, sort=sort) == NO_INDEX
        page = await get(stranger, "results", cursor=str(one["id"] + 1))
        assert page["results"] == [], "a cursor opens nothing"
        view = await get(stranger, "library")
        share = view.pop("share_bytes")
        storage = {"quota_bytes", "free_bytes"}  # the app's
        assert {name for name, value in view.items() if value} == storage
        assert await get(stranger, "projects") == {"projects": []}
        for method, path, body, expected in (
            ("PATCH", "results", {"ids": [one["id"]], "star": False}, {"results": []}),
            ("DELETE", "results", {"ids": [one["id"]]}, {"deleted": []}),
            ("POST", "results/restore", {"ids": [one["id"]]}, {"restored": []}),
        ):
            answer = (await call(stranger, method, path, **body)).json()
            answer.pop("until", None)
            answer.pop("revision", None)
            assert answer == expected
        for method, body in (("PATCH", {"name": "mine now"}), ("DELETE", {})):
            theirs = await call(stranger, method, f"projects/{project['id']}", **body)
            nobodys = await call(stranger, method, f"projects/{UNKNOWN}", **body)
            assert theirs.status_code == nobodys.status_code == 404
            assert theirs.json() == nobodys.json()
        (own,) = [each for each in [*(await run_as(stranger))] if each["image"]]
        marks = {"ids": [own["id"]], "project": project["id"]}
        assert (await call(stranger, "PATCH", "results", **marks)).status_code == 404
        assert (await call(stranger, "POST", "projects", name="lakes")).status_code == 201, "a name is its owner's"
        assert await get(app.client, f"results/{one['id']}") == before
        assert (await get(app.client, "library"))["share_bytes"] == share // 2, "two have pictures now"
        gone = await call(app.client, "DELETE", "results", ids=[one["id"]])
        assert gone.json()["deleted"] == [one["id"]]
        assert (await call(stranger, "POST", "results/restore", ids=[one["id"]])).json()["restored"] == []


async def run_as(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    """Run once as a visitor."""
    answer = await submit(client, once="own", prompt="a sea")
    return list((await until(client, answer.json()["id"], done))["results"])


async def test_without_a_cookie_nothing_of_the_library_is_answered(tmp_path: Path) -> None:
    async with studio(tmp_path, server_name="0.0.0.0") as app:
        for method, path in (
            ("GET", "results"),
            ("GET", "results/index"),
            ("GET", "library"),
            ("GET", "projects"),
            ("GET", "results/1/lineage"),
            ("PATCH", "results"),
            ("DELETE", "results"),
            ("POST", "results/restore"),
            ("POST", "projects"),
            ("PATCH", "projects/1"),
            ("DELETE", "projects/1"),
        ):
            answer = await call(app.client, method, path, ids=[1], name="x")
            assert answer.status_code in (400, 401), (method, path)
            app.client.cookies.clear()


async def test_another_sites_page_may_not_change_the_library(tmp_path: Path) -> None:
    async with studio(tmp_path) as app:
        (one,) = await run(app)
        for method, path in (("PATCH", "results"), ("DELETE", "results"), ("POST", "results/restore")):
            headers = {"Origin": "https://evil.example"}
            answer = await app.client.request(method, f"{S}/{path}", json={"ids": [one["id"]]}, headers=headers)
            assert answer.status_code == 403


async def test_every_change_is_told_on_the_stream_to_its_owner_alone(tmp_path: Path) -> None:
    async with studio(tmp_path) as app:
        (one,) = await run(app)
        owner = Visitor().owner
        with app.engine.feed.watch(owner) as own, app.engine.feed.watch("another") as other:
            for method, path, body in (
                ("PATCH", "results", {"ids": [one["id"]], "star": True}),
                ("DELETE", "results", {"ids": [one["id"]]}),
                ("POST", "results/restore", {"ids": [one["id"]]}),
            ):
                await call(app.client, method, path, **body)
                assert await own.wait(0.01) == (True, True)
                changes = await app.services.library.changes(owner, 0)
                assert ids_of([vars(each) for each in changes.results]) == ([] if method == "DELETE" else [one["id"]])
            assert (await other.wait(0.01))[0] is False


# ---- how results compare with their references ------------------------------------------------------------


async def test_results_have_figures_and_a_palette_and_lists_are_sorted_by_them(tmp_path: Path) -> None:
    async with studio(tmp_path, meters=True) as app:
        made = [each for prompt in ("a", "b", "c") for each in await run(app, prompt)]
        assert set(made[0]["meters"]) == {"structure", "colour_shift", "sharpness", "palette"}
        palette = made[0]["meters"]["palette"]
        assert 1 <= len(palette) <= 5
        assert all(set(each) == {"hex", "share"} for each in palette)
        assert sum(each["share"] for each in palette) == pytest.approx(1.0)
        for sort in ("structure", "colour_shift", "sharpness"):
            expected = sorted(made, key=lambda each: (each["meters"][sort], each["id"]), reverse=True)
            page = await get(app.client, "results", sort=sort, limit=1)
            rest = await get(app.client, "results", sort=sort, cursor=page["next"])
            walked = ids_of([*page["results"], *rest["results"]])
            assert walked == ids_of(expected)
            index = await get(app.client, "results/index", sort=sort, first=3)
            assert ids_of(index["results"]) == walked
            assert [each["day"] for each in index["blocks"]] == [None]
        assert (await app.client.get(f"{S}/results", params={"sort": "palette"})).status_code == 400
