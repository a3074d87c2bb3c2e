"""Visitors of the app, as light as can be: they share two cores with what they measure."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import time
import urllib.parse
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from core.job_state import JobState
from core.messages import message_of

STUDIO = "/studio/v1"
"""Where the page's own API is."""
ENCODINGS = "gzip, deflate, br, zstd"
"""What a browser accepts: compressing is part of the server's work."""
LINE = 1 << 20
"""Bytes of the longest event of a stream."""
MARK = "photo-boundary"


@dataclass(frozen=True)
class Told:
    """How a visitor fared: `done`, or the words of a refusal; when it was taken or refused, and when it ended."""

    words: str
    answered: float
    seconds: float


class Caller:
    """Somebody who asks an app over bare sockets, by a connection each time.

    Args:
        url: the app's.
        address: theirs, by the word of a proxy; empty where there is none in front of the app.
    """

    def __init__(self, url: str, address: str = "") -> None:
        split = urllib.parse.urlsplit(url)
        self._host, self._port = str(split.hostname), int(split.port or 80)
        self._own = {"X-Forwarded-For": address} if address else {}

    async def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[bytes, bytes]:
        """Send a request; return the head and the body of the answer.

        Args:
            method, path: of the request.
            body: likewise, with its length in the head where there is one.
            headers: more of them, with `_` for `-`.

        Raises:
            ConnectionError: there was no answer.
        """
        reader, writer = await self._open(method, path, body, **headers)
        try:
            top, _, rest = (await reader.read()).partition(b"\r\n\r\n")
        finally:
            writer.close()
        if not top:
            raise ConnectionError(f"no answer to {method} {path}")
        return top, rest

    async def send_json(self, path: str, value: object, **headers: str) -> bytes:
        """Post JSON; return the answer's body."""
        return (await self.ask("POST", path, json.dumps(value).encode(), Content_Type="application/json", **headers))[1]

    async def send_file(self, path: str, field: str, picture: bytes) -> bytes:
        """Post a form with a JPEG; return the answer's body."""
        head = f'--{MARK}\r\nContent-Disposition: form-data; name="{field}"; filename="photo.jpg"\r\n'
        body = f"{head}Content-Type: image/jpeg\r\n\r\n".encode() + picture + f"\r\n--{MARK}--\r\n".encode()
        return (await self.ask("POST", path, body, Content_Type=f"multipart/form-data; boundary={MARK}"))[1]

    async def _open(
        self, method: str, path: str, body: bytes = b"", **headers: str
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection(self._host, self._port, limit=LINE)
        given = {"Host": f"{self._host}:{self._port}", "Connection": "close", **self._own, **headers}
        given |= {"Content-Length": str(len(body))} if body else {}
        lines = [f"{method} {path} HTTP/1.1", *(f"{k.replace('_', '-')}: {v}" for k, v in given.items()), "", ""]
        writer.write("\r\n".join(lines).encode() + body)
        return reader, writer


class Script(Caller):
    """A caller of `/edit`, who keeps no cookie."""

    async def upload(self, picture: bytes) -> str:
        """Upload a JPEG; return its path in the app."""
        path: str = json.loads(await self.send_file("/gradio_api/upload", "files", picture))[0]
        return path

    async def run(self, path: str, seed: int) -> Told:
        """Run once: post, then read the events until the end."""
        begun = time.perf_counter()
        image = {"path": path, "meta": {"_type": "gradio.FileData"}}
        asked = {"image": image, "prompt": "a lake", "seed": seed}
        answer = await self.send_json("/gradio_api/call/v2/edit", asked)
        answered = time.perf_counter() - begun
        if b"event_id" not in answer:
            return Told(answer.decode(), answered, answered)
        reader, writer = await self._open("GET", f"/gradio_api/call/edit/{json.loads(answer)['event_id']}")
        last = b""
        try:
            while line := await reader.readline():
                if line.startswith(b"event: "):
                    last = line.strip()
                elif line.startswith(b"data: ") and last in (b"event: complete", b"event: error"):
                    ended = time.perf_counter() - begun
                    return Told("done" if last == b"event: complete" else line.decode(), answered, ended)
        finally:
            writer.close()
        return Told("no end", answered, time.perf_counter() - begun)


class Stream:
    """The stream of what changes, as one tab holds it.

    Args:
        reader: has it from its first byte.
    """

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader

    async def hello(self) -> None:
        """Return when it has told how everything stands.

        Raises:
            ConnectionError: it was refused, or cut before.
        """
        if not (await self._reader.readline()).startswith(b"HTTP/1.1 200 "):
            raise ConnectionError("there is no stream")
        await self._data()

    async def end_of(self, job: str) -> JobState:
        """Return the state in which a job ends.

        Raises:
            ConnectionError: the stream was cut before.
        """
        while True:
            data = await self._data()
            if b'"state":' not in data:  # most are of a place in the queue alone
                continue
            for each in json.loads(data).get("jobs", []):
                if each["id"] == job and "state" in each and JobState(each["state"]).terminal:
                    return JobState(each["state"])

    async def _data(self) -> bytes:
        """Return the next event's JSON. The framing in chunks is passed over: an event is never cut in two."""
        while line := await self._reader.readline():
            if line.startswith(b"data: "):
                return line[6:]
        raise ConnectionError("the stream was cut")


class Person(Caller):
    """A visitor of the page: a browser of their own, with one tab."""

    async def arrive(self) -> None:
        """Open the page, and keep its cookie."""
        top, _ = await self.ask("GET", "/", Accept_Encoding=ENCODINGS)
        found = re.search(rb"set-cookie: ([^;\r]+)", top, re.IGNORECASE)
        self._own |= {"Cookie": found[1].decode()} if found else {}

    async def add(self, picture: bytes) -> str:
        """Bring a JPEG as a reference; return its digest."""
        digest: str = json.loads(await self.send_file(f"{STUDIO}/references", "file", picture))["digest"]
        return digest

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Stream]:
        """Hold a stream of what changes; it has told how everything stands."""
        reader, writer = await self._open("GET", f"{STUDIO}/events")
        try:
            stream = Stream(reader)
            await stream.hello()
            yield stream
        finally:
            writer.close()

    async def run(self, stream: Stream, reference: str, seed: int) -> Told:
        """Run once at WaveSpeedAI: a click, then what the stream tells until the end."""
        begun = answered = time.perf_counter()
        asked = {"backend": "wavespeed", "prompt": "a lake", "reference": reference, "params": {"seed": seed}}
        try:
            answer = json.loads(await self.send_json(f"{STUDIO}/jobs", asked, Idempotency_Key=secrets.token_hex(16)))
            answered = time.perf_counter()
            words = await stream.end_of(answer["id"]) if "id" in answer else str(message_of(answer["error"]))
        except OSError as error:
            words = str(error)
        return Told(words, answered - begun, time.perf_counter() - begun)
