"""Display sizes over HTTP: made once, for those who may see the picture, and gone with it."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from PIL import Image

from api.studio import routes as studio
from core.errors import BadImage
from core.job import VISITOR, Visitor
from tests.support.fakes import picture_bytes
from tests.support.services import services_at

pytestmark = pytest.mark.integration


async def read_nothing(_: str) -> bytes:
    """Stand for the network, which nobody here asks."""
    raise AssertionError


class Place:
    """Pictures behind their routes; requests come as `visitor`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.services = services_at(folder)
        self.visitor = Visitor("ann")
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(self._app), base_url="http://studio.test")
        self._routes, _ = studio.build(self.services, read_nothing, folder / "uploads", "build")

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        scope[VISITOR] = self.visitor
        await self._routes(scope, receive, send)

    async def keep(self, data: bytes, mime: str = "image/png") -> str:
        """Store a picture of the visitor's; return its name."""
        return (await self.services.images.keep(self.visitor.owner, data, mime)).name

    async def get(self, name: str, width: object) -> httpx.Response:
        return await self.client.get(f"/studio/v1/references/{name[:64]}/view", params={"width": str(width)})

    def copies(self) -> list[str]:
        """Return the names of the stored copies, digests left out."""
        folder = self.folder / "images" / "display"
        return sorted(each.name[64:] for each in folder.iterdir()) if folder.exists() else []


@pytest_asyncio.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    place = Place(tmp_path)
    yield place
    await place.client.aclose()
    await place.services.close()


def size(answer: httpx.Response) -> tuple[int, int]:
    with Image.open(BytesIO(answer.content)) as shown:
        assert shown.format == "WEBP"
        return shown.size


@pytest.mark.parametrize(
    ("width", "served"),
    [(1, 256), (256, 256), (257, 512), (512, 512), (1000, 1024), (1025, 2048), (2048, 2048), (99_999, 2048)],
)
async def test_a_width_is_rounded_up_to_a_display_size(place: Place, width: int, served: int) -> None:
    name = await place.keep(picture_bytes("PNG", "RGB", (3000, 30)))
    answer = await place.get(name, width)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/webp")
    assert answer.headers["cache-control"].startswith("private")
    assert size(answer)[0] == served
    assert place.copies() == [f".png-{served}.webp"]


async def test_a_picture_is_never_enlarged(place: Place) -> None:
    name = await place.keep(picture_bytes("JPEG", "RGB", (300, 200)), "image/jpeg")
    assert size(await place.get(name, 2048)) == (300, 200)
    assert size(await place.get(name, 256)) == (256, 171)


async def test_a_tall_picture_fits_into_webp(place: Place) -> None:
    assert size(await place.get(await place.keep(picture_bytes("PNG", "RGB", (16, 16_384))), 256)) == (16, 16_383)


@pytest.mark.parametrize("width", ["", "0", "-1", "1e3", "100000", "two"])
async def test_a_width_that_is_none_is_refused(place: Place, width: str) -> None:
    answer = await place.get(await place.keep(picture_bytes()), width)
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, "width")
    assert place.copies() == []


async def test_a_copy_is_for_those_who_may_see_the_picture(place: Place) -> None:
    name = await place.keep(picture_bytes())
    assert (await place.get(name, 256)).status_code == 200
    place.visitor = Visitor("bob")
    for each in (name, "0" * 64):
        assert (await place.get(each, 256)).status_code == 404


