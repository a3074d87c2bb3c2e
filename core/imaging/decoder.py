"""One decoder process, as the pool in `engine.decoders` holds it.

A request is a JSON object and the file's bytes, unless the object names its path; an answer is likewise. Nothing
executable travels: a decoder that a picture has taken over can send back a wrong picture, and no more.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.imaging.decoder_process import receive, send

ROOT = Path(__file__).resolve().parents[2]
INHERITED = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "TMPDIR", "TEMP")
"""What Python needs to start in some places. Keys stay here."""
MALLOC = {"MALLOC_ARENA_MAX": "1"}
"""For glibc: threads inside decoders reserve no address space of their own, which is what is limited."""


@dataclass(frozen=True)
class Bounds:
    """What one decoder may take: bytes of address space, seconds of processor time a picture, and its priority."""

    memory: int
    seconds: int
    niceness: int


class Gone(Exception):
    """A decoder ended in the middle of a picture, with a return code: negative where a signal ended it."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Decoder:
    """One process, used by one thread at a time."""

    def __init__(self, bounds: Bounds) -> None:
        inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
        path = os.pathsep.join([str(ROOT), *filter(None, sys.path)])  # what was found here is found there
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-P", "-m", "core.imaging.decoder_process", *map(str, vars(bounds).values())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # C libraries write there what strangers' files say
            env={**inherited, **MALLOC, "PYTHONPATH": path},
            start_new_session=True,  # Ctrl+C in a terminal is the parent's
        )
        self._timer: asyncio.TimerHandle | None = None

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def ask(self, values: dict[str, Any], file: bytes) -> tuple[dict[str, Any], bytes]:
        """Return the answer to a request; blocks.

        Raises:
            Gone: the process ended.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            send(self._process.stdin, values, file)
            answer = receive(self._process.stdout)
        except (OSError, ValueError):  # ValueError: ended and closed by somebody else meanwhile, or no JSON
            answer = None
        if answer is None:
            self.end()
            raise Gone(self._process.returncode)
        return answer

    @property
    def alive(self) -> bool:
        """Whether the process is there."""
        return self._process.poll() is None

    def rest(self, timer: asyncio.TimerHandle | None) -> None:
        """Hold the timer that will end an idle decoder, in place of an earlier one; None when it works again."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = timer

    def kill(self) -> None:
        """End the process; whoever waits for its answer gets `Gone`."""
        self._process.kill()

    def end(self) -> None:
        """End the process, and let go of it; blocks for a moment."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):  # what was not written yet cannot be
                if pipe is not None:
                    pipe.close()
