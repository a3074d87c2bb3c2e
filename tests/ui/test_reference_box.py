"""What is read from the reference box, and what is put back into it."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest
import pytest_asyncio
from PIL import Image

from core.imaging.images import Reference
from core.job import VISITOR, Visitor
from core.request import EditRequest
from engine.engine import Engine
from storage.sqlite.store import Store
from tests.support.fakes import FakeBackend, files_of, make_request, picture_bytes
from ui.actions import Actions
from ui.controls import Controls
from ui.images import stored_name
from ui.reference import shown_by_browsers
from ui.session import Session

DIGEST = "ab" * 32


class Box:
    """A tab's reference box without a page; the framework's copying of files into its cache is `cached`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.engine = Engine({"fake": FakeBackend()}, Store(folder / "data"))
        with gr.Blocks():
            controls = Controls.of(self.engine.specs)
        self.fetched = picture_bytes("PNG", "RGB", (1500, 30))
        self.act = Actions(self.engine, self._fetch, controls)
        self.session = Session()
        self.request: Any = SimpleNamespace(scope={VISITOR: Visitor("ann")})

    async def _fetch(self, _: str) -> bytes:
        return self.fetched

    def cached(self, path: str | Path, number: int = 0) -> str:
        """Copy a file as the framework does before its event comes."""
        place = self.folder / "cache" / str(number) / Path(path).name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place)
        return str(place)

    def write(self, name: str, data: bytes) -> str:
        path = self.folder / name
        path.write_bytes(data)
        return str(path)

    async def show(self, path: str | None) -> tuple[Any, Any]:
        stage, box = await self.act.show_reference(self.session, path and {"path": path}, self.request)
        return stage, box


@pytest_asyncio.fixture
async def box(tmp_path: Path) -> AsyncIterator[Box]:
    box = Box(tmp_path)
    yield box
    await box.engine.close()


