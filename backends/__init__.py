"""The backends. Adding one takes five steps: see "Add a backend" in the README."""

from __future__ import annotations

from backends.aimlapi.backend import AimlapiBackend, Publish
from backends.local import LocalBackend
from backends.wavespeed import WavespeedBackend
from core.backend import Backend
from core.settings import Settings


def all_backends(settings: Settings, publish: Publish | None = None) -> dict[str, Backend]:
    """Return every backend by its key, in the order of the screen. One line a backend.

    Args:
        settings: the owner's choices.
        publish: gives a picture a public address of our own for a while, None where the app has none.
    """
    backends: list[Backend] = [
        LocalBackend(settings),
        AimlapiBackend(settings, publish),
        WavespeedBackend(settings),
    ]
    return {backend.spec.key: backend for backend in backends}
