"""The services on a folder, as the app puts them together, with a backend that needs no model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from app import assemble
from core.backend import Backend
from core.limits import Caps
from engine.quotas import Quotas
from engine.services import Services
from storage.async_store import AsyncStore
from storage.sqlite.store import Store
from tests.support.fakes import FakeBackend


def services_at(
    folder: Path,
    backends: Mapping[str, Backend] | None = None,
    caps: Caps | None = None,
    queue_size: int = 50,
    *,
    rerun: bool = True,
) -> Services:
    """Return the services on a data folder.

    Args:
        folder: of the data.
        backends: by key; None is one that is called `fake` and answers at once.
        caps: what a visitor may ask for.
        queue_size: jobs that may wait at each backend.
        rerun: see `engine.engine.Engine`.
    """
    backends = {"fake": FakeBackend()} if backends is None else backends
    return assemble(backends, AsyncStore(Store(folder)), Quotas(caps), queue_size, rerun=rerun)
