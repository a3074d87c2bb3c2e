"""WaveSpeedAI, model `wavespeed-ai/flux-srpo/image-to-image`: upload, submit a task, ask until it is done.

Facts from the provider's model page, its API pages and its official Python client. One task makes one
image, so a batch is several tasks with a seed each, shown as one run.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from backends.hosted.pace import Pace
from backends.hosted.pictures import collect, damage, picture
from backends.hosted.refusals import lost, not_sent
from backends.http.answer import Lost, NotSent
from backends.wavespeed.answers import (
    ENDED,
    KEY_ENV,
    NAME,
    MediaUnreachable,
    Task,
    failure,
    read,
    refusal,
    unsettled,
)
from backends.wavespeed.provider import WavespeedProvider
from backends.wavespeed.uploads import FORM_PATH
from core.backend import OWNERS, Backend, RunContext
from core.errors import MalformedAnswer, StudioError
from core.events import Accepted, Completed, Event, Picture, Working
from core.http_call import HttpCall, Polling, Upload
from core.messages import Message, message
from core.provider import Price
from core.recipe import Recipe, compose
from core.request import EditRequest
from core.result import Missing, Reason
from core.spec import BackendSpec, ParamValue
from core.terms import common_params

MODEL = "wavespeed-ai/flux-srpo/image-to-image"
PATH = f"/api/v3/{MODEL}"
IMAGE = "image"
"""The body's field for the reference."""

Outcome = tuple[Picture | Missing, float]
"""What a task gave, and its seconds of inference."""

SPEC = BackendSpec(
    model=MODEL,
    key="wavespeed",
    label=message("backend-hosted", provider=NAME),
    key_env=KEY_ENV,
    concurrency=8,
    price=0.025,
    licence=message("licence-provider", provider=NAME),
    params=common_params(
        strength=0.8, guidance_scale=3.5, num_inference_steps=28, lowest_seed=0, formats=("jpeg", "png")
    ),
)


def payload(recipe: Recipe, seed: int, *, waits: bool = False, inline: bool = False) -> dict[str, ParamValue]:
    """Return the body of a task's submit, without the reference.

    Every documented field is sent, and no other: unknown ones are refused.
    """
    own = {name: value for name, value in recipe.params.items() if name != "num_images"}
    switches = {"enable_sync_mode": waits, "enable_base64_output": inline}
    return {"prompt": compose(recipe), **own, "seed": seed, **switches}


