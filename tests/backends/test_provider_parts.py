"""The parts that hosted backends share: waits, retries, pictures on their way, prices."""

from __future__ import annotations

import base64
import email.utils
import itertools
import random
from collections.abc import Callable
from urllib.parse import quote

import httpx
import pytest
from PIL import Image
from pydantic import ValidationError

from backends.hosted.lenient import Lenient, Number, Text
from backends.hosted.pace import Pace, pause
from backends.hosted.pictures import collect, damage, inline, picture, travelling
from backends.hosted.price import PriceTag
from backends.hosted.refusals import said
from backends.http.answer import MAX_RESULT, Answer, NotSent, jitter
from backends.http.client import ProviderClient
from core.errors import FetchFailed, MalformedAnswer, ProviderDown, ResultGone
from core.events import Picture
from core.imaging.images import encode, read_reference
from core.messages import recorded
from core.result import Missing, Reason
from tests.support.fakes import make_reference, picture_bytes

NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after-ms": "2500", "retry-after": "9"}, 2.5),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": email.utils.formatdate(NOW + 30, usegmt=True)}, 30.0),
        ({"retry-after": email.utils.formatdate(NOW - 30, usegmt=True)}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after-ms": "soon"}, None),
        ({}, None),
    ],
)
def test_a_wait_is_read_in_its_three_forms(headers: dict[str, str], seconds: float | None) -> None:
    assert Answer(429, headers).wait(NOW) == seconds


def test_jitter_stays_under_its_growing_bound() -> None:
    for attempt in range(1, 10):
        bound = min(8.0, 0.5 * 2**attempt)
        assert all(0 <= jitter(attempt) <= bound for _ in range(50))


class Wire(httpx.AsyncBaseTransport):
    """Answers one after the other; an exception is raised."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


class Clock:
    """Time that passes only where somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def client_of(wire: httpx.AsyncBaseTransport, clock: Clock) -> ProviderClient:
    async def resolve(_: str, __: int) -> list[str]:
        return ["93.184.216.34"]

    return ProviderClient("https://api.example", wire, resolve, sleep=clock.sleep, clock=clock)


async def test_a_get_is_tried_again_until_it_is_answered() -> None:
    wire = Wire(httpx.ReadError("x"), httpx.Response(503), httpx.Response(429), httpx.Response(200, json={"a": 1}))
    answer = await client_of(wire, Clock()).get("/x", "key", 100.0)
    assert answer.body == {"a": 1}
    assert len(wire.asked) == 4


async def test_a_get_waits_as_long_as_it_is_asked_to() -> None:
    clock = Clock()
    await client_of(Wire(httpx.Response(429, headers={"Retry-After": "17"}), httpx.Response(200)), clock).get(
        "/x", "k", 99
    )
    assert clock.slept == [17.0]


async def test_a_get_does_not_wait_past_its_deadline() -> None:
    wire, clock = Wire(httpx.Response(429, headers={"Retry-After": "17"}), httpx.Response(200)), Clock()
    answer = await client_of(wire, clock).get("/x", "key", 10.0)
    assert answer.status == 429
    assert clock.slept == []


async def test_a_get_that_is_never_answered_gives_up() -> None:
    wire = Wire(*(httpx.ConnectError("x") for _ in range(20)))
    with pytest.raises(NotSent):
        await client_of(wire, Clock()).get("/x", "key", 1000.0)
    assert len(wire.asked) == ProviderClient.GETS


async def test_a_refusal_of_a_get_is_final() -> None:
    wire = Wire(httpx.Response(401))
    assert (await client_of(wire, Clock()).get("/x", "key", 1000.0)).status == 401


async def test_neither_an_upload_nor_a_download_carries_the_key() -> None:
    wire = Wire(httpx.Response(200), httpx.Response(200, content=b"x"))
    client = client_of(wire, Clock())
    await client.put("https://files.example/put", {"x-upload": "1"}, b"data")
    await client.download("https://files.example/get")
    assert all("authorization" not in each.headers for each in wire.asked)
    assert wire.asked[0].url.host == wire.asked[1].url.host == "93.184.216.34"
    assert wire.asked[0].headers["x-upload"] == "1"


