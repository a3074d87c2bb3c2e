"""How a reference comes before its run: a ticket and a PUT, or a form; what is kept of it, and for whom."""

from __future__ import annotations

import base64
import errno
import io
import re
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import ExifTags, Image, PngImagePlugin

from core.events import Completed
from core.limits import Caps
from core.links import Links
from core.request import EditRequest
from storage.files.image_store import ImageStore
from storage.files.secret import lasting_secret
from tests.support.aimlapi_calls import BODY as AIML_BODY
from tests.support.aimlapi_calls import RUN as AIML_RUN
from tests.support.api_app import ApiApp, api_app
from tests.support.fakes import FakeBackend, make_spec, picture, picture_bytes, results
from tests.support.wavespeed_calls import PREDICTIONS, RUN, SYNC, kept, settled

pytestmark = pytest.mark.integration

TICKETS = "/api/v3/media/uploads"
BINARY = "/api/v3/media/upload/binary"
SECRET = "taken at 48.8584 north by Ann"
"""What a camera wrote into a file, and nobody may read out of ours."""


async def ticket(at: ApiApp, key: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    """Ask for a ticket."""
    answer = await at.client.post(TICKETS, json={"filename": "photo.jpg", "size": 1000, **more}, headers=key)
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


async def sent(at: ApiApp, data: bytes, key: dict[str, str] | None = None) -> httpx.Response:
    """Send a picture as a form, the way an older client does."""
    return await at.client.post(BINARY, files={"file": ("photo.jpg", data, "image/jpeg")}, headers=key)


def telling(format: str) -> bytes:
    """Return a picture that tells where, when and by whom it was taken."""
    exif = Image.Exif()
    exif[ExifTags.Base.Artist] = SECRET
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSDateStamp] = SECRET
    if format == "PNG":
        text = PngImagePlugin.PngInfo()
        text.add_text("Comment", SECRET)
        return picture_bytes("PNG", exif=exif, pnginfo=text)
    if format == "JPEG":
        return picture_bytes("JPEG", exif=exif, comment=SECRET, xmp=SECRET.encode())
    return picture_bytes(format, exif=exif, xmp=SECRET.encode())


