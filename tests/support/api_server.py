"""The API on a real port of this machine, on a thread and loop of its own: for clients that know no loop."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from anyio.from_thread import start_blocking_portal
from pydantic import SecretStr

from core.backend import Backend
from tests.support.api_app import api_app
from tests.support.loopback import serving

KEY = "srpo_the_key_of_this_server"


@contextmanager
def api_server(folder: Path, backends: Mapping[str, Backend] | None = None, **settings: Any) -> Iterator[str]:
    """Yield the address of an API that `KEY` opens, and nobody else's key. Arguments as for `api_app`.

    The key is a fixed one: an issued one would be asked for from the test's thread, and its file is the API's.
    """
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(api_app(folder, backends, api_key=SecretStr(KEY), **settings)) as at,
        portal.wrap_async_context_manager(serving(at.app)) as url,
    ):
        yield url