async def test_an_upload_to_the_inside_is_refused() -> None:
    async def resolve(_: str, __: int) -> list[str]:
        return ["10.0.0.1"]

    wire = Wire()
    with pytest.raises(FetchFailed):
        await ProviderClient("https://api.example", wire, resolve).put("https://inside.example/put", {}, b"")
    assert wire.asked == []


async def test_a_download_is_tried_three_times() -> None:
    wire = Wire(httpx.ReadError("x"), httpx.Response(503), httpx.Response(200, content=b"picture"))
    assert await client_of(wire, Clock()).download("https://files.example/a") == b"picture"


# ---- pictures ----------------------------------------------------------------------------------------


def test_a_small_reference_travels_as_it_is_and_a_large_one_as_jpeg() -> None:
    small = make_reference()
    assert travelling(small) == (small.data, "image/png")
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    noise = Image.frombytes("RGB", (1800, 1800), random.Random(seed).randbytes(1800 * 1800 * 3))
    data, mime = travelling(read_reference(encode(noise, "png")))
    assert mime == "image/jpeg"
    assert data.startswith(b"\xff\xd8")


def test_inline_pictures_are_read_and_addresses_left() -> None:
    text = base64.b64encode(b"picture").decode()
    assert inline(f"data:image/png;base64,{text}") == inline(text) == b"picture"
    assert inline("https://a.example/x.png") is None
    assert inline("not base64, not an address") is None
    with pytest.raises(MalformedAnswer):
        inline("data:image/png;base64,???")
    with pytest.raises(MalformedAnswer, match=f"{MAX_RESULT // 10**6} MB"):
        inline("A" * (MAX_RESULT * 4 // 3 + 8))


@pytest.mark.parametrize(
    "spell",
    [
        lambda text: f" {text}\n",
        lambda text: "\r\n".join(text[place : place + 76] for place in range(0, len(text), 76)),
        lambda text: text.rstrip("="),
        lambda text: text.replace("+", "-").replace("/", "_"),
        lambda text: quote(text, safe=""),
    ],
)
def test_a_providers_base64_is_read_in_any_spelling(spell: Callable[[str], str]) -> None:
    data = picture_bytes("JPEG")
    text = spell(base64.b64encode(data).decode())
    assert inline(text) == inline(f"data:image/jpeg;base64,{text}") == data


async def test_a_result_that_cannot_be_read_is_gone_and_was_charged() -> None:
    async def fail(_: str) -> bytes:
        raise FetchFailed("recorded", what="The site answered with status 404.", todo="")

    with pytest.raises(ResultGone) as caught:
        await collect("Provider", "https://a.example/x", fail)
    assert caught.value.charged is True
    with pytest.raises(MalformedAnswer):
        await collect("Provider", "neither.", fail)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "AVIF", "GIF", "BMP", "TIFF"])
async def test_a_result_of_any_kind_is_kept_as_it_came(format: str) -> None:
    data = picture_bytes(format)
    made = await picture("Provider", data, 7)
    assert made == Picture(data, f"image/{format.lower()}", 64, 48, 7)
    assert damage("Provider", [made]) == ()


async def test_a_result_that_is_no_picture_is_refused_and_may_have_been_charged() -> None:
    for wrong in (b"<html></html>", b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"%PDF-1.7" + b"x" * 999):
        with pytest.raises(MalformedAnswer) as caught:
            await picture("Provider", wrong, 7)
        assert caught.value.charged is None


async def test_a_damaged_result_is_kept_with_a_notice() -> None:
    data = picture_bytes("JPEG")[:-200]
    made = await picture("Provider", data, 7)
    assert made == Picture(data, "image/jpeg", 64, 48, 7, damaged=True)
    whole = await picture("Provider", picture_bytes("JPEG"), 8)
    assert tuple(map(str, damage("Provider", [whole, made, Missing(Reason.FAILED, recorded("Why."), 9)]))) == (
        "The file of image 2 from Provider is damaged; it is stored as it came.",
    )


