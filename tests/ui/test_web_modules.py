"""The page's modules, by their own tests beside them, and their types of the API."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
WEB = ROOT / "ui" / "web"

pytestmark = pytest.mark.integration


def test_the_modules_pass_their_own_tests() -> None:
    plain = {name: value for name, value in os.environ.items() if name != "NODE_OPTIONS"}
    # Without arguments: newer versions of Node read them as patterns.
    done = subprocess.run(["node", "--test"], cwd=WEB, env=plain, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert "\n# pass 0" not in done.stdout


if (ROOT / "api" / "studio" / "openapi.py").is_file():

    def test_the_types_of_the_api_are_those_of_the_server() -> None:
        described = subprocess.run(
            [sys.executable, "-m", "api.studio.openapi"], cwd=ROOT, capture_output=True, check=True, timeout=120
        )
        made = subprocess.run(
            [ROOT / "tools" / "web" / "types"], input=described.stdout, capture_output=True, check=True, timeout=60
        )
        assert (WEB / "api.d.ts").read_bytes() == made.stdout, "run `make web-types`"
