"""Connections on a real server: who sends or reads too slowly is let go, who is slow and honest is not."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from api.connections import Census, ConnectionLimits, PatientProtocol, connection_options, raise_file_limit

pytestmark = pytest.mark.integration

QUICK = ConnectionLimits(head=0.2, window=0.2, unread=0.2, linger=0.2)
LONGER_HEAD = replace(QUICK, head=0.5)
"""With it, a head that never comes ends after a body's window did."""
PATIENCE = 20.0
"""Seconds after which a test gives up on what should have happened."""
HEAD = b"POST / HTTP/1.1\r\nHost: a\r\n"


@dataclass
class App:
    """Reads a request's body and answers its size; `/early` answers before, `/wait` reads only when it is let."""

    let: asyncio.Event = field(default_factory=asyncio.Event)
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    piece: bytes = b"data: tick\n\n"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        if scope["path"] == "/stream":
            await self.stream(receive, send)
            return
        size = 0
        if scope["path"] == "/wait":
            await self.let.wait()
        if scope["path"] != "/early":
            while True:
                message = await receive()
                size += len(message.get("body", b""))
                if not message.get("more_body"):
                    break
            if message["type"] == "http.disconnect":
                self.gone.set()
                return
        await self.answer(send, str(size).encode())

    async def answer(self, send: Send, body: bytes) -> None:
        headers = [(b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def stream(self, receive: Receive, send: Send) -> None:
        """Send until the client goes."""
        await receive()
        left = asyncio.ensure_future(receive())
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while not left.done():
            await send({"type": "http.response.body", "body": self.piece, "more_body": True})
            await asyncio.sleep(0.01)
        self.gone.set()


@asynccontextmanager
async def serving(app: Any, limits: ConnectionLimits, **more: Any) -> AsyncIterator[int]:
    """Yield the port of a server."""
    options = {"timeout_graceful_shutdown": 1} | connection_options(limits=limits) | more
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", **options))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        task = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.005)
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            await task


@dataclass
class Client:
    """One raw connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def connect(cls, port: int) -> Client:
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def rest(self) -> bytes:
        """Return what comes until the server closes the connection."""
        received = b""
        try:
            while data := await asyncio.wait_for(self.reader.read(65536), PATIENCE):
                received += data
        except ConnectionResetError:
            pass
        self.writer.close()
        return received

    async def answer(self) -> bytes:
        """Return the body of one answer."""
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), PATIENCE)
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        return await self.reader.readexactly(length)


async def drip(client: Client, piece: bytes, pause: float) -> None:
    """Send a piece again and again until the server closes the connection."""
    try:
        while not client.writer.is_closing():
            await client.send(piece)
            await asyncio.sleep(pause)
    except ConnectionError:
        pass
    client.writer.close()


@pytest.mark.parametrize("sent", [b"", b"G", b"GET / HTTP/1.1\r\nHost: a\r\n", b"GET / HTTP/1.1\r\nX: "])
async def test_half_a_head_ends(sent: bytes) -> None:
    async with serving(App(), QUICK) as port:
        client = await Client.connect(port)
        await client.send(sent)
        assert await client.rest() == b""


async def test_a_head_that_comes_letter_by_letter_ends() -> None:
    async with serving(App(), QUICK) as port:
        client = await Client.connect(port)
        await client.send(b"GET / HTTP/1.1\r\nX: ")
        await drip(client, b"x", 0.02)


async def test_half_a_head_after_a_whole_request_ends() -> None:
    async with serving(App(), QUICK) as port:
        client = await Client.connect(port)
        await client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert await client.answer() == b"0"
        await client.send(b"GET / HTTP/1.1\r\n")
        assert await client.rest() == b""


@pytest.mark.parametrize("framing", [b"Content-Length: 1000000\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n5\r\n"])
async def test_half_a_body_ends_and_the_app_is_told(framing: bytes) -> None:
    app = App()
    async with serving(app, QUICK) as port:
        client = await Client.connect(port)
        await client.send(HEAD + framing + b"abc")
        assert await client.rest() == b""
        await asyncio.wait_for(app.gone.wait(), PATIENCE)


async def test_a_body_that_comes_letter_by_letter_ends() -> None:
    app = App()
    async with serving(app, QUICK) as port:
        client = await Client.connect(port)
        await client.send(HEAD + b"Content-Length: 1000000\r\n\r\n")
        await drip(client, b"x", 0.01)


async def test_a_slow_upload_that_goes_on_is_taken() -> None:
    async with serving(App(), replace(QUICK, window=0.5)) as port:
        client = await Client.connect(port)
        await client.send(HEAD + b"Content-Length: 60000\r\n\r\n")
        for _ in range(60):  # more than two windows, each with many times what it must have
            await client.send(b"x" * 1000)
            await asyncio.sleep(0.02)
        assert await client.answer() == b"60000"
        client.writer.close()


async def test_a_client_that_waits_for_the_app_is_not_slow() -> None:
    app = App()
    async with serving(app, LONGER_HEAD) as port:
        client, waiting = await Client.connect(port), await Client.connect(port)
        size = 4_000_000
        await client.send(HEAD.replace(b"/", b"/wait", 1) + f"Content-Length: {size}\r\n\r\n".encode())
        sending = asyncio.ensure_future(client.send(b"x" * size))
        assert await waiting.rest() == b""
        app.let.set()
        await sending
        assert await client.answer() == str(size).encode()
        client.writer.close()


async def test_a_client_that_waits_to_be_asked_for_its_body_is_not_slow() -> None:
    app = App()
    async with serving(app, LONGER_HEAD) as port:
        client, waiting = await Client.connect(port), await Client.connect(port)
        head = HEAD.replace(b"/", b"/wait", 1) + b"Content-Length: 5\r\nExpect: 100-continue\r\n\r\n"
        await client.send(head)
        assert await waiting.rest() == b""
        app.let.set()
        assert b"100" in await asyncio.wait_for(client.reader.readuntil(b"\r\n\r\n"), PATIENCE)
        await client.send(b"12345")
        assert await client.answer() == b"5"
        client.writer.close()


async def test_an_answer_that_does_not_wait_for_the_body_reaches_who_still_sends_it() -> None:
    async with serving(App(), QUICK) as port:
        client = await Client.connect(port)
        await client.send(HEAD.replace(b"/", b"/early", 1) + b"Content-Length: 3000000\r\n\r\n")
        await client.send(b"x" * 3_000_000)
        assert (await client.rest()).endswith(b"\r\n\r\n0")


async def test_who_sends_on_after_such_an_answer_is_let_go() -> None:
    async with serving(App(), QUICK) as port:
        client = await Client.connect(port)
        await client.send(HEAD.replace(b"/", b"/early", 1) + b"Transfer-Encoding: chunked\r\n\r\n")
        assert await client.answer() == b"0"
        await drip(client, b"5\r\nabcde\r\n", 0.01)


async def test_who_reads_nothing_is_let_go() -> None:
    app = App(piece=b"x" * 1_000_000)
    async with serving(app, QUICK) as port:
        with socket.create_connection(("127.0.0.1", port)) as reader:
            reader.sendall(b"GET /stream HTTP/1.1\r\nHost: a\r\n\r\n")
            await asyncio.wait_for(app.gone.wait(), PATIENCE)


async def test_a_large_answer_reaches_who_reads_it_slowly() -> None:
    app = App(piece=b"x" * 20_000_000)  # more than the system holds for a reader
    loop = asyncio.get_running_loop()
    limits = replace(QUICK, unread=3.0)  # longer than this machine stalls
    async with serving(app, limits) as port:
        with socket.socket() as reader:
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
            reader.connect(("127.0.0.1", port))
            reader.setblocking(False)
            await loop.sock_sendall(reader, b"GET /stream HTTP/1.1\r\nHost: a\r\n\r\n")
            for _ in range(45):  # one and a half times as long as a reader may take nothing
                assert await asyncio.wait_for(loop.sock_recv(reader, 20_000), PATIENCE)
                await asyncio.sleep(limits.unread / 30)
            assert not app.gone.is_set()


async def test_who_reads_nothing_and_says_no_more_is_let_go() -> None:
    app = App(piece=b"x" * 1_000_000)
    async with serving(app, QUICK) as port:
        with socket.create_connection(("127.0.0.1", port)) as reader:
            reader.sendall(b"GET /stream HTTP/1.1\r\nHost: a\r\n\r\n")
            reader.shutdown(socket.SHUT_WR)
            await asyncio.wait_for(app.gone.wait(), PATIENCE)


async def test_a_stream_that_is_read_stays() -> None:
    app = App()
    async with serving(app, QUICK) as port:
        client, waiting = await Client.connect(port), await Client.connect(port)
        await client.send(b"GET /stream HTTP/1.1\r\nHost: a\r\n\r\n")
        for _ in range(3):
            assert await waiting.rest() == b""
            waiting = await Client.connect(port)
        await waiting.rest()
        assert not app.gone.is_set()
        client.writer.close()
        await asyncio.wait_for(app.gone.wait(), PATIENCE)


async def test_a_full_server_lets_go_of_who_has_not_asked_yet_and_answers_the_next() -> None:
    patient = ConnectionLimits(connections=8)
    async with serving(App(), patient) as port:
        silent = [await Client.connect(port) for _ in range(20)]
        client = await Client.connect(port)
        await client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert await client.answer() == b"0"
        for each in silent[:12]:
            assert await each.rest() == b""
        for each in (*silent[12:], client):
            each.writer.close()


async def ask(port: int) -> bytes:
    client = await Client.connect(port)
    await client.send(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    return await client.rest()


async def test_a_server_on_which_all_are_at_work_refuses_the_next_and_recovers() -> None:
    app = App()
    async with serving(app, ConnectionLimits(connections=2)) as port:
        busy = [await Client.connect(port) for _ in range(2)]
        for each in busy:
            await each.send(b"GET /wait HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        while await ask(port):  # until both requests have come
            pass
        app.let.set()
        for each in busy:
            assert (await each.rest()).endswith(b"0")
        while not (await ask(port)).endswith(b"0"):
            pass


@dataclass(eq=False)
class Guest:
    """A connection as the census sees it."""

    network: str
    body_bytes: int = 0
    dropped: bool = False

    def drop(self) -> None:
        self.dropped = True


def test_room_is_made_by_who_brought_least_for_the_longest_time_and_by_nobody_at_work() -> None:
    census: Any = Census(ConnectionLimits(connections=4))
    work, large, older, newer = Guest("a"), Guest("b", 5000), Guest("c", 10), Guest("d", 10)
    for each in (work, large, older, newer):
        assert census.admit(each)
        census.wait(each, waiting=True)
    census.wait(work, waiting=False)
    gone = []
    for _ in range(3):
        assert census.admit(Guest("e"))
        gone += [each for each in (work, large, older, newer) if each.dropped and each not in gone]
    assert gone == [older, newer, large]
    assert not census.admit(Guest("e"))


def test_one_address_has_its_share_and_this_machine_any_number() -> None:
    census: Any = Census(ConnectionLimits(connections=100, per_address=3))
    assert [census.admit(Guest("203.0.113.7")) for _ in range(5)] == [True, True, True, False, False]
    other = Guest("2001:db8:1:2::/64")
    assert census.admit(other)
    assert all(census.admit(Guest("")) for _ in range(50))
    again = [Guest("198.51.100.1") for _ in range(4)]
    assert [census.admit(each) for each in again] == [True, True, True, False]
    census.leave(again[0])
    census.leave(again[0])
    assert census.admit(Guest("198.51.100.1"))
    assert not census.admit(Guest("198.51.100.1"))


def test_behind_a_proxy_no_address_has_a_bound() -> None:
    assert protocol_of(connection_options(trusted_proxies=1)).limits.per_address is None
    assert protocol_of(connection_options()).limits.per_address == 64


def protocol_of(options: dict[str, Any]) -> type[PatientProtocol]:
    found: type[PatientProtocol] = options["http"]
    return found


@pytest.mark.parametrize(("files", "connections"), [(256, 128), (1024, 512), (65_536, 1000)])
def test_connections_leave_half_of_all_files_to_the_app(files: int, connections: int) -> None:
    options = connection_options(files)
    assert protocol_of(options).limits.connections == connections
    assert connections + 2 * options["backlog"] < files


async def test_the_server_names_itself_nowhere_and_believes_no_header() -> None:
    seen: list[Any] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append((scope["client"][0], scope["scheme"]))
        await App().answer(send, b"")

    async with serving(app, QUICK) as port:
        client = await Client.connect(port)
        forged = b"X-Forwarded-For: 203.0.113.7\r\nX-Forwarded-Proto: https\r\n"
        await client.send(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + forged + b"\r\n")
        answer = await client.rest()
    assert b"server:" not in answer.lower()
    assert seen == [("127.0.0.1", "http")]


async def test_a_server_that_stops_does_not_wait_for_half_a_request() -> None:
    app = App()
    async with serving(app, ConnectionLimits(), timeout_graceful_shutdown=None) as port:
        client = await Client.connect(port)
        await client.send(HEAD + b"Content-Length: 1000\r\n\r\nabc")
        await ask(port)
    assert await client.rest() == b""


FLOOD = """
import asyncio, resource, socket, sys
import uvicorn
from api.connections import connection_options, raise_file_limit
from api import logs

resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
logs.configure(sys.stderr)

async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})

