"""WaveSpeedAI, model `wavespeed-ai/flux-srpo/image-to-image`: upload, submit a task, ask until it is done.

Facts from the provider's model page, its API pages and its official Python client. One task makes one
image, so a batch is several tasks with a seed each, shown as one run.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Coroutine, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from backends.hosted.pictures import collect, damage, picture
from backends.hosted.price import PriceTag
from backends.hosted.refusals import lost, not_sent
from backends.http.answer import Lost, NotSent
from backends.http.client import ProviderClient
from backends.params import common_params
from backends.wavespeed.account import ask_balance, ask_price
from backends.wavespeed.answers import (
    ENDED,
    KEY_ENV,
    NAME,
    MediaUnreachable,
    Task,
    failure,
    read,
    refusal,
    signed,
    unsettled,
)
from backends.wavespeed.polling import Follower
from backends.wavespeed.uploads import Uploads
from core.backend import OWNERS, Backend, Price, RunContext
from core.errors import KeyMissing, MalformedAnswer, StudioError
from core.events import Accepted, Completed, Event, Picture, Withheld, Working
from core.request import EditRequest
from core.secrets import revealed
from core.settings import Settings
from core.spec import BackendSpec, Toggle

MODEL = "wavespeed-ai/flux-srpo/image-to-image"
HOOK_PATH = "/hooks/wavespeed"
"""Where the provider may tell us that a task has ended."""

Outcome = tuple[Picture | Withheld, float]
"""What a task gave, and its seconds of inference."""

SPEC = BackendSpec(
    key="wavespeed",
    label="WaveSpeedAI",
    key_env=KEY_ENV,
    concurrency=8,
    price=0.025,
    params=(
        *common_params(
            strength=0.8, guidance_scale=3.5, num_inference_steps=28, lowest_seed=0, formats=("jpeg", "png")
        ),
        Toggle(
            name="enable_sync_mode",
            label="Wait on one line",
            help="One long request in place of many short ones.",
            default=False,
            advanced=True,
        ),
        Toggle(
            name="enable_base64_output",
            label="Picture inside the answer",
            help="Comes without the provider's file server.",
            default=False,
            advanced=True,
        ),
    ),
)


def payload(request: EditRequest, seed: int, image: str) -> dict[str, Any]:
    """Return the body of a task's submit. Every documented field, and no other: unknown ones are refused."""
    own = {name: value for name, value in request.params.items() if name != "num_images"}
    return {"prompt": request.prompt, "image": image, **own, "seed": seed}


