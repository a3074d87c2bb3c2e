"""What WaveSpeedAI answers: tasks, what their failures mean, and webhooks. Pure: nothing here asks anybody.

Facts from the provider's model page, its API pages and its official Python client.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from backends.hosted.refusals import refused, said
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
_ID = re.compile(r"[A-Za-z0-9_-]{1,200}")
_CODE = re.compile(r"[0-9]{1,9}")
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


def read(body: Any) -> Task | None:
    """Read a task out of an answer or a webhook's bare prediction, None where there is none.

    `outputs` is an array in one table of the page and a string in another; both are read.
    """
    data = body.get("data", body) if isinstance(body, dict) else None
    # The id becomes part of an address that is asked with the key: only what looks like one is taken.
    if not isinstance(data, dict) or not isinstance(data.get("id"), str) or not _ID.fullmatch(data["id"]):
        return None
    outputs = data.get("outputs") or []
    outputs = [outputs] if isinstance(outputs, str) else outputs
    flags = data.get("has_nsfw_contents") or []
    timings = data.get("timings")
    milliseconds = timings.get("inference") if isinstance(timings, dict) else None
    code = data.get("code")
    return Task(
        id=data["id"],
        status=str(data.get("status") or ""),
        outputs=tuple(each for each in outputs if isinstance(each, str) and each) if isinstance(outputs, list) else (),
        nsfw=tuple(bool(each) for each in flags) if isinstance(flags, list) else (),
        seconds=milliseconds / 1000 if isinstance(milliseconds, int | float) and 0 <= milliseconds < 1e9 else None,
        code=int(str(code)) if _CODE.fullmatch(str(code)) else None,
        error=str(data.get("error") or ""),
    )


def failure(task: Task, key: str) -> StudioError:
    """Return what a failed task's code means. Whether it was charged, the provider does not say."""
    words = said(task.error, key)
    quoted = f' It says: "{words}".' if words else ""
    match task.code:
        case 1200:
            error: StudioError = Moderated(
                f"{NAME} refuses the prompt or the picture.{quoted}", "Change what is asked, and run again."
            )
        case 1400 | 1401:
            error = ParameterRefused(f"{NAME} refuses a setting.{quoted}", "Change the settings, and run again.")
        case 1402:
            todo = "Run again: it is then uploaded anew."
            error = MediaUnreachable(f"{NAME} could not read the reference.{quoted}", todo)
        case 1407:
            error = NoCredits(
                f"The account at {NAME} has no credits left.", "Top it up at wavespeed.ai, and run again."
            )
            return error
        case 5000 | 5003:
            error = ProviderDown(f"{NAME} cannot run the model now.{quoted}", "Run again in a minute.")
        case 5004:
            error = TimedOut(
                f"{NAME} gave up on task {task.id}.", "Run again, with fewer steps perhaps.", remote_id=task.id
            )
        case _:
            error = RunFailed(
                f"{NAME} ended task {task.id} as {task.status}.{quoted}", "Run again, or change the prompt."
            )
    return unsettled(error)


def unsettled(error: StudioError) -> StudioError:
    """Return an error as one of a task that the provider had: it may have been charged."""
    error.charged = None
    return error


def refusal(answer: Answer, key: str | None) -> StudioError:
    """Return what an answer means that has no task in it. The envelope may carry the status inside a 200."""
    body = answer.body if isinstance(answer.body, dict) else {}
    code = body.get("code")
    inner = code if isinstance(code, int) and answer.ok and code != 200 else answer.status
    if inner < 400:
        return unsettled(
            MalformedAnswer(f"{NAME} answered without a task.", "It may run: look at its list of predictions.")
        )
    return refused(NAME, Answer(inner, answer.headers, answer.body), said(body.get("message"), key), KEY_ENV)


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
