"""What WaveSpeedAI answers: tasks, what their failures mean, and webhooks. Pure: nothing here asks anybody.

Facts from the provider's model page, its API pages and its official Python client.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, PlainValidator, Strict, ValidationError

from backends.hosted.lenient import Flag, Lenient, Number, Words
from backends.hosted.refusals import quoted, refused, said
from backends.http.answer import Answer
from core.errors import (
    MalformedAnswer,
    Moderated,
    NoCredits,
    ParameterRefused,
    ProviderDown,
    RunFailed,
    StudioError,
    TimedOut,
)

NAME = "WaveSpeedAI"
KEY_ENV = "WAVESPEED_API_KEY"
ENDED = ("failed", "cancelled", "timeout", "deleted")
"""Statuses after which nothing comes; all but the first are the official command line's."""
WEBHOOK_AGE = 300.0
"""Seconds: an older webhook is refused, as the provider's page says."""


class MediaUnreachable(RunFailed):
    """The provider could not read the reference where it was uploaded."""


@dataclass(frozen=True)
class Task:
    """What an answer says of a task.

    Attributes:
        id: the provider's.
        status: `created`, `processing`, `completed`, `failed`, or a word that the page does not know.
        outputs: addresses, data URIs or base64.
        nsfw: for each output whether it was flagged.
        seconds: of inference, None where it is not said.
        code: of a task's failure, None without one.
        error: the provider's words on it.
    """

    id: str
    status: str
    outputs: tuple[str, ...] = ()
    nsfw: tuple[bool, ...] = ()
    seconds: float | None = None
    code: int | None = None
    error: str = ""


def _texts(value: Any) -> tuple[str, ...]:
    """Return outputs: an array in one table of the page, a string in another."""
    given = [value] if isinstance(value, str) else value
    return tuple(each for each in given if isinstance(each, str) and each) if isinstance(given, list) else ()


class Envelope(Lenient):
    """What is around every answer; it may carry the status of a refusal inside a 200."""

    code: Annotated[int, Strict(), Field(lt=10**9)] | None = None
    message: Any = None
    data: Any = None


class Ticket(Lenient):
    """Where to upload a picture, and where it can be read then; an older upload has the latter alone."""

    class Upload(Lenient):
        """What to PUT."""

        url: Words = ""
        headers: dict[str, Any] | None = None

    download_url: Words = ""
    upload: Upload = Upload()


class Account(Lenient):
    """What an account has left, in US dollars."""

    balance: Number | None = None


class Quote(Lenient):
    """A model's price in US dollars, by its usual names: the answer's shape is not documented."""

    price: Number | None = None
    unit_price: Number | None = None


class _Timings(Lenient):
    inference: Annotated[Number, Field(ge=0, lt=1e9)] | None = None
    """Milliseconds."""


class _Prediction(Lenient):
    # The id becomes part of an address that is asked with the key: only what looks like one is taken.
    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,200}$")]
    status: Words = ""
    outputs: Annotated[tuple[str, ...], PlainValidator(_texts)] = ()
    has_nsfw_contents: tuple[Flag, ...] = ()
    timings: _Timings = _Timings()
    code: Annotated[int, Field(ge=0, lt=10**9)] | None = None
    error: Words = ""


def read(body: Any) -> Task | None:
    """Read a task out of an answer or a webhook's bare prediction, None where there is none."""
    try:
        found = _Prediction.of(body.get("data", body) if isinstance(body, dict) else None)
    except ValidationError:
        return None
    milliseconds = found.timings.inference
    return Task(
        id=found.id,
        status=found.status,
        outputs=found.outputs,
        nsfw=found.has_nsfw_contents,
        seconds=None if milliseconds is None else milliseconds / 1000,
        code=found.code,
        error=found.error,
    )


def failure(task: Task, key: str) -> StudioError:
    """Return what a failed task's code means. Whether it was charged, the provider does not say."""
    says = quoted(said(task.error, key))
    match task.code:
        case 1200:
            error: StudioError = Moderated("provider-moderated", provider=NAME, says=says)
        case 1400 | 1401:
            error = ParameterRefused("provider-setting-refused", provider=NAME, says=says)
        case 1402:
            error = MediaUnreachable("provider-reference-unreadable", provider=NAME, says=says)
        case 1407:
            error = NoCredits("provider-no-credits", provider=NAME, says="")
            return error
        case 5000 | 5003:
            error = ProviderDown("provider-cannot-run", provider=NAME, says=says)
        case 5004:
            error = TimedOut("provider-task-gave-up", provider=NAME, task=task.id, remote_id=task.id)
        case _:
            error = RunFailed("provider-task-ended", provider=NAME, task=task.id, status=task.status, says=says)
    return unsettled(error)


def unsettled(error: StudioError) -> StudioError:
    """Return an error as one of a task that the provider had: it may have been charged."""
    error.charged = None
    return error


def refusal(answer: Answer, key: str | None) -> StudioError:
    """Return what an answer means that has no task in it. The envelope may carry the status inside a 200."""
    envelope = Envelope.of(answer.body)
    inner = envelope.code if envelope.code not in (None, 200) and answer.ok else answer.status
    if inner < 400:
        return unsettled(MalformedAnswer("provider-without-task", provider=NAME))
    return refused(NAME, Answer(inner, answer.headers, answer.body), said(envelope.message, key))


def signed(headers: Mapping[str, str], body: bytes, secret: str, now: float) -> bool:
    """Return whether a webhook is the provider's and fresh.

    Args:
        headers: in lower case: `webhook-id`, `webhook-timestamp`, `webhook-signature` (`v3,` and hexadecimal digits).
        body: as it came.
        secret: the account's, with or without its `whsec_`.
        now: seconds since the epoch.
    """
    stamp = headers.get("webhook-timestamp", "")
    if not re.fullmatch(r"[0-9]{1,12}", stamp) or abs(now - int(stamp)) > WEBHOOK_AGE:
        return False
    text = f"{headers.get('webhook-id', '')}.{stamp}.".encode() + body
    wanted = hmac.new(secret.removeprefix("whsec_").encode(), text, hashlib.sha256).hexdigest()
    given = headers.get("webhook-signature", "").split(" ")
    return any(hmac.compare_digest(each.encode(), f"v3,{wanted}".encode()) for each in given)
