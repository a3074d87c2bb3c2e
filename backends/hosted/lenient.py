"""Models that read a provider's answers: a part that does not fit counts as left out, never as a failure.

What providers document and what they send differ, and a picture that was paid for must not be lost over a field.
"""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    InstanceOf,
    PlainValidator,
    Strict,
    ValidationError,
    ValidatorFunctionWrapHandler,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticUndefined
from pydantic_core.core_schema import ValidationInfo

Number = Annotated[float, Strict(), Field(gt=-1e15, lt=1e15, allow_inf_nan=False)]
"""A number that a person could mean; JSON holds others too."""

Text = InstanceOf[str]
"""A text as it came, half characters too."""

Words = Annotated[str, PlainValidator(lambda value: str(value or ""))]
"""Whatever stands in place of a sentence, as text."""

Flag = Annotated[bool, BeforeValidator(bool)]
"""Whether something truthy stands there."""


class Lenient(BaseModel):
    """A part of an answer. A field that does not fit takes its default; only a required one makes the whole unfit."""

    model_config = ConfigDict(frozen=True, extra="ignore", protected_namespaces=())

    @classmethod
    def of(cls, body: Any) -> Self:
        """Return what an answer says.

        Raises:
            ValidationError: a required field is not there or does not fit.
        """
        return cls.model_validate(body)

    @model_validator(mode="before")
    @classmethod
    def _object(cls, value: Any) -> Any:
        return value if isinstance(value, dict) else {}

    @field_validator("*", mode="wrap")
    @classmethod
    def _or_default(cls, value: Any, check: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
        try:
            return check(value)
        except ValidationError:
            default = cls.model_fields[str(info.field_name)].default
            if default is PydanticUndefined:
                raise
            return default
