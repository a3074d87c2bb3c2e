"""The backends. Adding one takes five steps: see "Add a backend" in the README."""

from __future__ import annotations

from backends.aimlapi.backend import AimlapiBackend, Publish
from backends.aimlapi.provider import AimlapiProvider
from backends.local import LocalBackend
from backends.local.zero_gpu import AsVisitor, as_owner
from backends.wavespeed import WavespeedBackend
from backends.wavespeed.provider import WavespeedProvider
from core.backend import Backend
from core.settings import Settings


def all_backends(
    settings: Settings, publish: Publish | None = None, as_visitor: AsVisitor = as_owner
) -> dict[str, Backend]:
    """Return every backend by its key, in the order of the screen. One line a backend.

    Args:
        settings: the owner's choices.
        publish: gives a picture a public address of our own for a while, None where the app has none.
        as_visitor: on ZeroGPU, asks for GPU time as a visitor.
    """
    backends: list[Backend] = [
        LocalBackend(settings, as_visitor=as_visitor),
        AimlapiBackend(AimlapiProvider(settings), publish),
        WavespeedBackend(WavespeedProvider(settings)),
    ]
    return {backend.spec.key: backend for backend in backends}
