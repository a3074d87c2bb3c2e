"""The page's modules, by their own tests beside them, and their types of the API."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ui.web_files import WebFiles

ROOT = Path(__file__).resolve().parent.parent.parent
WEB = ROOT / "ui" / "web"

PRINTED = """
    const ts = require(process.argv[1]);
    const how = { compilerOptions: { target: 'esnext', module: 'esnext', removeComments: true } };
    const texts = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));
    process.stdout.write(JSON.stringify(texts.map((text) => ts.transpileModule(text, how).outputText)));
"""
"""Prints modules as TypeScript's compiler writes them, without comments."""

pytestmark = pytest.mark.integration


def test_the_modules_pass_their_own_tests() -> None:
    plain = {name: value for name, value in os.environ.items() if name != "NODE_OPTIONS"}
    # Without arguments: newer versions of Node read them as patterns.
    done = subprocess.run(["node", "--test"], cwd=WEB, env=plain, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert "\n# pass 0" not in done.stdout


def printed(modules: list[str]) -> list[str]:
    typescript = ROOT / "tools" / "web" / "node_modules" / "typescript"
    done = subprocess.run(
        ["node", "-e", PRINTED, str(typescript)],
        input=json.dumps(modules),
        capture_output=True,
        check=True,
        text=True,
        timeout=120,
    )
    return list(json.loads(done.stdout))


def test_pages_get_the_modules_as_they_are_but_for_the_comments_and_every_line_in_its_place() -> None:
    files = WebFiles()
    served = {name: files.files[name].data.decode() for name in files.modules}
    sources = {name: (WEB / name).read_text(encoding="utf-8") for name in served}
    assert printed(list(served.values())) == printed(list(sources.values()))
    for name, text in served.items():
        assert text.count("\n") == sources[name].count("\n")
    assert sum(map(len, served.values())) < 0.85 * sum(map(len, sources.values())), "most of a comment is left out"


def test_pages_get_the_style_sheets_as_they_are_but_for_the_comments() -> None:
    files = WebFiles()
    for name in (each for each in files.files if each.endswith(".css")):
        source, served = ((WEB / name).read_text(encoding="utf-8"), files.files[name].data.decode())
        plain = [re.sub(r"\s+", " ", re.sub(r"(?s)/\*.*?\*/", "", text)) for text in (source, served)]
        assert plain[0] == plain[1]


if (ROOT / "api" / "studio" / "openapi.py").is_file():

    def test_the_types_of_the_api_are_those_of_the_server() -> None:
        described = subprocess.run(
            [sys.executable, "-m", "api.studio.openapi"], cwd=ROOT, capture_output=True, check=True, timeout=120
        )
        made = subprocess.run(
            [ROOT / "tools" / "web" / "types"], input=described.stdout, capture_output=True, check=True, timeout=60
        )
        assert (WEB / "api.d.ts").read_bytes() == made.stdout, "run `make web-types`"
