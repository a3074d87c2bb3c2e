"""What a stranger does to the app: each abuse until the process is ended, from one network address.

python -m bench.abuses NAME URL SLOW_ADDRESS
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import io
import itertools
import json
import os
import re
import resource
import secrets
import sys
import urllib.parse
from collections.abc import Awaitable, Callable
from typing import Any

from PIL import Image

from backends.wavespeed.answers import NAME
from bench.visitors import ENCODINGS, STUDIO
from core.imaging.display import WIDTHS

ADDRESS = "198.51.100.66"
"""The stranger's, by the word of a proxy."""
PNG = b"\x89PNG\r\n\x1a\n"
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "multipart/form-data; boundary=mark"}
PATIENCE = 60.0
STREAMS = 300
"""Streams of events that are held at once."""
EDIT = ["a lake", "wavespeed", *[None] * 8]
"""The inputs of `/edit` after its image."""


class Stranger:
    """A visitor who means harm, over bare sockets.

    Args:
        url: the app's.
        slow: the address of a server that never answers.
    """

    def __init__(self, url: str, slow: str) -> None:
        split = urllib.parse.urlsplit(url)
        self.host, self.port, self.slow = str(split.hostname), int(split.port or 80), slow
        self.cookie = ""
        self.edit = 0
        """The number of the event of `/edit`."""
        self.photo = b""
        self.copies: list[str] = []

    async def arrive(self) -> None:
        """Open the page: get a cookie, and the number of the one event that runs on the server."""
        head, _ = await self.ask("GET", "/")
        found = re.search(rb"set-cookie: ([^;\r]+)", head, re.IGNORECASE)
        self.cookie = found[1].decode() if found else ""
        _, config = await self.ask("GET", "/config")
        (self.edit,) = (each["id"] for each in json.loads(config)["dependencies"] if each["api_name"] == "edit")

    def head(self, method: str, path: str, length: int, **headers: str) -> bytes:
        """Return the first lines of a request."""
        lines = {"Host": f"{self.host}:{self.port}", "X-Forwarded-For": ADDRESS, "Connection": "close", **headers}
        lines |= {"Cookie": self.cookie} if self.cookie else {}
        lines |= {"Content-Length": str(length)} if length else {}
        return "\r\n".join([f"{method} {path} HTTP/1.1", *(f"{k}: {v}" for k, v in lines.items()), "", ""]).encode()

    async def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[bytes, bytes]:
        """Send a request; return the head and the body of the answer, empty where none came."""
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(PATIENCE):
                reader, writer = await asyncio.open_connection(self.host, self.port)
                try:
                    writer.write(self.head(method, path, len(body), **headers) + body)
                    top, _, rest = (await reader.read()).partition(b"\r\n\r\n")
                finally:
                    writer.close()
                if b"transfer-encoding: chunked" in top.lower():
                    rest = b"".join(rest.split(b"\r\n")[1::2])
                return top, rest
        return b"", b""

    async def post(self, path: str, value: object) -> bytes:
        """Send JSON; return the answer's body."""
        return (await self.ask("POST", path, json.dumps(value).encode(), **JSON))[1]

    async def join(self, *data: Any) -> None:
        """Send the event of `/edit` as a tab of its own."""
        body = {"session_hash": secrets.token_hex(6), "fn_index": self.edit, "data": data}
        await self.post("/gradio_api/queue/join", body)

    async def upload(self, *files: bytes) -> bytes:
        """Upload files to the framework in one form; return the answer's body."""
        return await self._form("/gradio_api/upload", "files", *files)

    async def reference(self, picture: bytes) -> bytes:
        """Bring a picture as a reference; return the answer's body."""
        return await self._form(f"{STUDIO}/references", "file", picture)

    async def _form(self, path: str, field: str, *files: bytes) -> bytes:
        part = '--mark\r\nContent-Disposition: form-data; name="{}"; filename="{}.png"\r\n\r\n'
        body = b"".join(part.format(field, secrets.token_hex(4)).encode() + data + b"\r\n" for data in files)
        return (await self.ask("POST", path, body + b"--mark--\r\n", **FORM))[1]


