"""What stands between a browser and the app: a reverse proxy under a path, and a line that can be cut.

    python -m tests.support.proxy TARGET PORT [keep]

serves an app under `/studio` in a process of its own, as nginx's `location /studio/` does. It takes the prefix away, or
with `keep` passes it on. Everything is streamed, both ways.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

PREFIX = "/studio"


class Line:
    """A TCP line to an app. Cut, it ends what is open and takes nothing new, as when the Wi-Fi is gone.

    A browser's own switch for being offline leaves streams alive that are open already.

    Attributes:
        url: the app's, through the line.
    """

    def __init__(self, target: str, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._target = urlsplit(target)
        self._port = port
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self.mend()

    def cut(self) -> None:
        """Take the line away."""
        self._do(self._cut())

    def mend(self) -> None:
        """Give the line back."""
        self._do(self._listen())

    def close(self) -> None:
        """End it."""
        self.cut()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._connect, "127.0.0.1", self._port)

    async def _cut(self) -> None:
        if self._server is not None:
            self._server.close()
        self._server = None
        for writer in self._open:
            writer.transport.abort()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._open.add(writer)
        try:
            answers, asks = await asyncio.open_connection(self._target.hostname, self._target.port)
            self._open.add(asks)
            if self._server is None:  # it was cut meanwhile
                asks.transport.abort()
            await asyncio.gather(_pass(reader, asks), _pass(answers, writer))
            self._open.discard(asks)
        except OSError:
            writer.transport.abort()
        finally:
            self._open.discard(writer)
            self._tasks.discard(task)


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


@contextmanager
def line_to(target: str, port: int) -> Iterator[Line]:
    """Yield a line to an app.

    Args:
        target: the app's origin.
        port: at which the line begins.
    """
    line = Line(target, port)
    try:
        yield line
    finally:
        line.close()


def proxy(target: str, *, keep: bool) -> Starlette:
    """Return the proxy of an app at `target`, an origin without a slash at its end."""
    # The app closes an idle line after a few seconds, and a request must not meet it just then.
    each_its_own = httpx.Limits(max_keepalive_connections=0)
    client = httpx.AsyncClient(timeout=None, trust_env=False, limits=each_its_own)

    async def forward(request: Request) -> Response:
        path = request.url.path
        if path == PREFIX and not keep:
            return RedirectResponse(f"{path}/")
        if path != PREFIX and not path.startswith(PREFIX + "/"):
            return PlainTextResponse("outside of the sub-path", 404)
        if not keep:
            path = path.removeprefix(PREFIX) or "/"
        query = f"?{request.url.query}" if request.url.query else ""
        assert request.client is not None
        told = {"x-forwarded-for": request.client.host, "x-forwarded-host": request.headers["host"]}
        headers = [*request.headers.items(), *told.items(), ("x-forwarded-proto", "http")]
        asked = client.build_request(request.method, target + path + query, headers=headers, content=request.stream())
        answer = await client.send(asked, stream=True)
        passed = {name: value for name, value in answer.headers.items() if name not in ("connection", "set-cookie")}
        response = StreamingResponse(
            answer.aiter_raw(), answer.status_code, passed, background=BackgroundTask(answer.aclose)
        )
        for cookie in answer.headers.get_list("set-cookie"):
            response.headers.append("set-cookie", cookie)
        return response

    return Starlette(routes=[Route("/{rest:path}", forward, methods=["GET", "HEAD", "POST", "PUT", "DELETE"])])


if __name__ == "__main__":
    app = proxy(sys.argv[1], keep="keep" in sys.argv[3:])
    # An open stream would hold its end.
    uvicorn.run(app, port=int(sys.argv[2]), log_level="warning", timeout_graceful_shutdown=1)
