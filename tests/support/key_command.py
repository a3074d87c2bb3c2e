"""The command that makes and revokes keys, run as the owner of an app runs it."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

from tests.support.live_app import ROOT


async def command(folder: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run `python app.py keys` as its owner would, in a process of its own, on a folder in use or not."""
    env = {"PATH": os.environ["PATH"], "STUDIO_DATA_DIR": str(folder), **environ}
    words = [sys.executable, "app.py", "keys", *arguments]
    # Files that the command makes are its own to close, whatever the shell allows.
    return await asyncio.to_thread(subprocess.run, words, env=env, cwd=ROOT, capture_output=True, text=True, umask=0)


async def issued(folder: Path, *arguments: str) -> tuple[str, dict[str, str]]:
    """Issue a key by the command; return its id and its header."""
    done = await command(folder, "new", *arguments)
    assert done.returncode == 0, done.stderr
    letters = done.stdout.splitlines()[0]
    found = re.search(r"This is key ([0-9a-f]+)\.", done.stdout)
    assert found
    return found[1], {"Authorization": f"Bearer {letters}"}
