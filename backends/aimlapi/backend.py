"""AI/ML API, model `flux/srpo/image-to-image`: one synchronous call, no task id, no upload.

Facts from the provider's model page and OpenAPI schema, its billing and error pages. Where they
contradict each other, every reading is accepted: see `read`.
"""

from __future__ import annotations

import asyncio
import base64
import uuid
from collections.abc import AsyncGenerator, Callable

from backends.aimlapi.answers import KEY_ENV, MODEL, NAME, Result, cost, read, refusal
from backends.aimlapi.provider import AimlapiProvider
from backends.hosted.pictures import collect, damage, picture, travelling
from backends.hosted.refusals import lost, not_sent, unreadable
from backends.http.answer import Lost, NotSent
from core.backend import OWNERS, Backend, RunContext
from core.errors import MalformedAnswer, StudioError, TimedOut
from core.events import Completed, Event, Picture, Working
from core.http_call import HttpCall
from core.messages import Message, message
from core.provider import Price
from core.recipe import Recipe, compose
from core.request import EditRequest
from core.result import Missing, Reason
from core.spec import BackendSpec, ParamValue
from core.terms import ACCELERATION, SAFETY, common_params, own

IMAGE = "image_url"
"""The body's field for the reference."""
PATH = "/v1/images/generations"
READ = 180.0
"""Seconds to wait for the answer of a run."""

Publish = Callable[[bytes, str], str | None]
"""Turns a picture and its MIME type into a public address of our own, None where the app has none."""

SPEC = BackendSpec(
    model=MODEL,
    key="aimlapi",
    label=message("backend-hosted", provider=NAME),
    key_env=KEY_ENV,
    concurrency=8,
    price=0.02625,
    seed_per_image=False,
    licence=message("licence-provider", provider=NAME),
    params=(
        *common_params(
            strength=0.95, guidance_scale=4.5, num_inference_steps=40, lowest_seed=1, formats=("jpeg", "png")
        ),
        own(ACCELERATION, default="regular"),
        SAFETY,
    ),
)


def payload(recipe: Recipe, *, inline: bool = False) -> dict[str, ParamValue]:
    """Return the body of a run, without the reference. Every field is sent: providers' defaults differ."""
    return {"model": MODEL, "prompt": compose(recipe), **recipe.params, "seed": recipe.seed, "sync_mode": inline}


class AimlapiBackend(Backend):
    """The hosted model behind AI/ML API.

    Args:
        provider: the account.
        publish: makes a reference readable by the provider, None where the app has no public address.
        inline: whether pictures come inside the answer, which takes longer, instead of from the provider's file server.
    """

    def __init__(self, provider: AimlapiProvider, publish: Publish | None = None, *, inline: bool = False) -> None:
        self._provider = provider
        self._client = provider.client
        self._publish = publish
        self._inline = inline

    @property
    def spec(self) -> BackendSpec:
        """What it offers: ranges and defaults of the provider's schema."""
        return SPEC

    @property
    def provider(self) -> AimlapiProvider:
        """The account that it runs on."""
        return self._provider

    def ready(self, key: str | None = None) -> Message | None:
        """Return None with a key, else where to get one."""
        return self._provider.ready(key)

    def status(self) -> tuple[Message, ...]:
        """Return where it runs."""
        return message("status-ready"), message("status-hosted", provider=NAME)

    async def edit(self, request: EditRequest, context: RunContext = OWNERS) -> AsyncGenerator[Event, None]:
        """Run at the provider; see `core.backend.Backend`.

        Raises:
            StudioError: typed by what the provider said, with whether it was charged where that is known.
        """
        key = self._provider.key(context.key)
        image_url, notices = await self._address(request)
        yield Working("sent")
        try:
            async with asyncio.timeout((READ + 120) * self._client.patience):
                done = await self._run(request, key, image_url)
        except TimeoutError as error:
            raise TimedOut("provider-timeout", provider=NAME) from error
        yield Completed(done.images, done.timings, done.cost, notices + done.notices)

    async def _address(self, request: EditRequest) -> tuple[str, tuple[Message, ...]]:
        """Return an address that the provider can read the reference from, and what should be known of it."""
        if request.image.address:
            return request.image.address, ()
        data, mime = await asyncio.to_thread(travelling, request.image)
        link = await asyncio.to_thread(self._publish, data, mime) if self._publish else None
        if link:
            return link, ()
        notice = message("notice-sent-inline", provider=NAME)
        return f"data:{mime};base64,{base64.b64encode(data).decode()}", (notice,)

    async def _run(self, request: EditRequest, key: str, image_url: str) -> Completed:
        call = uuid.uuid4().hex
        begun = self._client.clock()
        try:
            answer = await self._client.post(
                PATH,
                key,
                read=READ,
                headers={"X-Client-Request-Id": call},
                json={**payload(request.recipe, inline=self._inline), IMAGE: image_url},
            )
        except NotSent as error:
            raise not_sent(NAME) from error
        except Lost as error:
            raise lost(NAME, call) from error
        if not answer.ok:
            raise refusal(answer, key)
        result = read(answer.body)
        images = await self._images(request, result)
        seconds = result.seconds if result.seconds is not None else self._client.clock() - begun
        return Completed(images, {"inference": seconds}, cost(answer, result), damage(NAME, images))

    async def _images(self, request: EditRequest, result: Result) -> tuple[Picture | Missing, ...]:
        seed = result.seed if result.seed is not None else request.seeds[0]
        images: list[Picture | Missing] = []
        for index, output in enumerate(result.outputs):
            if index < len(result.nsfw) and result.nsfw[index]:
                images.append(Missing(Reason.NSFW, message("withheld-by-provider", provider=NAME), seed))
            else:
                images.append(await self._image(output, seed, alone=len(result.outputs) == 1))
        if images and all(isinstance(each, Missing) and each.reason is Reason.FAILED for each in images):
            raise unreadable("result-none-readable", provider=NAME)
        if not images:
            raise MalformedAnswer("provider-without-picture", provider=NAME, charged=None)
        return tuple(images)

    async def _image(self, output: str, seed: int, *, alone: bool) -> Picture | Missing:
        """Return one result; one of several that cannot be read does not take the others with it."""
        try:
            return await picture(NAME, await collect(NAME, output, self._client.download), seed)
        except StudioError as error:
            if alone:
                raise
            return Missing(Reason.FAILED, error.message, seed)

    async def price(self) -> Price:
        """Return the price of the provider's list, its page's where the list does not say."""
        return await self._provider.price(MODEL, SPEC.price)

    def http_call(self, recipe: Recipe) -> HttpCall:
        """Return the run that makes a picture again: one seed stands for a batch, so all of it is asked for again."""
        return HttpCall(
            url=self._provider.code_url + PATH,
            key_env=KEY_ENV,
            body=payload(recipe),
            image=IMAGE,
            result=("data", recipe.index or 0, "url"),
        )
