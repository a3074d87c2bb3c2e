"""One request on its way, as everybody sees it."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from core.errors import StudioError
from core.events import JobEvent, Progress, Queued
from core.job_state import JobState, advance
from core.recipe import Recipe
from core.request import EditRequest
from core.result import Result

EVERYONE = "local"
"""The owner of everything on a personal machine, where nobody else can come in."""
VISITOR = "studio.visitor"
"""Where a web request's scope holds its `Visitor`."""


class Source(StrEnum):
    """Where a run was submitted."""

    PAGE = "page"
    EDIT = "edit"
    """The Gradio endpoint `/edit`."""
    MCP = "mcp"
    AIMLAPI = "aimlapi"
    """The wire format of AI/ML API, served by this app."""
    WAVESPEED = "wavespeed"
    """The wire format of WaveSpeedAI, served by this app."""
    IMPORT = "import"
    """It was run elsewhere, and its pictures came in an archive."""


def new_id() -> str:
    """Return a job's id: 32 hexadecimal digits that begin with the time, so that rows lie in the order they came."""
    return f"{time.time_ns() // 1_000_000:012x}{secrets.token_hex(10)}"


@dataclass(frozen=True)
class Allowance:
    """Runs that somebody may start; None sets no limit."""

    per_minute: int | None = None
    per_day: int | None = None


@dataclass(frozen=True)
class Visitor:
    """Who asks.

    Attributes:
        owner: the digest of a browser's token, an account's or a key's name, or `EVERYONE`; never shown, never logged.
        address: of the network, or a key's name; for limits, empty where none hold.
        passing: whether the token was made for this request alone: a client of the API, which keeps no cookie.
        allowance: what they may ask for, None where the app's limits for everybody hold.
        gpu_token: on whose quota of GPU time their runs count; see `core.backend.RunContext`.
    """

    owner: str = field(default=EVERYONE, repr=False)
    address: str = ""
    passing: bool = False
    allowance: Allowance | None = None
    gpu_token: str = field(default="", repr=False)

    @property
    def source(self) -> str:
        """Whose turn work takes that is no run: of the network address where there is one, for cookies cost nothing."""
        return self.address or self.owner


def visitor_in(scope: Mapping[str, Any]) -> Visitor:
    """Return who sent a web request.

    Args:
        scope: the request's.

    Raises:
        LookupError: nobody found out. There is no default: `Visitor()` owns everything on a personal machine.
    """
    if VISITOR not in scope:
        raise LookupError("the identity middleware did not see this request")
    visitor: Visitor = scope[VISITOR]
    return visitor


@dataclass(frozen=True)
class Call:
    """How a job came in by the app's own API, and how it wants to be answered.

    Attributes:
        model: the name by which its backend was asked for.
        base: this app's address as the caller knows it, without a slash at its end.
        inline: whether pictures are wanted inside answers.
        once: the caller's mark on the request: the same mark begins no second run.
        body: a mark of everything that the request asked for.
        hook: the address to tell the end to; empty for none, or when it was told.
    """

    model: str
    base: str
    inline: bool = False
    once: str | None = None
    body: str = ""
    hook: str = field(default="", repr=False)


@dataclass(eq=False)
class Job:
    """One request on its way.

    Attributes:
        state: where it stands; `advance` changes it.
        event: the latest of its run; the last is its result.
        error: why it failed or was cancelled, or why nobody waits for it now.
        result: what it made.
        owner: whose it is.
        key: a visitor's own provider key, for this job only; never kept.
        gpu_token: its visitor's; never kept.
        own_key: whether it pays with a key that the visitor gave.
        call: how it came in, None where the Gradio API sent it.
        source: where it was submitted.
        cell: the experiment's id and the place in it of the cell that the job makes; None of any other.
        created: seconds since the epoch.
        remote: the provider's id of each image's task, None where there is none yet.
        task: drives it; None before its turn can come, and when nobody works on it any more.
        storing: its result is being written to disk; a cancel comes too late then.
        submitted, started: on a clock that never goes back, this process's.
        began: when it left the queue, seconds since the epoch; None before.
        previews: the latest preview of each image, JPEG; none once it has ended.
        preview: counts up with each new preview.
        on_change: called at each change; the engine sets it.
    """

    id: str
    backend: str
    request: EditRequest
    key: str | None = field(default=None, repr=False)
    owner: str = field(default=EVERYONE, repr=False)
    own_key: bool = False
    gpu_token: str = field(default="", repr=False)
    call: Call | None = None
    source: Source = Source.PAGE
    cell: tuple[str, int] | None = None
    created: float = field(default_factory=time.time)
    remote: list[str | None] = field(default_factory=list)
    state: JobState = JobState.QUEUED
    event: JobEvent = field(default_factory=lambda: Queued(1))
    error: StudioError | None = None
    result: Result | None = None
    storing: bool = False
    submitted: float = field(default_factory=time.monotonic)
    started: float | None = None
    began: float | None = None
    previews: tuple[bytes, ...] = field(default=(), repr=False)
    preview: int = 0
    on_change: Callable[[Job], None] | None = field(default=None, repr=False)
    changed: asyncio.Event = field(default_factory=asyncio.Event, repr=False)
    task: asyncio.Task[None] | None = field(default=None, repr=False)

    @property
    def ended(self) -> bool:
        """Whether nothing more will come of it in this process."""
        return self.state.terminal or (self.error is not None and self.task is None)

    @property
    def at_provider(self) -> bool:
        """Whether a provider may have it: from then on it may cost, and cannot be taken back."""
        return self.state in (JobState.SUBMITTING, JobState.DETACHED) or any(self.remote)

    def advance(self, to: JobState, error: StudioError | None = None) -> None:
        """Go to another state, for this reason if there is one.

        Raises:
            IllegalTransition: it does not follow the present one.
        """
        self.state, self.error = advance(self.state, to), error

    @property
    def recipe(self) -> Recipe:
        """What would repeat it; of a job that is done, with the model that was really used."""
        recipe = self.request.recipe
        return recipe if self.result is None else recipe.model_copy(update={"model": self.result.model})

    def forget_secrets(self) -> None:
        """Let go of the keys, which an ended job needs no more."""
        self.key = None
        self.gpu_token = ""

    def start(self) -> None:
        """Note that it left the queue."""
        self.started, self.began = time.monotonic(), time.time()

    def tell(self, event: JobEvent | None = None) -> None:
        """Note an event and wake every watcher."""
        if event is not None:
            self.event = event
        if isinstance(event, Progress) and event.preview:
            self.previews, self.preview = event.preview, self.preview + 1
        if self.ended:
            self.previews = ()
        self.changed.set()
        self.changed = asyncio.Event()
        if self.on_change is not None:
            self.on_change(self)