class WavespeedBackend(Backend):
    """The hosted model behind WaveSpeedAI.

    Args:
        provider: the account.
        waits: whether a submit waits for its result on one long request, instead of many short looks.
        inline: whether a picture comes inside the answer, instead of from the provider's file server.
    """

    def __init__(self, provider: WavespeedProvider, *, waits: bool = False, inline: bool = False) -> None:
        self._provider = provider
        self._client = provider.client
        self._pace = Pace()
        self._waits = waits
        self._inline = inline

    @property
    def spec(self) -> BackendSpec:
        """What it offers: ranges and defaults of the provider's page."""
        return SPEC

    @property
    def provider(self) -> WavespeedProvider:
        """The account that it runs on."""
        return self._provider

    def ready(self, key: str | None = None) -> Message | None:
        """Return None with a key, else where to get one."""
        return self._provider.ready(key)

    def status(self) -> tuple[Message, ...]:
        """Return where it runs."""
        return message("status-ready"), message("status-hosted", provider=NAME)

    async def edit(self, request: EditRequest, context: RunContext = OWNERS) -> AsyncGenerator[Event, None]:
        """Run a task for each seed; see `core.backend.Backend`.

        What came is never thrown away for what failed beside it: a failed task's place is Missing.

        Raises:
            StudioError: every task failed; the first one's error.
        """
        key = self._provider.key(context.key)
        image = await self._provider.uploads.address(request.image, key)
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
        key = self._provider.key(context.key)
        told: asyncio.Queue[Event] = asyncio.Queue()
        works = [self._again(each, seed, key, told) for each, seed in zip(remote, request.seeds, strict=True)]
        async with aclosing(self._follow(request, works, told)) as events:
            async for event in events:
                yield event

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
            self._provider.uploads.forget()
        images: list[Picture | Missing] = []
        seconds = [0.0]
        for seed, result in zip(request.seeds, results, strict=True):
            if isinstance(result, tuple):
                images.append(result[0])
                seconds.append(result[1])
            elif isinstance(result, StudioError) and len(results) > 1:
                images.append(Missing(Reason.FAILED, result.message, seed))
            else:
                raise result
        if all(isinstance(each, Missing) and each.reason is Reason.FAILED for each in images):
            raise next(each for each in results if isinstance(each, BaseException))
        price = await self.price()
        cost = round(price.dollars * (len(seconds) - 1), 6)
        return Completed(tuple(images), {"inference": max(seconds)}, cost, damage(NAME, images))

    async def _task(
        self, request: EditRequest, place: int, image: str, key: str, told: asyncio.Queue[Event]
    ) -> Outcome:
        """Run one task from its submit to its picture."""
        begun, seed = self._client.clock(), request.seeds[place]
        body = payload(request.recipe, seed, waits=self._waits, inline=self._inline)
        task = await self._submit({**body, IMAGE: image}, key)
        told.put_nowait(Accepted(place, task.id))
        await told.join()  # until the id is written down: then nothing that follows can be lost
        told.put_nowait(Working(task.status))
        if task.status != "completed":
            task, ended = await self._provider.tasks.wait(task, key, begun, self._pace, told)
            self._pace.add(ended - begun)
        return await self._outcome(task, seed, begun)

    async def _again(self, remote_id: str | None, seed: int, key: str, told: asyncio.Queue[Event]) -> Outcome:
        """Follow a task that was submitted before."""
        if remote_id is None:
            raise lost(NAME)
        begun = self._client.clock()
        task, _ = await self._provider.tasks.wait(Task(remote_id, "processing"), key, begun, self._pace, told)
        return await self._outcome(task, seed, begun)

    async def _outcome(self, task: Task, seed: int, begun: float) -> Outcome:
        """Return a finished task's picture and the seconds of inference."""
        seconds = task.seconds if task.seconds is not None else self._client.clock() - begun
        if any(task.nsfw):
            return Missing(Reason.NSFW, message("withheld-by-provider", provider=NAME), seed), seconds
        if not task.outputs:
            raise unsettled(MalformedAnswer("provider-task-without-picture", provider=NAME, task=task.id))
        return await picture(NAME, await collect(NAME, task.outputs[0], self._client.download), seed), seconds

    async def _submit(self, body: dict[str, Any], key: str) -> Task:
        path = PATH + (f"?webhook={self._provider.hook}" if self._provider.hook else "")
        try:
            answer = await self._client.post(path, key, read=120.0 if self._waits else 60.0, json=body)
        except NotSent as error:
            raise not_sent(NAME) from error
        except Lost as error:
            raise lost(NAME) from error
        task = read(answer.body) if answer.ok else None
        if task is not None:
            if task.status in ENDED:
                raise failure(task, key)
            return task
        if answer.status >= 500:  # the task may have been taken before something broke
            raise lost(NAME)
        raise refusal(answer, key)

    async def price(self) -> Price:
        """Return the provider's live price with the owner's key, its page's without."""
        return await self._provider.price(MODEL, SPEC.price)

    def http_call(self, recipe: Recipe) -> HttpCall:
        """Return the task that makes a picture again, after the upload of its reference by the form."""
        url = self._provider.code_url
        return HttpCall(
            url=url + PATH,
            key_env=KEY_ENV,
            body=payload(recipe, recipe.seed),
            image=IMAGE,
            result=("data", "outputs", 0),
            upload=Upload(url + FORM_PATH, ("data", "download_url")),
            polling=Polling(
                before=f"{url}/api/v3/predictions/",
                after="/result",
                id=("data", "id"),
                status=("data", "status"),
                done="completed",
                failed=ENDED,
            ),
        )
