"""The page's stand-in app, forked from a process that has imported everything: so a start takes a sixth of the time.

What starts is a process of its own all the same, with its own environment, log, sockets and end. Commands come on
stdin, a line of JSON each, and each is answered by one: an environment and a log by the pid of the app, a pid by how
that app ended, or null while it runs.
"""

from __future__ import annotations

import atexit
import faulthandler
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
"""The project's folder."""
FAKE_APP = ("-m", "tests.support.fake_app")
"""What is forked, as a command of Python that would start it too."""


class Forked:
    """A running app, as `subprocess` would give it."""

    def __init__(self, environ: Mapping[str, str], log: Path) -> None:
        self.pid: int = ask({"environ": dict(environ), "log": str(log)})
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return with which code it has ended, None while it runs."""
        if self.returncode is None:
            self.returncode = ask(self.pid)
        return self.returncode

    def wait(self, timeout: float = 120) -> int:
        """Return with which code it ends.

        Raises:
            subprocess.TimeoutExpired: it does not end in time.
        """
        deadline = time.monotonic() + timeout
        while (code := self.poll()) is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired("the app", timeout)
            time.sleep(0.02)
        return code

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)


@cache
def forker() -> tuple[subprocess.Popen[str], threading.Lock]:
    """Return the process that forks, one for each of ours; it ends with us."""
    process = subprocess.Popen(
        [sys.executable, "-m", __name__], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    atexit.register(process.communicate)
    return process, threading.Lock()


def ask(command: Any) -> Any:
    """Have a command answered."""
    process, lock = forker()
    assert process.stdin
    assert process.stdout
    with lock:
        process.stdin.write(json.dumps(command) + "\n")
        process.stdin.flush()
        return json.loads(process.stdout.readline())


def ended(pid: int) -> int | None:
    """Return with which code a fork has ended, None while it runs."""
    found, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if found else None


def main() -> None:
    """Answer; in a fork, serve the app and end with it."""
    import ui.mcp_tool
    import ui.page
    import ui.studio
    import ui.web_files  # noqa: F401 - for the forks
    from tests.support import fake_app

    while line := sys.stdin.readline():
        command = json.loads(line)
        answer = ended(command) if isinstance(command, int) else os.fork()
        if answer == 0 and isinstance(command, dict):
            begin(**command)
            fake_app.main()
            return
        print(json.dumps(answer), flush=True)


def begin(environ: dict[str, str], log: str) -> None:
    """Make a fork what a process that starts with this environment would be."""
    os.environ.clear()
    os.environ.update(environ)
    nothing, out = os.open(os.devnull, os.O_RDONLY), os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for number, file in enumerate((nothing, out, out)):
        os.dup2(file, number)
    faulthandler.enable()


if __name__ == "__main__":
    main()
