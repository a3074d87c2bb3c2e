"""A provider that breaks in a named way at a chosen place: HTTP/1.1 written by hand on a raw socket.

Where nothing is to break it answers as WaveSpeedAI or AI/ML API do. It echoes the key in whatever it says, for the
client to keep out of its own words.
"""

from __future__ import annotations

import asyncio
import base64
import functools
import gzip
import io
import json
import random
import socket
import struct
import time
import zlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from typing import Any

from PIL import Image

from tests.support.providers import aimlapi, wavespeed

KEYS = {"wavespeed": wavespeed.KEY, "aimlapi": aimlapi.KEY}
PAID = {"wavespeed": f"/api/v3/{wavespeed.MODEL}", "aimlapi": "/v1/images/generations"}
"""Where the POST goes that costs."""
RETRY_AFTER = 400
"""Seconds from now that an HTTP date in Retry-After names; a task is given up after 600."""
BOMB = 256
"""MiB that a bomb of some 500 kB grows to."""
PACKED_BOMB = 256
"""MiB that a bomb of some 2 kB grows to, which is a gzip file in a gzip file."""
ENDLESS = 256
"""MiB after which a body without an end only hangs: more than the client takes, less than a machine has."""
FAMILY = (None, 1200, 1400, 1401, 1402, 1403, 1405, 77)
"""Codes of a failed task that mean that the run failed, and not the account or the provider."""

NO_TASK = (
    *("[]", '"text"', "null", "5", "true", "{}", '{"id": null}', '{"data": []}', '{"data": null}', '{"data": 5}'),
    *('{"data": {}}', '{"data": {"id": 7}}', '{"data": {"id": ""}}', '{"data": {"id": ["p"]}}', "[" * 100_000),
    *('{"data": {"status": "completed", "outputs": "x"}}', '{"code": 200, "message": "success"}', "9" * 5000),
)
NO_IMAGES = (
    *("[]", '"text"', "null", "5", "true", "{}", '{"data": 5}', '{"data": {"url": 1}}', '{"data": [5, null, []]}'),
    *('{"images": [{"url": 7}]}', '{"output": {"choices": "x"}}', '{"output": []}', '{"data": [{"url": ""}]}'),
    *('{"data": [{"b64_json": {}}]}', '{"data": "x", "images": "y", "meta": []}', "[" * 100_000, "9" * 5000),
)
NO_TICKET = (
    *("[]", "null", "{}", '{"data": null}', '{"data": {"download_url": "http://127.0.0.1/x"}}'),
    *('{"data": {"download_url": 5, "upload": []}}', '{"data": {"download_url": "x", "upload": {"url": null}}}'),
    '{"data": {"download_url": "x", "upload": {"url": "http://127.0.0.1:1/x", "headers": [1]}}}',
    '{"data": {"download_url": "x", "upload": {"url": "ORIGIN/put/x", "headers": {"x-upload": 5}}}}',
    '{"data": {"download_url": "x", "upload": {"url": "ORIGIN/put/x", "headers": {"x-upload": "a\\r\\nb: c"}}}}',
    '{"data": {"download_url": "x", "upload": {"url": "ORIGIN/put/x", "headers": {"x-upload": "\\u20ac"}}}}',
    '{"data": {"download_url": "x", "upload": {"url": "http://a..b/x", "headers": {}}}}',
)
HOSTS = ("127.0.0.1", "localhost", "0.0.0.0", "2130706433", "127.1", "[::ffff:127.0.0.1]", "me:secret@127.0.0.1")
NOWHERE = (
    *("http://a..b/x.png", f"http://{'a' * 70}.invalid/x.png", "http://.../x", "http://xn--/x", "http://[::1/x"),
    *("http://[::1]/x", "http://127.0.0.1/x", "http://localhost/x", "http://169.254.169.254/latest", "http:///x"),
    *("http://127.0.0.1:99999/x", "http://\x00/x", "https://127.0.0.1:80/x", "http://" + "é" * 80 + ".invalid/x"),
    *("http://" + "a" * 70_000, "http://me:secret@127.0.0.1/x"),
)
NO_ADDRESS = ("ftp://127.0.0.1/x", "file:///etc/passwd", "//127.0.0.1/x", "data:image/png;base64,@@", "data:", "a b")
WORDS: tuple[Any, ...] = ("\ud800", "a\x00b", {"a": "KEY"}, ["KEY"], 5, True, "x" * 190 + " KEY", "\n".join("KEY" * 99))
"""What a provider may say in place of a sentence; KEY becomes the caller's."""
IDS = ("p\x00", "p" * 70_000, "p q", "../../..", "p?q=1", "p#q", "ü", "\ud800", "%", "//127.0.0.1")

