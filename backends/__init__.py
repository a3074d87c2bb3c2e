"""The backends. Adding one takes five steps: see "Add a backend" in the README."""

from __future__ import annotations

from backends.local import LocalBackend
from core.backend import Backend
from core.settings import Settings


def all_backends(settings: Settings) -> dict[str, Backend]:
    """Return every backend by its key, in the order of the screen. One line a backend."""
    backends: list[Backend] = [
        LocalBackend(settings),
    ]
    return {backend.spec.key: backend for backend in backends}
