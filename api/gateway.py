"""What both wire formats share: a call becomes a job, once; a job is found again by its owner; pictures get links."""

from __future__ import annotations

import asyncio
import base64
import functools
import io
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from PIL import Image
from starlette.requests import Request

from api.access import Access
from api.callers import gone
from api.idempotency import Idempotency, job_body
from api.statuses import Refused
from core.errors import FetchFailed
from core.imaging.images import Reference
from core.imaging.sources import LONGEST_ADDRESS, bare_base64, is_address, is_data_uri, tidy
from core.job import Call, Job, Source, Visitor
from core.links import Links
from core.messages import Message, message
from core.request import EditRequest
from core.result import Made, Missing, Reason, Result
from core.terms import is_hint
from engine.services import Services

DAY = 86_400.0
LINK_PERIOD = 7 * DAY
"""Seconds after which a link is replaced by the next; as long as the provider keeps results."""


@dataclass(frozen=True)
class Ask:
    """What a caller asks for.

    Attributes:
        prompt: what the picture should become.
        image: the reference as it was sent: an address, a data URI, base64, or a file's bytes.
        values: of parameters, by name.
        call: how it came in, and how it wants to be answered.
        source: its wire format.
        notices: what was sent and is not used.
        size: the result's size as the caller wants it, such as `512x512`; results have their reference's.
    """

    prompt: str
    image: str | bytes
    values: Mapping[str, Any]
    call: Call
    source: Source
    notices: tuple[Message, ...] = ()
    size: str | None = None