# ---- a full disk ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["form", "ticket", "run", "generation", "edit"])
async def test_a_full_disk_is_called_full_with_a_507(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    async with api_app(tmp_path) as at:
        put = (await ticket(at))["upload"]["url"]

        def full(*_: Any) -> None:
            raise OSError(errno.ENOSPC, "No space left on device", "/srv/data")

        monkeypatch.setattr(ImageStore, "_write", full)
        answer = await {
            "form": lambda: sent(at, picture_bytes()),
            "ticket": lambda: at.client.put(put, content=picture_bytes()),
            "run": lambda: at.client.post(RUN, json=SYNC),
            "generation": lambda: at.client.post(AIML_RUN, json=AIML_BODY),
            "edit": lambda: at.client.post(
                "/v1/images/edits", data={"prompt": "a lake"}, files={"image": picture_bytes()}
            ),
        }[path]()
        assert answer.status_code == 507
        assert answer.json()["message"].startswith("The disk is full.")
        assert "Free some space on the disk" in answer.json()["message"]
        monkeypatch.undo()
        assert (await sent(at, picture_bytes())).status_code == 200


# ---- tickets -------------------------------------------------------------------------------------------


async def test_a_ticket_has_the_pages_fields(tmp_path: Path) -> None:
    async with api_app(tmp_path) as at:
        answer = await at.client.post(TICKETS, json={"filename": "a.jpg", "size": 9, "content_type": "image/jpeg"})
        told = answer.json()
        data = told["data"]
        assert (answer.status_code, told["code"], told["message"]) == (200, 200, "success")
        assert set(data) == {"download_url", "upload"}
        assert set(data["upload"]) == {"method", "url", "headers", "expires_at"}
        assert (data["upload"]["method"], data["upload"]["headers"]) == ("PUT", {})
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", data["upload"]["expires_at"])
        for address in (data["download_url"], data["upload"]["url"]):
            assert address.startswith("http://127.0.0.1:7860/")


async def test_a_file_is_put_without_a_key_and_read_where_the_ticket_said(tmp_path: Path) -> None:
    async with api_app(tmp_path) as at:
        given = await ticket(at, at.key())
        assert (await at.client.put(given["upload"]["url"], content=picture_bytes("JPEG"))).status_code == 200
        file = await at.client.get(given["download_url"])
        assert (file.status_code, file.headers["content-type"]) == (200, "image/png")
        assert Image.open(io.BytesIO(file.content)).size == (64, 48)


async def test_nothing_is_read_before_the_file_was_put(tmp_path: Path) -> None:
    async with api_app(tmp_path) as at:
        given = await ticket(at)
        assert (await at.client.get(given["download_url"])).status_code == 404
        answer = await at.client.post(RUN, json={**SYNC, "image": given["download_url"]})
        assert (answer.status_code, answer.json()["data"]) == (400, None)


async def test_a_ticket_is_good_once(tmp_path: Path) -> None:
    async with api_app(tmp_path) as at:
        given = await ticket(at)
        await at.client.put(given["upload"]["url"], content=picture_bytes())
        first = (await at.client.get(given["download_url"])).content
        again = await at.client.put(given["upload"]["url"], content=picture_bytes(size=(40, 30)))
        assert (again.status_code, again.json()["code"], again.json()["data"]) == (403, 403, None)
        assert (await at.client.get(given["download_url"])).content == first


async def test_what_comes_with_a_used_ticket_is_not_kept(tmp_path: Path) -> None:
    async with api_app(tmp_path) as at:
        given = await ticket(at)
        await at.client.put(given["upload"]["url"], content=picture_bytes())
        before = kept(tmp_path)
        for width in (40, 50):
            await at.client.put(given["upload"]["url"], content=picture_bytes(size=(width, 30)))
        # A file that nobody owns is in no account of the disk, and is never removed.
        assert kept(tmp_path) == before


async def test_a_ticket_that_was_changed_opens_nothing(tmp_path: Path) -> None:
    async with api_app(tmp_path) as at:
        given, other = await ticket(at), await ticket(at)
        url, elsewhere = httpx.URL(given["upload"]["url"]), httpx.URL(other["upload"]["url"])
        download = httpx.URL(given["download_url"])
        forged = [
            url.copy_with(query=None),
            url.copy_merge_params({"until": str(int(url.params["until"]) + 1)}),
            url.copy_merge_params({"signature": "0" * 64}),
            url.copy_merge_params({"signature": "ä"}),
            elsewhere.copy_with(query=url.query),  # another ticket's id
            url.copy_with(query=download.query),  # the right to read is no right to write
            url.copy_with(path=f"{TICKETS}/{'0' * 32}"),
        ]
        for address in forged:
            answer = await at.client.put(address, content=picture_bytes())
            assert (answer.status_code, answer.json()["code"], answer.json()["data"]) == (403, 403, None), address
        assert kept(tmp_path) == set()


async def test_a_ticket_ends_after_its_hour(tmp_path: Path) -> None:
    async with api_app(tmp_path) as at:
        given = await ticket(at)
        url = httpx.URL(given["upload"]["url"])
        assert 3500 < int(url.params["until"]) - time.time() <= 3600
        ended = Links(lasting_secret(tmp_path)).sign(url.path, int(time.time()) - 1)
        assert (await at.client.put(ended, content=picture_bytes())).status_code == 403
        assert kept(tmp_path) == set()


async def test_another_uploads_link_does_not_open_this_one(tmp_path: Path) -> None:
    async with api_app(tmp_path) as at:
        links = []
        for size in ((64, 48), (40, 30)):
            links.append(httpx.URL((await sent(at, picture_bytes(size=size))).json()["data"]["download_url"]))
        mixed = links[0].copy_with(query=links[1].query)
        assert (await at.client.get(mixed)).status_code == 403
        refused = await at.client.post(RUN, json={**SYNC, "image": str(mixed)})
        assert (refused.status_code, refused.json()["data"]) == (400, None)


async def test_an_uploads_link_ends_after_a_week(tmp_path: Path) -> None:
    async with api_app(tmp_path) as at:
        link = httpx.URL((await sent(at, picture_bytes())).json()["data"]["download_url"])
        assert 6.9 * 86_400 < int(link.params["until"]) - time.time() <= 7 * 86_400
        ended = Links(lasting_secret(tmp_path)).sign(link.path, int(time.time()) - 1)
        assert (await at.client.get(ended)).status_code == 403


async def test_a_ticket_outlives_a_restart(tmp_path: Path) -> None:
    async with api_app(tmp_path) as at:
        given = await ticket(at)
    async with api_app(tmp_path) as at:
        assert (await at.client.put(given["upload"]["url"], content=picture_bytes())).status_code == 200
    async with api_app(tmp_path) as at:
        assert (await at.client.get(given["download_url"])).status_code == 200


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"filename": ...}, "filename: Field required."),
        ({"filename": ""}, "filename"),
        ({"filename": "x" * 256}, "filename"),
        ({"filename": 5}, "filename"),
        ({"size": ...}, "size: Field required."),
        ({"size": 0}, "size"),
        ({"size": "9"}, "size"),
        ({"size": 60_000_001}, "size: The limit is 60 MB."),
        ({"content_type": 5}, "content_type"),
        ({"folder": "mine"}, "folder: Extra inputs are not permitted."),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_a_ticket_for_what_does_not_fit_is_refused(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    asked = {"filename": "photo.jpg", "size": 1000, **change}
    async with api_app(tmp_path) as at:
        answer = await at.client.post(TICKETS, json={name: each for name, each in asked.items() if each is not ...})
        assert (answer.status_code, answer.json()["code"], answer.json()["data"]) == (400, 400, None)
        assert words in answer.json()["message"]


# ---- the form --------------------------------------------------------------------------------------------


async def test_a_form_has_the_pages_fields(tmp_path: Path) -> None:
    async with api_app(tmp_path) as at:
        data = picture_bytes("JPEG")
        answer = await sent(at, data)
        told = answer.json()
        assert (answer.status_code, told["code"], told["message"]) == (200, 200, "success")
        assert set(told["data"]) == {"type", "download_url", "filename", "size"}
        assert (told["data"]["type"], told["data"]["size"]) == ("image", len(data))
        file = await at.client.get(told["data"]["download_url"])
        assert Image.open(io.BytesIO(file.content)).size == (64, 48)


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"data": {"file": "not a file"}},
        {"files": {"picture": ("a.png", picture_bytes(), "image/png")}},
        {"files": [("file", ("a.png", b"a", "image/png")), ("file", ("b.png", b"b", "image/png"))]},
        {"json": {"file": "a"}},
        {"content": b"--nonsense", "headers": {"Content-Type": "multipart/form-data; boundary=x"}},
        {"content": b"x", "headers": {"Content-Type": "multipart/form-data"}},
    ],
    ids=["nothing", "text", "another name", "two files", "json", "broken", "without a boundary"],
)
async def test_a_form_without_one_file_is_a_400(tmp_path: Path, form: dict[str, Any]) -> None:
    async with api_app(tmp_path) as at:
        answer = await at.client.post(BINARY, **form)
        assert (answer.status_code, answer.json()["code"], answer.json()["data"]) == (400, 400, None)
        assert kept(tmp_path) == set()


