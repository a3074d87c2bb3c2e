"""`python app.py backup | export | import`, of an app that runs, and an app that starts from what was copied."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.fakes import picture_bytes
from tests.support.live_app import ROOT, serve

pytestmark = pytest.mark.integration

S = "/studio/v1"
ALONE = {"ALONE": "1"}


def command(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "STUDIO_DATA_DIR": str(folder)}
    program = [sys.executable, "app.py", *arguments]
    return subprocess.run(program, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=120)


def run_once(web: httpx.Client) -> list[dict[str, Any]]:
    """Make a picture and return the list of results, once it is compared with its reference."""
    file = ("photo.png", picture_bytes(), "image/png")
    reference = web.post(f"{S}/references", files={"file": file}).json()["digest"]
    body = {"reference": reference, "backend": "first", "prompt": "good, a lake"}
    web.post(f"{S}/jobs", json=body, headers={"Idempotency-Key": "k"}).raise_for_status()
    while not ((results := web.get(f"{S}/results").json()["results"]) and results[0]["meters"]):
        pass
    return list(results)


def test_an_app_starts_from_the_backup_of_a_running_one(tmp_path: Path) -> None:
    data, copy = tmp_path / "data", tmp_path / "copy"
    with (
        serve(data, "-m", "tests.support.fake_app", **ALONE) as served,
        httpx.Client(base_url=served.url, timeout=60) as web,
    ):
        results = run_once(web)
        picture = web.get(f"{S}/results/{results[0]['id']}/file").content
        done = command(served.data_dir, "backup", str(copy))
        assert (done.returncode, done.stderr) == (0, "")
        assert f"{copy} has everything now, with 2 pictures (2 new)." in done.stdout
    with (
        serve(copy, "-m", "tests.support.fake_app", **ALONE) as restored,
        httpx.Client(base_url=restored.url, timeout=60) as web,
    ):
        assert web.get(f"{S}/results").json()["results"] == results
        assert web.get(f"{S}/results/{results[0]['id']}/file").content == picture


def test_all_that_was_made_is_carried_to_another_folder(tmp_path: Path) -> None:
    data, out, new = tmp_path / "data", tmp_path / "out", tmp_path / "new"
    with (
        serve(data, "-m", "tests.support.fake_app", **ALONE) as served,
        httpx.Client(base_url=served.url, timeout=60) as web,
    ):
        results = run_once(web)
        done = command(served.data_dir, "export", str(out))
        assert (done.returncode, done.stdout) == (0, f"{out} has 1 results now, in 1 archives.\n")
        done = command(served.data_dir, "import", str(out))
        assert done.returncode == 1
        assert "Another process uses" in done.stderr
    done = command(new, "import", str(out))
    assert (done.returncode, done.stdout) == (0, "1 results of 1 archives are new.\n")
    with (
        serve(new, "-m", "tests.support.fake_app", **ALONE) as restored,
        httpx.Client(base_url=restored.url, timeout=60) as web,
    ):
        (found,) = web.get(f"{S}/results").json()["results"]
        assert (found["recipe"], found["image"]) == (results[0]["recipe"], results[0]["image"])


def test_a_folder_without_data_is_named(tmp_path: Path) -> None:
    done = command(tmp_path, "backup", str(tmp_path / "copy"))
    assert done.returncode == 1
    assert f"There is nothing to back up in {tmp_path}." in done.stderr
