"""Run code as a reader of it would: in a folder of its own, with nothing of this process's environment."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path


def program(name: str) -> str:
    path = shutil.which(name)
    assert path, f"no {name}: run `make clients`"
    return path


def run(folder: Path, language: str, code: str, **environ: str) -> str:
    """Run an example in a folder and return what it prints; it has nothing of this process's environment."""
    command = {
        "bash": [program("bash"), "-c", code],
        "python": [sys.executable, "-c", code],
        "javascript": [program("node"), "-e", code],
    }
    program("curl")
    kept = {"PATH": os.environ["PATH"], "HOME": str(folder), **environ}
    done = subprocess.run(command[language], cwd=folder, env=kept, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    return done.stdout
