"""Starts and ends of the real app in the surroundings that people have: it comes up, or says why in one sentence."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from gradio_client import Client, handle_file
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from api.serving import Server, ending_signals, listen
from storage.sqlite.store import Store
from tests.support.fakes import picture_bytes
from tests.support.live_app import ROOT, Served, free_port, serve

pytestmark = pytest.mark.integration

PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


def refusal(data_dir: Path, **environ: str) -> str:
    """Start the app where it cannot start; return what it says, and see that it is one short text."""
    own = {"STUDIO_DATA_DIR": str(data_dir), "GRADIO_SERVER_PORT": str(free_port()), **environ}
    done = subprocess.run(
        [sys.executable, "app.py"], cwd=ROOT, env={**os.environ, **own}, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "empty port" not in done.stderr
    (line,) = done.stderr.strip().splitlines()
    return line


def config(app: Served) -> dict[str, object]:
    with urllib.request.urlopen(f"{app.url}/config", timeout=60) as answer:
        return dict(json.load(answer))


@pytest.mark.parametrize(
    "environ",
    [
        {"HTTP_PROXY": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9"},
        {"ALL_PROXY": "socks5://127.0.0.1:9", "HTTPS_PROXY": "http://127.0.0.1:9"},
        {"GRADIO_SERVER_NAME": "::1"},
        {"GRADIO_SERVER_NAME": "[::1]"},
        {"GRADIO_SERVER_NAME": "::"},
        {"GRADIO_SERVER_NAME": "localhost"},
        {"HOME": "/nowhere", "LC_ALL": "C", "LANG": "C"},
    ],
    ids=lambda environ: ",".join(f"{name}={value}" for name, value in environ.items()),
)
def test_the_app_comes_up_and_ends_cleanly(
    tmp_path: Path, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    host = "[::1]" if ":" in environ.get("GRADIO_SERVER_NAME", "") else "127.0.0.1"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    monkeypatch.setattr(urllib.request, "urlopen", opener.open)
    with serve(tmp_path / "data %20 é", "app.py", host=host, **environ) as app:
        assert config(app)["title"] == "SRPO Studio"


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        words = refusal(tmp_path, GRADIO_SERVER_PORT=port)
    assert f"Port {port} " in words
    assert "GRADIO_SERVER_PORT" in words


def test_a_data_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    assert "STUDIO_DATA_DIR" in refusal(tmp_path / "data")
    assert "STUDIO_DATA_DIR" in refusal(tmp_path / "data" / "inside")


def test_a_data_folder_that_cannot_be_made_is_named() -> None:
    assert "STUDIO_DATA_DIR" in refusal(Path("/proc/none/data"))


@pytest.mark.parametrize("proxy", ["ftp://127.0.0.1:9", "http://127.0.0.1:port"])
def test_a_proxy_that_cannot_be_used_is_named(tmp_path: Path, proxy: str) -> None:
    assert "ALL_PROXY" in refusal(tmp_path, ALL_PROXY=proxy)


@pytest.mark.parametrize("damage", ["cut", "header", "page"])
def test_a_damaged_database_is_named(tmp_path: Path, damage: str) -> None:
    Store(tmp_path).close()
    path = tmp_path / "studio.db"
    data = bytearray(path.read_bytes())
    rng = random.Random(7)
    if damage == "cut":
        del data[len(data) // 2 :]
    elif damage == "header":
        data[:100] = rng.randbytes(100)
    else:
        data[4096:8192] = rng.randbytes(4096)
    path.write_bytes(data)
    words = refusal(tmp_path)
    assert "studio.db is damaged" in words
    assert "backup" in words


def test_a_log_that_holds_nonsense_does_not_keep_the_app_from_starting(tmp_path: Path) -> None:
    Store(tmp_path).close()
    (tmp_path / "studio.db-wal").write_bytes(random.Random(7).randbytes(200_000))
    with serve(tmp_path, "app.py") as app:
        config(app)


def test_a_second_process_with_the_same_folder_is_named(tmp_path: Path) -> None:
    with serve(tmp_path, "-m", "tests.support.fake_app"):
        assert "Another process uses" in refusal(tmp_path)


def states(data_dir: Path) -> list[str]:
    base = sqlite3.connect(data_dir / "studio.db")
    try:
        return [row[0] for row in base.execute("select state from jobs order by created")]
    finally:
        base.close()


def wait_for_state(data_dir: Path, state: str) -> None:
    """Return when a job has a state; the app has the database for itself, so its log of writes is read."""
    deadline = time.monotonic() + 120
    while state.encode() not in b"".join(each.read_bytes() for each in data_dir.glob("studio.db*")):
        assert time.monotonic() < deadline, f"no job became {state}"
        time.sleep(0.02)


@contextmanager
def half_sent(app: Served) -> Iterator[None]:
    """Hold a request open of which only the beginning was sent, and a page's heartbeat."""
    host, port = app.url.removeprefix("http://").split(":")
    with (
        socket.create_connection((host, int(port)), 60) as post,
        socket.create_connection((host, int(port)), 60) as page,
    ):
        post.sendall(b"POST /gradio_api/queue/join HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{")
        page.sendall(f"GET /gradio_api/heartbeat/tab1 HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        assert b"200 OK" in page.recv(4096)
        yield


def test_a_page_a_half_sent_request_and_a_step_of_the_model_do_not_hold_up_the_end(tmp_path: Path) -> None:
    with serve(tmp_path, "app.py") as app, half_sent(app):
        client = Client(app.url, verbose=False, httpx_kwargs={"timeout": 240})
        image = tmp_path / "large.png"
        image.write_bytes(picture_bytes(size=(1024, 1024)))
        job = client.submit(handle_file(image), "a lake", api_name="/edit", strength=1, num_inference_steps=50)
        wait_for_state(app.data_dir, "queued")
        app.process.send_signal(signal.SIGTERM)
        # A slow disk holds up the end of any process that writes; how long it takes elsewhere, `bench start` says.
        app.wait(180)
        assert job.exception(60) is not None
    assert states(tmp_path) == ["queued"], "the next start goes on with it"


def test_a_clients_cancel_is_answered_while_the_model_loads_and_the_next_run_works(tmp_path: Path) -> None:
    image = tmp_path / "small.png"
    image.write_bytes(picture_bytes())
    with serve(tmp_path / "data", "app.py") as app:
        client = Client(app.url, verbose=False, download_files=tmp_path)
        job = client.submit(handle_file(image), "a lake", api_name="/edit", strength=1, num_inference_steps=50)
        wait_for_state(app.data_dir, "queued")
        assert job.cancel(), "gradio_client waits five seconds for the answer"
        other = Client(app.url, verbose=False, httpx_kwargs={"timeout": 240}, download_files=tmp_path)
        _, report = other.predict(handle_file(image), "a lake", api_name="/edit", num_inference_steps=2)
        assert report["steps_run"] >= 1
    assert states(app.data_dir) == ["cancelled", "done"]


def test_a_second_signal_ends_the_app_at_once(tmp_path: Path) -> None:
    with serve(tmp_path, "-m", "tests.test_start", code=128 + signal.SIGTERM) as app:
        app.process.send_signal(signal.SIGTERM)
        while b"closing" not in app.log.read_bytes():
            time.sleep(0.01)
        app.process.send_signal(signal.SIGTERM)
        app.process.wait(60)


def never_closing() -> None:
    """Serve an app whose runs do not stop."""

    async def close() -> None:
        print("closing", flush=True)
        await asyncio.Event().wait()

    async def healthz(_: Request) -> Response:
        return PlainTextResponse("ok")

    sockets = listen("127.0.0.1", int(os.environ["GRADIO_SERVER_PORT"]))
    server = Server(Starlette(routes=[Route("/healthz", healthz)]), sockets, close)
    stop = ending_signals()
    server.start()
    stop.wait()
    server.close()


if __name__ == "__main__":
    never_closing()
