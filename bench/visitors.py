"""Visitors of the app's API, as light as can be: they share two cores with what they measure."""

from __future__ import annotations

import asyncio
import json
import time
import urllib.parse
import urllib.request
from dataclasses import dataclass

BOUNDARY = "photo-boundary"


@dataclass(frozen=True)
class Told:
    """How a visitor fared: `done`, or the words of a refusal; when it was taken or refused, and when it ended."""

    words: str
    answered: float
    seconds: float


class Visitors:
    """Callers of `/edit` over bare sockets.

    Args:
        url: the app's.
        address: theirs, by the word of a proxy; empty where there is none in front of the app.
    """

    def __init__(self, url: str, address: str = "") -> None:
        split = urllib.parse.urlsplit(url)
        self._proxy = {"X-Forwarded-For": address} if address else {}
        self._host, self._port, self._url = str(split.hostname), int(split.port or 80), url

    async def upload(self, picture: bytes) -> str:
        """Upload a JPEG; return its path in the app."""
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="files"; filename="photo.jpg"\r\n'
        body = f"{head}Content-Type: image/jpeg\r\n\r\n".encode() + picture + f"\r\n--{BOUNDARY}--\r\n".encode()
        kind = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}", **self._proxy}
        request = urllib.request.Request(f"{self._url}/gradio_api/upload", body, kind)
        path: str = json.loads(await asyncio.to_thread(lambda: urllib.request.urlopen(request).read()))[0]
        return path

    async def visit(self, path: str, seed: int, backend: str | None = None) -> Told:
        """Run once: post, then read the events until the end."""
        begun = time.perf_counter()
        image = {"path": path, "meta": {"_type": "gradio.FileData"}}
        body = json.dumps({"image": image, "prompt": "a lake", "seed": seed, "backend": backend}).encode()
        head = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        answer = (await self._send("POST", "/gradio_api/call/v2/edit", head, body))[1]
        answered = time.perf_counter() - begun
        if b"event_id" not in answer:
            return Told(answer.decode(), answered, answered)
        event = json.loads(answer)["event_id"]
        reader, writer = await self._open("GET", f"/gradio_api/call/edit/{event}", "")
        last = b""
        try:
            while line := await reader.readline():
                if line.startswith(b"event: "):
                    last = line.strip()
                elif line.startswith(b"data: ") and last in (b"event: complete", b"event: error"):
                    ended = time.perf_counter() - begun
                    if last == b"event: complete":
                        return Told("done", answered, ended)
                    return Told(line.decode(), ended, ended)
        finally:
            writer.close()
        return Told("no end", answered, time.perf_counter() - begun)

    async def _send(self, method: str, path: str, head: str, body: bytes) -> tuple[bytes, bytes]:
        reader, writer = await self._open(method, path, head, body)
        try:
            top, _, rest = (await reader.read()).partition(b"\r\n\r\n")
        finally:
            writer.close()
        return top, rest

    async def _open(
        self, method: str, path: str, head: str, body: bytes = b""
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection(self._host, self._port)
        head += "".join(f"{name}: {value}\r\n" for name, value in self._proxy.items())
        first = f"{method} {path} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\nConnection: close\r\n{head}\r\n"
        writer.write(first.encode() + body)
        return reader, writer
