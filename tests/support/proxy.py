"""A reverse proxy in a process of its own that serves an app under `/studio`, as nginx's `location /studio/` does.

    python -m tests.support.proxy TARGET PORT [keep]

It takes the prefix away, or with `keep` passes it on. Everything is streamed, both ways.
"""

from __future__ import annotations

import sys

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

PREFIX = "/studio"


def proxy(target: str, *, keep: bool) -> Starlette:
    """Return the proxy of an app at `target`, an origin without a slash at its end."""
    client = httpx.AsyncClient(timeout=None, trust_env=False)

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
    uvicorn.run(proxy(sys.argv[1], keep="keep" in sys.argv[3:]), port=int(sys.argv[2]), log_level="warning")
