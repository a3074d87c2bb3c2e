"""A house on a real port of this machine, on a thread and loop of its own: for clients that know no loop."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from anyio.from_thread import start_blocking_portal
from pydantic import SecretStr

from core.backend import Backend
from tests.providers.serving import serving
from tests.server.house import house

KEY = "srpo_the_key_of_this_street"


@contextmanager
def house_beside(folder: Path, backends: Mapping[str, Backend] | None = None, **settings: Any) -> Iterator[str]:
    """Yield the address of a house that `KEY` opens, and nobody else's key. Arguments as for `house`.

    The key is a fixed one: an issued one would be asked for from the test's thread, and its file is the house's.
    """
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(house(folder, backends, api_key=SecretStr(KEY), **settings)) as at,
        portal.wrap_async_context_manager(serving(at.app)) as url,
    ):
        yield url
