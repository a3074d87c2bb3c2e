"""The README's programs run as they stand, with nothing changed but the address."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.live_app import ROOT, Served

pytestmark = pytest.mark.integration

README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(language: str, containing: str) -> str:
    blocks = re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
    return next(each for each in blocks if containing in each)


def run(app: Served, tmp_path: Path, *command: str, code: str) -> str:
    code = code.replace("http://127.0.0.1:7860", app.url)
    environ = {**os.environ, "GRADIO_TEMP_DIR": str(tmp_path)}
    done = subprocess.run([*command, code], cwd=ROOT, env=environ, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_python_example_runs(app: Served, tmp_path: Path) -> None:
    out = run(app, tmp_path, sys.executable, "-c", code=block("python", "handle_file"))
    assert "[7] 10" in out


def test_the_curl_example_runs(app: Served, tmp_path: Path) -> None:
    assert "event: complete" in run(app, tmp_path, "bash", "-c", code=block("sh", "curl"))
