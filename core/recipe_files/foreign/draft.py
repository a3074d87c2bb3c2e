"""A `Foreign` in the making: takes each setting of a file, and keeps either its value or the reason against it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from core.errors import BadParameter
from core.messages import Message, message
from core.recipe_files.foreign.reasons import LORA, NOT_A_NUMBER, OTHER, PROMPT_PART, Rules, out_of_range, reason
from core.recipe_files.foreign.values import Foreign, Source, Unmapped
from core.spec import MAX_PROMPT, Integer, Number, ParamValue
from core.terms import SEED

Known = Mapping[str, Number | Integer]
"""Parameters by a tool's name of them in lower case."""

MAX_KEYS = 500
"""Settings of a file that are looked at."""
MAX_UNMAPPED = 200
MAX_NAME = 80
MAX_VALUE = 200

_NUMBER = re.compile(r"[+-]?(?:\d{1,40}(?:\.\d{0,40})?|\.\d{1,40})(?:[eE][+-]?\d{1,3})?", re.ASCII)
_TAG = re.compile(r"<(?:lora|lyco|hypernet):[^<>]*>", re.IGNORECASE)
"""What loads a LoRA from within a prompt, and is no word of it."""
_LONGEST_WITH_TAGS = 16 * MAX_PROMPT
"""Characters of a prompt in which tags are looked for; a longer one does not fit anyway."""


class Draft:
    """Collects the settings of one file."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._prompt: str | None = None
        self._params: dict[str, ParamValue] = {}
        self._seed: int | None = None
        self._unmapped: list[Unmapped] = []

    def prompt(self, name: str, raw: object) -> None:
        """Take the prompt; a second one is left out."""
        if not isinstance(raw, str):
            self.leave(name, raw, OTHER)
            return
        words = raw.strip()
        if any("\ud800" <= letter <= "\udfff" for letter in words[: MAX_PROMPT + 1]):
            self.leave(name, words, message("prompt-broken"))
        elif len(words) > MAX_PROMPT:
            self.leave(name, words, message("prompt-too-long", length=len(words), limit=MAX_PROMPT))
        elif self._prompt is not None:
            self.leave(name, words, PROMPT_PART)
        elif words:
            self._prompt = words

    def tagged_prompt(self, name: str, raw: object) -> None:
        """Take the prompt without its `<lora:...>` tags, which the tool takes out too before it reads the words."""
        if isinstance(raw, str) and len(raw) <= _LONGEST_WITH_TAGS:
            for tag in _TAG.findall(raw):
                self.leave(name, tag, LORA)
            raw = _TAG.sub("", raw)
        self.prompt(name, raw)

    def put(self, param: Number | Integer, name: str, raw: object, value: object = None) -> None:
        """Take a parameter's value, or list it: it is never changed to fit.

        Args:
            param: of `core.terms`; `SEED` sets the seed.
            name: the tool's name of it.
            raw: the tool's value.
            value: what that is here, where the tool counts differently.
        """
        if _is_unset(raw):
            return
        given = number(raw if value is None else value)
        taken = self._seed is not None if param is SEED else param.name in self._params
        if given is None or taken:
            self.leave(name, raw, OTHER if taken else NOT_A_NUMBER)
            return
        try:
            valid = param.validate(given)
        except BadParameter:
            self.leave(name, raw, out_of_range(param))
            return
        if param is SEED:
            self._seed = int(valid)
        else:
            self._params[param.name] = valid

    def settings(self, pairs: Iterable[tuple[str, object]], known: Known, rules: Rules) -> None:
        """Take the parameters among a file's settings and list all others.

        Args:
            pairs: names and values; `MAX_KEYS` of them are looked at.
            known: the parameters among them.
            rules: why others are left out.
        """
        for name, raw in islice(pairs, MAX_KEYS):
            param = known.get(name.lower())
            if param is None:
                self.leave(name, raw, reason(name, rules))
            else:
                self.put(param, name, raw)

    def leave(self, name: str, raw: object, why: Message) -> None:
        """List a setting as left out. One that is null, false, empty or None was not in use and is not listed."""
        if not _is_unset(raw) and len(self._unmapped) < MAX_UNMAPPED:
            self._unmapped.append(Unmapped(shown(name, MAX_NAME), shown(raw), why))

    def done(self) -> Foreign:
        """Return the result."""
        return Foreign(self._source, self._prompt, self._params, self._seed, tuple(self._unmapped))


def number(raw: object) -> int | float | None:
    """Return a number, or a text that is one, None for all else; a boolean is no number."""
    if isinstance(raw, str):
        text = raw.strip() if len(raw) <= 2 * MAX_VALUE else ""
        if not _NUMBER.fullmatch(text):
            return None
        try:
            return int(text)
        except ValueError:
            return float(text)
    return raw if isinstance(raw, (int, float)) and not isinstance(raw, bool) else None


def shown(raw: object, limit: int = MAX_VALUE) -> str:
    """Return a value as text of at most `limit` characters, without lone surrogates."""
    text = ""
    for piece in _pieces(raw):
        text += piece[: limit + 1]
        if len(text) > limit:
            text = text[: limit - 3] + "..."
            break
    return text.encode("utf-8", "replace").decode()


def _pieces(raw: object) -> Iterator[str]:
    """Yield a value's text in parts, so that a large one is not written out before it is cut."""
    if isinstance(raw, dict):
        for place, (key, value) in enumerate(raw.items()):
            yield f"{', ' if place else ''}{key}: "
            yield from _nested(value)
    elif isinstance(raw, list):
        for place, value in enumerate(raw):
            yield ", " if place else ""
            yield from _nested(value)
    elif isinstance(raw, bool):
        yield str(raw).lower()
    else:
        yield str(raw)


def _nested(raw: object) -> Iterator[str]:
    if not isinstance(raw, (dict, list)):
        yield from _pieces(raw)
        return
    yield "[" if isinstance(raw, list) else "{"
    yield from _pieces(raw)
    yield "]" if isinstance(raw, list) else "}"


def _is_unset(raw: object) -> bool:
    return raw is None or raw is False or raw in ("", "None", [], {})