async def _to_all(stranger: Stranger, body: bytes) -> None:
    """Send JSON to the framework, and where the page's API takes the largest bodies."""
    for path in ("/gradio_api/queue/join", f"{STUDIO}/references"):
        await stranger.ask("POST", path, body, **JSON)


async def flat_json(stranger: Stranger) -> None:
    """26 MB of paths in one list."""
    await _to_all(stranger, b'{"data":[' + b",".join([b'{"path":"a"}'] * 2_000_000) + b"]}")


async def nested_json(stranger: Stranger) -> None:
    """1.3 MB of paths, 850 lists deep."""
    paths = b",".join([b'{"path":"a"}'] * 100_000)
    await _to_all(stranger, b'{"data":' + b"[" * 850 + paths + b"]" * 850 + b"}")


def large_jpeg() -> bytes:
    """Return a JPEG of 40 megapixels in about 5 MB."""
    file = io.BytesIO()
    Image.effect_noise((800, 500), 90).convert("RGB").resize((8000, 5000)).save(file, "JPEG", quality=60)
    return file.getvalue()


def small_jpeg() -> bytes:
    """Return a JPEG of a few hundred bytes."""
    file = io.BytesIO()
    Image.new("RGB", (240, 160), "teal").save(file, "JPEG")
    return file.getvalue()


async def take_photo(stranger: Stranger) -> None:
    """Prepare a picture of 40 megapixels."""
    stranger.photo = large_jpeg()


async def add_large(stranger: Stranger) -> None:
    """Bring it as a reference; learn the addresses of its small copies."""
    digest = json.loads(await stranger.reference(large_jpeg()))["digest"]
    stranger.copies = [f"{STUDIO}/references/{digest}/view?width={width}" for width in WIDTHS]


PREPARED = {"references": take_photo, "display_sizes": add_large}
"""What is done before an abuse begins."""


async def references(stranger: Stranger) -> None:
    """One picture of 40 megapixels, posted from 30 tabs at once."""
    await asyncio.gather(*(stranger.reference(stranger.photo) for _ in range(30)))


async def uploads(stranger: Stranger) -> None:
    """19 MB of noise after the first bytes of a picture, again and again."""
    await stranger.upload(PNG + os.urandom(19_000_000))


async def tiny_uploads(stranger: Stranger) -> None:
    """Forms of a thousand files, and files of a few bytes one by one."""
    await stranger.upload(*(os.urandom(5) for _ in range(1000)))
    await asyncio.gather(*(stranger.upload(PNG + os.urandom(5)) for _ in range(50)))


async def display_sizes(stranger: Stranger) -> None:
    """40 requests at once for the small copies of a picture of 40 megapixels."""
    paths = itertools.islice(itertools.cycle(stranger.copies), 40)
    await asyncio.gather(*(stranger.ask("GET", path) for path in paths))


async def _hold(stranger: Stranger, text: bytes) -> None:
    """Open 1,100 connections, send a part of a request on each, and hold them a while."""
    held = []
    for _ in range(1100):
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(1):
                _, writer = await asyncio.open_connection(stranger.host, stranger.port)
                writer.write(text)
                held.append(writer)
    await asyncio.sleep(PATIENCE)
    for writer in held:
        writer.close()


async def half_heads(stranger: Stranger) -> None:
    """1,100 connections that never finish a head."""
    await _hold(stranger, stranger.head("GET", "/", 0)[:-2])


async def half_bodies(stranger: Stranger) -> None:
    """1,100 connections that never finish a body."""
    await _hold(stranger, stranger.head("POST", f"{STUDIO}/jobs", 1000, **JSON) + b'{"params": {')


