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

ADDRESS = "198.51.100.66"
"""The stranger's, by the word of a proxy."""
PNG = b"\x89PNG\r\n\x1a\n"
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "multipart/form-data; boundary=mark"}
PATIENCE = 60.0


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
        self.numbers: dict[str, int] = {}
        self.picture: dict[str, Any] = {}
        self.copies: list[str] = []

    async def arrive(self) -> None:
        """Open the page: get a cookie, and the numbers of its events."""
        head, _ = await self.ask("GET", "/")
        found = re.search(rb"set-cookie: ([^;\r]+)", head, re.IGNORECASE)
        self.cookie = found[1].decode() if found else ""
        _, config = await self.ask("GET", "/config")
        self.numbers = {each["api_name"]: each["id"] for each in json.loads(config)["dependencies"]}

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

    async def join(self, event: str, *data: Any, session: str = "") -> str:
        """Send an event as a tab of its own, or of a session; return the session."""
        session = session or secrets.token_hex(6)
        body = {"session_hash": session, "fn_index": self.numbers[event], "data": data}
        await self.post("/gradio_api/queue/join", body)
        return session

    async def upload(self, *files: bytes) -> bytes:
        """Upload files in one form; return the answer's body."""
        part = '--mark\r\nContent-Disposition: form-data; name="files"; filename="{}.png"\r\n\r\n'
        body = b"".join(part.format(secrets.token_hex(4)).encode() + data + b"\r\n" for data in files)
        return (await self.ask("POST", "/gradio_api/upload", body + b"--mark--\r\n", **FORM))[1]


async def flat_json(stranger: Stranger) -> None:
    """26 MB of paths in one list."""
    body = b'{"data":[' + b",".join([b'{"path":"a"}'] * 2_000_000) + b"]}"
    await stranger.ask("POST", "/gradio_api/queue/join", body, **JSON)


async def nested_json(stranger: Stranger) -> None:
    """1.3 MB of paths, 850 lists deep."""
    body = b'{"data":' + b"[" * 850 + b",".join([b'{"path":"a"}'] * 100_000) + b"]" * 850 + b"}"
    await stranger.ask("POST", "/gradio_api/queue/join", body, **JSON)


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


async def upload_large(stranger: Stranger) -> None:
    """Upload a picture of 40 megapixels."""
    answer = json.loads(await stranger.upload(large_jpeg()))
    stranger.picture = {"path": answer[0], "meta": {"_type": "gradio.FileData"}}


async def show_large(stranger: Stranger) -> None:
    """Put it on stage; learn the addresses of it and its copies."""
    await upload_large(stranger)
    session = await stranger.join("show_reference", None, stranger.picture)
    _, told = await stranger.ask("GET", f"/gradio_api/queue/data?session_hash={session}")
    stranger.copies = sorted(set(re.findall(r'"((?:images|thumbs|display)/[^"]+)"', told.decode())))
    assert stranger.copies, told


PREPARED = {"references": upload_large, "display_sizes": show_large}
"""What is done before an abuse begins."""


async def references(stranger: Stranger) -> None:
    """One upload of 40 megapixels, shown in 30 tabs at once."""
    await asyncio.gather(*(stranger.join("show_reference", None, stranger.picture) for _ in range(30)))


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
    await asyncio.gather(*(stranger.ask("GET", f"/{path}") for path in paths))


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
    await _hold(stranger, stranger.head("POST", "/gradio_api/queue/join", 1000, **JSON) + b'{"data": [')


async def key_checks(stranger: Stranger) -> None:
    """Keys tried out at a provider."""
    await asyncio.gather(*(stranger.join("check", None, "wavespeed", secrets.token_hex(16)) for _ in range(20)))


async def slow_addresses(stranger: Stranger) -> None:
    """References from an address that never answers."""
    address = f"{stranger.slow}/{secrets.token_hex(4)}.png"
    await asyncio.gather(*(stranger.join("fetch", None, address) for _ in range(20)))


async def events(stranger: Stranger) -> None:
    """Events that cost the framework a few milliseconds each, through its queue and directly."""
    direct = {"fn_index": stranger.numbers["roll"], "data": ["wavespeed"], "session_hash": secrets.token_hex(6)}
    calls = [stranger.post("/gradio_api/run/predict", direct) for _ in range(10)]
    await asyncio.gather(*calls, *(stranger.join("rejoin", None, "wavespeed") for _ in range(10)))


async def inline_images(stranger: Stranger) -> None:
    """Calls of `/edit` with 30 MB of base64 each, ten at once: they wait for one another."""
    image = base64.b64encode(small_jpeg() + bytes(22_000_000)).decode()
    body = json.dumps({"data": [image, "a lake", "wavespeed", *[None] * 8]}).encode()
    await asyncio.gather(*(stranger.ask("POST", "/gradio_api/call/edit", body, **JSON) for _ in range(10)))


async def pages(stranger: Stranger) -> None:
    """The page and its description, again and again."""
    await asyncio.gather(*(stranger.ask("GET", path) for path in ("/", "/config", "/gradio_api/info") for _ in "123"))


async def log_floods(stranger: Stranger) -> None:
    """Requests that a log would tell of: broken heads, wrong numbers of inputs, megabytes of words."""
    await stranger.ask("GET", "/ " + "x" * 5000)
    words = "words that are now in the log " * 30_000
    await stranger.post("/gradio_api/call/edit", {"data": [words]})
    await stranger.post("/gradio_api/call/edit", {"data": [words[:30_000]]})
    await stranger.post("/gradio_api/call/v2/edit", {"prompt": words[:30_000]})
    await stranger.post("/gradio_api/run/predict", {"fn_index": 99_999, "data": [words[:30_000]]})
    await stranger.join("check", "too few")


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
