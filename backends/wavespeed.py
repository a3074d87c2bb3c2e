"""WaveSpeedAI, model `wavespeed-ai/flux-srpo/image-to-image`: upload, submit a task, ask until it is done.

Facts from the provider's model page, its API pages and its official Python client. One task makes one
image, so a batch is several tasks with a seed each, shown as one run.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from typing import Any

from backends._answer import Lost, NotSent
from backends._hosted import Pace, PriceTag, collect, lost, not_sent, picture, polls
from backends._http import ProviderClient
from backends._params import common_params
from backends._wavespeed_answers import (
    ENDED,
    KEY_ENV,
    MEDIA_UNREACHABLE,
    NAME,
    Task,
    failure,
    read,
    refusal,
    signed,
    unsettled,
)
from backends._wavespeed_media import Uploads
from core.backend import Backend, Price
from core.errors import KeyMissing, MalformedAnswer, ResultGone, StudioError, TimedOut
from core.events import Completed, Event, Picture, Withheld, Working
from core.request import EditRequest
from core.settings import Settings
from core.spec import BackendSpec, Toggle

MODEL = "wavespeed-ai/flux-srpo/image-to-image"
DEADLINE = 600.0
"""Seconds for a task from its submit to its end."""
HOOK_PATH = "/hooks/wavespeed"
"""Where the provider may tell us that a task has ended."""

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
        self._key = settings.wavespeed_key
        self._secret = settings.wavespeed_webhook_secret
        self._client = client or ProviderClient(settings.wavespeed_base_url)
        self._hook = f"{settings.public_url}{HOOK_PATH}" if settings.public_url and self._secret else None
        self._tag = PriceTag(SPEC.price, self._client.clock)
        self._pace = Pace()
        self._uploads = Uploads(self._client)
        self._called: dict[str, asyncio.Event] = {}

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

    async def edit(self, request: EditRequest, key: str | None = None) -> AsyncGenerator[Event, None]:
        """Run a task for each seed; see `core.backend.Backend`.

        What came is never thrown away for what failed beside it: a failed task's place is Withheld.

        Raises:
            StudioError: every task failed; the first one's error.
        """
        key = key or self._key
        if not key:
            raise KeyMissing(f"{NAME} needs a key.", f"Paste one here, or set {KEY_ENV} and restart.")
        image = await self._uploads.address(request.image, key)
        yield Working("sent", 0, len(request.seeds))
        told: asyncio.Queue[str] = asyncio.Queue()
        tasks = [asyncio.create_task(self._task(request, seed, image, key, told)) for seed in request.seeds]
        try:
            waiting = set(tasks)
            while waiting:
                hear = asyncio.create_task(told.get())
                ended, _ = await asyncio.wait({*waiting, hear}, return_when=asyncio.FIRST_COMPLETED)
                waiting -= ended
                status = hear.result() if hear in ended else "processing"
                hear.cancel()
                yield Working(status, len(tasks) - len(waiting), len(tasks))
        finally:
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
        yield await self._completed(request, results)

    async def _completed(
        self, request: EditRequest, results: list[tuple[Picture | Withheld, float] | BaseException]
    ) -> Completed:
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
        return Completed(tuple(images), {"inference": max(seconds)}, round(price.dollars * (len(seconds) - 1), 6))

    async def _task(
        self, request: EditRequest, seed: int, image: str, key: str, told: asyncio.Queue[str]
    ) -> tuple[Picture | Withheld, float]:
        """Run one task; return its picture and the seconds of inference."""
        begun = self._client.clock()
        task = await self._submit(payload(request, seed, image), key)
        told.put_nowait(task.status)
        if task.status != "completed":
            task = await self._wait(task, key, begun, told)
        seconds = task.seconds if task.seconds is not None else self._client.clock() - begun
        if any(task.nsfw):
            return Withheld(f"{NAME} withheld this image as not safe for work.", seed, nsfw=True), seconds
        if not task.outputs:
            raise unsettled(MalformedAnswer(f"{NAME} finished task {task.id} without a picture.", "Look for it there."))
        return picture(NAME, await collect(NAME, task.outputs[0], self._client.download), seed), seconds

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
            self._check(task, key)
            return task
        if answer.status >= 500:  # the task may have been taken before something broke
            raise lost(NAME, "its list of predictions")
        raise refusal(answer, key)

    async def _wait(self, task: Task, key: str, begun: float, told: asyncio.Queue[str]) -> Task:
        """Ask for a task until it has ended; a webhook makes us ask at once."""
        deadline, last = begun + DEADLINE * self._client.patience, begun
        called = self._called[task.id] = asyncio.Event()
        try:
            for pause in polls(self._pace.expected()):
                await self._pause(min(pause, deadline - self._client.clock()), called)
                if self._client.clock() >= deadline:
                    break
                task = await self._look(task, key, deadline)
                told.put_nowait(task.status)
                self._check(task, key)
                now = self._client.clock()
                if task.status == "completed":
                    self._pace.add((last + now) / 2 - begun)  # it ended somewhere between the last two looks
                    return task
                last = now
        finally:
            del self._called[task.id]
        raise TimedOut(
            f"{NAME} did not finish task {task.id} in {DEADLINE / 60:.0f} minutes.",
            "It may still end and be billed: look for it there.",
            remote_id=task.id,
        )

    def _check(self, task: Task, key: str) -> None:
        """Raise what a task's failure means, if it has failed."""
        if task.status not in ENDED:
            return
        if task.code == MEDIA_UNREACHABLE:
            self._uploads.forget()
        raise failure(task, key)

    async def _pause(self, seconds: float, called: asyncio.Event) -> None:
        """Sleep, or until the webhook calls."""
        sleeping = asyncio.ensure_future(self._client.sleep(max(0.0, seconds)))
        hearing = asyncio.ensure_future(called.wait())
        try:
            await asyncio.wait({sleeping, hearing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            hearing.cancel()
        called.clear()

    async def _look(self, task: Task, key: str, deadline: float) -> Task:
        """Return the task as it is now; a line that stays broken changes nothing."""
        try:
            answer = await self._client.get(f"/api/v3/predictions/{task.id}/result", key, deadline)
        except NotSent:
            return task
        if answer.ok:
            return read(answer.body) or task
        if answer.status == 404:
            raise unsettled(ResultGone(f"{NAME} does not know task {task.id} any more.", "Look for it there."))
        if answer.status == 429 or answer.status >= 500:
            return task
        raise unsettled(refusal(answer, key))

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
        if task is not None and task.id in self._called:
            self._called[task.id].set()
        return True

    async def close(self) -> None:
        """Close the connections to the provider."""
        await self._client.close()

    async def price(self) -> Price:
        """Return the provider's live price with the owner's key, its page's without."""

        async def ask() -> Any:
            if not self._key:
                return None
            inputs = {"model_id": MODEL, "inputs": {}}
            answer = await self._client.post("/api/v3/model/price", self._key, read=10.0, json=inputs)
            data = answer.body.get("data") if answer.ok and isinstance(answer.body, dict) else None
            # The answer's shape is not documented: the amount is looked for by its usual names.
            found = [data.get(each) for each in ("price", "unit_price")] if isinstance(data, dict) else [data]
            return next((each for each in found if isinstance(each, int | float)), None)

        return await self._tag.price(ask)

    async def balance(self, key: str | None = None) -> float:
        """Return the dollars left, from `GET /api/v3/balance`."""
        key = key or self._key
        try:
            answer = await self._client.get("/api/v3/balance", key, self._client.clock() + 30)
        except NotSent as error:
            raise not_sent(NAME) from error
        data = answer.body.get("data") if answer.ok and isinstance(answer.body, dict) else None
        left = data.get("balance") if isinstance(data, dict) else None
        if not isinstance(left, int | float):
            raise refusal(answer, key)
        return float(left)
