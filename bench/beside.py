"""A measuring program beside the one that is measured, in a process of its own."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bench.serve import ROOT


@dataclass
class Beside:
    """A running program; `first` is the first line that it printed."""

    first: str
    process: subprocess.Popen[str]

    def rest(self) -> str:
        """End it, and return what else it printed."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.communicate(timeout=30)[0]


@contextmanager
def beside(module: str, *arguments: str) -> Iterator[Beside]:
    """Run a module of the project until the block ends."""
    command = [sys.executable, "-m", module, *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Beside(process.stdout.readline().strip(), process)
        finally:
            process.terminate()
