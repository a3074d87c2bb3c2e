"""From starting the process to the first 200 of `/healthz`, whatever a crash left behind; from SIGTERM to the end.

Every start is compared with one in an empty folder just before it, so that a busy moment meets both.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from gradio_client import Client, handle_file

from api.serving import PATIENCE
from backends.local import LocalBackend
from bench.serve import ROOT
from bench.table import Row
from bench.visitors import STUDIO
from core.settings import Settings
from tests.support.unfinished import damage_database, damage_log, damage_rows, drop_from_cache, fill, pictures

ROUNDS = 20
WAITING = (10, 50, 150)
"""Waiting runs of 24 megapixels, by scenario."""


@dataclass
class App:
    """The app in a folder. `said` is what it printed when it ended by itself."""

    folder: Path
    process: subprocess.Popen[str] = field(init=False)
    url: str = ""
    said: str = ""

    def start(self, patience: float = 120.0) -> float | None:
        """Start; return the seconds to the first 200, None where it ended instead."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        own = {"STUDIO_DATA_DIR": str(self.folder), "GRADIO_SERVER_PORT": str(port)}
        begun = time.perf_counter()
        self.process = subprocess.Popen(
            [sys.executable, "app.py"],
            cwd=ROOT,
            env={**os.environ, **own},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        while self.process.poll() is None and time.perf_counter() - begun < patience:
            try:
                with urllib.request.urlopen(f"{self.url}/healthz", timeout=patience) as answer:
                    if answer.status == 200:
                        return time.perf_counter() - begun
            except OSError:
                time.sleep(0.01)
        self.process.kill()
        self.said = self.process.communicate()[1]
        return None

    def kill(self) -> None:
        """End it as a crash does."""
        self.process.kill()
        self.process.communicate()

    def terminate(self) -> float:
        """Send SIGTERM; return the seconds until it has ended, at most a minute."""
        begun = time.perf_counter()
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.process.communicate()
        return time.perf_counter() - begun


def prepared(folder: Path, scenario: str, stock: dict[int, list[Path]], seed: int) -> None:
    """Bring a fresh folder into a scenario's state."""
    spec = LocalBackend(Settings(data_dir=folder), cuda=0).spec
    kind, _, number = scenario.partition(" ")
    megapixels = 40 if kind == "older" else 24
    ids = fill(folder, spec, stock[megapixels], int(number or 0))
    if kind == "rows":
        damage_rows(folder, ids)
    if kind == "log":
        damage_log(folder, seed)
    if kind == "database":
        damage_database(folder, seed)
    drop_from_cache(folder)


def one_sentence(said: str) -> bool:
    """Return whether what an app said before it ended is one line without a traceback."""
    return len(said.strip().splitlines()) == 1 and "Traceback" not in said and "empty port" not in said


def measure(rounds: int = ROUNDS) -> list[Row]:
    """Return the rows on all starts and ends."""
    scenarios = [f"waiting {count}" for count in WAITING] + ["older 150", "rows 50", "log 50", "database 20"]
    ratios: dict[str, list[float]] = {each: [] for each in scenarios}
    seconds: dict[str, list[float]] = {each: [] for each in scenarios}
    empty: list[float] = []
    silent = refused = 0
    with tempfile.TemporaryDirectory() as place:
        stock = {each: pictures(Path(place) / "stock", each) for each in (24, 40)}
        for seed in range(rounds):
            for number, scenario in enumerate(scenarios):
                if not number % 3:
                    empty.append(timed_start(Path(place) / "empty", lambda _: None)[0] or 120.0)
                prepare = partial(prepared, scenario=scenario, stock=stock, seed=seed)
                time_, said = timed_start(Path(place) / "data", prepare)
                if time_ is None:
                    refused += scenario.startswith("database")
                    silent += not (scenario.startswith("database") and one_sentence(said))
                    print(f"{scenario}: {said.strip()[:200]}", file=sys.stderr)
                else:
                    ratios[scenario].append(time_ / empty[-1])
                    seconds[scenario].append(time_)
    starts = len(empty) + refused + silent + sum(map(len, seconds.values()))
    rows = [
        Row(
            "starts that neither answered nor said why", silent, 0, "starts", f"of {starts}, {refused} refused in words"
        )
    ]
    for scenario, found in ratios.items():
        if found:
            middle = statistics.median(seconds[scenario])
            rows.append(
                Row(
                    f"first 200 after SIGKILL, {scenario}, over an empty start, the slowest",
                    max(found),
                    1.5,
                    "x",
                    f"median {statistics.median(found):.2f} x, {middle:.1f} s; of {len(found)}",
                )
            )
    return [*rows, *ends()]


def timed_start(folder: Path, prepare: Callable[[Path], None]) -> tuple[float | None, str]:
    """Prepare a folder, start the app in it and kill it.

    Returns:
        The seconds to the first 200, None if it ended before; and what it said then.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    prepare(folder)
    app = App(folder)
    found = app.start()
    if found is not None:
        app.kill()
    return found, app.said


def ends() -> list[Row]:
    """Return how long SIGTERM takes: idle with a page, and with a page, a half-sent request and a step of the model."""
    return [
        Row("SIGTERM to the end, an open page", ended(busy=False), PATIENCE, "s", "its stream of events open"),
        Row("SIGTERM to the end, a local run too", ended(busy=True), PATIENCE, "s", "and a half-sent request"),
    ]


def ended(*, busy: bool) -> float:
    """Return the seconds from SIGTERM to the end."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as open_:
        app = App(Path(folder))
        assert app.start() is not None, app.said
        port = int(app.url.rpartition(":")[2])
        page = open_.enter_context(socket.create_connection(("127.0.0.1", port)))
        page.sendall(f"GET {STUDIO}/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        page.recv(4096)
        if busy:
            half = open_.enter_context(socket.create_connection(("127.0.0.1", port)))
            half.sendall(f"POST {STUDIO}/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\n{{".encode())
            image = handle_file(ROOT / "assets" / "examples" / "street.jpg")
            client = Client(app.url, verbose=False)
            client.predict(image, "a lake", api_name="/edit", num_inference_steps=1)
            job = client.submit(image, "a lake", api_name="/edit", num_inference_steps=50, strength=1)
            running = threading.Event()
            threading.Timer(2.0, running.set).start()  # some steps in
            running.wait()
            assert not job.done()
        return app.terminate()


if __name__ == "__main__":
    from bench.table import show

    print(show(measure(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)))
