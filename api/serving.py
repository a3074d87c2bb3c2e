"""The HTTP server's life: the port before all else, the end within seconds of the first signal.

uvicorn runs in a thread, because the framework's `launch` asks the running app for something before it returns.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import signal
import socket
import sys
import threading
import urllib.request
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from contextlib import suppress
from types import FrameType
from typing import Any

import httpx
import uvicorn
from starlette.types import ASGIApp

from core.settings import SettingsError

_log = logging.getLogger("uvicorn.error")

PATIENCE = 8.0
"""Seconds from the first signal to the end of the process. Containers are killed after ten."""
DRAIN = 1
"""Seconds that open streams and half-sent requests get once everything else is closed."""

QUIET = 10
"""Looks, ten a second, without a new request after which the server counts as quiet."""

WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not bound


def exempt_from_proxies(environ: MutableMapping[str, str], host: str) -> None:
    """Let requests to this machine itself pass by a proxy of the environment: the framework asks its own server.

    Args:
        environ: the process's environment, changed in place.
        host: what the app is bound to.

    Raises:
        SettingsError: a proxy's variable holds what no HTTP client can use.
    """
    if not urllib.request.getproxies_environment():
        return
    known = environ.get("no_proxy") or environ.get("NO_PROXY", "")
    names = [each.strip() for each in known.split(",") if each.strip()]
    names += [each for each in ("localhost", "127.0.0.1", "::1", host) if each not in (*names, *WILDCARDS)]
    environ["NO_PROXY"] = environ["no_proxy"] = ",".join(names)
    try:
        httpx.Client().close()
    except (ValueError, httpx.InvalidURL, ImportError) as error:
        raise SettingsError("setting-proxy", reason=str(error)) from error


def listen(host: str, port: int) -> list[socket.socket]:
    """Return sockets that listen on every address of a host name. What comes before the app answers waits.

    Raises:
        SettingsError: naming the variable: the port is taken or needs rights, the address is not this machine's.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (socket.gaierror, UnicodeError) as error:
        raise SettingsError("setting-host-unknown", host=repr(host)) from error
    sockets: list[socket.socket] = []
    try:
        for family, _, _, _, address in dict.fromkeys(found):
            sockets.append(_bound(family, address))
    except OSError as error:
        for each in sockets:
            each.close()
        raise _refusal(host, port, error) from error
    return sockets


def _bound(family: int, address: Any) -> socket.socket:
    # The protocol is named, for only then does asyncio send small answers at once: else each waits 40 ms for the next.
    found = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # else the port is taken for a minute after an end
        if family == socket.AF_INET6:
            found.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(address[0] != "::"))
        found.bind(address)
        found.listen(2048)
        found.setblocking(False)
    except OSError:
        found.close()
        raise
    return found


def _refusal(host: str, port: int, error: OSError) -> SettingsError:
    match error.errno:
        case errno.EADDRINUSE:
            return SettingsError("port-taken", port=str(port), host=host)
        case errno.EACCES | errno.EPERM:
            return SettingsError("port-forbidden", port=str(port))
    return SettingsError("host-not-here", host=host, reason=str(error.strerror))


def local_url(listening: socket.socket) -> str:
    """Return the address at which this machine itself reaches a listening socket, with a slash at its end."""
    host, port = listening.getsockname()[:2]
    host = WILDCARDS.get(host, host)
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


class Server(uvicorn.Server):
    """uvicorn in a thread, on sockets that listen already.

    Args:
        app: what is served.
        sockets: from `listen`.
        close: called when the server is to end, while it still answers: runs are stopped and noted.
        when_quiet: called once, when no request came for a second: what can wait until the first page is there.
        options: further arguments of `uvicorn.Config`.
    """

    def __init__(
        self,
        app: ASGIApp,
        sockets: list[socket.socket],
        close: Callable[[], Awaitable[None]],
        when_quiet: Callable[[], Coroutine[Any, Any, None]] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(uvicorn.Config(app, lifespan="on", timeout_graceful_shutdown=DRAIN, **options))
        self._sockets = sockets
        self._close = close
        self._when_quiet = when_quiet
        self._quiet: asyncio.Task[None] | None = None
        self._requests = self._ticks = 0
        self._thread = threading.Thread(target=self._serve_in_thread, name="server", daemon=True)

    def _serve_in_thread(self) -> None:
        with suppress(SystemExit):  # how uvicorn leaves an app that cannot begin
            self.run(self._sockets)

    def start(self) -> None:
        """Return when requests are answered.

        Raises:
            RuntimeError: the app could not begin; the log says why.
        """
        self._thread.start()
        while not self.started:
            self._thread.join(0.005)
            if not self._thread.is_alive():
                raise RuntimeError("The server could not start; the log above says why.")

    async def on_tick(self, counter: int) -> bool:
        """Look, ten times a second, whether requests still come."""
        if self._when_quiet is not None:
            self._ticks = self._ticks + 1 if self._requests == self.server_state.total_requests else 0
            self._requests = self.server_state.total_requests
            if self._ticks >= QUIET:
                self._quiet = asyncio.get_running_loop().create_task(self._when_quiet())
                self._when_quiet = None
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop the runs while streams can still show it, then close connections."""
        await self._close()
        level = _log.level
        _log.setLevel(logging.CRITICAL)  # each stream that is cut would be logged as an error, with a traceback
        try:
            await super().shutdown(sockets)
        finally:
            _log.setLevel(level)

    def close(self) -> None:
        """End, and return when everything is closed. The framework calls it by this name."""
        self.should_exit = True
        self._thread.join()


def ending_signals() -> threading.Event:
    """Return what SIGTERM or SIGINT will set. A second one ends the process at once.

    So does the end of `PATIENCE` seconds after the first: a step of a model cannot be stopped, and nothing is lost.
    """
    stop = threading.Event()

    def on_signal(number: int, _: FrameType | None) -> None:
        if stop.is_set():
            leave(128 + number)
        stop.set()
        threading.Thread(target=_last_resort, name="last resort", daemon=True).start()

    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, on_signal)
    return stop


def _last_resort() -> None:
    threading.Event().wait(PATIENCE - 0.3)
    leave(0)


def leave(code: int) -> None:
    """End the process now, without waiting for threads: Python itself would wait for a model's step."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
