"""The example pictures, each with a prompt and settings, one click away."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.staticfiles import StaticFiles

from core.messages import Message, message

FOLDER = Path(__file__).resolve().parent.parent / "assets" / "examples"


@dataclass(frozen=True)
class Example:
    """One example: a picture of `assets/examples`, what to ask of it, and the settings to ask it with."""

    file: str
    title: Message
    prompt: str
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        """Where the picture lies."""
        return FOLDER / self.file


EXAMPLES = (
    Example(
        "mountain-lake.jpg",
        message("example-mountain-lake"),
        "a loose watercolour painting of a mountain lake, soft washes, visible paper grain",
        {"strength": 0.7, "guidance_scale": 3.5, "seed": 1207},
    ),
    Example(
        "still-life.jpg",
        message("example-still-life"),
        "an oil painting in the manner of the Dutch masters, dark background, warm light",
        {"strength": 0.6, "guidance_scale": 4.0, "seed": 42},
    ),
    Example(
        "street.jpg",
        message("example-street"),
        "the same street at night in the rain, glowing windows, neon reflections",
        {"strength": 0.8, "guidance_scale": 4.5, "seed": 77},
    ),
)


class ExamplePictures(StaticFiles):
    """Serves the pictures of the examples, and nothing else that lies beside them."""

    def __init__(self) -> None:
        super().__init__(directory=FOLDER)

    def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
        """Return the full path and the status of a picture; other names are not there."""
        return super().lookup_path(path) if any(path == each.file for each in EXAMPLES) else ("", None)
