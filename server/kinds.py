"""What both doors' bodies are made of."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi.exceptions import RequestValidationError
from pydantic import BeforeValidator
from starlette.convertors import PathConvertor, register_url_convertor


def whole(value: Any) -> Any:
    """Return 4.0 as 4: JSON knows one kind of number. What is no number at all stays for the next to refuse."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("should be a whole number")
    if value != value or value in (float("inf"), float("-inf")) or value != int(value):
        raise ValueError("should be a whole number")
    return int(value)


def _real(value: Any) -> Any:
    """Return a number as it is; true, false and text are none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("should be a number")
    return value


Real = Annotated[float, BeforeValidator(_real)]
"""A number, also one without a point; never true or false, never text."""

Whole = Annotated[int, BeforeValidator(whole)]
"""A whole number, also one that was written with a point; never true or false, never text."""


class Anything(PathConvertor):
    """The rest of a path, line breaks too: whatever comes under a door is answered in its provider's shape."""

    regex = r"[\s\S]*"


register_url_convertor("anything", Anything())


def first_fault(error: RequestValidationError) -> str:
    """Return one sentence on the first part of a request that does not fit."""
    fault = error.errors()[0]
    place = [str(each) for each in fault["loc"] if each not in ("body", "query", "header")]
    words = str(fault["msg"]).removeprefix("Value error, ")
    if fault["type"] == "json_invalid":
        return "body: This is no JSON."
    return f"{'.'.join(place) or 'body'}: {words[:1].upper()}{words[1:]}."
