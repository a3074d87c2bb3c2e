"""What becomes a reference: whatever a person has, read once, as its owner's alone."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request

from api.callers import while_here
from api.middleware import AccessRules, protected
from api.studio import routes as studio
from api.studio.references import OPEN
from core.errors import FetchFailed
from core.imaging.images import Reference
from core.settings import Settings
from engine.services import Services
from storage.files.secret import lasting_secret
from tests.support.fakes import FakeBackend, make_spec, picture_bytes
from tests.support.services import services_at

pytestmark = pytest.mark.integration

S = "/studio/v1"
ADDRESS = "https://pictures.example/lake.png"


@dataclass
class Studio:
    """The page's API on a backend that notes what it is given."""

    folder: Path
    services: Services
    app: Starlette
    given: list[Reference] = field(default_factory=list)

    def browser(self) -> httpx.AsyncClient:
        """Return a browser that nobody has used before."""
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:7860")


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Studio]:
    given: list[Reference] = []

    class Noting(FakeBackend):
        async def edit(self, request: Any, context: Any = None) -> Any:
            given.append(request.image)
            async for event in super().edit(request):
                yield event

    async def fetch(address: str) -> bytes:
        if address != ADDRESS:
            raise FetchFailed("recorded", what="This link points to a private network.", todo="Download the picture.")
        return picture_bytes("PNG", "RGB", (320, 200))

    settings = Settings(data_dir=tmp_path, server_name="0.0.0.0")
    services = services_at(tmp_path, {"local": Noting(make_spec("local"))}, settings.caps)
    api, _ = studio.build(services, fetch, tmp_path / "uploads", "build")
    rules = AccessRules(public=True, max_body=1_000_000, secret=lasting_secret(tmp_path))
    app = Starlette(routes=studio.routes(api), middleware=[Middleware(protected, rules)])
    yield Studio(tmp_path, services, app, given)
    await services.close()


@pytest.fixture
async def ann(running: Studio) -> AsyncIterator[httpx.AsyncClient]:
    async with running.browser() as client:
        await client.get("/")
        yield client


@pytest.fixture
async def bob(running: Studio) -> AsyncIterator[httpx.AsyncClient]:
    async with running.browser() as client:
        await client.get("/")
        yield client


async def upload(client: httpx.AsyncClient, data: bytes, name: str = "a.png", kind: str = "image/png") -> Any:
    answer = await client.post(f"{S}/references", files={"file": (name, data, kind)})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def run(client: httpx.AsyncClient, digest: str, once: str = "once") -> Any:
    body = {"backend": "local", "prompt": "a lake", "reference": digest}
    answer = await client.post(f"{S}/jobs", json=body, headers={"Idempotency-Key": once})
    assert answer.status_code == 201, answer.text
    job = answer.json()
    while not job["results"]:
        await asyncio.sleep(0.01)
        job = (await client.get(f"{S}/jobs/{job['id']}")).json()
        assert job["error"] is None
    return job["results"][0]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "WEBP", "AVIF", "TIFF"])
async def test_a_picture_is_read_by_its_bytes_whatever_its_name_says(ann: httpx.AsyncClient, kind: str) -> None:
    reference = await upload(ann, picture_bytes(kind), "notes.txt", "text/plain")
    assert (reference["width"], reference["height"]) == (64, 48)
    shown = await ann.get(f"{S}/references/{reference['digest']}/view", params={"width": 64})
    assert shown.headers["content-type"] == "image/webp"
    assert Image.open(io.BytesIO(shown.content)).size == (64, 48)


async def test_a_name_that_lies_about_another_picture_leads_nowhere(ann: httpx.AsyncClient) -> None:
    first = await upload(ann, picture_bytes())
    for name in (f"{first['digest']}.png", f"../images/{first['digest']}.png", f"{first['digest']}.png-1024.webp"):
        other = await upload(ann, picture_bytes("PNG", "RGB", (30, 20)), name)
        assert (other["width"], other["digest"] == first["digest"]) == (30, False)


async def test_the_same_picture_is_the_same_reference_for_each_who_chose_it(
    ann: httpx.AsyncClient, bob: httpx.AsyncClient
) -> None:
    data = picture_bytes()
    digest = (await upload(ann, data))["digest"]
    assert (await bob.get(f"{S}/references/{digest}")).status_code == 404
    assert (await upload(bob, data))["digest"] == digest
    assert [(await each.get(f"{S}/references/{digest}")).status_code for each in (ann, bob)] == [200, 200]


async def test_anothers_reference_or_result_is_not_taken_by_its_digest_or_number(
    ann: httpx.AsyncClient, bob: httpx.AsyncClient
) -> None:
    digest = (await upload(ann, picture_bytes()))["digest"]
    made = await run(ann, digest)
    for body in ({"digest": digest}, {"digest": made["image"]["digest"]}, {"result": made["id"]}):
        answer = await bob.post(f"{S}/references", json=body)
        assert (answer.status_code, answer.json()["error"]["field"]) == (404, "reference")
        assert (await ann.post(f"{S}/references", json=body)).status_code == 201


