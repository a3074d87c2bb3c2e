"""The page's own API, over the whole stack but the network: references, jobs, results, keys."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import Any, ClassVar

import httpx
import pytest
from PIL import Image

from core.backend import OWNERS, RunContext
from core.errors import KeyRejected, StudioError
from core.events import Event
from core.job import EVERYONE, Visitor
from core.limits import Caps
from core.request import EditRequest
from core.spec import Style
from tests.support.api_app import api_app
from tests.support.fakes import FakeBackend, FakeProvider, make_spec
from tests.support.studio_calls import S, add_reference, done, studio, submit, until

pytestmark = pytest.mark.integration


async def test_a_photo_becomes_a_result_that_says_how_it_was_made(tmp_path: Path) -> None:
    async with studio(tmp_path) as app:
        reference = await add_reference(app.client)
        assert (reference["width"], reference["height"], reference["parent"]) == (64, 48, None)
        style = [{"id": "oil", "weight": 1, "text": "an oil painting"}]
        answer = await submit(
            app.client, reference=reference["digest"], params={"strength": 0.5, "seed": 77}, num_images=2, style=style
        )
        assert answer.status_code == 201
        job = await until(app.client, answer.json()["id"], done)
        assert [each["recipe"]["seed"] for each in job["results"]] == [77, 78]
        page = (await app.client.get(f"{S}/results")).json()
        assert page["total"] == 2
        assert [each["place"] for each in page["results"]] == [1, 0]
        assert sorted(page["results"], key=lambda each: int(each["place"])) == job["results"]
        (one,) = [each for each in page["results"] if each["place"] == 0]
        assert one["recipe"]["prompt"] == "a lake"
        assert one["recipe"]["style"] == style
        assert one["recipe"]["params"]["strength"] == 0.5
        assert (await app.client.get(f"{S}/results/{one['id']}")).json() == one
        file = await app.client.get(f"{S}/results/{one['id']}/file", params={"name": "srpo_lake.png"})
        assert 'filename="srpo_lake.png"' in file.headers["content-disposition"]
        assert Image.open(io.BytesIO(file.content)).size == (64, 48)
        view = await app.client.get(f"{S}/results/{one['id']}/view", params={"width": 200})
        assert view.headers["content-type"] == "image/webp"
        assert "immutable" in view.headers["cache-control"]


async def test_a_reference_is_found_again_with_its_picture(tmp_path: Path) -> None:
    async with studio(tmp_path) as app:
        reference = await add_reference(app.client)
        again = await app.client.get(f"{S}/references/{reference['digest']}")
        assert again.json() == reference
        for path, mime in (("file", reference["mime"]), ("view?width=64", "image/webp")):
            picture = await app.client.get(f"{S}/references/{reference['digest']}/{path}")
            assert picture.headers["content-type"] == mime
        unknown = await app.client.get(f"{S}/references/{'0' * 64}")
        assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "picture-unknown")


async def test_a_result_as_reference_is_the_parent_of_what_is_made_of_it(tmp_path: Path) -> None:
    async with studio(tmp_path) as app:
        first = await until(app.client, (await submit(app.client)).json()["id"], done)
        (made,) = first["results"]
        answer = await app.client.post(f"{S}/references", json={"result": made["id"]})
        assert answer.json()["parent"] == made["image"]["digest"]
        second = await submit(app.client, once="k2", reference=answer.json()["digest"])
        job = await until(app.client, second.json()["id"], done)
        assert job["results"][0]["parent"] == made["image"]["digest"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"prompt": " "}, "prompt"),
        ({"params": {"strength": 7}}, "strength"),
        ({"params": {"colour": 1}}, "colour"),
        ({"backend": "nowhere"}, "backend"),
        ({"reference": "0" * 64}, "reference"),
    ],
)
async def test_what_does_not_fit_is_refused_at_its_field_by_a_code(
    tmp_path: Path, body: dict[str, Any], field: str
) -> None:
    async with studio(tmp_path) as app:
        answer = await submit(app.client, **body)
        error = answer.json()["error"]
        assert answer.status_code in (400, 404)
        assert (error["field"], error["charged"]) == (field, False)
        assert error["code"]
        assert (await app.client.get(f"{S}/results")).json()["total"] == 0


async def test_a_body_of_another_shape_names_the_field(tmp_path: Path) -> None:
    async with studio(tmp_path) as app:
        answer = await submit(app.client, num_images="many", reference="0" * 64)
        assert (answer.status_code, answer.json()["error"]["field"]) == (400, "num_images")
        without = await app.client.post(f"{S}/jobs", json={"backend": "local", "prompt": "x", "reference": "0" * 64})
        assert (without.status_code, without.json()["error"]["field"]) == (400, "header.idempotency-key")


async def test_a_file_that_is_no_picture_is_refused_at_the_reference(tmp_path: Path) -> None:
    async with studio(tmp_path) as app:
        answer = await app.client.post(f"{S}/references", files={"file": ("photo.png", b"words", "image/png")})
        assert answer.status_code == 400
        assert answer.json()["error"]["charged"] is False
        for body in ({}, {"url": "https://a.example/x.png", "result": 1}, {"result": 99}):
            refused = await app.client.post(f"{S}/references", json=body)
            assert refused.json()["error"]["field"] == "reference"
        broken = await app.client.post(
            f"{S}/references", content=b"words", headers={"Content-Type": "multipart/form-data; boundary=x"}
        )
        assert broken.status_code == 400
        assert not list((tmp_path / "uploads").glob("reference-*")), "a file lies there only while it is read"


async def test_the_same_key_begins_one_job_in_the_same_moment_too_and_after_a_restart(tmp_path: Path) -> None:
    async with studio(tmp_path) as app:
        reference = (await add_reference(app.client))["digest"]
        answers = await asyncio.gather(*(submit(app.client, reference=reference) for _ in range(5)))
        assert sorted(each.status_code for each in answers) == [200, 200, 200, 200, 201]
        (job,) = {each.json()["id"] for each in answers}
        await until(app.client, job, done)
        other = await submit(app.client, reference=reference, prompt="a sea")
        assert (other.status_code, other.json()["error"]["code"]) == (409, "idempotency-key-reused")
    async with studio(tmp_path) as app:
        again = await submit(app.client, reference=reference)
        assert (again.status_code, again.json()["id"], again.json()["state"]) == (200, job, "done")
        assert len((await app.client.get(f"{S}/results")).json()["results"]) == 1


async def test_a_running_job_shows_its_previews_and_is_cancelled(tmp_path: Path) -> None:
    backend = FakeBackend(make_spec("local"), gate=asyncio.Event())
    async with studio(tmp_path, backend) as app:
        job = (await submit(app.client)).json()["id"]
        running = await until(app.client, job, lambda view: bool(view["event"]["kind"] == "progress"))
        assert running["started"] == pytest.approx(time.time(), abs=60)
        preview = await app.client.get(f"{S}/jobs/{job}/preview/0")
        assert preview.headers["content-type"] == "image/jpeg"
        cancelled = (await app.client.post(f"{S}/jobs/{job}/cancel")).json()
        assert (cancelled["state"], cancelled["error"]["code"]) == ("cancelled", "run-cancelled")
        assert (await app.client.get(f"{S}/jobs/{job}/preview/0")).status_code == 204


async def test_results_are_found_by_words_in_pages_and_deleted(tmp_path: Path) -> None:
    async with studio(tmp_path) as app:
        reference = (await add_reference(app.client))["digest"]
        for number, prompt in enumerate(("a lake", "a sea at night", "a lake at night")):
            answer = await submit(app.client, once=f"k{number}", prompt=prompt, reference=reference)
            await until(app.client, answer.json()["id"], done)
        found = (await app.client.get(f"{S}/results", params={"q": "lake nig"})).json()
        assert [each["recipe"]["prompt"] for each in found["results"]] == ["a lake at night"]
        first = (await app.client.get(f"{S}/results", params={"limit": 2})).json()
        rest = (await app.client.get(f"{S}/results", params={"limit": 2, "cursor": first["next"]})).json()
        prompts = [each["recipe"]["prompt"] for each in (*first["results"], *rest["results"])]
        assert prompts == ["a lake at night", "a sea at night", "a lake"]
        assert rest["next"] is None
        ids = [each["id"] for each in first["results"]]
        gone = await app.client.request("DELETE", f"{S}/results", json={"ids": [*ids, 12]})
        assert gone.json()["deleted"] == ids
        assert (await app.client.get(f"{S}/results")).json()["total"] == 1
        assert (await app.client.get(f"{S}/results/{ids[0]}/file")).status_code == 404


async def test_the_days_spending_is_told_to_whom_it_is(tmp_path: Path) -> None:
    backend = FakeBackend(make_spec("local", price=0.04))
    async with studio(tmp_path, backend, server_name="0.0.0.0") as app:
        await app.client.get("/")
        since = time.time() - 3600
        assert (await app.client.get(f"{S}/spending", params={"since": since})).json() == {"dollars": 0, "backends": []}
        gate = backend.gate = asyncio.Event()
        job = (await submit(app.client, num_images=2)).json()["id"]
        spending = {"dollars": 0.08, "backends": [{"backend": "local", "dollars": 0.08}]}
        answer = await app.client.get(f"{S}/spending", params={"since": since})
        assert answer.json() == spending, "by its price, while nobody knows"
        gate.set()
        await until(app.client, job, done)
        later = await app.client.get(f"{S}/spending", params={"since": time.time() + 60})
        assert later.json()["dollars"] == 0
        assert (await app.client.get(f"{S}/spending", params={"since": "never"})).status_code == 400
        transport = httpx.ASGITransport(app=app.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:7860") as stranger:
            await stranger.get("/")
            assert (await stranger.get(f"{S}/spending", params={"since": since})).json()["dollars"] == 0


async def test_a_stranger_sees_nothing_of_a_visitors(tmp_path: Path) -> None:
    async with studio(tmp_path, server_name="0.0.0.0") as app:
        assert (await app.client.get(f"{S}/results")).status_code == 401, "without a cookie"
        await app.client.get("/")
        transport = httpx.ASGITransport(app=app.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:7860") as stranger:
            await stranger.get("/")
            reference = (await add_reference(app.client))["digest"]
            job = (await submit(app.client, reference=reference)).json()["id"]
            view = await until(app.client, job, done)
            made = view["results"][0]["id"]
            for path in (
                f"references/{reference}",
                f"references/{reference}/file",
                f"references/{reference}/view?width=64",
                f"jobs/{job}",
                f"jobs/{job}/preview/0",
                f"results/{made}",
                f"results/{made}/file",
                f"results/{made}/file?recipe=embed&name=a.png",
                f"results/{made}/recipe",
                f"results/{made}/code",
                f"results/{made}/view?width=64",
            ):
                assert (await stranger.get(f"{S}/{path}")).status_code == 404, path
            assert (await stranger.post(f"{S}/jobs/{job}/cancel")).status_code == 404
            gone = await stranger.request("DELETE", f"{S}/results", json={"ids": [made]})
            assert gone.json()["deleted"] == []
            assert (await stranger.get(f"{S}/results")).json()["total"] == 0
            assert (await app.client.get(f"{S}/results")).json()["total"] == 1


async def test_another_sites_page_may_not_ask(tmp_path: Path) -> None:
    async with studio(tmp_path) as app:
        answer = await app.client.post(f"{S}/references", json={}, headers={"Origin": "https://evil.example"})
        assert answer.status_code == 403
        assert answer.json()["error"]["code"] == "recorded"


async def test_a_visitors_own_key_pays_for_the_job_and_is_nowhere_kept(tmp_path: Path) -> None:
    provider = FakeProvider()
    backend = FakeBackend(make_spec("local", key_env=provider.key_env), provider=provider)
    async with studio(tmp_path, backend) as app:
        answer = await submit(app.client, key="secret-key-of-ann")
        job = await until(app.client, answer.json()["id"], done)
        assert "secret-key-of-ann" not in str(job)
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]  # noqa: ASYNC240 - the app has ended
    assert kept
    assert not any(b"secret-key-of-ann" in path.read_bytes() for path in kept)


async def test_a_key_is_checked_at_its_provider(tmp_path: Path) -> None:
    provider = FakeProvider(left=4.37)
    backend = FakeBackend(make_spec("local", key_env=provider.key_env), provider=provider)
    async with studio(tmp_path, backend) as app:
        path = f"{S}/providers/{provider.name}/check"
        assert (await app.client.post(path, headers={"X-Provider-Key": "good"})).json() == {"balance": 4.37}
        assert (await app.client.post(f"{S}/providers/nobody/check")).status_code == 404


async def test_a_rejected_key_is_the_visitors_affair_and_no_outage(tmp_path: Path) -> None:
    class Strict(FakeProvider):
        async def balance(self, key: str | None = None) -> float:
            raise KeyRejected("provider-key-rejected", field="key", provider=self.name)

    provider = Strict()
    backend = FakeBackend(make_spec("local", key_env=provider.key_env), provider=provider)
    async with studio(tmp_path, backend) as app:
        answer = await app.client.post(f"{S}/providers/{provider.name}/check", headers={"X-Provider-Key": "bad"})
        assert (answer.status_code, answer.json()["error"]["field"]) == (403, "key")


async def test_a_visitor_learns_that_the_owners_key_works_and_not_what_it_has_left(tmp_path: Path) -> None:
    class Broke(FakeProvider):
        works = True

        async def balance(self, key: str | None = None) -> float:
            if not self.works:
                raise KeyRejected("key-refused")
            return await super().balance(key)

    provider = Broke()
    backend = FakeBackend(make_spec("local", key_env=provider.key_env), provider=provider)
    async with studio(tmp_path, backend, server_name="0.0.0.0") as app:
        await app.client.get("/")
        path = f"{S}/providers/{provider.name}/check"
        assert (await app.client.post(path)).json() == {"balance": None}
        provider.works = False
        assert (await app.client.post(path)).json() == {"balance": None}, "asked once in five minutes"


@pytest.mark.parametrize(
    "error", [KeyRejected("recorded", what="No. $5.00", todo=""), StudioError("recorded", what="$5.00", todo="")]
)
async def test_a_visitor_learns_that_the_owners_key_does_not_work_and_no_more(
    tmp_path: Path, error: StudioError
) -> None:
    class Broken(FakeProvider):
        async def balance(self, key: str | None = None) -> float:
            raise error

    provider = Broken()
    backend = FakeBackend(make_spec("local", key_env=provider.key_env), provider=provider)
    async with studio(tmp_path, backend, server_name="0.0.0.0") as app:
        await app.client.get("/")
        refused = await app.client.post(f"{S}/providers/{provider.name}/check")
        assert refused.json()["error"]["code"] == "ui-owners-key-fails"
        assert "5.00" not in refused.text


async def test_too_many_requests_are_refused_with_the_seconds_to_wait(tmp_path: Path) -> None:
    async with studio(tmp_path, server_name="0.0.0.0") as app:
        await app.client.get("/")
        asked = 0
        while (last := await app.client.get(f"{S}/jobs/none")).status_code == 404:
            asked += 1
        assert last.status_code == 429
        assert asked >= 600
        assert int(last.headers["retry-after"]) >= 1


async def test_the_specs_say_what_a_form_needs(tmp_path: Path) -> None:
    async with studio(tmp_path) as app:
        specs = (await app.client.get(f"{S}/specs")).json()
        (backend,) = specs["backends"]
        strength = next(each for each in backend["params"] if each["name"] == "strength")
        assert (strength["kind"], strength["minimum"], strength["maximum"]) == ("number", 0.0, 1.0)
        assert backend["ready"] is None
        assert backend["price"] == {"dollars": 0.0, "live": False}
        assert specs["limits"]["prompt"] == 4000
        described = (await app.client.get("/docs")).text
        assert "docs/studio" in described
        assert (await app.client.get(f"{S}/openapi.json")).json()["paths"][f"{S}/jobs"]["post"]["requestBody"]


async def test_a_backend_that_knows_every_style_offers_the_presets_and_another_its_own(tmp_path: Path) -> None:
    own = (Style("oil", "Oil", "an oil painting"),)
    backends = {"local": FakeBackend(make_spec("local")), "mini": FakeBackend(make_spec("mini", styles=own))}
    async with api_app(tmp_path, backends) as app:
        free, mini = (await app.client.get(f"{S}/specs")).json()["backends"]
        assert mini["styles"] == [{"id": "oil", "label": "Oil", "text": "an oil painting", "kind": "medium"}]
        assert len(free["styles"]) == 24
        assert len({each["id"] for each in free["styles"]}) == 24
        assert {each["kind"] for each in free["styles"]} == {"medium", "mood"}


async def test_a_visitor_uploads_so_many_bytes_an_hour(tmp_path: Path) -> None:
    async with studio(tmp_path, server_name="0.0.0.0", caps=Caps(uploads_per_hour=1_000_000)) as app:
        await app.client.get("/")
        noise = Image.effect_noise((700, 700), 90)
        file = io.BytesIO()
        noise.save(file, "PNG")
        statuses = [
            (await app.client.post(f"{S}/references", files={"file": ("a.png", file.getvalue())})).status_code
            for _ in range(4)
        ]
        assert statuses[0] == 201
        assert statuses[-1] == 429


async def test_a_job_that_an_event_began_has_its_gpu_token_and_is_found_by_the_same_key(tmp_path: Path) -> None:
    class Asking(FakeBackend):
        tokens: ClassVar[list[str]] = []

        async def edit(self, request: EditRequest, context: RunContext = OWNERS) -> AsyncGenerator[Event, None]:
            self.tokens.append(context.gpu_token)
            async with aclosing(super().edit(request, context)) as events:
                async for event in events:
                    yield event

    async with studio(tmp_path, Asking(make_spec("local"))) as app:
        reference = (await add_reference(app.client))["digest"]
        body = {"reference": reference, "backend": "local", "prompt": "a lake"}
        visitor = Visitor(EVERYONE, gpu_token="token-of-ann")
        await app.own_api.jobs.submit_event(visitor, {"body": body, "once": "k1"})
        for malformed in (None, {}, {"body": 1, "once": "k2"}, {"body": {**body, "more": 1}, "once": "k3"}):
            await app.own_api.jobs.submit_event(visitor, malformed)
        answer = await submit(app.client, "k1", reference=reference)
        assert answer.status_code == 200, "the event began it"
        await until(app.client, answer.json()["id"], done)
        assert Asking.tokens == ["token-of-ann"]


async def test_a_live_draft_is_a_picture_and_no_job(tmp_path: Path) -> None:
    async with studio(tmp_path) as app:
        reference = (await add_reference(app.client))["digest"]
        body = {"reference": reference, "backend": "local", "prompt": "a lake", "params": {"strength": 0.5}}
        answer = await app.client.post(f"{S}/live", json=body)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
        assert answer.headers["cache-control"] == "no-store"
        assert (await app.client.get(f"{S}/results")).json()["results"] == []
        refused = await app.client.post(f"{S}/live", json={**body, "backend": "nothing"})
        assert refused.json()["error"]["field"] == "backend"
