"""What a provider's refusals, silences and unusable answers mean, as errors."""

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
from core.messages import Value, message


def said(text: object, key: str | None) -> str:
    """Return a provider's words on one short line, without the key should they hold it."""
    words = " ".join(str(text or "").split())
    words = "".join(each if each.isprintable() else "?" for each in words)  # half letters, codes for terminals
    if key:
        words = words.replace(key, "(key)")
    return words[:197] + "..." if len(words) > 200 else words


def quoted(words: str) -> Value:
    """Return a provider's words as they stand in a message; empty where it has none."""
    return message("provider-says", words=words) if words else ""


def refused(name: str, answer: Answer, words: str) -> StudioError:
    """Return what a status of refusal means, charged or not.

    Args:
        name: the provider's.
        answer: with a status of 400 or more.
        words: the provider's own, cleaned.
    """
    status = answer.status
    says = quoted(words)
    match status:
        case 401:
            return KeyRejected("provider-key-rejected", provider=name)
        case 402:
            return NoCredits("provider-no-credits", provider=name, says=says)
        case 403:
            return PermissionRefused("provider-forbidden", provider=name, says=says)
        case 429:
            wait = answer.wait(time.time())
            if wait is None:
                return RateLimited("provider-rate-limited-unknown", provider=name)
            after = message("wait-seconds", amount=round(wait))
            return RateLimited("provider-rate-limited", provider=name, after=after, wait=wait)
        case 400 | 404 | 405 | 409 | 413 | 415 | 422:
            return ParameterRefused("provider-refused", provider=name, says=says)
        case _ if status >= 500:
            return ProviderDown("provider-down", provider=name, status=status, says=says)
    return MalformedAnswer("provider-status-unknown", provider=name, status=status)


def unreadable(code: str, **values: Value) -> MalformedAnswer:
    """Return the error for a result that cannot be used; whether it was charged is not known."""
    return MalformedAnswer(message(code, **values), charged=None)


def not_sent(name: str) -> ProviderDown:
    """Return the error for a request that never left."""
    return ProviderDown("provider-unreachable", provider=name)


def lost(name: str, request: str | None = None) -> SubmitUnknown:
    """Return the error for a request that may have been taken, and whose answer was lost.

    Args:
        name: the provider's.
        request: by which its logs name the request; None where it lists predictions instead.
    """
    if request is None:
        return SubmitUnknown("provider-answer-lost-predictions", provider=name)
    return SubmitUnknown("provider-answer-lost-logs", provider=name, request=request)