class ApiGateway:
    """Takes calls and finds their jobs.

    Args:
        services: do the work.
        access: tells who asks.
        links: signs addresses of pictures.
        fetch: reads a public address or data URI into bytes, or raises a StudioError.
        models: the backend's key by the name of a model.
        spends: whether this API may spend the app owner's keys at the providers.
        public_url: the app's own address, None where a caller's own word for it is taken.
    """

    def __init__(
        self,
        services: Services,
        access: Access,
        links: Links,
        fetch: Callable[[str], Awaitable[bytes]],
        models: Mapping[str, str],
        *,
        spends: bool,
        public_url: str | None,
    ) -> None:
        self.engine = services.engine
        self.images = services.images
        self.uploads = services.uploads
        self.quotas = services.quotas
        self.access = access
        self.links = links
        self.models = models
        self._fetch = fetch
        self._spends = spends
        self._public_url = public_url
        self._once = Idempotency(services.engine.find_call, job_body)

    def base(self, request: Request) -> str:
        """Return this app's address as the caller may use it, without a slash at its end."""
        return self._public_url or str(request.base_url).rstrip("/")

    async def balance(self) -> float:
        """Return the US dollars that this API may still spend; runs on the owner's own machine cost none.

        Raises:
            StudioError: a provider does not say what is left.
        """
        paid = {self.engine.backend(key).provider for key in self.models.values()}
        providers = [each for each in self.engine.providers if each in paid]
        if not self._spends or not providers:
            return 0.0
        left = sum([await each.balance() for each in providers])
        budget = self.quotas.caps.budget
        if budget is not None:
            left = min(left, max(0.0, budget - await self.engine.spent_today()))
        return round(left, 6)

    # ---- taking a call ------------------------------------------------------------------------------

    async def take(self, visitor: Visitor, ask: Ask) -> tuple[Job, bool]:
        """Begin a job, or find the one that the same call began before.

        Returns:
            The job, and whether it had begun before.

        Raises:
            StudioError: the call cannot be taken; `api.statuses` knows the status.
        """
        return await self._once.begin(
            visitor.owner, ask.call.once, ask.call.body, functools.partial(self._take, visitor, ask)
        )

    async def _take(self, visitor: Visitor, ask: Ask) -> Job:
        if ask.call.model not in self.models:
            raise Refused("model-unknown", status=404, model=repr(ask.call.model[:80]), models=self._offer())
        key = self.models[ask.call.model]
        spec = self.engine.specs[key]
        if spec.key_env is not None and not self._spends:
            raise Refused("api-spends-nothing", status=403, backend=spec.label)
        self.quotas.spend_reference(visitor)
        reference = await self._reference(ask.image, visitor.source)
        notices = reference.notices + ask.notices + unused_size(ask.size, reference)
        reference = replace(reference, notices=notices)
        values = {name: value for name, value in ask.values.items() if name in spec.by_name or not is_hint(name)}
        request = EditRequest.build(spec, ask.prompt, reference, values)
        return await self.engine.submit(key, request, visitor=visitor, call=ask.call, source=ask.source)

    async def _reference(self, image: str | bytes, owner: str) -> Reference:
        read = functools.partial(self.images.read, owner=owner)
        if isinstance(image, bytes):
            return await read(image)
        image = tidy(image) if len(image) <= LONGEST_ADDRESS else image
        name = await self._own(image) if len(image) <= LONGEST_ADDRESS else None
        if name is not None:
            path = self.images.path(name)
            if not path.is_file():
                raise FetchFailed("link-picture-gone")
            return await read(path)
        if not is_data_uri(image) and not is_address(image):
            return await read(await asyncio.to_thread(bare_base64, image, self.quotas.caps.max_bytes))
        data = await self._fetch(image)
        return await read(data, image if image.lower().startswith(("http://", "https://")) else None)

    async def _own(self, address: str) -> str | None:
        """Return the file behind a signed address of our own, None for any other address."""
        path = self.links.opened(address)
        if path is None:
            return None
        kind, _, name = path.strip("/").partition("/")
        if kind != "uploads":
            return name
        uploaded = await self.uploads.picture(name)
        if uploaded is None:
            raise FetchFailed("link-not-uploaded")
        return uploaded

    def _offer(self) -> str:
        return ", ".join(self.models)

    # ---- finding a job ------------------------------------------------------------------------------

    async def find(self, visitor: Visitor, job_id: str) -> Job:
        """Return a job of the visitor's.

        Raises:
            Refused: they have none of that id; whether somebody else has, is not told.
        """
        job = await self.engine.find(visitor.owner, job_id)
        if job is None:
            raise Refused("prediction-unknown", status=404)
        return job

    async def attend(self, request: Request, job: Job) -> Result:
        """Wait for a job's end. A caller who goes away ends a run that nobody could ask for again.

        Raises:
            StudioError: the job failed.
        """
        waiting = asyncio.ensure_future(self.engine.result(job))
        leaving = asyncio.ensure_future(gone(request))
        try:
            await asyncio.wait({waiting, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if not waiting.done() and job.call is not None and job.call.once is None:
                await self.engine.cancel(job)
            return await waiting
        finally:
            waiting.cancel()
            leaving.cancel()

    # ---- pictures -----------------------------------------------------------------------------------

    async def outputs(self, job: Job, base: str) -> list[tuple[Made | Missing, str, str | None]]:
        """Return each image with its link, and in base64 where the call wants it inside the answer.

        One withheld as not safe for work comes as a black one; one that failed beside others does not come.
        """
        assert job.result is not None
        inline = job.call is not None and job.call.inline
        found: list[tuple[Made | Missing, str, str | None]] = []
        for each in job.result.images:
            if isinstance(each, Made):
                file = self.images.path(each.image.name)
                data = await asyncio.to_thread(file.read_bytes) if inline else None
                b64 = None if data is None else base64.b64encode(data).decode()
                found.append((each, self.link(f"/files/{file.name}", job, base), b64))
            elif each.reason is Reason.NSFW:
                found.append((each, black(), None))
        return found

    def link(self, path: str, job: Job, base: str) -> str:
        """Return a signed address of one of a job's pictures.

        Args:
            path: the picture's.
            job: whose creation the address's lifetime is counted from.
            base: scheme and host.
        """
        return base + self.links.sign(path, link_expiry(job.created, time.time()))


def link_expiry(created: float, now: float) -> int:
    """Return when a link expires: at the end of a whole number of periods since the job was created.

    So a link stays the same from one answer to the next, until less than a day of it is left.

    Args:
        created: when the job was, in seconds since the epoch.
        now: likewise.

    Returns:
        Seconds since the epoch, a day to eight days from now.
    """
    periods_used = max(0.0, now + DAY - created) // LINK_PERIOD  # periods over, or with less than a day left
    return int(created + (periods_used + 1) * LINK_PERIOD)


def unused_size(size: str | None, reference: Reference) -> tuple[Message, ...]:
    """Return a notice where a caller asks for another size than the result will have."""
    own = f"{reference.width}x{reference.height}"
    if size is None or size.strip().lower() in ("auto", "", own):
        return ()
    return (message("notice-size-ignored", size=size[:20], width=reference.width, height=reference.height),)


@functools.cache
def black() -> str:
    """Return what stands for a withheld picture, as at the providers: a black one."""
    file = io.BytesIO()
    Image.new("RGB", (64, 64)).save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
