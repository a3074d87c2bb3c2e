"""Pictures and uploads: found by their owners alone; display copies are made once, whoever asks or goes away."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from core.errors import BadImage
from engine.services import Services
from tests.support.fakes import make_reference, picture_bytes, settle
from tests.support.services import services_at


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return services_at(tmp_path, {})


async def test_two_who_ask_at_once_get_the_same_copy(services: Services) -> None:
    picture = await services.images.keep("ann", picture_bytes(size=(600, 400)), "image/png")
    first, second = await asyncio.gather(*(services.images.display(picture.name, 256) for _ in range(2)))
    assert first == second == services.images.copy_path(first.name)
    assert await services.images.display(picture.name, 256) == first
    await services.close()


async def test_a_picture_that_is_gone_is_said_to_be_and_nothing_is_left(services: Services) -> None:
    for _ in range(2):
        with pytest.raises(BadImage):
            await services.images.display("0" * 64 + ".png", 256)
    await services.close()


async def test_who_goes_away_does_not_stop_the_copy_of_another_and_the_end_of_the_app_stops_it(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = await services.images.keep("ann", picture_bytes(), "image/png")

    async def never(*_: object, **__: object) -> bytes:
        await asyncio.Event().wait()
        return b""

    monkeypatch.setattr(services.decoders, "display", never)
    asking = asyncio.create_task(services.images.display(picture.name, 256))
    while not services.images._making:  # noqa: ASYNC110 - nothing tells of it
        await asyncio.sleep(0)
    (making,) = services.images._making.values()
    asking.cancel()
    await settle()
    assert not making.done()
    making.cancel()
    await settle()
    assert services.images._making == {}
    await services.close()


async def test_a_reference_is_found_again_by_its_owner_alone_and_a_result_is_known_as_one(
    services: Services, tmp_path: Path
) -> None:
    read = await services.images.read(picture_bytes(), "https://example.com/a.png", owner="ann")
    stored = await services.images.keep_reference("ann", read, "f" * 64)
    assert stored.file is not None
    assert stored.file == services.images.path(stored.file.name)
    assert await services.images.find_reference("ann", stored.file.name) == (stored, "f" * 64)
    assert await services.images.find_reference("bob", stored.file.name) is None
    assert [await services.images.may_see(owner, stored.file.name) for owner in ("ann", "bob")] == [True, False]
    assert not await services.images.is_result("ann", stored.file.stem)
    await services.close()


async def test_a_ticket_takes_one_picture(services: Services) -> None:
    uploads = services.uploads
    assert not await uploads.is_open("one")
    await uploads.issue_ticket("ann", "one")
    assert await uploads.is_open("one")
    assert await uploads.picture("one") is None
    assert await uploads.redeem("one", make_reference())
    name = await uploads.picture("one")
    assert name is not None
    assert await services.images.may_see("ann", name)
    assert not await uploads.redeem("one", make_reference()), "it was used"
    await services.close()


async def test_an_uploaded_file_is_its_owners_while_it_lies_there(services: Services, tmp_path: Path) -> None:
    file = Path("folder") / "photo.png"
    assert not await services.uploads.add_file("ann", file), "nothing came"
    (tmp_path / "uploads" / file).parent.mkdir(parents=True)
    (tmp_path / "uploads" / file).write_bytes(picture_bytes())
    assert await services.uploads.add_file("ann", file)
    assert [await services.uploads.owns_file(owner, file) for owner in ("ann", "bob")] == [True, False]
    assert await services.uploads.make_room(1000)
    await services.close()


async def test_a_picture_is_found_by_its_digest_by_whoever_may_see_it(services: Services) -> None:
    picture = await services.images.keep("ann", picture_bytes(), "image/png")
    assert await services.images.find("ann", picture.stem) == picture.name
    assert await services.images.find("bob", picture.stem) is None
    assert await services.images.find("ann", "0" * 64) is None
    await services.close()
