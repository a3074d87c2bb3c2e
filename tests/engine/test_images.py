"""Pictures and uploads: found by their owners alone; display copies are made once, whoever asks or goes away."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from core.errors import BadImage
from engine.engine import Engine
from storage.sqlite.store import Store
from tests.support.fakes import picture_bytes, settle


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return Engine({}, Store(tmp_path))


async def test_two_who_ask_at_once_get_the_same_copy(engine: Engine) -> None:
    picture = await engine.images.keep("ann", picture_bytes(size=(600, 400)), "image/png")
    first, second = await asyncio.gather(*(engine.images.display(picture.name, 256) for _ in range(2)))
    assert first == second == engine.images.copy_path(first.name)
    assert await engine.images.display(picture.name, 256) == first
    await engine.close()


async def test_a_picture_that_is_gone_is_said_to_be_and_nothing_is_left(engine: Engine) -> None:
    for _ in range(2):
        with pytest.raises(BadImage):
            await engine.images.display("0" * 64 + ".png", 256)
    await engine.close()


async def test_who_goes_away_does_not_stop_the_copy_of_another_and_the_end_of_the_app_stops_it(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = await engine.images.keep("ann", picture_bytes(), "image/png")

    async def never(*_: object, **__: object) -> bytes:
        await asyncio.Event().wait()
        return b""

    monkeypatch.setattr(engine.decoders, "display", never)
    asking = asyncio.create_task(engine.images.display(picture.name, 256))
    while not engine.images._making:  # noqa: ASYNC110 - nothing tells of it
        await asyncio.sleep(0)
    (making,) = engine.images._making.values()
    asking.cancel()
    await settle()
    assert not making.done()
    making.cancel()
    await settle()
    assert engine.images._making == {}
    await engine.close()


async def test_a_reference_is_found_again_by_its_owner_alone_and_a_result_is_known_as_one(
    engine: Engine, tmp_path: Path
) -> None:
    read = await engine.images.read(picture_bytes(), "https://example.com/a.png", owner="ann")
    stored = await engine.images.keep_reference("ann", read, "f" * 64)
    assert stored.file is not None
    assert stored.file == engine.images.path(stored.file.name)
    assert await engine.images.find_reference("ann", stored.file.name) == (stored, "f" * 64)
    assert await engine.images.find_reference("bob", stored.file.name) is None
    assert [await engine.images.may_see(owner, stored.file.name) for owner in ("ann", "bob")] == [True, False]
    assert not await engine.images.is_result("ann", stored.file.stem)
    await engine.close()


async def test_a_ticket_takes_one_picture(engine: Engine) -> None:
    uploads = engine.uploads
    assert not await uploads.is_open("one")
    await uploads.issue_ticket("ann", "one")
    assert await uploads.is_open("one")
    assert await uploads.picture("one") is None
    assert await uploads.redeem("one", picture_bytes(), "image/png")
    name = await uploads.picture("one")
    assert name is not None
    assert await engine.images.may_see("ann", name)
    assert not await uploads.redeem("one", picture_bytes(), "image/png"), "it was used"
    await engine.close()


async def test_an_owner_from_before_cookies_were_signed_is_exchanged_once(engine: Engine) -> None:
    assert not await engine.exchange("nobody")
    await engine.close()


async def test_an_uploaded_file_is_its_owners_while_it_lies_there(engine: Engine, tmp_path: Path) -> None:
    file = Path("folder") / "photo.png"
    assert not await engine.uploads.add_file("ann", file), "nothing came"
    (tmp_path / "uploads" / file).parent.mkdir(parents=True)
    (tmp_path / "uploads" / file).write_bytes(picture_bytes())
    assert await engine.uploads.add_file("ann", file)
    assert [await engine.uploads.owns_file(owner, file) for owner in ("ann", "bob")] == [True, False]
    assert await engine.uploads.make_room(1000)
    await engine.close()
