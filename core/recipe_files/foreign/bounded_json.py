"""JSON from a file that anybody may have made: read in time that grows with its length, whatever stands in it."""

from __future__ import annotations

import json
import re

MAX_TEXT = 4 * 2**20
"""Characters of a text that is read at all."""
MAX_DEPTH = 64
"""Levels of lists and objects. Python's own reader recurses, so this is checked before it runs."""
MAX_BRACKETS = 20_000
"""Lists and objects. A ComfyUI workflow of 2000 nodes has about 14,000."""
MAX_MARKS = 60_000
"""Commas, and colons; that workflow has about 30,000 of each."""
MAX_QUOTES = 240_000
"""Quotation marks and backslashes."""
MAX_DIGITS = 40
"""Digits of an integer that is read as a number; Python refuses thousands, and no setting has more than 20."""

_STRING = re.compile(r'"(?:[^"\\]++|\\.?)*+(?:"|\Z)', re.DOTALL)
"""A string, or one that never ends: each of its parts is possessive, so nothing is read twice."""
_BRACKET = re.compile(r"[\[\]{}]")


def parse_object(text: str) -> dict[str, object] | None:
    """Return a JSON object, None where the text is none, or exceeds a limit.

    NaN and the infinities become text, as do integers of more than `MAX_DIGITS` digits.
    """
    if len(text) > MAX_TEXT or not text.lstrip().startswith("{"):
        return None
    few = (("[{", MAX_BRACKETS), (",", MAX_MARKS), (":", MAX_MARKS), ('"\\', MAX_QUOTES))
    if any(sum(map(text.count, marks)) > most for marks, most in few) or not _is_shallow(text):
        return None
    try:
        value = json.loads(text, parse_int=_integer, parse_constant=str, strict=False)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _is_shallow(text: str) -> bool:
    depth = 0
    for bracket in _BRACKET.findall(_STRING.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        if depth > MAX_DEPTH:
            return False
    return True


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) <= MAX_DIGITS else digits