async def test_a_picture_from_a_link_keeps_its_address_for_those_who_can_use_it(
    running: Studio, ann: httpx.AsyncClient
) -> None:
    answer = await ann.post(f"{S}/references", json={"url": f" {ADDRESS} "})
    assert (answer.status_code, answer.json()["width"]) == (201, 320)
    await run(ann, answer.json()["digest"])
    assert running.given[0].address == ADDRESS


async def test_a_link_that_is_not_read_says_why_at_the_reference(ann: httpx.AsyncClient) -> None:
    answer = await ann.post(f"{S}/references", json={"url": "http://10.0.0.1/a.png"})
    error = answer.json()["error"]
    assert (error["values"]["what"], error["charged"]) == ("This link points to a private network.", False)


async def test_a_reference_that_is_there_is_not_decoded_again(
    running: Studio, ann: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = await upload(ann, picture_bytes())

    async def refuse(*_: object, **__: object) -> Reference:
        raise AssertionError("it was decoded again")

    monkeypatch.setattr(running.services.images, "read", refuse)
    again = await ann.post(f"{S}/references", json={"digest": reference["digest"]})
    assert again.json() == reference
    assert (await ann.get(f"{S}/references/{reference['digest']}")).json() == reference


async def test_a_result_stays_the_parent_of_what_is_made_of_it(running: Studio, ann: httpx.AsyncClient) -> None:
    made = await run(ann, (await upload(ann, picture_bytes()))["digest"])
    reference = (await ann.post(f"{S}/references", json={"result": made["id"]})).json()
    assert reference["parent"] == made["image"]["digest"]
    again = (await ann.get(f"{S}/references/{reference['digest']}")).json()
    assert again == reference, "also when the page is loaded again"
    assert (await run(ann, reference["digest"], "twice"))["parent"] == made["image"]["digest"]


async def test_what_was_done_to_a_picture_is_told_once_and_again(ann: httpx.AsyncClient) -> None:
    film = io.BytesIO()
    frames = [Image.new("RGB", (64, 48), colour) for colour in ("red", "blue")]
    frames[0].save(film, "GIF", save_all=True, append_images=frames[1:])
    reference = await upload(ann, film.getvalue(), "film.gif")
    assert reference["notices"]
    assert all(set(each) == {"code", "values"} for each in reference["notices"]), "codes, and no sentences"
    assert (await ann.get(f"{S}/references/{reference['digest']}")).json()["notices"] == reference["notices"]


async def test_a_picture_that_lies_on_its_side_is_turned(ann: httpx.AsyncClient) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    reference = await upload(ann, picture_bytes("JPEG", exif=exif), "IMG_0001.jpg")
    assert (reference["width"], reference["height"]) == (48, 64)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "image-file-empty"),
        (b"hello", "image-is-text"),
        (b"\0\0\0\x24ftypheic\0\0\0\0mif1heicmiafMiHB" + bytes(4000), None),
        (picture_bytes("JPEG", "RGB", (300, 300))[:900], None),
    ],
    ids=["empty", "text", "broken HEIC", "cut JPEG"],
)
async def test_what_is_no_picture_is_refused_at_the_reference_and_nothing_is_kept(
    running: Studio, ann: httpx.AsyncClient, data: bytes, code: str | None
) -> None:
    answer = await ann.post(f"{S}/references", files={"file": ("a.png", data, "image/png")})
    error = answer.json()["error"]
    assert (answer.status_code, error["charged"]) == (400, False)
    assert error["code"].startswith("image-")
    assert code in (None, error["code"])
    assert not list((running.folder / "uploads").glob("reference-*"))


async def test_who_keeps_no_cookie_is_told_that_one_is_needed(running: Studio) -> None:
    async with running.browser() as nobody:
        answer = await nobody.post(f"{S}/references", files={"file": ("a.png", picture_bytes(), "image/png")})
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "cookies-needed")


async def test_a_visitor_has_few_pictures_read_at_a_time_and_another_has_places_of_their_own(
    running: Studio, ann: httpx.AsyncClient, bob: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, read, begun = asyncio.Event(), running.services.images.read, asyncio.Semaphore(0)

    async def holding(*args: Any, **named: Any) -> Any:
        begun.release()
        await held.wait()
        return await read(*args, **named)

    monkeypatch.setattr(running.services.images, "read", holding)
    first = [asyncio.create_task(upload(ann, picture_bytes("PNG", "RGB", (40 + n, 30)))) for n in range(OPEN)]
    for _ in range(OPEN):
        await begun.acquire()
    refused = await ann.post(f"{S}/references", files={"file": ("a.png", picture_bytes(), "image/png")})
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "still-reading")
    assert len(list((running.folder / "uploads").iterdir())) == OPEN, "nothing of the refused one stays"
    theirs = asyncio.create_task(upload(bob, picture_bytes()))
    await begun.acquire()
    held.set()
    await asyncio.gather(*first, theirs)
    assert await upload(ann, picture_bytes())


async def test_a_picture_whose_sender_has_left_is_read_no_further() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async def receive() -> dict[str, str]:
        await begun.wait()
        return {"type": "http.disconnect"}

    with pytest.raises(asyncio.CancelledError):
        await while_here(Request({"type": "http"}, receive), work())
    assert ended.is_set()
