"""One crash: a job is killed at a point of its life by SIGKILL, and another process takes over what is left."""

from __future__ import annotations

import asyncio
import io
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from storage.sqlite.migrations import MIGRATIONS
from tests.support.loopback import serving_beside
from tests.support.providers.wavespeed import KEY, Wavespeed

ROOT = Path(__file__).resolve().parent.parent.parent

POINTS: dict[str, tuple[str, str, int] | str] = {
    "before a folder's first table": ("c_call", "None.Connection.backup", 1),
    "during a migration": ("call", "_copy_jobs_and_results", 1),
    "before insert": ("call", "Store.add", 1),
    "after insert": ("return", "Store.add", 1),
    "before send": ("return", "Store.move", 1),
    "after send": "submit",
    "after id stored": ("return", "Store.accepted", 1),
    "polling": "poll",
    "mid-download": "download",
    "before fsync": ("c_call", "posix.fsync", 3),
    "before rename": ("c_call", "posix.replace", 2),
    "before done": ("call", "Store.end", 1),
}
"""Where a job is killed: a function in its own process, or the moment at which the provider hears of something.

The first two synchronisations and the first rename are the reference's, the next are the result's.
"""
TAKEN = ("after id stored", "polling", "mid-download", "before fsync", "before rename", "before done")
"""Points after which the provider's id is on the disk: the job must come to its result."""


@dataclass
class Deadly(Wavespeed):
    """The provider, which kills its client at a given moment."""

    victim: int | None = None
    moment: str = ""
    killed: list[str] = field(default_factory=list)

    def strike(self, moment: str) -> None:
        """Kill, if this is the moment."""
        if moment == self.moment and self.victim is not None:
            os.kill(self.victim, signal.SIGKILL)
            self.killed.append(moment)
            self.victim = None

    async def submit(self, request: Request) -> Response:
        """Take a task, and perhaps kill whoever waits for the answer."""
        answer = await super().submit(request)
        self.strike("submit")
        return answer

    async def result(self, request: Request) -> Response:
        """Answer a question for a task, or kill whoever asks."""
        self.strike("poll")
        return await super().result(request)

    async def file(self, request: Request) -> Response:
        """Send a file, or half of it and a blow."""
        answer = await super().file(request)
        result = "." in request.path_params["name"]  # else it is the reference, read by the provider itself
        if self.moment != "download" or not result:
            return answer
        body = bytes(answer.body)

        async def half() -> AsyncIterator[bytes]:
            yield body[: len(body) // 2]
            await asyncio.sleep(0.05)
            self.strike("download")

        return StreamingResponse(half(), headers={"content-length": str(len(body))})


@dataclass(frozen=True)
class Outcome:
    """What a crash left.

    Attributes:
        posts: paid requests that reached the provider.
        jobs: as the second process saw them at its end.
        seconds: from its start until every job had ended.
        faults: what must not be.
    """

    posts: int
    jobs: list[dict[str, Any]]
    seconds: float
    faults: tuple[str, ...]


class Cycles:
    """Kills jobs, one after the other, each in a folder of its own."""

    def __init__(self, prefork: subprocess.Popen[str]) -> None:
        self._prefork = prefork

    def run(self, point: str, seed: int) -> Outcome:
        """Kill one job at a point, let another process take over, and look at what is left."""
        where = POINTS[point]
        chance = random.Random(f"{point} {seed}")
        takes = chance.uniform(0.2, 0.7)  # else nobody asks for it
        provider = Deadly(seconds=3600 if where == "poll" else takes)  # where the asking kills, it ends after that
        with tempfile.TemporaryDirectory() as name, serving_beside(provider.app()) as url:
            provider.moment = where if isinstance(where, str) else ""
            if point == "during a migration":
                first_version(Path(name))
            code = self._fork(name, url, None if isinstance(where, str) else where, False, provider)
            provider.moment = ""
            faults = [] if code == -signal.SIGKILL else [f"was not killed, but ended with {code}"]
            if where == "poll":
                provider.finish(takes)
            begun = time.monotonic()
            if self._fork(name, url, None, True, provider) != 0:
                faults.append("the second process broke")
            seconds = time.monotonic() - begun
            told = Path(name, "told.json")
            jobs = json.loads(told.read_text()) if told.exists() else []
            # A reference is written before its job: whole, under its own hash, so that the next attempt finds it.
            spare = 1 if point == "before insert" else 0
            return Outcome(len(provider.submits), jobs, seconds, (*faults, *left_behind(Path(name), spare)))

    def _fork(self, folder: str, url: str, die: tuple[str, str, int] | None, recover: bool, provider: Deadly) -> int:
        assert self._prefork.stdin
        assert self._prefork.stdout
        command = {"folder": folder, "url": url, "key": KEY, "die": die, "recover": recover}
        self._prefork.stdin.write(json.dumps(command) + "\n")
        self._prefork.stdin.flush()
        provider.victim = json.loads(self._prefork.stdout.readline())["pid"]
        self._prefork.stdin.write("go\n")
        self._prefork.stdin.flush()
        code: int = json.loads(self._prefork.stdout.readline())["status"]
        return code


def first_version(folder: Path) -> None:
    """Make a folder of the first version, without a job."""
    base = sqlite3.connect(folder / "studio.db", isolation_level=None)
    MIGRATIONS[0](base)
    base.execute("pragma user_version = 1")
    base.close()


def left_behind(folder: Path, spare: int) -> Iterator[str]:
    """Yield what must not be in a folder: a broken database, half pictures, more than `spare` that nobody knows."""
    base = sqlite3.connect(folder / "studio.db")
    (verdict,) = base.execute("pragma integrity_check").fetchone()
    if verdict != "ok":
        yield f"the database is broken: {verdict}"
    known = {name for (name,) in base.execute("select name from pictures")}
    base.close()
    images = folder / "images"
    files = list(images.iterdir()) if images.exists() else []
    unknown = [path.name for path in files if path.name not in known]
    if len(unknown) > spare:
        yield f"{unknown} are nobody's"
    for path in files:
        try:
            Image.open(io.BytesIO(path.read_bytes())).load()
        except OSError:
            yield f"{path.name} is half a picture"


@contextmanager
def cycles() -> Iterator[Cycles]:
    """Start the process that forks, and end it afterwards."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.support.prefork"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as prefork:
        yield Cycles(prefork)
        assert prefork.stdin
        prefork.stdin.close()
        prefork.wait(120)
