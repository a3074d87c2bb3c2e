"""The app as it is really served, in a process of its own."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.support.forker import FAKE_APP, ROOT, Forked


@dataclass(frozen=True)
class Served:
    """A running app."""

    url: str
    data_dir: Path
    log: Path
    process: subprocess.Popen[bytes] | Forked

    def images(self) -> dict[str, bytes]:
        """Return the engine's kept files by name."""
        folder = self.data_dir / "images"
        return {path.name: path.read_bytes() for path in folder.glob("*.*")} if folder.is_dir() else {}

    def wait(self, seconds: float) -> int:
        """Return with which code the app ends.

        Raises:
            AssertionError: it does not end in time; what each of its threads does stands in the message.
        """
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGABRT)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(10)
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"the app did not end in {seconds:.0f} s:\n{self.log.read_text()}") from None


def free_port() -> int:
    """Return a port that nobody takes meanwhile: none that connections get by themselves, nor another worker's."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
    for port in random.sample(range(20_000 + 1000 * worker, 21_000 + 1000 * worker), 1000):
        with socket.socket() as each, suppress(OSError):
            each.bind(("127.0.0.1", port))
            return port
    raise AssertionError("there is no free port")


@contextmanager
def serve(
    data_dir: Path, *command: str, kill: bool = False, code: int = 0, host: str = "127.0.0.1", **environ: str
) -> Iterator[Served]:
    """Start a program of the project that serves the app; stop it afterwards and see that it stops cleanly.

    Args:
        data_dir: made where it is missing; its log lies there too.
        command: of Python.
        kill: whether it is killed instead, as a crash or a lost machine would end it.
        code: with which it should end.
        host: where it is reached.
        environ: beside the environment of this process.
    """
    own = {
        "STUDIO_DATA_DIR": str(data_dir),
        "GRADIO_SERVER_PORT": str(free_port()),
        "STUDIO_PRELOAD": "0",
        "PYTHONFAULTHANDLER": "1",  # for `Served.wait`
        **environ,
    }
    log = data_dir / "app.log"
    data_dir.mkdir(parents=True, exist_ok=True)
    process = started(command, {**os.environ, **own}, log)
    served = Served(f"http://{host}:{own['GRADIO_SERVER_PORT']}", data_dir, log, process)
    try:
        wait_until_healthy(served, process)
        yield served
    finally:
        process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
        ended = served.wait(120)
        assert ended == (-signal.SIGKILL if kill else code), f"the app ended with {ended}:\n{log.read_text()}"
        assert "shutdown failed" not in log.read_text(), log.read_text()


def started(command: tuple[str, ...], environ: dict[str, str], log: Path) -> subprocess.Popen[bytes] | Forked:
    """Start a program; the stand-in app is forked, for it starts often."""
    if command == FAKE_APP:
        return Forked(environ, log)
    with log.open("wb") as out:
        return subprocess.Popen([sys.executable, *command], cwd=ROOT, env=environ, stdout=out, stderr=subprocess.STDOUT)


def wait_until_healthy(served: Served, process: subprocess.Popen[bytes] | Forked) -> None:
    """Return when the app answers.

    Raises:
        AssertionError: it has ended, or does not answer in four minutes.
    """
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{served.url}/healthz", timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"the app did not come up:\n{served.log.read_text()}")


def upload(app: Served, data: bytes) -> str:
    """Upload a picture as a client of the API does; return its path."""
    boundary = "----part"
    body = (
        (
            f'--{boundary}\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n'
            "Content-Type: image/png\r\n\r\n"
        ).encode()
        + data
        + f"\r\n--{boundary}--\r\n".encode()
    )
    request = urllib.request.Request(
        f"{app.url}/gradio_api/upload", body, {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    )
    with urllib.request.urlopen(request, timeout=120) as answer:
        return str(json.loads(answer.read())[0])
