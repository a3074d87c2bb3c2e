"""The styles that are offered where a backend is not limited to some."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from core.recipe import StyleUse
from core.spec import BackendSpec, Style

PRESETS = Path(__file__).resolve().parents[1] / "assets" / "styles.json"
"""A `core.spec.Style` each."""


@cache
def presets() -> tuple[Style, ...]:
    """Return the app's own styles."""
    return tuple(Style(**each) for each in json.loads(PRESETS.read_text(encoding="utf-8")))


def styles_by_name(specs: Sequence[BackendSpec]) -> dict[str, StyleUse]:
    """Return the styles of backends by id and label, in lower case; of two with one name, the first backend's."""
    found: dict[str, StyleUse] = {}
    for each in (style for spec in specs for style in spec.styles or presets()):
        for name in (each.id, each.label):
            found.setdefault(name.lower(), StyleUse(id=each.id, text=each.text))
    return found