class WavespeedBackend(Backend):
    """The hosted model behind WaveSpeedAI.

    Args:
        settings: the owner's key, base URL, and what webhooks need.
        client: talks to the provider; None makes one for the settings' base URL.
    """

    def __init__(self, settings: Settings, client: ProviderClient | None = None) -> None:
        self._key = revealed(settings.wavespeed_key)
        self._secret = revealed(settings.wavespeed_webhook_secret)
        self._client = client or ProviderClient(settings.wavespeed_base_url)
        self._hook = f"{settings.public_url}{HOOK_PATH}" if settings.public_url and self._secret else None
        self._tag = PriceTag(SPEC.price, self._client.clock)
        self._uploads = Uploads(self._client)
        self._follower = Follower(self._client)

    @property
    def spec(self) -> BackendSpec:
        """What it offers: ranges and defaults of the provider's page."""
        return SPEC

    def ready(self, key: str | None = None) -> str | None:
        """Return None with a key, else where to get one."""
        if key or self._key:
            return None
        return f"Needs a key: get one at wavespeed.ai, and paste it here or set {KEY_ENV}."

    def status(self) -> str:
        """Return where it runs."""
        return "ready · hosted by WaveSpeedAI"

    async def edit(self, request: EditRequest, context: RunContext = OWNERS) -> AsyncGenerator[Event, None]:
        """Run a task for each seed; see `core.backend.Backend`.

        What came is never thrown away for what failed beside it: a failed task's place is Withheld.

        Raises:
            StudioError: every task failed; the first one's error.
        """
        key = self._given(context.key)
        image = await self._uploads.address(request.image, key)
        yield Working("sent", 0, len(request.seeds))
        told: asyncio.Queue[Event] = asyncio.Queue()
        works = [self._task(request, place, image, key, told) for place in range(len(request.seeds))]
        async with aclosing(self._follow(request, works, told)) as events:
            async for event in events:
                yield event

    async def resume(
        self, request: EditRequest, remote: Sequence[str | None], context: RunContext = OWNERS
    ) -> AsyncGenerator[Event, None]:
        """Ask for tasks that were submitted before; see `core.backend.Backend`.

        Raises:
            StudioError: none of them gave a picture.
        """
        key = self._given(context.key)
        told: asyncio.Queue[Event] = asyncio.Queue()
        works = [self._again(each, seed, key, told) for each, seed in zip(remote, request.seeds, strict=True)]
        async with aclosing(self._follow(request, works, told)) as events:
            async for event in events:
                yield event

    def _given(self, key: str | None) -> str:
        key = key or self._key
        if not key:
            raise KeyMissing(f"{NAME} needs a key.", f"Paste one here, or set {KEY_ENV} and restart.")
        return key

    async def _follow(
        self, request: EditRequest, works: list[Coroutine[Any, Any, Outcome]], told: asyncio.Queue[Event]
    ) -> AsyncGenerator[Event, None]:
        """Let the tasks run side by side, pass on what they tell, and at last what they gave."""
        tasks = [asyncio.create_task(work) for work in works]
        try:
            waiting = set(tasks)
            while waiting:
                hear = asyncio.create_task(told.get())
                ended, _ = await asyncio.wait({*waiting, hear}, return_when=asyncio.FIRST_COMPLETED)
                waiting -= ended
                event = hear.result() if hear in ended else Working("processing")
                if isinstance(event, Working):
                    event = replace(event, done=len(tasks) - len(waiting), total=len(tasks))
                yield event
                if hear in ended:
                    told.task_done()
                else:
                    hear.cancel()
        finally:
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
        yield await self._completed(request, results)

    async def _completed(self, request: EditRequest, results: list[Outcome | BaseException]) -> Completed:
        if any(isinstance(each, MediaUnreachable) for each in results):
            self._uploads.forget()
        images: list[Picture | Withheld] = []
        seconds = [0.0]
        for seed, result in zip(request.seeds, results, strict=True):
            if isinstance(result, tuple):
                images.append(result[0])
                seconds.append(result[1])
            elif isinstance(result, StudioError) and len(results) > 1:
                images.append(Withheld(str(result), seed))
            else:
                raise result
        if all(isinstance(each, Withheld) and not each.nsfw for each in images):
            raise next(each for each in results if isinstance(each, BaseException))
        price = await self.price()
        cost = round(price.dollars * (len(seconds) - 1), 6)
        return Completed(tuple(images), {"inference": max(seconds)}, cost, damage(NAME, images))

    async def _task(
        self, request: EditRequest, place: int, image: str, key: str, told: asyncio.Queue[Event]
    ) -> Outcome:
        """Run one task from its submit to its picture."""
        begun, seed = self._client.clock(), request.seeds[place]
        task = await self._submit(payload(request, seed, image), key)
        told.put_nowait(Accepted(place, task.id))
        await told.join()  # until the id is written down: then nothing that follows can be lost
        told.put_nowait(Working(task.status))
        if task.status != "completed":
            task, ended = await self._follower.wait(task, key, begun, told)
            self._follower.pace.add(ended - begun)
        return await self._outcome(task, seed, begun)

    async def _again(self, remote_id: str | None, seed: int, key: str, told: asyncio.Queue[Event]) -> Outcome:
        """Follow a task that was submitted before."""
        if remote_id is None:
            raise lost(NAME, "its list of predictions")
        begun = self._client.clock()
        task, _ = await self._follower.wait(Task(remote_id, "processing"), key, begun, told)
        return await self._outcome(task, seed, begun)

    async def _outcome(self, task: Task, seed: int, begun: float) -> Outcome:
        """Return a finished task's picture and the seconds of inference."""
        seconds = task.seconds if task.seconds is not None else self._client.clock() - begun
        if any(task.nsfw):
            return Withheld(f"{NAME} withheld this image as not safe for work.", seed, nsfw=True), seconds
        if not task.outputs:
            raise unsettled(MalformedAnswer(f"{NAME} finished task {task.id} without a picture.", "Look for it there."))
        return await picture(NAME, await collect(NAME, task.outputs[0], self._client.download), seed), seconds

    async def _submit(self, body: dict[str, Any], key: str) -> Task:
        path = f"/api/v3/{MODEL}" + (f"?webhook={self._hook}" if self._hook else "")
        try:
            answer = await self._client.post(path, key, read=120.0 if body["enable_sync_mode"] else 60.0, json=body)
        except NotSent as error:
            raise not_sent(NAME) from error
        except Lost as error:
            raise lost(NAME, "its list of predictions") from error
        task = read(answer.body) if answer.ok else None
        if task is not None:
            if task.status in ENDED:
                raise failure(task, key)
            return task
        if answer.status >= 500:  # the task may have been taken before something broke
            raise lost(NAME, "its list of predictions")
        raise refusal(answer, key)

    # ---- beside the runs ---------------------------------------------------------------------------

    def webhook(self, headers: Mapping[str, str], body: bytes, now: float) -> bool:
        """Take a webhook: if it is the provider's, ask for its task at once. Return whether it was accepted.

        What it says is not taken over; it only shortens the wait.
        """
        if not self._secret or not signed(headers, body, self._secret, now):
            return False
        try:
            task = read(json.loads(body))
        except ValueError:
            return False
        if task is not None:
            self._follower.call(task.id)
        return True

    async def close(self) -> None:
        """Close the connections to the provider."""
        await self._client.close()

    async def price(self) -> Price:
        """Return the provider's live price with the owner's key, its page's without."""
        return await self._tag.price(lambda: ask_price(self._client, MODEL, self._key))

    async def balance(self, key: str | None = None) -> float:
        """Return the dollars left, from `GET /api/v3/balance`."""
        return await ask_balance(self._client, key or self._key)
