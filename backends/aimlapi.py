"""AI/ML API, model `flux/srpo/image-to-image`: one synchronous call, no task id, no upload.

Facts from the provider's model page and OpenAPI schema, its billing and error pages. Where they
contradict each other, every reading is accepted: see `read`.
"""

from __future__ import annotations

import asyncio
import base64
import uuid
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Any

from backends._answer import Answer, Lost, NotSent
from backends._hosted import PriceTag, collect, lost, not_sent, picture, refused, said, travelling
from backends._http import ProviderClient
from backends._params import common_params
from core.backend import Backend, Price
from core.errors import KeyMissing, MalformedAnswer, NoCredits, StudioError, TimedOut
from core.events import Completed, Event, Picture, Withheld, Working
from core.request import EditRequest
from core.secrets import revealed
from core.settings import Settings
from core.spec import BackendSpec, Choice, Toggle

NAME = "AI/ML API"
MODEL = "flux/srpo/image-to-image"
KEY_ENV = "AIMLAPI_KEY"
READ = 180.0
"""Seconds to wait for the answer of a run."""
CREDITS_PER_DOLLAR = 2_000_000

Publish = Callable[[bytes, str], str | None]
"""Turns a picture and its MIME type into a public address of our own, None where the app has none."""

SPEC = BackendSpec(
    key="aimlapi",
    label="AI/ML API",
    key_env=KEY_ENV,
    concurrency=8,
    price=0.02625,
    seed_per_image=False,
    params=(
        *common_params(
            strength=0.95, guidance_scale=4.5, num_inference_steps=40, lowest_seed=1, formats=("jpeg", "png")
        ),
        Choice(
            name="acceleration",
            label="Acceleration",
            choices=("none", "regular", "high"),
            default="regular",
            advanced=True,
        ),
        Toggle(name="enable_safety_checker", label="Safety checker", default=True, advanced=True),
        Toggle(
            name="sync_mode",
            label="Picture inside the answer",
            help="Comes without the provider's file server; the answer takes longer.",
            default=False,
            advanced=True,
        ),
    ),
)


def payload(request: EditRequest, image_url: str) -> dict[str, Any]:
    """Return the body of `POST /v1/images/generations`. Every parameter is sent: providers' defaults differ."""
    return {"model": MODEL, "prompt": request.prompt, "image_url": image_url, **request.params}


@dataclass(frozen=True)
class Result:
    """What an answer says.

    Attributes:
        outputs: an address, a data URI or base64 for each image.
        nsfw: for each output whether it was flagged.
        seed: the seed that was used, None where it is not said.
        seconds: of inference, None where it is not said.
        credits: that were used, None where it is not said.
        answered: whether the answer had a list of images at all.
    """

    outputs: tuple[str, ...] = ()
    nsfw: tuple[bool, ...] = ()
    seed: int | None = None
    seconds: float | None = None
    credits: float | None = None
    answered: bool = True


def read(body: Any) -> Result:
    """Read an answer of success.

    The schema has `data` and `meta.usage.credits_used`; the example answers `images`, `timings`,
    `seed`, `has_nsfw_concepts` and `tokens_used` too; the provider's other models `output.choices`.
    Anything may be null.
    """
    body = body if isinstance(body, dict) else {}
    items = body.get("data") or body.get("images") or _dig(body, "output", "choices")
    items = items if isinstance(items, list) else None
    outputs = [_output(each) for each in items or ()]
    flags = body.get("has_nsfw_concepts") or []
    usage = _dig(body, "meta", "usage")
    return Result(
        outputs=tuple(each for each in outputs if each),
        nsfw=tuple(bool(each) for each in flags) if isinstance(flags, list) else (),
        seed=_number(body.get("seed"), int),
        seconds=_number(_dig(body, "timings", "inference"), float),
        credits=_number(_dig(usage, "credits_used") or _dig(usage, "tokens_used"), float),
        answered=items is not None,
    )


def _output(item: Any) -> str:
    item = item if isinstance(item, dict) else {}
    found = item.get("url") or item.get("b64_json") or item.get("image_base64")
    return found if isinstance(found, str) else ""


def _dig(body: Any, *names: str) -> Any:
    for name in names:
        body = body.get(name) if isinstance(body, dict) else None
    return body


def _number(value: Any, kind: Callable[[Any], Any]) -> Any:
    """Return a number that a person could mean; JSON holds others too."""
    plain = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15
    return kind(value) if plain else None


