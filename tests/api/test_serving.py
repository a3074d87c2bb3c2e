"""The server's life: the port before all else, every refusal in a sentence, the end within seconds."""

from __future__ import annotations

import asyncio
import socket
import threading
import urllib.request
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from api.serving import Server, exempt_from_proxies, listen, local_url
from core.settings import SettingsError


@pytest.mark.parametrize(
    ("host", "reached"), [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::1", "[::1]"), ("::", "[::1]")]
)
def test_each_address_is_bound_and_the_machine_knows_how_to_reach_it(host: str, reached: str) -> None:
    (sock,) = listen(host, 0)
    with sock:
        assert local_url(sock) == f"http://{reached}:{sock.getsockname()[1]}/"
        with socket.create_connection((reached.strip("[]"), sock.getsockname()[1]), 10):
            pass


def test_all_of_ipv6_is_all_of_ipv4_too() -> None:
    (sock,) = listen("::", 0)
    with sock, socket.create_connection(("127.0.0.1", sock.getsockname()[1]), 10):
        pass


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_small_answers_are_sent_at_once(host: str) -> None:
    async def delayed() -> int:
        accepted: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            accepted.set_result(writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        (sock,) = listen(host, 0)
        async with await asyncio.start_server(answer, sock=sock):
            _, writer = await asyncio.open_connection(host, sock.getsockname()[1])
            writer.close()
            return await accepted

    assert asyncio.run(delayed())


def test_a_name_is_bound_on_all_its_addresses() -> None:
    sockets = listen("localhost", 0)
    assert {sock.getsockname()[0] for sock in sockets} <= {"127.0.0.1", "::1"}
    for sock in sockets:
        sock.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_taken_port_is_named(host: str) -> None:
    (taken,) = listen(host, 0)
    with taken, pytest.raises(SettingsError, match=f"Port {taken.getsockname()[1]} .* is taken.*GRADIO_SERVER_PORT"):
        listen(host, taken.getsockname()[1])


@pytest.mark.parametrize(
    ("host", "words"),
    [("192.0.2.1", "address of this machine"), ("no.such.name.invalid", "no such name"), ("a" * 70, "no such name")],
)
def test_an_address_that_is_not_this_machines_is_named(host: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        listen(host, 0)


PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture
def clean(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return monkeypatch


@pytest.mark.parametrize("proxy", ["http://127.0.0.1:9", "socks5://127.0.0.1:9", "socks5h://user:word@127.0.0.1:9"])
def test_requests_to_this_machine_pass_by_a_proxy(clean: pytest.MonkeyPatch, proxy: str) -> None:
    import os

    clean.setenv("ALL_PROXY", proxy)
    clean.setenv("HTTP_PROXY", proxy)
    clean.setenv("NO_PROXY", "inside.example, 127.0.0.1")
    exempt_from_proxies(os.environ, "192.168.0.7")
    for name in ("NO_PROXY", "no_proxy"):
        assert os.environ[name] == "inside.example,127.0.0.1,localhost,::1,192.168.0.7"
        clean.delenv(name)


def test_without_a_proxy_the_environment_stays_as_it_is(clean: pytest.MonkeyPatch) -> None:
    environ: dict[str, str] = {}
    exempt_from_proxies(environ, "127.0.0.1")
    assert environ == {}


@pytest.mark.parametrize("proxy", ["ftp://proxy:1", "http://proxy:port"])
def test_a_proxy_that_no_client_can_use_is_named(clean: pytest.MonkeyPatch, proxy: str) -> None:
    clean.setenv("ALL_PROXY", proxy)
    with pytest.raises(SettingsError, match="ALL_PROXY"):
        exempt_from_proxies({}, "127.0.0.1")


def served(*routes: Route, **options: Any) -> tuple[Server, str, list[str]]:
    """Return a server that answers, its address, and what happens to it in order."""
    happened: list[str] = []

    async def close() -> None:
        happened.append("closed")

    sockets = listen("127.0.0.1", 0)
    server = Server(Starlette(routes=list(routes)), sockets, close, log_level="critical", **options)
    server.start()
    return server, local_url(sockets[0]), happened


def test_an_open_stream_and_a_half_sent_request_do_not_hold_up_the_end() -> None:
    async def endless(_: Request) -> Response:
        async def stream() -> Any:
            while True:
                yield b"x"
                await asyncio.sleep(0.01)

        return StreamingResponse(stream())

    async def whole(request: Request) -> Response:
        return PlainTextResponse(str(len(await request.body())))

    server, url, happened = served(Route("/", endless), Route("/body", whole, methods=["POST"]))
    with (
        urllib.request.urlopen(url, timeout=30) as answer,
        socket.create_connection(("127.0.0.1", server_port(url))) as half,
    ):
        assert answer.read(1) == b"x"
        half.sendall(b"POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\nx")
        server.close()
    assert happened == ["closed"]


def server_port(url: str) -> int:
    return int(url.rstrip("/").rpartition(":")[2])


def test_an_app_that_cannot_begin_is_an_error_and_not_a_wait() -> None:
    from contextlib import asynccontextmanager

    @asynccontextmanager
    async def broken(_: Any) -> Any:
        raise OSError("nothing works")
        yield

    async def close() -> None:
        raise AssertionError("it never began")

    sockets = listen("127.0.0.1", 0)
    with pytest.raises(RuntimeError, match="could not start"):
        Server(Starlette(lifespan=broken), sockets, close, log_level="critical").start()
    sockets[0].close()


def test_what_can_wait_begins_once_no_request_came_for_a_while() -> None:
    begun: list[int] = []
    quiet = threading.Event()

    async def later() -> None:
        begun.append(server.server_state.total_requests)
        quiet.set()

    async def close() -> None:
        pass

    async def answer(_: Request) -> Response:
        return PlainTextResponse("ok")

    sockets = listen("127.0.0.1", 0)
    server = Server(Starlette(routes=[Route("/", answer)]), sockets, close, later, log_level="critical")
    server.start()
    for _ in range(3):
        urllib.request.urlopen(local_url(sockets[0]), timeout=30).close()
    assert quiet.wait(60)
    server.close()
    assert begun == [3]