async def streams(stranger: Stranger) -> None:
    """300 streams of events, held open and all woken ten times a second, by deleting what is not there."""

    async def wake() -> None:
        for _ in range(int(10 * PATIENCE)):
            await stranger.ask("DELETE", f"{STUDIO}/results", b'{"ids": [1]}', **JSON)
            await asyncio.sleep(0.1)

    await asyncio.gather(wake(), *(stranger.ask("GET", f"{STUDIO}/events") for _ in range(STREAMS)))


async def key_checks(stranger: Stranger) -> None:
    """Keys tried out at a provider."""
    path, keys = f"{STUDIO}/providers/{NAME}/check", [secrets.token_hex(16) for _ in range(20)]
    await asyncio.gather(*(stranger.ask("POST", path, b"", **{"X-Provider-Key": each}) for each in keys))


async def slow_addresses(stranger: Stranger) -> None:
    """References from an address that never answers."""
    asked = {"url": f"{stranger.slow}/{secrets.token_hex(4)}.png"}
    await asyncio.gather(*(stranger.post(f"{STUDIO}/references", asked) for _ in range(20)))


async def events(stranger: Stranger) -> None:
    """Events that cost the framework a few milliseconds each, through its queue and directly."""
    direct = {"fn_index": stranger.edit, "data": [None, *EDIT], "session_hash": secrets.token_hex(6)}
    calls = [stranger.post("/gradio_api/run/predict", direct) for _ in range(10)]
    await asyncio.gather(*calls, *(stranger.join(None, *EDIT) for _ in range(10)))


async def inline_images(stranger: Stranger) -> None:
    """Calls of `/edit` with 30 MB of base64 each, ten at once: they wait for one another."""
    image = base64.b64encode(small_jpeg() + bytes(22_000_000)).decode()
    body = json.dumps({"data": [image, *EDIT]}).encode()
    await asyncio.gather(*(stranger.ask("POST", "/gradio_api/call/edit", body, **JSON) for _ in range(10)))


async def pages(stranger: Stranger) -> None:
    """The page, its description and what it asks for first, compressed, again and again."""
    accepted = {"Accept-Encoding": ENCODINGS}
    paths = ("/", "/config", "/gradio_api/info", f"{STUDIO}/specs", f"{STUDIO}/results")
    await asyncio.gather(*(stranger.ask("GET", path, b"", **accepted) for path in paths for _ in "123"))


async def log_floods(stranger: Stranger) -> None:
    """Requests that a log would tell of: broken heads, wrong numbers of inputs, megabytes of words."""
    await stranger.ask("GET", "/ " + "x" * 5000)
    words = "words that are now in the log " * 30_000
    await stranger.post("/gradio_api/call/edit", {"data": [words]})
    await stranger.post("/gradio_api/call/edit", {"data": [words[:30_000]]})
    await stranger.post("/gradio_api/call/v2/edit", {"prompt": words[:30_000]})
    await stranger.post("/gradio_api/run/predict", {"fn_index": 99_999, "data": [words[:30_000]]})
    await stranger.join("too few")
    await stranger.post(f"{STUDIO}/jobs", {"prompt": words})
    await stranger.post(f"{STUDIO}/jobs", {"prompt": words[:30_000]})


ABUSES: dict[str, Callable[[Stranger], Awaitable[None]]] = {
    each.__name__: each
    for each in (
        flat_json,
        nested_json,
        references,
        uploads,
        tiny_uploads,
        display_sizes,
        half_heads,
        half_bodies,
        streams,
        key_checks,
        slow_addresses,
        events,
        inline_images,
        pages,
        log_floods,
    )
}


async def main() -> None:
    """Do one abuse until the process is ended."""
    os.nice(10)  # the stranger has a machine of their own
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    stranger = Stranger(sys.argv[2], sys.argv[3])
    await stranger.arrive()
    if sys.argv[1] in PREPARED:
        await PREPARED[sys.argv[1]](stranger)
    print("arrived", flush=True)
    while True:
        await ABUSES[sys.argv[1]](stranger)
        await asyncio.sleep(0.01)


if __name__ == "__main__":
    asyncio.run(main())
