"""Messages: a code and values. The words stand in one catalogue for each language, `ui/locales/*.ftl`.

Errors, notices, stages and labels are messages as long as the program handles them, so that each can be stored,
compared and translated; `render` turns one into a sentence where somebody reads it. The catalogues are written in
Fluent (projectfluent.org), which a browser can read as well. They are read when the first message is rendered.

In a catalogue, a message is what happened or what a thing is called; its attribute `.todo` says what to do next, and
`.details` what few people need to read.
Numbers that name something (ids, seeds) are passed as text, so that no digits are grouped.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Union

if TYPE_CHECKING:
    from fluent.runtime import FluentBundle

log = logging.getLogger(__name__)

LOCALES = Path(__file__).parent.parent / "ui" / "locales"
"""The folder of the catalogues, `en.ftl` and so on."""
ENGLISH = "en"
"""The language of API answers and logs, and of whatever another catalogue lacks."""
RECORDED = "recorded"
"""The code of a sentence that was stored as text: `what`, and perhaps `todo`."""

LONGEST = 900
"""Characters of a value that are shown; Fluent refuses to put more than 1000 into a sentence."""

Value = Union[str, int, float, "Message"]
"""What a message is about. A Message is rendered in the same language as the one that holds it."""


@dataclass(frozen=True)
class Message:
    """Something to say to a person. `str()` of it is English.

    Attributes:
        code: a message of the catalogue.
        values: the catalogue's variables by name, sorted.
    """

    code: str
    values: tuple[tuple[str, Value], ...] = ()

    def __str__(self) -> str:
        return render(self)

    def as_json(self) -> dict[str, Any]:
        """Return what `message_of` reads."""
        values = {name: value.as_json() if isinstance(value, Message) else value for name, value in self.values}
        return {"code": self.code, "values": values}


def message(code: str, /, **values: Value) -> Message:
    """Return a message of the catalogue.

    Args:
        code: its name in the catalogue.
        values: the catalogue's variables.
    """
    return Message(code, tuple(sorted(values.items(), key=lambda each: each[0])))


def recorded(what: str, todo: str = "") -> Message:
    """Return the message of a sentence that is stored as text, or came as text from outside."""
    return message(RECORDED, what=what, todo=todo)


def message_of(stored: object) -> Message:
    """Return the message of what `Message.as_json` wrote, or of a sentence from before messages had codes.

    Raises:
        ValueError: it is neither.
    """
    if isinstance(stored, str):
        return recorded(stored)
    if not isinstance(stored, Mapping) or not isinstance(stored.get("code"), str):
        raise ValueError("not a message")
    return message(stored["code"], **values_of(stored.get("values") or {}))


def values_of(stored: Mapping[str, Any]) -> dict[str, Value]:
    """Return the values of a message from JSON."""
    return {name: message_of(value) if isinstance(value, Mapping) else value for name, value in stored.items()}


def render(message: Message, language: str = ENGLISH, attribute: str | None = None) -> str:
    """Return a message as text. A message that a catalogue lacks is rendered in English.

    Args:
        message: what to say.
        language: of the catalogue, such as `en`.
        attribute: which attribute of the message to render; None renders its value.

    Returns:
        The text; empty where the message has no such attribute, the code where no catalogue has the message.
    """
    if message.code == RECORDED:  # as it was written, however long
        return str(dict(message.values).get("what" if attribute is None else attribute, ""))
    for each in dict.fromkeys((language, ENGLISH)):
        bundle = _bundle(each)
        if bundle is None or not bundle.has_message(message.code):
            continue
        entry = bundle.get_message(message.code)
        pattern = entry.value if attribute is None else entry.attributes.get(attribute)
        if pattern is None:
            return ""
        text, errors = bundle.format_pattern(pattern, {name: _shown(value, each) for name, value in message.values})
        if errors:
            log.warning("message %s: %s", message.code, "; ".join(map(str, errors)))
        return str(text).strip()
    log.warning("message %s: not in the catalogue", message.code)
    return message.code if attribute is None else ""


def advice(message: Message, language: str = ENGLISH) -> str:
    """Return what to do next, empty where there is nothing to do."""
    return render(message, language, "todo")


def with_details(message: Message, language: str = ENGLISH) -> str:
    """Return what happened, and its details."""
    return f"{render(message, language)} {render(message, language, 'details')}".strip()


def in_full(message: Message, language: str = ENGLISH) -> str:
    """Return what happened, its details, and what to do next."""
    return f"{with_details(message, language)} {advice(message, language)}".strip()


def say(code: str, /, **values: Value) -> str:
    """Return a message of the catalogue in English."""
    return render(message(code, **values))


def _shown(value: Value, language: str) -> str | int | float:
    if isinstance(value, Message):
        value = render(value, language)
    if isinstance(value, str) and len(value) > LONGEST:
        return value[: LONGEST - 3] + "..."
    return str(value).lower() if isinstance(value, bool) else value


@cache
def _bundle(language: str) -> FluentBundle | None:
    """Return a language's catalogue, None where there is none."""
    from fluent.runtime import FluentBundle, FluentResource

    path = LOCALES / f"{language}.ftl"
    if not path.is_file():
        return None
    bundle = FluentBundle([language], use_isolating=False)
    bundle.add_resource(FluentResource(path.read_text(encoding="utf-8")))
    return bundle
