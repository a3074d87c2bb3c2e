"""Files as people have them, chosen and dropped: with odd names, or of kinds that no browser shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import open_page
from tests.support.fakes import picture_bytes
from tests.support.live_app import Served
from tests.support.studio_page import RESULT, problem

pytestmark = pytest.mark.integration

SIZE = (160, 120)
JPEG, PNG, TIFF, AVIF = (picture_bytes(kind, "RGB", SIZE) for kind in ("JPEG", "PNG", "TIFF", "AVIF"))
HEIC = b"\0\0\0\x24ftypheic\0\0\0\0mif1heicmiafMiHB" + bytes(4000)


@pytest.fixture(scope="module")
def page(browser: Browser, fakes: Served) -> Iterator[Page]:
    with open_page(browser, fakes.url) as opened:
        yield opened


def choose(page: Page, name: str, data: bytes) -> None:
    page.set_input_files(
        "#reference input[type=file]", {"name": name, "mimeType": "application/octet-stream", "buffer": data}
    )


def drop(page: Page, name: str, data: bytes) -> None:
    """Drop a file as a file manager does where it knows no kind for it: without a MIME type."""
    page.evaluate(
        """([name, bytes]) => {
          const carried = new DataTransfer();
          carried.items.add(new File([Uint8Array.from(bytes)], name));
          for (const kind of ['dragenter', 'dragover', 'drop'])
            document.body.dispatchEvent(
              new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer: carried }));
        }""",
        [name, list(data)],
    )


Give = Callable[[Page, str, bytes], None]


@pytest.mark.parametrize("give", [choose, drop])
@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("noextension", JPEG),
        ("photo.jpg.png", JPEG),
        ("写真 #1? %2e%2e.jpg", JPEG),
        ("a" * 200 + ".jpg", PNG),
        ("photo.avif", AVIF),
        ("scan.TIFF", TIFF),
    ],
    ids=lambda value: value[:12] if isinstance(value, str) else "",
)
def test_a_picture_is_seen_in_the_box_and_on_stage_whatever_its_name_and_kind(
    page: Page, give: Give, name: str, data: bytes
) -> None:
    give(page, name, data)
    expect(page.locator(".reference-box .about strong")).to_have_text(name)
    expect(page.locator(".reference-box[data-reading=false]")).to_have_count(1)
    for selector in ("#reference img", ".stage img.reference"):
        page.wait_for_function("s => document.querySelector(s)?.naturalWidth === 160", arg=selector)


@pytest.mark.parametrize("give", [choose, drop])
@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("notes.txt", b"hello", "not a picture"),
        ("IMG_0003", HEIC, "damaged"),
        ("film", b"\0\0\0\x18ftypmp42", "video"),
    ],
)
def test_what_cannot_be_read_is_told_at_the_box(page: Page, give: Give, name: str, data: bytes, words: str) -> None:
    give(page, name, data)
    assert words in problem(page, "#reference")
    give(page, "good.png", PNG)
    expect(page.locator("#reference .field-problem")).to_have_count(0)


def test_a_tiff_runs_in_its_full_size(browser: Browser, fakes: Served) -> None:
    with open_page(browser, fakes.url) as page:
        choose(page, "large.tif", picture_bytes("TIFF", "RGB", (1500, 30)))
        expect(page.locator("#reference")).to_contain_text("1500×30")
        page.fill("#prompt textarea", "good")
        page.click("#run")
        page.wait_for_selector(RESULT)
        expect(page.locator(".stage .facts")).to_contain_text("1500×30")
