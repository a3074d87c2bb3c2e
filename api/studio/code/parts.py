"""What the languages share: the files that the code reads and writes, what it says of itself, and literals."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass

from core.http_call import HttpCall
from core.image_types import SUFFIX
from core.messages import say
from core.recipe import Recipe
from core.spec import ParamValue

PATIENCE = 600
"""Seconds that the code waits for a task."""


@dataclass(frozen=True)
class Files:
    """The files of the folder in which the code runs.

    Attributes:
        reference: the name of the reference.
        mime: its type.
        result: the name of the picture that is made.
    """

    reference: str
    mime: str
    result: str

    @classmethod
    def of(cls, recipe: Recipe) -> Files:
        """Return the files for a recipe; one that does not say otherwise has PNG files."""
        mime = recipe.reference.mime if recipe.reference is not None else "image/png"
        result = SUFFIX.get(f"image/{recipe.params.get('output_format')}", ".png")
        return cls("reference" + SUFFIX.get(mime, ".png"), mime, "result" + result)


def notes(call: HttpCall, files: Files, mark: str) -> str:
    """Return the comment at the top of the code.

    Args:
        call: names the key's variable.
        files: are named too.
        mark: begins a comment in the language.
    """
    text = say("code-notes", result=files.result, reference=files.reference, key=call.key_env)
    return "\n".join(f"{mark} {line}" for line in textwrap.wrap(text, 100))


def json_object(values: Mapping[str, ParamValue]) -> str:
    """Return an object as JSON, one field a line.

    Signs that cannot be seen are escaped, so that what is read is what is sent: direction marks, lone surrogates, the
    line ends of Unicode. None of the rest ends a line, which is why a shell's here-document can hold it.
    """
    text = json.dumps(values, indent=2, ensure_ascii=False)
    return "".join(each if each == "\n" or each.isprintable() else _escaped(each) for each in text)


def _escaped(sign: str) -> str:
    units = sign.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[place : place + 4]}" for place in range(0, len(units), 4))
