"""A process that has imported everything, and forks one that runs a single job, or takes up what another left.

Commands come on stdin, a line of JSON each; for each the pid of the fork is answered, and after
another line, which lets it begin, how it ended.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any

from pydantic import SecretStr

from backends.http.client import ProviderClient
from backends.wavespeed.backend import SPEC, WavespeedBackend
from backends.wavespeed.provider import WavespeedProvider
from core.settings import Settings
from engine.engine import Engine
from storage.async_store import AsyncStore
from storage.sqlite.store import Store
from tests.support.fakes import files_of, make_reference, make_request

ENDED_IN = 30.0
"""Seconds after a restart within which every job must have ended."""


def die_at(event: str, name: str, count: int) -> None:
    """Kill this process at the count-th time that any thread calls, or returns from, a function.

    Args:
        event: `call`, `return` (Python's), or `c_call`.
        name: the function's qualified name.
        count: 1 is the first.
    """
    seen = 0

    def watch(frame: FrameType, happened: str, detail: Any) -> None:
        nonlocal seen
        if happened != event:
            return
        if happened == "c_call":
            called = f"{getattr(detail, '__module__', '')}.{detail.__qualname__}"
        else:
            called = frame.f_code.co_qualname
        if called == name:
            seen += 1
            if seen == count:
                os.kill(os.getpid(), signal.SIGKILL)

    threading.setprofile(watch)
    sys.setprofile(watch)


async def run(folder: Path, url: str, key: str, recover: bool) -> list[dict[str, Any]]:
    """Run one job to its end, or all that were left; return each job's state."""
    settings = Settings(wavespeed_key=SecretStr(key), wavespeed_base_url=url)
    engine = Engine(
        {"wavespeed": WavespeedBackend(WavespeedProvider(settings, ProviderClient(url)))}, AsyncStore(Store(folder))
    )
    await engine.recover()
    if not recover:
        await engine.submit("wavespeed", make_request(SPEC, image=make_reference(32, 24), seed=7))
    ends = [engine.result(job) for job in engine.jobs]
    await asyncio.wait_for(asyncio.gather(*ends, return_exceptions=True), ENDED_IN)
    told = [
        {
            "id": job.id,
            "ended": job.ended,
            "error": type(job.error).__name__ if job.error else None,
            "words": str(job.error or ""),
            "files": [str(path) for path in files_of(job, folder / "images")],
        }
        for job in await engine.history("local", 100)
    ]
    await engine.close()
    return told


def child(command: dict[str, Any]) -> None:
    """Do what a command says, and write what came of it."""
    if command["die"]:
        die_at(*command["die"])
    told = asyncio.run(run(Path(command["folder"]), command["url"], command["key"], command["recover"]))
    Path(command["folder"], "told.json").write_text(json.dumps(told), encoding="utf-8")


def main() -> None:
    """Fork for each line."""
    while line := sys.stdin.readline():
        command = json.loads(line)
        ready, go = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.read(ready, 1)  # until whoever may kill it knows its pid
            code = 1
            try:
                child(command)
                code = 0
            finally:
                os._exit(code)
        print(json.dumps({"pid": pid}), flush=True)
        sys.stdin.readline()
        os.write(go, b".")
        _, status = os.waitpid(pid, 0)
        os.close(ready)
        os.close(go)
        print(json.dumps({"status": os.waitstatus_to_exitcode(status)}), flush=True)


if __name__ == "__main__":
    main()
