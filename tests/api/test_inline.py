"""A reference inside the request, at both API doors, in the spellings that clients send."""

from __future__ import annotations

import base64
import textwrap
from pathlib import Path
from urllib.parse import quote, quote_from_bytes

import pytest

from tests.support.api_app import AIML, WAVE, api_app
from tests.support.fakes import picture_bytes

pytestmark = pytest.mark.integration

DATA = picture_bytes(size=(66, 48))
PLAIN = base64.b64encode(DATA).decode()
WRAPPED = "\n".join(textwrap.wrap(PLAIN, 76)) + "\n"
FORMS = {
    "wrong kind": f"data:image/jpeg;base64,{PLAIN}",
    "capitals": f"DATA:IMAGE/PNG;BASE64,{PLAIN}",
    "lines": f"data:image/png;base64,{WRAPPED}",
    "CRLF": f"data:image/png;base64,{WRAPPED}".replace("\n", "\r\n"),
    "blanks as a form makes them": f"data:image/png;base64,{PLAIN.replace('+', ' ')}",
    "percent data": f"data:image/png,{quote_from_bytes(DATA)}",
    "encoded as a whole": quote(f"data:image/png;base64,{PLAIN}", safe=""),
    "blanks around": f"  data:image/png;base64, {PLAIN} \n",
    "bare": PLAIN,
    "bare in lines": WRAPPED,
    "bare, URL-safe, unpadded": base64.urlsafe_b64encode(DATA).decode().rstrip("="),
    "bare, percent-encoded": quote(PLAIN, safe=""),
}


@pytest.mark.parametrize("name", FORMS)
async def test_an_inline_picture_is_read_at_both_doors(tmp_path: Path, name: str) -> None:
    async with api_app(tmp_path) as at:
        body = {"prompt": "a lake", "image": FORMS[name], "enable_sync_mode": True}
        answer = await at.client.post(f"/api/v3/{WAVE}", json=body)
        assert (answer.status_code, answer.json()["data"]["status"]) == (200, "completed")
        answer = await at.client.post(
            "/v1/images/generations", json={"model": AIML, "prompt": "a lake", "image_url": FORMS[name]}
        )
        assert (answer.json()["data"][0]["width"], answer.json()["data"][0]["height"]) == (66, 48)


@pytest.mark.parametrize(
    ("image", "words"),
    [
        ("photo.jpg", '"photo.jpg" is the beginning of neither an address nor a picture in base64'),
        ("//host/x.png", '"//host/x.png" is the beginning of neither'),
        ("C:\\photos\\a.png", "neither an address nor a picture in base64"),
        ("  \n", "There is no picture"),
        ("\u202e\x1b[31m", "is the beginning of neither"),
        ("data:image/png;base64,a", "This data URI cannot be read"),
    ],
)
async def test_what_is_no_picture_is_called_what_it_is(tmp_path: Path, image: str, words: str) -> None:
    async with api_app(tmp_path) as at:
        answer = await at.client.post(f"/api/v3/{WAVE}", json={"prompt": "a lake", "image": image})
        assert answer.status_code == 400
        assert words in answer.json()["message"]
        assert "\x1b" not in answer.json()["message"]


async def test_blanks_around_an_address_of_our_own_do_not_matter(tmp_path: Path) -> None:
    async with api_app(tmp_path) as at:
        upload = await at.client.post("/api/v3/media/upload/binary", files={"file": ("photo", DATA)})
        body = {
            "prompt": "a lake",
            "image": f"\n {upload.json()['data']['download_url']}\r\n",
            "enable_sync_mode": True,
        }
        answer = await at.client.post(f"/api/v3/{WAVE}", json=body)
        assert answer.json()["data"]["status"] == "completed"