listener = socket.socket()
listener.bind(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
uvicorn.Server(uvicorn.Config(app, lifespan="off", **connection_options(raise_file_limit()))).run([listener])
"""


async def test_a_flood_of_half_requests_at_a_low_file_limit_keeps_nobody_out(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("wb") as errors:
        server = await asyncio.create_subprocess_exec(
            sys.executable, "-c", FLOOD, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, stderr=errors
        )
    try:
        assert server.stdout is not None
        port = int(await server.stdout.readline())
        flood: list[socket.socket] = []
        for _ in range(1100):
            each = socket.socket()
            each.setblocking(False)
            each.connect_ex(("127.0.0.1", port))
            flood.append(each)
        for _ in range(5):
            assert (await ask(port)).endswith(b"ok")
        for each in flood:
            each.close()
        assert (await ask(port)).endswith(b"ok")
    finally:
        server.terminate()
        await server.wait()
    assert len(log.read_bytes()) < 20_000


def test_the_file_limit_is_raised_as_far_as_it_goes() -> None:
    words = (
        "import resource; _, hard = resource.getrlimit(resource.RLIMIT_NOFILE);"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (64, min(hard, 512)));"
        "from api.connections import raise_file_limit; print(raise_file_limit())"
    )
    done = subprocess.run([sys.executable, "-c", words], cwd=Path(__file__).parents[2], capture_output=True, check=True)
    assert int(done.stdout) == 512
    assert raise_file_limit() >= 512
