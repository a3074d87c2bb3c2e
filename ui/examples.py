"""The example pictures, each with a prompt and settings, one click away."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.staticfiles import StaticFiles

from core.messages import Message, message

FOLDER = Path(__file__).resolve().parent.parent / "assets" / "examples"


@dataclass(frozen=True)
class Example:
    """One example: a picture of `assets/examples`, what to ask of it, and the settings to ask it with.

    Attributes:
        file: the picture's name.
        title: what it shows.
        prompt: what to make of it.
        style: ids of styles, which mini and the presets both have.
        settings: parameters by name; no seed, so that a second run makes another picture.
    """

    file: str
    title: Message
    prompt: str
    style: tuple[str, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def before(self) -> str:
        """The small picture of its card; `tools.examples.cards` makes it."""
        return self.file.replace(".jpg", "-before.webp")

    @property
    def after(self) -> str:
        """What the mini checkpoint made of it, on its card."""
        return self.file.replace(".jpg", "-after.webp")

    @property
    def path(self) -> Path:
        """Where the picture lies."""
        return FOLDER / self.file


EXAMPLES = (
    Example(
        "mountain-lake.jpg",
        message("example-mountain-lake"),
        "a mountain lake",
        ("watercolour",),
        {"strength": 0.7, "guidance_scale": 3.5},
    ),
    Example(
        "still-life.jpg",
        message("example-still-life"),
        "a still life with fruit",
        ("oil",),
        {"strength": 0.6, "guidance_scale": 4.0},
    ),
    Example(
        "street.jpg",
        message("example-street"),
        "a house on a quiet street",
        ("night",),
        {"strength": 0.7, "guidance_scale": 4.0},
    ),
)

SHEET = "styles.webp"
"""The still life in every style that mini knows, one tile after the other from left to right."""
SHEET_OF = EXAMPLES[1]

NAMES = {SHEET} | {name for each in EXAMPLES for name in (each.file, each.before, each.after)}


def sheet_styles() -> dict[str, str]:
    """Return the styles on the sheet in the order of its tiles, labels by id."""
    known = json.loads((FOLDER.parent / "mini" / "styles.json").read_text(encoding="utf-8"))
    return {each["name"]: each["label"] for each in known}


class ExamplePictures(StaticFiles):
    """Serves the pictures of the examples, and nothing else that lies beside them."""

    def __init__(self) -> None:
        super().__init__(directory=FOLDER)

    def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
        """Return the full path and the status of a picture; other names are not there."""
        return super().lookup_path(path) if path in NAMES else ("", None)