Body = dict[str, Any]


@functools.cache
def picture(kind: str) -> bytes:
    """Return a small real picture's file: `png` or `jpeg`."""
    file = io.BytesIO()
    Image.linear_gradient("L").resize((40, 30)).convert("RGB").save(file, kind.upper())
    return file.getvalue()


@functools.cache
def bomb(layers: int = 1) -> bytes:
    """Return a gzip file of zeros, packed again for each further layer."""
    size, mebibytes = 2**20, BOMB if layers == 1 else PACKED_BOMB
    zeros = bytes(size)
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(zeros) + packer.flush(zlib.Z_FULL_FLUSH)  # ends on a byte: it can stand many times
    checksum = 0
    for _ in range(mebibytes):
        checksum = zlib.crc32(zeros, checksum)
    end = zlib.compressobj(9, zlib.DEFLATED, -15).flush()
    tail = struct.pack("<LL", checksum, mebibytes * size % 2**32)
    file = b"\x1f\x8b\x08\0\0\0\0\0\x02\xff" + block * mebibytes + end + tail
    for _ in range(layers - 1):
        file = gzip.compress(file)
    return file


@dataclass
class Reply:
    """An answer before it is written."""

    body: bytes = b""
    status: int = 200
    kind: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


def spoken(content: Any, status: int = 200) -> Reply:
    return Reply(json.dumps(content).encode(), status)


