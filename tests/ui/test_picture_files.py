"""Files as people have them, given to the reference box: with odd names, or of kinds that no browser shows."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import open_page
from tests.support.fakes import picture_bytes
from tests.support.live_app import Served
from ui.stage import ASSETS

pytestmark = pytest.mark.integration

SIZE = (160, 120)
JPEG, PNG, TIFF, AVIF, WEBP = (picture_bytes(kind, "RGB", SIZE) for kind in ("JPEG", "PNG", "TIFF", "AVIF", "WEBP"))
HEIC = b"\0\0\0\x24ftypheic\0\0\0\0mif1heicmiafMiHB" + bytes(4000)


def described(name: str, data: bytes) -> dict[str, str]:
    """Return under which name and type `assets/files.js` hands a file on."""
    node = shutil.which("node")
    assert node, "no Node.js: run `make clients`"
    script = f"{(ASSETS / 'files.js').read_text(encoding='utf-8')}\nconst asked = JSON.parse(process.argv[1]);"
    script += "\nconsole.log(JSON.stringify(pictureFiles.described(asked.name, Uint8Array.from(asked.head))));"
    asked = json.dumps({"name": name, "head": list(data[:32])})
    answer = subprocess.run([node, "-e", script, asked], capture_output=True, check=True, text=True)
    told: dict[str, str] = json.loads(answer.stdout)
    return told


@pytest.mark.parametrize(
    ("name", "data", "handed", "kind"),
    [
        ("photo.jpg", JPEG, "photo.jpg", "image/jpeg"),
        ("PHOTO.JPEG", JPEG, "PHOTO.JPEG", "image/jpeg"),
        ("photo.jfif", JPEG, "photo.jfif", "image/jpeg"),
        ("noextension", JPEG, "noextension.jpg", "image/jpeg"),
        (".jpg", JPEG, ".jpg", "image/jpeg"),
        ("photo.jpg.png", JPEG, "photo.jpg.png.jpg", "image/jpeg"),
        ("a.b", PNG, "a.b.png", "image/png"),
        ("scan", TIFF, "scan.tif", "image/tiff"),
        ("scan", b"MM\0*\0\0\0\x08", "scan.tif", "image/tiff"),
        ("scan", b"MM\0+\0\x08\0\0", "scan.tif", "image/tiff"),
        ("IMG_0001.HEIC", HEIC, "IMG_0001.HEIC", "image/heic"),
        ("IMG_0002.jpg", HEIC, "IMG_0002.jpg.heic", "image/heic"),
        ("a", b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif", "a.avif", "image/avif"),
        ("a", AVIF, "a.avif", "image/avif"),
        ("a", WEBP, "a.webp", "image/webp"),
        ("a", picture_bytes("GIF"), "a.gif", "image/gif"),
        ("a", picture_bytes("BMP"), "a.bmp", "image/bmp"),
        ("film.mp4", b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "film.mp4", "image/unknown"),
        ("notes.txt", b"hello", "notes.txt", "image/unknown"),
        ("empty", b"", "empty", "image/unknown"),
    ],
)
def test_a_file_is_handed_on_as_what_its_bytes_say(name: str, data: bytes, handed: str, kind: str) -> None:
    assert described(name, data) == {"name": handed, "type": kind}


@pytest.fixture
def page(browser: Browser, fakes: Served) -> Iterator[Page]:
    with open_page(browser, fakes.url) as opened:
        yield opened


def choose(page: Page, path: Path) -> None:
    page.wait_for_selector("#reference input[type=file]", state="attached")
    page.set_input_files("#reference input[type=file]", path)


def drop(page: Page, path: Path) -> None:
    """Drop a file as a file manager does where it knows no kind for it: without a MIME type."""
    page.wait_for_selector("#reference input[type=file]", state="attached")
    page.evaluate(
        """([name, bytes]) => {
          const carried = new DataTransfer();
          carried.items.add(new File([Uint8Array.from(bytes)], name));
          const place = document.querySelector('#reference input[type=file]').parentElement;
          for (const kind of ['dragenter', 'dragover', 'drop'])
            place.dispatchEvent(new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer: carried }));
        }""",
        [path.name, list(path.read_bytes())],
    )


def seen(page: Page, selector: str) -> list[int]:
    """Return the size of a picture once it is there."""
    page.wait_for_function("s => document.querySelector(s)?.naturalWidth > 1", arg=selector)
    size: list[int] = page.eval_on_selector(selector, "image => [image.naturalWidth, image.naturalHeight]")
    return size


@pytest.mark.parametrize("give", [choose, drop])
@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("noextension", JPEG),
        ("photo.jpg.png", JPEG),
        ("Füße & Ñandú (2).jpg", JPEG),
        ("写真 #1?.jpg", JPEG),
        ("a" * 200 + ".jpg", JPEG),
        (".jpg", JPEG),
        ("photo.jfif", JPEG),
        ("photo.avif", AVIF),
        ("tif.TIFF", TIFF),
        ("scan", TIFF),
    ],
    ids=lambda value: value[:12] if isinstance(value, str) else "",
)
def test_a_picture_is_seen_in_the_box_and_on_stage(
    page: Page, tmp_path: Path, give: Any, name: str, data: bytes
) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    give(page, path)
    assert seen(page, ".stage img.reference") == list(SIZE)
    assert seen(page, "#reference img") == list(SIZE)
    expect(page.locator(".toast-body")).to_have_count(0)


@pytest.mark.parametrize("give", [choose, drop])
@pytest.mark.parametrize(
    ("name", "data"), [("notes.txt", b"hello"), ("IMG_0003", HEIC), ("film", b"\0\0\0\x18ftypmp42")]
)
def test_what_cannot_be_read_is_told_in_our_words(
    browser: Browser, fakes: Served, tmp_path: Path, give: Any, name: str, data: bytes
) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with open_page(browser, fakes.url, refused=True) as page:
        give(page, path)
        told = page.locator(".stage .message.failed, .toast-body").first
        expect(told).to_contain_text(re.compile("picture|photo"))
        expect(told).not_to_contain_text("Invalid file type")
        expect(page.locator("#reference img")).to_have_count(0)


def test_a_tiff_in_the_box_runs_in_its_full_size_and_keeps_its_notices(page: Page, tmp_path: Path) -> None:
    path = tmp_path / "large.tif"
    Image.new("RGB", (1500, 30), "teal").save(path)
    choose(page, path)
    assert seen(page, "#reference img") == [1024, 20]
    assert seen(page, ".stage img.reference") == [1500, 30]
    page.fill("#prompt textarea", "good")
    page.click("#run")
    assert seen(page, ".stage img.result") == [1500, 30]


def test_the_copy_in_the_box_stands_for_the_picture_after_the_page_was_loaded_again(
    page: Page, fakes: Served, tmp_path: Path
) -> None:
    path = tmp_path / "large.tif"
    Image.new("RGB", (1500, 30), "navy").save(path)
    choose(page, path)
    page.fill("#prompt textarea", "good")
    page.click("#run")
    seen(page, ".stage img.result")
    page.reload()
    page.wait_for_selector(".stage .card")
    page.locator(".stage .strip button.thumb").first.click()
    page.get_by_role("button", name="Restore these settings").click()
    assert seen(page, "#reference img") == [1024, 20]
    page.fill("#prompt textarea", "good again")
    page.click("#run")
    expect(page.locator(".stage .strip button.thumb")).to_have_count(2)
    assert seen(page, ".stage img.result") == [1500, 30]
    with Image.open(io.BytesIO(page.request.get(f"{fakes.url}/{full(page)}").body())) as result:
        assert result.size == (1500, 30)


def full(page: Page) -> str:
    return str(page.get_attribute(".stage .actions a.button", "href"))