# ---- what is kept ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
async def test_what_a_camera_tells_beside_the_picture_is_gone(tmp_path: Path, format: str) -> None:
    data = telling(format)
    assert SECRET.encode() in data
    async with api_app(tmp_path) as at:
        given = await ticket(at)
        await at.client.put(given["upload"]["url"], content=data)
        await sent(at, data)
        files = [path.read_bytes() for path in (tmp_path / "images").iterdir()]
        files.append((await at.client.get(given["download_url"])).content)
        for file in files:
            assert SECRET.encode() not in file
            opened = Image.open(io.BytesIO(file))
            assert (opened.format, dict(opened.getexif()), opened.info) == ("PNG", {}, {})


@pytest.mark.parametrize("by", ["ticket", "form"])
async def test_a_picture_that_lies_on_its_side_is_stood_up(tmp_path: Path, by: str) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    data = picture_bytes("PNG", exif=exif)
    async with api_app(tmp_path) as at:
        if by == "ticket":
            given = await ticket(at)
            await at.client.put(given["upload"]["url"], content=data)
            link = given["download_url"]
        else:
            link = (await sent(at, data)).json()["data"]["download_url"]
        file = Image.open(io.BytesIO((await at.client.get(link)).content))
    upright = picture().transpose(Image.Transpose.ROTATE_270)
    assert (file.size, file.tobytes()) == ((48, 64), upright.tobytes())


@pytest.mark.parametrize(
    "data",
    [b"", b"not a picture", b"<svg xmlns='http://www.w3.org/2000/svg'/>", picture_bytes()[:200], b"%PDF-1.7 ..."],
    ids=["nothing", "text", "svg", "cut", "pdf"],
)
async def test_what_is_no_picture_is_a_400_and_is_not_kept(tmp_path: Path, data: bytes) -> None:
    async with api_app(tmp_path) as at:
        given = await ticket(at)
        for answer in (await at.client.put(given["upload"]["url"], content=data), await sent(at, data)):
            assert (answer.status_code, answer.json()["code"], answer.json()["data"]) == (400, 400, None)
            assert answer.json()["message"].startswith("image: ")
        assert kept(tmp_path) == set()


async def test_a_ticket_is_still_good_after_a_file_that_was_no_picture(tmp_path: Path) -> None:
    async with api_app(tmp_path) as at:
        given = await ticket(at)
        await at.client.put(given["upload"]["url"], content=b"not a picture")
        assert (await at.client.put(given["upload"]["url"], content=picture_bytes())).status_code == 200


async def test_a_file_over_the_owners_limit_is_refused_whatever_the_ticket_said(tmp_path: Path) -> None:
    async with api_app(tmp_path, caps=Caps(max_bytes=100)) as at:
        given = await ticket(at, size=100)
        data = picture_bytes()
        assert len(data) > 100
        for answer in (await at.client.put(given["upload"]["url"], content=data), await sent(at, data)):
            assert (answer.status_code, answer.json()["code"], answer.json()["data"]) == (400, 400, None)
        assert (await at.client.post(TICKETS, json={"filename": "a", "size": 101})).status_code == 400
        assert kept(tmp_path) == set()