async def test_forty_requests_at_once_are_one_piece_of_work(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    name = await place.keep(picture_bytes("PNG", "RGB", (600, 400)))
    asked: list[int] = []
    make = place.services.decoders.display

    async def counted(source: Path, width: int, *, owner: str = "") -> bytes:
        asked.append(width)
        return await make(source, width, owner=owner)

    monkeypatch.setattr(place.services.decoders, "display", counted)
    answers = await asyncio.gather(*(place.get(name, 256) for _ in range(40)))
    assert {each.status_code for each in answers} == {200}
    assert (await place.get(name, 200)).content == answers[0].content
    assert asked == [256]


async def test_one_who_goes_away_takes_nobodys_copy_along(place: Place) -> None:
    name = await place.keep(picture_bytes("PNG", "RGB", (600, 400)))
    first, second = (asyncio.create_task(place.services.images.display(name, 256)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).is_file()
    assert first.cancelled()


async def test_a_smaller_copy_is_made_from_a_larger_one(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    name = await place.keep(picture_bytes("PNG", "RGB", (3000, 300)))
    await place.get(name, 2048)
    sources: list[str] = []
    make = place.services.decoders.display

    async def noted(source: Path, width: int, *, owner: str = "") -> bytes:
        sources.append(source.name[64:])
        return await make(source, width, owner=owner)

    monkeypatch.setattr(place.services.decoders, "display", noted)
    assert size(await place.get(name, 256)) == (256, 26)
    assert sources == [".png-2048.webp"]


async def test_what_is_transparent_stays_so(place: Place) -> None:
    file = BytesIO()
    Image.new("RGBA", (600, 400), (255, 0, 0, 0)).save(file, "PNG")
    answer = await place.get(await place.keep(file.getvalue()), 256)
    with Image.open(BytesIO(answer.content)) as shown:
        assert shown.getchannel("A").getextrema() == (0, 0)


@pytest.mark.parametrize(
    ("kind", "mode"), [("PNG", "L"), ("PNG", "P"), ("PNG", "I;16"), ("JPEG", "CMYK"), ("JPEG", "L")]
)
async def test_pictures_of_every_mode_are_shown(place: Place, kind: str, mode: str) -> None:
    file = BytesIO()
    Image.new(mode, (600, 400)).save(file, kind)
    name = await place.keep(file.getvalue(), "image/png" if kind == "PNG" else "image/jpeg")
    assert size(await place.get(name, 256)) == (256, 171)


async def test_a_picture_that_ends_early_is_shown_as_far_as_it_goes(place: Place) -> None:
    noise = Image.effect_noise((400, 300), 90).convert("RGB")
    file = BytesIO()
    noise.save(file, "PNG")
    assert size(await place.get(await place.keep(file.getvalue()[:-20_000]), 256)) == (256, 192)


async def test_a_picture_that_is_none_is_told_and_does_not_break(place: Place) -> None:
    answer = await place.get(await place.keep(b"\x89PNG\r\n\x1a\nbroken"), 256)
    assert (answer.status_code, "damaged" in answer.json()["error"]["code"]) == (400, True)
    assert place.copies() == []


async def test_copies_count_in_the_quota_and_go_with_their_picture(place: Place) -> None:
    data = picture_bytes("PNG", "RGB", (600, 400))
    name = await place.keep(data)
    copy = await place.get(name, 256)
    store = place.services.images._store._store
    assert store.size() == len(data) + len(copy.content)
    assert await place.services.images._store.tidy(len(data), 3600.0) == 0  # the copy alone is what is too much
    assert store.size() == 0
    assert not [each for each in (place.folder / "images").rglob("*") if each.is_file()]
    assert (await place.get(name, 256)).status_code == 404


async def test_of_a_picture_that_is_removed_meanwhile_no_copy_stays(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = await place.keep(picture_bytes())
    make = place.services.decoders.display

    async def overtaken(source: Path, width: int, *, owner: str = "") -> bytes:
        made = await make(source, width, owner=owner)
        await place.services.images._store.tidy(0, 3600.0)
        return made

    monkeypatch.setattr(place.services.decoders, "display", overtaken)
    with pytest.raises(BadImage):
        await place.services.images.display(name, 256)
    assert place.copies() == []


async def test_on_a_full_disk_the_picture_itself_is_shown(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    data = picture_bytes()
    name = await place.keep(data)

    def full(*_: object) -> Path:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(place.services.images._files, "put_display", full)
    answer = await place.get(name, 256)
    assert (answer.status_code, answer.content) == (200, data)
    monkeypatch.undo()
    assert size(await place.get(name, 256)) == (64, 48)