@pytest.mark.parametrize(
    ("name", "picture"),
    [
        (f"{DIGEST}.png", f"{DIGEST}.png"),
        (f"{DIGEST}.jpg-1024.webp", f"{DIGEST}.jpg"),
        (f"{DIGEST}.png-1024.webp.png", None),
        (f"{DIGEST}.png-x.webp", None),
        (f"{DIGEST}.svg", None),
        (f"x{DIGEST}.png", None),
        (f"{DIGEST.upper()}.png", None),
        (f"../{DIGEST}.png", None),
        ("", None),
    ],
)
def test_names_of_stored_pictures_and_of_their_copies_are_known(name: str, picture: str | None) -> None:
    assert stored_name(name) == picture


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "WEBP", "AVIF", "TIFF"])
def test_browsers_show_all_kinds_but_tiff(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a"
    path.write_bytes(picture_bytes(kind))
    assert shown_by_browsers(path) == (kind != "TIFF")
    assert not shown_by_browsers(tmp_path / "nowhere")


async def test_a_picture_that_browsers_show_stays_in_the_box_as_it_is(box: Box) -> None:
    stage, value = await box.show(box.write("a.jpg", picture_bytes("JPEG")))
    assert stage["reference"]["width"] == 64
    assert value == gr.skip()


async def test_another_is_replaced_by_a_copy_that_stands_for_the_same_reference(box: Box) -> None:
    path = box.folder / "pages.tif"
    Image.new("RGB", (1500, 30)).save(path)
    stage, value = await box.show(str(path))
    assert stored_name(Path(value).name) == stage["reference"]["display"].removeprefix("display/")
    reference = box.session.reference
    again, value = await box.show(box.cached(value))
    assert box.session.reference is reference
    assert (again["reference"], value) == (stage["reference"], gr.skip()), "no third event follows"


async def test_a_copy_stands_for_its_picture_in_another_tab_too(box: Box) -> None:
    path = box.folder / "a.tif"
    Image.new("RGB", (1500, 30)).save(path)
    _, value = await box.show(str(path))
    first, box.session = box.session, Session()
    await box.show(box.cached(value))
    assert first.reference is not None
    assert box.session.reference is not None
    assert (box.session.reference.file, box.session.reference.reference.width) == (first.reference.file, 1500)


async def test_a_copy_stands_for_nothing_where_the_picture_is_anothers(box: Box) -> None:
    path = box.folder / "a.tif"
    Image.new("RGB", (1500, 30)).save(path)
    _, value = await box.show(str(path))
    box.session, box.request = Session(), SimpleNamespace(scope={VISITOR: Visitor("bob")})
    stage, _ = await box.show(box.cached(value))
    assert stage["reference"]["width"] == 1024


async def test_a_file_that_only_has_a_stored_pictures_name_is_read_itself(box: Box) -> None:
    stage, _ = await box.show(box.write("a.png", picture_bytes()))
    name = stage["reference"]["display"].removeprefix("display/")
    stage, _ = await box.show(box.write(name, picture_bytes("PNG", "RGB", (30, 20))))
    assert stage["reference"]["width"] == 30


async def test_a_fetched_picture_is_on_stage_and_keeps_its_address(box: Box) -> None:
    address = "https://pictures.example/lake.png"
    value, words, stage = await box.act.fetch(box.session, f" {address} ", box.request)
    assert (words, stage["reference"]["width"]) == ("", 1500)
    await box.show(box.cached(value))
    assert box.session.reference is not None
    assert box.session.reference.reference.address == address


async def test_the_picture_that_was_chosen_last_is_the_reference(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    slow, quick = box.write("slow.png", picture_bytes("PNG", "RGB", (90, 60))), box.write("quick.png", picture_bytes())
    held, read = asyncio.Event(), box.engine.images.read

    async def holding(source: Any, *rest: Any, **named: Any) -> Any:
        if source == Path(slow):
            await held.wait()
        return await read(source, *rest, **named)

    monkeypatch.setattr(box.engine.images, "read", holding)
    first = asyncio.create_task(box.show(slow))
    await asyncio.sleep(0)
    await box.show(quick)
    held.set()
    assert await first == (gr.skip(), gr.skip())
    assert box.session.reference is not None
    assert box.session.reference.reference.width == 64


async def test_without_a_copy_the_box_has_the_picture_itself(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> Path:
        raise OSError("No space left on device")

    monkeypatch.setattr(box.engine.images._files, "put_display", full)
    path = box.folder / "a.tif"
    Image.new("RGB", (15, 3)).save(path)
    _, value = await box.show(str(path))
    assert stored_name(Path(value).name) == Path(value).name


def refuse_to_decode(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*_: object, **__: object) -> Reference:
        raise AssertionError("it was decoded again")

    monkeypatch.setattr(box.engine.images, "read", refuse)


async def test_a_stored_reference_is_used_in_another_tab_without_decoding_it_again(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    await box.act.fetch(box.session, "https://a.example/wide.png", box.request)
    first = box.session.reference
    assert first is not None
    assert first.reference.address == "https://a.example/wide.png"
    refuse_to_decode(box, monkeypatch)
    box.session = Session()
    await box.show(box.cached(first.file))
    assert box.session.reference == first, "with its address, size and notices"


async def test_a_result_that_becomes_a_reference_is_the_parent_of_what_is_made_of_it(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = make_request(box.engine.specs["fake"], seed=7)
    job = await box.engine.submit("fake", request, visitor=Visitor("ann"))
    await box.engine.result(job)
    (file,) = files_of(job, box.engine.images.folder)
    await box.show(box.cached(file))
    shown = box.session.reference
    assert shown is not None
    assert shown.parent == file.stem
    made = EditRequest.build(box.engine.specs["fake"], "again", shown.reference, {"seed": 1}, parent=shown.parent)
    job = await box.engine.submit("fake", made, visitor=Visitor("ann"))
    await box.engine.result(job)
    assert job.recipe.parent == file.stem
    refuse_to_decode(box, monkeypatch)
    box.session = Session()
    await box.show(box.cached(shown.file))
    assert box.session.reference == shown, "also after the page was loaded again"


async def test_anothers_reference_is_decoded_as_any_file(box: Box) -> None:
    await box.show(box.write("a.png", picture_bytes("PNG", "RGB", (40, 30))))
    assert box.session.reference is not None
    box.session, box.request = Session(), SimpleNamespace(scope={VISITOR: Visitor("bob")})
    assert await box.engine.images.find_reference("bob", (DIGEST + ".png")) is None
    path = box.cached(next((box.folder / "data" / "images").glob("*.png")))
    assert await box.act._stored(box.session, Path(path)) is None
