"""Messages as a person reads them."""

from __future__ import annotations

from collections.abc import Iterable

from core.messages import Message, in_full


def said(messages: Iterable[Message]) -> tuple[str, ...]:
    """Return messages in English, each with its advice."""
    return tuple(map(in_full, messages))