@dataclass
class Broken:
    """The provider; an async context manager that listens on a loopback port.

    Attributes:
        provider: `wavespeed` or `aimlapi`.
        place: where it fails: `upload`, `submit`, `poll` or `download`; empty for nowhere.
        failure: how: a name in `FAILURES`.
        seed: varies delays, cuts, sizes and what a wrong answer holds.
        once: whether it fails only the first time.
        canary: the port that a redirect to loopback names.
        paid: POSTs of what costs, whose beginning arrived.
        played: times that it failed.
        leaks: requests that carried the key where it must not go.
    """

    provider: str
    place: str = ""
    failure: str = ""
    seed: int = 0
    once: bool = False
    canary: int = 0
    paid: int = 0
    played: int = 0
    leaks: int = 0

    def __post_init__(self) -> None:
        self.random = random.Random(f"{self.provider} {self.place} {self.failure} {self.seed}")
        self.key = KEYS[self.provider]
        self.kind = self.random.choice(("png", "jpeg"))
        self.looks = self.random.randint(0, 2)  # before the task has ended
        self.tasks: set[asyncio.Task[Any]] = set()
        self.origin = ""
        self.id = "p1"

    async def __aenter__(self) -> Broken:
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.origin = f"http://127.0.0.1:{self.server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self.server.close()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.server.wait_closed()

    # ---- a connection --------------------------------------------------------------------------------

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        try:
            while await self.exchange(reader, writer):
                pass
            writer.close()
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError):
            writer.transport.abort()
        finally:
            self.tasks.discard(task)

    async def exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Read a request and answer it, or fail; return whether the connection stays open."""
        method, path, _ = (await reader.readuntil(b"\r\n")).decode("latin-1").split(" ", 2)
        if method == "POST" and path == PAID[self.provider]:
            self.paid += 1
        where = self.where(method, path)
        failing = bool(self.failure) and where == self.place and not (self.once and self.played)
        if failing:
            self.played += 1
            if self.failure == "reset before the request is read":
                return reset(writer)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        lines = [line.partition(": ") for line in head.strip().split("\r\n")]
        headers = {name.lower(): value for name, _, value in lines}
        await reader.readexactly(int(headers.get("content-length", 0)))
        if "authorization" in headers and path.startswith(("/files/", "/put/")):
            self.leaks += 1
        known = headers.get("authorization") == f"Bearer {self.key}" or not path.startswith(("/api/", "/v1/"))
        reply = self.truly(where, path) if known else there_says(self, 401, "unauthorized")
        await asyncio.sleep(self.random.uniform(0, 0.004))
        if failing and self.failure in CHANGES:
            reply = CHANGES[self.failure](self, reply)
        if failing and self.failure in WIRES:
            return await WIRES[self.failure](self, writer, reply)
        return await self.write(writer, reply)

    def where(self, method: str, path: str) -> str:
        """Return at which place of a run a request stands."""
        if path == PAID[self.provider] and method == "POST":
            return "submit"
        if path.startswith("/api/v3/predictions/"):
            return "poll"
        if path.startswith("/files/"):
            return "download"
        return "upload" if path == "/api/v3/media/uploads" else ""

    # ---- what it answers where nothing breaks ----------------------------------------------------------

    def truly(self, where: str, path: str) -> Reply:
        if where == "download":
            return Reply(picture(self.kind), kind=f"image/{self.kind}")
        if where == "upload":
            upload = {"method": "PUT", "url": f"{self.origin}/put/x", "headers": {"x-upload": "x"}}
            return self.enveloped({"download_url": f"{self.origin}/files/x", "upload": upload})
        if path == "/api/v3/media/upload/binary":
            return self.enveloped({"type": "image", "download_url": f"{self.origin}/files/x", "filename": "x"})
        if path.startswith("/put/"):
            return Reply()
        if path == "/api/v3/model/price":
            return self.enveloped({"price": 0.023})
        if where == "submit" and self.provider == "aimlapi":
            return spoken(self.images(f"{self.origin}/files/p1.{self.kind}"))
        if where == "submit":
            return self.enveloped(self.task("created"))
        if where == "poll" and self.looks > 0:
            self.looks -= 1
            return self.enveloped(self.task("processing"))
        if where == "poll":
            return self.enveloped(self.finished(f"{self.origin}/files/p1.{self.kind}"))
        return Reply(b"{}", 404)

    def enveloped(self, data: Body) -> Reply:
        return spoken({"code": 200, "message": "success", "data": data})

    def task(self, status: str) -> Body:
        return {"id": self.id, "model": wavespeed.MODEL, "status": status, "outputs": [], "error": ""}

    def finished(self, output: str) -> Body:
        done = {"outputs": [output], "has_nsfw_contents": [False], "timings": {"inference": 1200}}
        return {**self.task("completed"), **done}

    def images(self, output: str) -> Body:
        one = [{"url": output, "content_type": f"image/{self.kind}"}]
        usage = {"usage": {"tokens_used": 52500}}
        return {"images": one, "data": one, "timings": {"inference": 0.9}, "seed": 11, "meta": usage}

    def done(self, output: str) -> Reply:
        """Return the answer that tells where the result is."""
        return spoken(self.images(output)) if self.provider == "aimlapi" else self.enveloped(self.finished(output))

    # ---- bytes -----------------------------------------------------------------------------------------

    def head(self, reply: Reply, *lines: str) -> bytes:
        headers = {"Content-Type": reply.kind, **reply.headers}
        every = [f"HTTP/1.1 {reply.status} Word", *(f"{name}: {value}" for name, value in headers.items()), *lines]
        return "\r\n".join([*every, "", ""]).encode()

    def encoded(self, reply: Reply) -> bytes:
        """Return the whole answer, with its length or in chunks."""
        if self.random.random() < 0.5:
            return self.head(reply, f"Content-Length: {len(reply.body)}") + reply.body
        chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in self.cut(reply.body, 1, 700))
        return self.head(reply, "Transfer-Encoding: chunked") + chunks + b"0\r\n\r\n"

    def cut(self, data: bytes, low: int, high: int) -> list[bytes]:
        """Return the data in parts of any size between two."""
        parts = []
        while data:
            size = self.random.randint(low, high)
            parts.append(data[:size])
            data = data[size:]
        return parts

    async def write(self, writer: asyncio.StreamWriter, reply: Reply) -> bool:
        for part in self.cut(self.encoded(reply), 20, 2000):
            writer.write(part)
            await writer.drain()
            if self.random.random() < 0.3:
                await asyncio.sleep(0)
        return True

    @property
    def limit(self) -> float:
        """Seconds after which the client has given a request of this place up."""
        submit = 240.0 if self.provider == "aimlapi" else 120.0
        return {"submit": submit, "poll": 90.0}.get(self.place, 60.0)

    def pick(self, of: tuple[Any, ...]) -> Any:
        """Return one by the seed, so that twenty seeds meet all of a short list."""
        return of[self.seed // 2 % len(of)] if self.once else of[(self.seed // 2 + 10) % len(of)]


def reset(writer: asyncio.StreamWriter) -> bool:
    """Break the connection off with a reset."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
    return False


