"""Start a program that serves HTTP, and know when it answers."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Running:
    """A program that answers: its address, its process, and the seconds to its first HTTP 200 on `/`."""

    url: str
    pid: int
    seconds: float


@contextmanager
def serve(data_dir: Path, *command: str, **environ: str) -> Iterator[Running]:
    """Run a Python program of the project until the block ends, `environ` beside its own environment."""
    port = free_port()
    own = {"STUDIO_DATA_DIR": str(data_dir), "GRADIO_SERVER_PORT": str(port), "GRADIO_ANALYTICS_ENABLED": "False"}
    url = f"http://127.0.0.1:{port}"
    begun = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *command],
        cwd=ROOT,
        env={**os.environ, **own, **environ},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        while not answers(url):
            if process.poll() is not None:
                assert process.stderr is not None
                raise RuntimeError(process.stderr.read().decode())
            time.sleep(0.01)
        yield Running(url, process.pid, time.perf_counter() - begun)
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


def free_port() -> int:
    """Return a port that nobody takes now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def answers(url: str) -> bool:
    """Return whether a program answers at an address."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