def test_a_providers_words_come_short_and_without_the_key() -> None:
    words = said("bad\n key  abc-123 " + "x" * 500, "abc-123")
    assert words.startswith("bad key (key) xxx")
    assert len(words) == 200
    assert said(None, None) == ""


# ---- time --------------------------------------------------------------------------------------------


def looks(expected: float | None, until: float) -> list[float]:
    """Return the moments of all looks before `until`."""
    moments: list[float] = []
    while (elapsed := moments[-1] if moments else 0.0) < until:
        moments.append(elapsed + pause(elapsed, len(moments), expected))
    return moments[:-1]


@pytest.mark.parametrize("expected", [1.0, 2.0, 5.0, 10.0, 20.0, 60.0])
def test_looks_are_close_where_the_end_is_expected_and_few_before(expected: float) -> None:
    moments = looks(expected, 1.2 * expected)
    assert len(moments) <= 16
    around = [each for each in moments if each > 0.5 * expected]
    gaps = [later - earlier for earlier, later in itertools.pairwise(around)]
    assert max(gaps[1:], default=0.0) <= max(0.45, expected / 24)


def test_without_knowledge_waits_grow_to_five_seconds() -> None:
    moments = [0.0, *looks(None, 60.0)]
    waits = [later - earlier for earlier, later in itertools.pairwise(moments)]
    assert waits[0] < 0.5
    assert 4 < max(waits[:20]) <= 7


def test_a_task_that_takes_longer_than_expected_is_not_asked_for_in_haste() -> None:
    assert len(looks(2.0, 60.0)) < 30


def test_the_expected_time_is_the_latest_tasks_median() -> None:
    pace = Pace()
    assert pace.expected() is None
    for seconds in (1.0, 50.0, 3.0):
        pace.add(seconds)
    assert pace.expected() == 3.0


def price_after(answers: list[float | Exception | None]) -> tuple[PriceTag, Clock, Callable[[], object], list[int]]:
    clock, asked = Clock(), [0]

    async def ask() -> float | None:
        asked[0] += 1
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return PriceTag(0.025, clock), clock, ask, asked


async def test_a_price_is_asked_for_once_an_hour() -> None:
    tag, clock, ask, asked = price_after([0.03, 0.04])
    assert (await tag.price(ask)).dollars == 0.03
    assert (await tag.price(ask)).dollars == 0.03
    clock.now += 3601
    assert (await tag.price(ask)).dollars == 0.04
    assert asked == [2]


@pytest.mark.parametrize(
    "answer", [None, ProviderDown("recorded", what="x", todo=""), NotSent("x"), float("nan"), -1.0, 1e9, True]
)
async def test_a_price_that_makes_no_sense_leaves_the_pages(answer: float | Exception | None) -> None:
    tag, _, ask, _ = price_after([answer])
    price = await tag.price(ask)
    assert (price.dollars, price.live) == (0.025, False)


# ---- lenient answers ----------------------------------------------------------------------------------


class Part(Lenient):
    amount: Number | None = None
    text: Text = ""


class Whole(Lenient):
    id: str
    part: Part = Part()
    parts: tuple[Part, ...] = ()


@pytest.mark.parametrize("value", [True, float("nan"), float("inf"), 10**400, "5", [5], {"a": 5}, None])
def test_what_is_no_number_that_a_person_could_mean_counts_as_left_out(value: object) -> None:
    assert Part.of({"amount": value, "text": "x"}) == Part(text="x")


@pytest.mark.parametrize("value", [None, 5, "text", [], [1]])
def test_what_is_no_object_counts_as_an_empty_one(value: object) -> None:
    assert Part.of(value) == Part()
    assert Whole.of({"id": "1", "part": value}).part == Part()
    assert Whole.of({"id": "1", "parts": [{"amount": 2}, value]}).parts == (Part(amount=2), Part())


@pytest.mark.parametrize("body", [None, {}, {"id": None}, {"id": 7}])
def test_a_part_that_lacks_what_it_cannot_do_without_is_refused(body: object) -> None:
    with pytest.raises(ValidationError):
        Whole.of(body)


def test_a_text_with_half_a_character_is_read_as_it_came() -> None:
    assert Part.of({"text": "\ud800"}).text == "\ud800"