# ---- failures of the line ----------------------------------------------------------------------------------


async def slow(there: Broken, writer: asyncio.StreamWriter, reply: Reply) -> bool:
    await asyncio.sleep(there.limit * there.random.uniform(1.2, 2))
    return await there.write(writer, reply)


async def drip(there: Broken, writer: asyncio.StreamWriter, reply: Reply) -> bool:
    data = there.encoded(reply)
    pause = max(there.limit / len(data), there.random.uniform(4, 16))
    for place in range(len(data)):
        writer.write(data[place : place + 1])
        await writer.drain()
        await asyncio.sleep(pause)
    return True


async def hang(there: Broken, writer: asyncio.StreamWriter, reply: Reply) -> bool:
    await part(there, writer, reply)
    await asyncio.sleep(3600)
    return False


async def part(there: Broken, writer: asyncio.StreamWriter, reply: Reply) -> None:
    """Write an answer's head and less than its body."""
    writer.write(there.head(reply, f"Content-Length: {len(reply.body)}"))
    writer.write(reply.body[: there.random.randrange(len(reply.body))])
    await writer.drain()


async def reset_after(there: Broken, writer: asyncio.StreamWriter, reply: Reply) -> bool:
    if there.random.random() < 0.5:
        await part(there, writer, reply)
        await asyncio.sleep(0.005)
    return reset(writer)


async def truncated(there: Broken, writer: asyncio.StreamWriter, reply: Reply) -> bool:
    await part(there, writer, reply)
    return False


async def chunking(there: Broken, writer: asyncio.StreamWriter, reply: Reply) -> bool:
    good = b"%x\r\n%s\r\n" % (len(reply.body), reply.body)
    bad = (b"zz\r\n", b"-5\r\nabcde\r\n", b"4\r\nabcdefgh\r\n", b"F" * 40 + b"\r\nab", b"", b"9\r\nab", b"\r\n\r\n")
    writer.write(there.head(reply, "Transfer-Encoding: chunked") + good + there.pick(bad))
    await writer.drain()
    return False


async def gzip_bomb(there: Broken, writer: asyncio.StreamWriter, reply: Reply) -> bool:
    file = bomb()
    writer.write(there.head(reply, "Content-Encoding: gzip", f"Content-Length: {len(file)}"))
    size = 65_536 if there.seed < 2 else there.random.randint(2_000, 16_000)
    for place in range(0, len(file), size):
        writer.write(file[place : place + size])
        await writer.drain()
        await asyncio.sleep(0.001)
    return True


async def packed_bomb(there: Broken, writer: asyncio.StreamWriter, reply: Reply) -> bool:
    file = bomb(2)
    writer.write(there.head(reply, "Content-Encoding: gzip, gzip", f"Content-Length: {len(file)}") + file)
    await writer.drain()
    return True


