"""What a provider's refusals, silences and unusable answers mean, as errors in plain words."""

from __future__ import annotations

import time

from backends.http.answer import Answer
from core.errors import (
    KeyRejected,
    MalformedAnswer,
    NoCredits,
    ParameterRefused,
    PermissionRefused,
    ProviderDown,
    RateLimited,
    StudioError,
    SubmitUnknown,
)


def said(text: object, key: str | None) -> str:
    """Return a provider's words on one short line, without the key should they hold it."""
    words = " ".join(str(text or "").split())
    words = "".join(each if each.isprintable() else "?" for each in words)  # half letters, codes for terminals
    if key:
        words = words.replace(key, "(key)")
    return words[:197] + "..." if len(words) > 200 else words


def refused(name: str, answer: Answer, words: str, key_env: str) -> StudioError:
    """Return what a status of refusal means, charged or not.

    Args:
        name: the provider's.
        answer: with a status of 400 or more.
        words: the provider's own, cleaned.
        key_env: the environment variable of its key.
    """
    status = answer.status
    quoted = f' It says: "{words}".' if words else ""
    match status:
        case 401:
            return KeyRejected(f"{name} does not know this key.", f"Paste another, or set {key_env} and restart.")
        case 402:
            return NoCredits(f"The account at {name} has no credits left.{quoted}", "Top it up there, and run again.")
        case 403:
            return PermissionRefused(f"{name} does not let this key do that.{quoted}", "Look at the key's permissions.")
        case 429:
            wait = answer.wait(time.time())
            todo = f"Run again in {wait:.0f} s." if wait is not None else "Run again in a minute."
            return RateLimited(f"{name} has too many requests from this key.", todo, wait=wait)
        case 400 | 404 | 405 | 409 | 413 | 415 | 422:
            return ParameterRefused(f"{name} refuses the request.{quoted}", "Change the prompt, picture or settings.")
        case _ if status >= 500:
            return ProviderDown(f"{name} has trouble of its own (status {status}).{quoted}", "Run again in a minute.")
    return MalformedAnswer(f"{name} answered with status {status}, which is not documented.", "Run again later.")


def unreadable(what: str, todo: str = "It was probably charged: look there.") -> MalformedAnswer:
    """Return the error for a result that cannot be used; whether it was charged is not known."""
    error = MalformedAnswer(what, todo)
    error.charged = None
    return error


def not_sent(name: str) -> ProviderDown:
    """Return the error for a request that never left."""
    return ProviderDown(f"{name} cannot be reached.", "Check the network, and run again.")


def lost(name: str, where: str) -> SubmitUnknown:
    """Return the error for a request that may have been taken, and whose answer was lost."""
    return SubmitUnknown(
        f"The request was sent to {name}, and its answer was lost on the way.",
        f"It may have run. Look at {where} before you run it again; it is not sent a second time by itself.",
    )