class AimlapiBackend(Backend):
    """The hosted model behind AI/ML API.

    Args:
        settings: the owner's key and base URL.
        publish: makes a reference readable by the provider, None where the app has no public address.
        client: talks to the provider; None makes one for the settings' base URL.
    """

    def __init__(
        self, settings: Settings, publish: Publish | None = None, client: ProviderClient | None = None
    ) -> None:
        self._key = revealed(settings.aimlapi_key)
        self._publish = publish
        self._client = client or ProviderClient(settings.aimlapi_base_url)
        self._tag = PriceTag(SPEC.price, self._client.clock)

    @property
    def spec(self) -> BackendSpec:
        """What it offers: ranges and defaults of the provider's schema."""
        return SPEC

    def ready(self, key: str | None = None) -> str | None:
        """Return None with a key, else where to get one."""
        if key or self._key:
            return None
        return f"Needs a key: get one at aimlapi.com, and paste it here or set {KEY_ENV}."

    def status(self) -> str:
        """Return where it runs."""
        return "ready · hosted by AI/ML API"

    async def edit(self, request: EditRequest, key: str | None = None) -> AsyncGenerator[Event, None]:
        """Run at the provider; see `core.backend.Backend`.

        Raises:
            StudioError: typed by what the provider said, with whether it was charged where that is known.
        """
        key = key or self._key
        if not key:
            raise KeyMissing(f"{NAME} needs a key.", f"Paste one here, or set {KEY_ENV} and restart.")
        image_url, notices = await self._address(request)
        yield Working("sent")
        try:
            async with asyncio.timeout((READ + 120) * self._client.patience):
                done = await self._run(request, key, image_url)
        except TimeoutError as error:
            raise TimedOut(f"{NAME} did not finish in time.", "Look at its logs before you run it again.") from error
        yield Completed(done.images, done.timings, done.cost, notices + done.notices)

    async def _address(self, request: EditRequest) -> tuple[str, tuple[str, ...]]:
        """Return an address that the provider can read the reference from, and what should be known of it."""
        if request.image.address:
            return request.image.address, ()
        data, mime = await asyncio.to_thread(travelling, request.image)
        link = self._publish(data, mime) if self._publish else None
        if link:
            return link, ()
        notice = f"The picture went inside the request, which {NAME} does not document; an image address is safer."
        return f"data:{mime};base64,{base64.b64encode(data).decode()}", (notice,)

    async def _run(self, request: EditRequest, key: str, image_url: str) -> Completed:
        call = uuid.uuid4().hex
        begun = self._client.clock()
        try:
            answer = await self._client.post(
                "/v1/images/generations",
                key,
                read=READ,
                headers={"X-Client-Request-Id": call},
                json=payload(request, image_url),
            )
        except NotSent as error:
            raise not_sent(NAME) from error
        except Lost as error:
            raise lost(NAME, f"its logs, request {call},") from error
        if not answer.ok:
            raise _refusal(answer, key)
        result = read(answer.body)
        images = await self._images(request, result)
        seconds = result.seconds if result.seconds is not None else self._client.clock() - begun
        return Completed(images, {"inference": seconds}, _cost(answer, result))

    async def _images(self, request: EditRequest, result: Result) -> tuple[Picture | Withheld, ...]:
        seed = result.seed if result.seed is not None else request.seeds[0]
        images: list[Picture | Withheld] = []
        for index, output in enumerate(result.outputs):
            if index < len(result.nsfw) and result.nsfw[index]:
                images.append(Withheld(f"{NAME} withheld this image as not safe for work.", seed, nsfw=True))
            else:
                images.append(picture(NAME, await collect(NAME, output, self._client.download), seed))
        if not images:
            error = MalformedAnswer(
                f"{NAME} answered without a picture.", "It may have been charged: look at its logs before another run."
            )
            error.charged = None
            raise error
        return tuple(images)

    async def close(self) -> None:
        """Close the connections to the provider."""
        await self._client.close()

    async def price(self) -> Price:
        """Return the price of the provider's list, its page's where the list does not say."""

        async def ask() -> Any:
            answer = await self._client.get("/v1/models", None, self._client.clock() + 10, id=MODEL, include="pricing")
            return price_in(answer.body)

        return await self._tag.price(ask)

    async def balance(self, key: str | None = None) -> float:
        """Return the dollars left, from `GET /v2/billing`."""
        try:
            answer = await self._client.get("/v2/billing", key or self._key, self._client.clock() + 30)
        except NotSent as error:
            raise not_sent(NAME) from error
        if not answer.ok:
            raise _refusal(answer, key or self._key)
        left = _number(_dig(answer.body, "current_balance"), float)
        if left is None:
            raise MalformedAnswer(f"{NAME} does not say what is left.", "The key was accepted.")
        return float(left)


def price_in(body: Any) -> float | None:
    """Return US dollars an image from a list of models with their pricing, None where none is found.

    The list's shape is not documented, so an amount an image is looked for by its usual names.
    """
    for model in body.get("data") or [] if isinstance(body, dict) else []:
        if isinstance(model, dict) and model.get("id") == MODEL:
            pricing = model.get("pricing")
            for name in ("image", "per_image", "usd", "price"):
                amount = _number(_dig(pricing, name), float)
                if amount is not None:
                    return float(amount)
    return None


def _cost(answer: Answer, result: Result) -> float | None:
    """Return US dollars: the headers' word first, then the body's credits."""
    headers = answer.headers
    for name, unit in (("x-aimlapi-usd-spent", 1), ("x-aimlapi-credits-used", CREDITS_PER_DOLLAR)):
        try:
            return float(headers[name]) / unit
        except (KeyError, ValueError):
            continue
    return None if result.credits is None else result.credits / CREDITS_PER_DOLLAR


def _refusal(answer: Answer, key: str | None) -> StudioError:
    """Return what a refusal means. The provider does not charge failed requests."""
    words = said(_dig(answer.body, "message"), key)
    if answer.status == 504:
        return TimedOut(f"{NAME} gave up on the picture.", "Run again, with fewer steps perhaps.", charged=False)
    # The two refusals that have no status of their own; their words are documented.
    if answer.status == 403 and "run out of credits" in words.lower():
        return NoCredits(f"The account at {NAME} has no credits left.", "Top it up at aimlapi.com, and run again.")
    if answer.status == 429 and "free-tier limit" in words.lower():
        return NoCredits(f"The free tier of {NAME} is used up.", "Top the account up, or come back when it renews.")
    return refused(NAME, answer, words, KEY_ENV)