async def endless(there: Broken, writer: asyncio.StreamWriter, reply: Reply) -> bool:
    chunked = there.random.random() < 0.5
    writer.write(there.head(reply, *(["Transfer-Encoding: chunked"] if chunked else [])))
    data = bytes(65_536 if there.seed < 2 else there.random.randint(100, 16_000))
    pause = 0.0 if there.seed < 2 else there.limit * there.random.uniform(0.03, 0.1)
    for _ in range(ENDLESS * 2**20 // len(data)):
        writer.write(b"%x\r\n%s\r\n" % (len(data), data) if chunked else data)
        await writer.drain()
        await asyncio.sleep(pause)
    await asyncio.sleep(3600)
    return False


async def endless_head(there: Broken, writer: asyncio.StreamWriter, reply: Reply) -> bool:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X-More: " + b"x" * there.random.randint(10, 9000) + b"\r\n")
        await writer.drain()
        await asyncio.sleep(0.001)


async def interim(there: Broken, writer: asyncio.StreamWriter, reply: Reply) -> bool:
    pause = there.random.uniform(3, 16)
    while True:
        writer.write(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(pause)


WIRES: dict[str, Callable[[Broken, asyncio.StreamWriter, Reply], Awaitable[bool]]] = {
    "slow first byte": slow,
    "one byte at a time": drip,
    "hang in the body": hang,
    "reset after the request was read": reset_after,
    "truncated": truncated,
    "broken chunking": chunking,
    "gzip bomb": gzip_bomb,
    "gzip bomb in a gzip file": packed_bomb,
    "endless body": endless,
    "endless head": endless_head,
    "interim answers without end": interim,
}


# ---- failures of what is said ------------------------------------------------------------------------------


def status(code: int, after: Callable[[], str] | None = None) -> Callable[[Broken, Reply], Reply]:
    """Return the failure that answers with a status, and perhaps with Retry-After."""

    def change(there: Broken, _: Reply) -> Reply:
        reply = there_says(there, code, f"no, {there.key}")
        name = there.random.choice(("Retry-After", "retry-after", "RETRY-AFTER"))
        return replace(reply, headers={name: after()} if after else {})

    return change


def there_says(there: Broken, code: int, words: Any) -> Reply:
    """Return a refusal in the provider's form."""
    if there.provider == "aimlapi":
        return spoken({"message": words, "statusCode": str(code), "requestId": "4a2c"}, code)
    return spoken({"code": code, "message": words, "data": None}, code)


def strange_words(there: Broken, _: Reply) -> Reply:
    words = json.loads(json.dumps(there.pick(WORDS)).replace("KEY", there.key))
    if there.place == "poll":
        return there.enveloped({**there.task("failed"), "error": words})
    return there_says(there, 403, words)


def wrong_schema(there: Broken, _: Reply) -> Reply:
    lists = {"upload": NO_TICKET, "submit": NO_IMAGES if there.provider == "aimlapi" else NO_TASK}
    return Reply(there.pick(lists.get(there.place, NO_TASK)).replace("ORIGIN", there.origin).encode())


def invalid_json(there: Broken, reply: Reply) -> Reply:
    cut = reply.body[: there.random.randrange(1, len(reply.body))]
    return replace(reply, body=there.pick((cut, b"", b"{'a': 1}", b"\xff\xfe\x00", reply.body + b"}", b"\x00" * 9)))


def html(there: Broken, _: Reply) -> Reply:
    page = f"<!doctype html><title>Welcome</title><p>Log in with {there.key}"
    return Reply(page.encode(), kind="text/html")


def wrong_type(there: Broken, reply: Reply) -> Reply:
    kinds = ("text/html", "application/octet-stream", "application/json; charset=utf-16", "", "x", "image/svg+xml")
    return replace(reply, kind=there.pick(kinds))


def to_canary(there: Broken, _: Reply) -> Reply:
    address = f"http://{there.pick(HOSTS)}:{there.canary}/{there.key}"
    return Reply(status=there.random.choice((301, 302, 303, 307, 308)), headers={"Location": address})


def to_nowhere(there: Broken, _: Reply) -> Reply:
    places = tuple(place for place in NOWHERE if "\x00" not in place and len(place) < 9000)
    return Reply(status=302, headers={"Location": there.pick(places)})


def loop(there: Broken, _: Reply) -> Reply:
    path = {"submit": PAID[there.provider], "poll": "/api/v3/predictions/p1/result"}.get(there.place, "/files/again")
    return Reply(status=there.random.choice((302, 307, 308)), headers={"Location": there.origin + path})


def failed(there: Broken, _: Reply) -> Reply:
    code = there.pick(FAMILY)
    extra = {} if code is None else {"code": code}
    return there.enveloped({**there.task("failed"), "error": f"the model broke, {there.key}", **extra})


def never_ends(there: Broken, _: Reply) -> Reply:
    return there.enveloped(there.task(there.pick(("processing", "created", "queued", "", "warming up"))))


def strange_numbers(there: Broken, reply: Reply) -> Reply:
    address = f"{there.origin}/files/p1.{there.kind}"
    huge = 10**400
    if there.provider == "aimlapi":
        body = there.images(address)
        extras: tuple[Body, ...] = (
            {"seed": float("inf")},
            {"seed": float("nan")},
            {"seed": -5},
            {"seed": 1.5},
            {"timings": {"inference": huge}},
            {"meta": {"usage": {"credits_used": huge}}},
            {"has_nsfw_concepts": 5},
        )
        return spoken({**body, **there.pick(extras)})
    changes: tuple[Body, ...] = (
        {"timings": {"inference": huge}},
        {"timings": {"inference": float("nan")}},
        {"timings": 5},
        {"code": "²"},
        {"code": "9" * 5000},
        {"code": True},
        {"has_nsfw_contents": 5},
    )
    return there.enveloped({**there.finished(address), **there.pick(changes)})


def strange_id(there: Broken, _: Reply) -> Reply:
    there.id = there.pick(IDS)
    return there.enveloped(there.task("created"))


def another_task(there: Broken, _: Reply) -> Reply:
    return there.enveloped({**there.finished(f"{there.origin}/files/other.png"), "id": "p2"})


def result_at_canary(there: Broken, _: Reply) -> Reply:
    return there.done(f"http://{there.pick(HOSTS)}:{there.canary}/{there.key}.png")


def result_nowhere(there: Broken, _: Reply) -> Reply:
    return there.done(there.pick(NOWHERE + NO_ADDRESS))


def no_picture(there: Broken, _: Reply) -> Reply:
    bodies = (
        b"",
        b"\x89PNG\r\n\x1a\n",
        b"%PDF-1.7",
        base64.b64encode(picture("png")),
        b"\xff\xd8\xff",
    )
    return Reply(there.pick(bodies), kind="image/png")


CHANGES: dict[str, Callable[[Broken, Reply], Reply]] = {
    "invalid JSON": invalid_json,
    "wrong schema": wrong_schema,
    "HTML with status 200": html,
    "429 with seconds": status(429, lambda: "5"),
    "429 with a date": status(429, lambda: formatdate(time.time() + RETRY_AFTER, usegmt=True)),
    "429 without": status(429),
    "429 with 9999": status(429, lambda: "9999"),
    "429 with a date beyond reckoning": status(429, lambda: "Mon, 01 Jan 99999999999999999999 00:00:00 GMT"),
    **{str(code): status(code) for code in (500, 502, 503, 401, 402, 403, 404)},
    "strange words": strange_words,
    "wrong content type": wrong_type,
    "redirect to loopback": to_canary,
    "redirect to nowhere": to_nowhere,
    "redirect loop": loop,
    "failed": failed,
    "never ends": never_ends,
    "strange numbers": strange_numbers,
    "strange id": strange_id,
    "another task's answer": another_task,
    "result on loopback": result_at_canary,
    "result nowhere": result_nowhere,
    "no picture": no_picture,
}

FAILURES = ("reset before the request is read", *WIRES, *CHANGES)
"""Every failure by its name."""