async def test_a_picture_of_too_many_pixels_is_refused(tmp_path: Path) -> None:
    async with api_app(tmp_path, caps=Caps(max_pixels=64 * 48 - 1)) as at:
        answer = await sent(at, picture_bytes())
        assert (answer.status_code, answer.json()["data"]) == (400, None)
        assert "64×48" in answer.json()["message"]


async def test_a_body_that_no_reference_needs_is_not_even_read(tmp_path: Path) -> None:
    async with api_app(tmp_path) as at:
        given = await ticket(at)
        answer = await at.client.put(given["upload"]["url"], content=b"x" * 1_000_001)
        assert answer.status_code == 413
        assert (await sent(at, b"x" * 1_000_001)).status_code == 413


async def test_an_upload_that_nobody_ran_goes_when_its_time_is_over(tmp_path: Path) -> None:
    async with api_app(tmp_path, caps=Caps(cache_age=0.0)) as at:
        link = (await sent(at, picture_bytes())).json()["data"]["download_url"]
        assert (await at.client.get(link)).status_code == 200
        await at.engine.tidy()
        assert (await at.client.get(link)).status_code == 404
        refused = await at.client.post(RUN, json={**SYNC, "image": link})
        assert (refused.status_code, refused.json()["data"]) == (400, None)
        assert kept(tmp_path) == set()


# ---- as a run's image ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["ticket", "form"])
async def test_both_doors_run_an_uploaded_picture(tmp_path: Path, by: str) -> None:
    seen: list[EditRequest] = []

    def outcome(request: EditRequest) -> Completed:
        seen.append(request)
        return Completed(results(request), {"inference": 1.0})

    async with api_app(tmp_path, {"local": FakeBackend(make_spec("local"), outcome=outcome)}) as at:
        key = at.key()
        if by == "ticket":
            given = await ticket(at, key)
            await at.client.put(given["upload"]["url"], content=picture_bytes())
            link = given["download_url"]
        else:
            link = (await sent(at, picture_bytes(), key)).json()["data"]["download_url"]
        for run, body in ((RUN, {**SYNC, "image": link}), (AIML_RUN, {**AIML_BODY, "image_url": link})):
            answer = await at.client.post(run, json=body, headers=key)
            assert answer.status_code == 200, answer.text
    assert [each.image.open().tobytes() for each in seen] == [picture().tobytes()] * 2


async def test_the_name_before_an_uploads_path_does_not_matter(tmp_path: Path) -> None:
    async with api_app(tmp_path) as at:
        link = httpx.URL((await sent(at, picture_bytes())).json()["data"]["download_url"])
        # As a client behind another proxy may know this app.
        told = await at.client.post(RUN, json={**SYNC, "image": f"https://studio.example{link.raw_path.decode()}"})
        assert told.json()["data"]["status"] == "completed"


async def test_a_run_keeps_its_uploaded_picture_when_the_upload_is_forgotten(tmp_path: Path) -> None:
    async with api_app(tmp_path, caps=Caps(cache_age=0.0)) as at:
        link = (await sent(at, picture_bytes())).json()["data"]["download_url"]
        task = (await at.client.post(RUN, json={**SYNC, "image": link})).json()["data"]["id"]
        await at.engine.tidy()
        assert (await settled(at, task))["status"] == "completed"
        (item,) = (await at.client.post(PREDICTIONS)).json()["data"]["items"]
        assert (await at.client.get(item["input"]["image"])).status_code == 200


async def test_the_link_of_a_ticket_is_no_picture(tmp_path: Path) -> None:
    async with api_app(tmp_path) as at:
        given = await ticket(at)
        answer = await at.client.post(RUN, json={**SYNC, "image": given["upload"]["url"]})
        assert (answer.status_code, answer.json()["data"]) == (400, None)


async def test_the_same_picture_uploaded_by_two_keys_is_one_file_and_stays_for_the_other(tmp_path: Path) -> None:
    async with api_app(tmp_path) as at:
        ann, bob = at.key("ann"), at.key("bob")
        data = base64.b64encode(picture_bytes()).decode()
        task = (await at.client.post(RUN, json={**SYNC, "image": data}, headers=ann)).json()["data"]["id"]
        link = (await sent(at, picture_bytes(), bob)).json()["data"]["download_url"]
        assert len(kept(tmp_path)) == 2
        await at.client.post(f"{PREDICTIONS}/delete", json={"ids": [task]}, headers=ann)
        assert (await at.client.get(link)).status_code == 200
        assert len(kept(tmp_path)) == 1
