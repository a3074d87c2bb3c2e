"""Runs on mini whose pictures are checked: what their tests share."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from backends.local import LocalBackend
from core.events import Completed, Picture
from core.imaging.images import read_reference
from core.request import EditRequest
from core.settings import Settings
from tests.backends.local.classifier import by_brightness
from tests.support.fakes import picture_bytes

PUBLIC = "https://studio.example"
ASKED: dict[str, Any] = {
    "strength": 1.0,
    "guidance_scale": 3.5,
    "num_inference_steps": 4,
    "seed": 5,
    "num_images": 3,
    "acceleration": "none",
}
"""A batch whose three pictures are not equally bright."""
DATA = picture_bytes("PNG", "RGB", (48, 48))


def ask(backend: LocalBackend, **raw: Any) -> EditRequest:
    return EditRequest.build(backend.spec, "a quiet lake", read_reference(DATA), {**ASKED, **raw})


def withholding_the_brightest(plain: Completed, folder: Path) -> tuple[LocalBackend, list[bool]]:
    """Return a backend whose checker withholds the brightest of the batch alone, and which that is.

    Args:
        plain: the batch as it was made without a check.
        folder: an empty one.
    """
    made = [Image.open(io.BytesIO(each.data)) for each in plain.images if isinstance(each, Picture)]
    shades = [float(np.asarray(each, np.float64).mean()) / 255 for each in made]
    _, second, first = sorted(shades)
    assert first - second > 0.002, "these seeds make pictures of one brightness: take others"
    checker = by_brightness(folder / "checker", (first + second) / 2)
    backend = LocalBackend(Settings(data_dir=folder, safety_model=str(checker)), cuda=0)
    return backend, [shade == first for shade in shades]
