"""AI/ML API, model `flux/srpo/image-to-image`: one synchronous call, no task id, no upload.

Facts from the provider's model page and OpenAPI schema, its billing and error pages. Where they
contradict each other, every reading is accepted: see `read`.
"""

from __future__ import annotations

import asyncio
import base64
import uuid
from collections.abc import AsyncGenerator, Callable
from typing import Any

from backends.aimlapi.answers import KEY_ENV, MODEL, NAME, Result, cost, dig, number, price_in, read, refusal
from backends.hosted.pictures import collect, damage, picture, travelling
from backends.hosted.price import PriceTag
from backends.hosted.refusals import lost, not_sent, unreadable
from backends.http.answer import Lost, NotSent
from backends.http.client import ProviderClient
from backends.params import acceleration, common_params
from core.backend import OWNERS, Backend, Price, RunContext
from core.errors import KeyMissing, MalformedAnswer, StudioError, TimedOut
from core.events import Completed, Event, Picture, Withheld, Working
from core.request import EditRequest
from core.secrets import revealed
from core.settings import Settings
from core.spec import BackendSpec, Toggle

READ = 180.0
"""Seconds to wait for the answer of a run."""

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
        acceleration("regular"),
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

    async def edit(self, request: EditRequest, context: RunContext = OWNERS) -> AsyncGenerator[Event, None]:
        """Run at the provider; see `core.backend.Backend`.

        Raises:
            StudioError: typed by what the provider said, with whether it was charged where that is known.
        """
        key = context.key or self._key
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
        link = await asyncio.to_thread(self._publish, data, mime) if self._publish else None
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
            raise refusal(answer, key)
        result = read(answer.body)
        images = await self._images(request, result)
        seconds = result.seconds if result.seconds is not None else self._client.clock() - begun
        return Completed(images, {"inference": seconds}, cost(answer, result), damage(NAME, images))

    async def _images(self, request: EditRequest, result: Result) -> tuple[Picture | Withheld, ...]:
        seed = result.seed if result.seed is not None else request.seeds[0]
        images: list[Picture | Withheld] = []
        for index, output in enumerate(result.outputs):
            if index < len(result.nsfw) and result.nsfw[index]:
                images.append(Withheld(f"{NAME} withheld this image as not safe for work.", seed, nsfw=True))
            else:
                images.append(await self._image(output, seed, alone=len(result.outputs) == 1))
        if images and all(isinstance(each, Withheld) and not each.nsfw for each in images):
            raise unreadable(f"{NAME} made pictures, and none of them could be read.")
        if not images:
            error = MalformedAnswer(
                f"{NAME} answered without a picture.", "It may have been charged: look at its logs before another run."
            )
            error.charged = None
            raise error
        return tuple(images)

    async def _image(self, output: str, seed: int, *, alone: bool) -> Picture | Withheld:
        """Return one result; one of several that cannot be read does not take the others with it."""
        try:
            return await picture(NAME, await collect(NAME, output, self._client.download), seed)
        except StudioError as error:
            if alone:
                raise
            return Withheld(str(error), seed)

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
            raise refusal(answer, key or self._key)
        left = number(dig(answer.body, "current_balance"), float)
        if left is None:
            raise MalformedAnswer(f"{NAME} does not say what is left.", "The key was accepted.")
        return float(left)
