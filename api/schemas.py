"""What the bodies of both wire formats are made of."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, BeforeValidator, GetJsonSchemaHandler, PrivateAttr, ValidatorFunctionWrapHandler
from pydantic import model_validator as validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema
from starlette.convertors import PathConvertor, register_url_convertor

from core.messages import Message, say


def whole(value: Any) -> Any:
    """Return 4.0 as 4: JSON knows one kind of number. What is no number at all stays for the next to refuse."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(say("fault-whole-number"))
    if value != value or value in (float("inf"), float("-inf")) or value != int(value):
        raise ValueError(say("fault-whole-number"))
    return int(value)


def _real(value: Any) -> Any:
    """Return a number as it is; true, false and text are none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(say("fault-number"))
    return value


Real = Annotated[float, BeforeValidator(_real)]
"""A number, also one without a point; never true or false, never text."""

Whole = Annotated[int, BeforeValidator(whole)]
"""A whole number, also one that was written with a point; never true or false, never text."""


def _word(value: Any) -> Any:
    """Return a word of a choice in small letters, and JPEG by its own name."""
    word = value.strip().lower() if isinstance(value, str) else value
    return "jpeg" if word == "jpg" else word


Format = Annotated[Literal["jpeg", "png"], BeforeValidator(_word)]
"""An output format, in capitals or not."""

Acceleration = Annotated[Literal["none", "regular", "high"], BeforeValidator(_word)]
"""A level of acceleration, in capitals or not."""


class Body(BaseModel):
    """The fields of a request. An optional field that is null counts as left out.

    Attributes:
        notices: on what was sent and is not used.
    """

    _notices: tuple[Message, ...] = PrivateAttr(())

    @property
    def notices(self) -> tuple[Message, ...]:
        """On what was sent and is not used."""
        return self._notices

    @classmethod
    def adjusted(cls, fields: dict[str, Any]) -> tuple[dict[str, Any], tuple[Message, ...]]:
        """Return the fields to validate, and notices on those that were left out."""
        return fields, ()

    @validator(mode="wrap")
    @classmethod
    def _leniently(cls, data: Any, check: ValidatorFunctionWrapHandler) -> Any:
        notices: tuple[Message, ...] = ()
        if isinstance(data, dict):
            required = {name for name, each in cls.model_fields.items() if each.is_required()}
            data, notices = cls.adjusted({k: v for k, v in data.items() if v is not None or k in required})
        made = check(data)
        made._notices = notices
        return made

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = handler(core)
        inner = handler.resolve_ref_schema(schema)
        for name, field in inner.get("properties", {}).items():
            if name not in inner.get("required", ()) and "anyOf" not in field:
                kept = {each: field[each] for each in ("title", "description", "default", "examples") if each in field}
                kind = {each: value for each, value in field.items() if each not in kept}
                inner["properties"][name] = {"anyOf": [kind, {"type": "null"}], **kept}
        return schema


class Anything(PathConvertor):
    """The rest of a path, line breaks too: every path of a wire format is answered in its provider's shape."""

    regex = r"[\s\S]*"


register_url_convertor("anything", Anything())


def first_fault(error: RequestValidationError) -> str:
    """Return one sentence on the first part of a request that does not fit."""
    fault = error.errors()[0]
    place = [str(each) for each in fault["loc"] if each not in ("body", "query", "header")]
    words = str(fault["msg"]).removeprefix("Value error, ")
    if fault["type"] == "json_invalid":
        return say("fault-not-json")
    if fault["loc"] == ("body",) and isinstance(fault.get("input"), bytes):
        return say("fault-content-type")
    return f"{'.'.join(place) or 'body'}: {words[:1].upper()}{words[1:]}."
