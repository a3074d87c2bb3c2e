"""Experiments over the page's own API: planned, begun once, followed, paused, made larger; each owner has their own."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.limits import Caps
from core.messages import recorded
from tests.support.api_app import ApiApp, api_app
from tests.support.experiment_calls import LADDER, all_done, body, post, start, until
from tests.support.fakes import FakeBackend, make_spec
from tests.support.studio_calls import S, add_reference, studio

pytestmark = pytest.mark.integration

UNKNOWN = "0" * 32


async def test_a_grid_is_made_with_one_seed_and_each_cell_has_its_result(tmp_path: Path) -> None:
    async with studio(tmp_path, meters=True) as app:
        styles = [[{"id": "oil", "text": "oil"}], [{"id": "ink", "text": "ink"}], []]
        view = await start(app.client, LADDER, {"name": "style", "values": styles})
        assert (view["state"], view["count"], view["needs_keys"]) == ("running", 12, [])
        assert view["axes"][0] == {"name": "strength", "values": [0.2, 0.4, 0.6, 0.8]}
        assert view["base"]["params"]["seed"] > 0
        view = await until(app.client, view["id"], all_done)
        assert len({each["result"] for each in view["cells"]}) == 12
        assert {tuple(each["at"]) for each in view["cells"]} == {(x, y) for x in range(4) for y in range(3)}
        assert len({each["recipe"]["seed"] for each in view["cells"]}) == 1
        await app.measured()
        view = (await app.client.get(f"{S}/experiments/{view['id']}")).json()
        result = (await app.client.get(f"{S}/results/{view['cells'][0]['result']}")).json()
        figures = view["cells"][0]["meters"]
        assert set(figures) == {"structure", "colour_shift", "sharpness"}
        assert result["meters"] == {**figures, "palette": result["meters"]["palette"]}
        assert result["recipe"]["params"]["strength"] == view["cells"][0]["recipe"]["params"]["strength"]
        (listed,) = (await app.client.get(f"{S}/experiments")).json()["experiments"]
        assert (listed["id"], listed["waiting"], "cells" in listed) == (view["id"], 0, False)


async def test_a_plan_says_what_it_would_cost_and_begins_nothing(tmp_path: Path) -> None:
    paid = FakeBackend(make_spec("paid", label=recorded("Paid"), price=0.04))
    backends = {"local": FakeBackend(make_spec("local")), "paid": paid}
    async with api_app(tmp_path, backends, caps=Caps(budget=0.1, ask_runs=5)) as app:
        asked = await body(app.client, LADDER, {"name": "backend", "values": ["local", "paid"]})
        answer = await post(app.client, "/plan", **asked)
        plan = answer.json()
        assert (plan["cells"], plan["cost"], plan["dollars"]) == (8, {"local": 0.0, "paid": 0.16}, 0.16)
        assert (plan["seconds"], plan["adapted"], plan["asks"]) == (None, [], True)
        assert 0 < plan["fits"] < 8
        assert (await app.client.get(f"{S}/experiments")).json() == {"experiments": []}
        refused = await post(app.client, "", **asked)
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "experiment-asks")
        refused = await post(app.client, "", **asked, confirm=True)
        assert refused.json()["error"]["code"] == "budget-spent"
        assert paid.started == []


async def test_words_of_the_prompt_are_replaced_and_seeds_are_drawn(tmp_path: Path) -> None:
    async with studio(tmp_path) as app:
        words = {"name": "prompt", "search": "cat", "values": ["dog", "fox"]}
        view = await until(app.client, (await start(app.client, words, repeat=3))["id"], all_done)
        assert view["axes"][0]["values"] == ["a dog by a lake", "a fox by a lake"]
        assert len(set(view["axes"][1]["values"])) == 3
        assert len({each["recipe"]["seed"] for each in view["cells"]}) == 3


async def test_pictures_are_an_axis(tmp_path: Path) -> None:
    async with studio(tmp_path) as app:
        digests = [(await add_reference(app.client, size))["digest"] for size in ((32, 32), (48, 32))]
        view = await until(
            app.client, (await start(app.client, {"name": "reference", "values": digests}))["id"], all_done
        )
        assert [each["recipe"]["reference"]["digest"] for each in view["cells"]] == digests


@pytest.mark.parametrize(
    ("axis", "field", "code"),
    [
        ({"name": "nothing", "spread": LADDER["spread"]}, "axes[0].spread", "axes-range"),
        ({"name": "prompt", "search": "bird", "values": ["dog"]}, "axes[0].search", "axes-search"),
        ({"name": "strength", "values": []}, "axes[0].values", "axes-empty"),
        ({"name": "backend", "values": ["nobody"]}, "axes[0].values[0]", "backend-unknown"),
        ({"name": "strength", "values": [0.2, 0.5, 0.2]}, "axes[0].values[2]", "axes-value-twice"),
    ],
)
async def test_an_axis_that_does_not_fit_is_refused_there(
    tmp_path: Path, axis: dict[str, Any], field: str, code: str
) -> None:
    async with studio(tmp_path) as app:
        answer = await post(app.client, "", **await body(app.client, axis))
        assert answer.status_code == 400, answer.text
        assert (answer.json()["error"]["field"], answer.json()["error"]["code"]) == (field, code)


async def test_the_same_call_begins_one_experiment_and_another_body_is_refused(tmp_path: Path) -> None:
    async with studio(tmp_path) as app:
        asked = await body(app.client)
        first, again = await asyncio.gather(*(post(app.client, "", **asked) for _ in range(2)))
        assert {first.status_code, again.status_code} == {200, 201}
        assert first.json()["id"] == again.json()["id"]
        other = await post(app.client, "", **{**asked, "repeat": 2})
        assert (other.status_code, other.json()["error"]["code"]) == (409, "idempotency-key-reused")


async def test_it_is_paused_goes_on_is_cancelled_and_deleted(tmp_path: Path) -> None:
    gate = asyncio.Event()
    async with studio(tmp_path, FakeBackend(make_spec("local"), gate=gate)) as app:
        id = (await start(app.client, {"name": "seed", "values": list(range(1, 10))}))["id"]
        assert (await post(app.client, f"/{id}/pause")).json()["state"] == "paused"
        gate.set()
        assert (await post(app.client, f"/{id}/resume")).json()["state"] == "running"
        gate.clear()
        assert (await post(app.client, f"/{id}/cancel")).json()["state"] == "cancelled"
        gate.set()
        assert (await app.client.delete(f"{S}/experiments/{id}")).json() == {"deleted": True}
        assert (await app.client.get(f"{S}/experiments/{id}")).status_code == 404


async def test_failed_cells_say_why_and_are_made_again(tmp_path: Path) -> None:
    backend = FakeBackend(make_spec("local"), fail=RuntimeError("broken"))
    async with studio(tmp_path, backend) as app:
        id = (await start(app.client))["id"]
        view = await until(app.client, id, lambda view: all(each["state"] == "failed" for each in view["cells"]))
        assert all(each["error"]["code"] for each in view["cells"])
        backend.fail = None
        assert (await post(app.client, f"/{id}/retry", place=1)).json() == {"retried": 1}
        assert (await post(app.client, f"/{id}/retry")).json() == {"retried": 3}
        view = await until(app.client, id, lambda view: view["state"] == "done")
        assert all_done(view)


async def test_a_column_is_added(tmp_path: Path) -> None:
    async with studio(tmp_path) as app:
        id = (await start(app.client, {"name": "strength", "values": [0.2, 0.8]}, {"name": "seed", "values": [1, 2]}))[
            "id"
        ]
        await until(app.client, id, all_done)
        answer = await post(app.client, f"/{id}/cells", axis="strength", values=[0.5])
        assert answer.json()["count"] == 6, answer.text
        view = await until(app.client, id, all_done)
        assert view["axes"][0]["values"] == [0.2, 0.8, 0.5]
        assert sorted(each["at"] for each in view["cells"][4:]) == [[2, 0], [2, 1]]
        answer = await post(app.client, f"/{id}/cells", axis="nothing", values=[1])
        assert answer.json()["error"]["code"] == "axes-unknown"
        answer = await post(app.client, f"/{id}/cells", axis="strength", values=[0.8])
        assert answer.json()["error"]["code"] == "axes-value-twice"


async def test_a_large_column_is_asked_for(tmp_path: Path) -> None:
    async with studio(tmp_path, caps=Caps(ask_runs=4)) as app:
        id = (await start(app.client))["id"]
        answer = await post(app.client, f"/{id}/cells", axis="strength", values=[0.1, 0.3, 0.5, 0.7, 0.9])
        assert answer.json()["error"]["code"] == "experiment-asks"


async def test_a_key_is_used_and_never_stored(tmp_path: Path) -> None:
    spec = make_spec("local", key_env="FAKE_KEY", price=0.2)
    async with studio(tmp_path, FakeBackend(spec), caps=Caps(budget=0.1)) as app:
        view = await start(app.client, key="wsk-secret")
        await until(app.client, view["id"], all_done)
        assert b"wsk-secret" not in b"".join(each.read_bytes() for each in tmp_path.glob("studio.db*"))  # noqa: ASYNC240
        assert "wsk-secret" not in json.dumps((await app.client.get(f"{S}/experiments/{view['id']}")).json())


async def test_nothing_of_another_owners_is_found_or_listed(tmp_path: Path) -> None:
    async with studio(tmp_path, server_name="0.0.0.0") as app:
        ann, bob = visitor(app), visitor(app)
        await ann.get("/"), await bob.get("/")
        id = (await start(ann))["id"]
        assert (await bob.get(f"{S}/experiments")).json() == {"experiments": []}
        assert (await bob.get(f"{S}/experiments/{id}")).status_code == 404
        assert (await bob.delete(f"{S}/experiments/{id}")).status_code == 404
        for act in ("pause", "resume", "cancel"):
            assert (await post(bob, f"/{id}/{act}")).status_code == 404
        assert (await post(bob, f"/{id}/retry")).status_code == 404
        assert (await post(bob, f"/{id}/cells", axis="strength", values=[0.5])).status_code == 404
        theirs = (await ann.get(f"{S}/experiments/{id}")).json()
        refused = await post(bob, "", **{"reference": theirs["reference"], "base": theirs["base"], "axes": [LADDER]})
        assert refused.status_code == 404
        assert (await ann.get(f"{S}/experiments/{UNKNOWN}")).status_code == 404
        made = await results_of(ann, id)
        assert (await post(bob, "/evolve", "k9", favourites=made[:1])).status_code == 404


async def test_the_library_lists_the_results_of_an_experiment_to_its_owner_alone(tmp_path: Path) -> None:
    async with studio(tmp_path, server_name="0.0.0.0") as app:
        ann, bob = visitor(app), visitor(app)
        await ann.get("/"), await bob.get("/")
        first, second = await start(ann), await start(ann, {"name": "seed", "values": [1, 2]}, once="k2")
        made = [await until(ann, each["id"], all_done) for each in (first, second)]
        for view in made:
            params = {"experiment": view["id"], "limit": 3}
            ids, cursor = list[int](), None
            while True:
                page = (await ann.get(f"{S}/results", params=params | ({"cursor": cursor} if cursor else {}))).json()
                ids += [each["id"] for each in page["results"]]
                cursor = page["next"]
                if cursor is None:
                    break
            assert ids == sorted((each["result"] for each in view["cells"]), reverse=True)
            index = (await ann.get(f"{S}/results/index", params={"experiment": view["id"]})).json()
            assert index["total"] == view["count"]
            for other in (bob, ann):
                id = view["id"] if other is bob else UNKNOWN
                assert (await other.get(f"{S}/results", params={"experiment": id})).json()["results"] == []
                index = (await other.get(f"{S}/results/index", params={"experiment": id})).json()
                assert (index["total"], index["blocks"], index["results"]) == (0, [], [])
        refused = await ann.get(f"{S}/results", params={"experiment": "first"})
        assert (refused.status_code, refused.json()["error"]["field"]) == (400, "experiment")


def visitor(app: ApiApp) -> httpx.AsyncClient:
    """Return the client of another visitor's browser."""
    transport = httpx.ASGITransport(app=app.app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:7860")


async def results_of(client: httpx.AsyncClient, id: str) -> list[int]:
    """Return the results of an experiment, once all are there."""
    view = await until(client, id, all_done)
    return [each["result"] for each in view["cells"]]


async def test_a_round_near_favourites_begins_with_its_reasons_and_the_same_seed_gives_the_same(tmp_path: Path) -> None:
    async with studio(tmp_path) as app:
        made = await results_of(app.client, (await start(app.client))["id"])
        answer = await post(app.client, "/evolve", "k2", favourites=made[:2], seed=5)
        assert answer.status_code == 201, answer.text
        view = answer.json()
        assert view["evolved"]["favourites"] == made[:2]
        assert (view["names"], view["count"]) == (["neighbour"], 8)
        assert [len(each) > 0 for each in view["evolved"]["reasons"]] == [True] * 8
        await until(app.client, view["id"], all_done)
        again = (await post(app.client, "/evolve", "k3", favourites=made[:2], seed=5)).json()
        recipes = [[cell["recipe"] for cell in each["cells"]] for each in (view, again)]
        assert recipes[0] == recipes[1]
        assert again["id"] != view["id"]


async def test_a_round_needs_one_to_four_results_and_no_more_are_added_to_it(tmp_path: Path) -> None:
    async with studio(tmp_path) as app:
        made = await results_of(app.client, (await start(app.client))["id"])
        refused = await post(app.client, "/evolve", "k2", favourites=[made[0], 1])
        assert (refused.status_code, refused.json()["error"]["field"]) == (404, "favourites[1]")
        assert (await post(app.client, "/evolve", "k3", favourites=[])).status_code == 400
        assert (await post(app.client, "/evolve", "k4", favourites=made[:1] * 5)).status_code == 400
        more = await post(app.client, "/evolve", "k5", favourites=made[:1])
        answer = await post(app.client, f"/{more.json()['id']}/cells", axis="neighbour", values=[9])
        assert answer.json()["error"]["code"] == "setting-unknown"


async def test_the_same_call_begins_one_round(tmp_path: Path) -> None:
    async with studio(tmp_path) as app:
        made = await results_of(app.client, (await start(app.client))["id"])
        body, key = {"favourites": made[:1]}, {"Idempotency-Key": "round"}
        first = await app.client.post(f"{S}/experiments/evolve", json=body, headers=key)
        again = await app.client.post(f"{S}/experiments/evolve", json=body, headers=key)
        assert (first.status_code, again.status_code) == (201, 200)
        assert first.json()["id"] == again.json()["id"]
