"""The app starts after a crash whatever it left: however many runs wait, on however large references, damaged or not.

How long it takes beside an empty start, `python -m bench start` says.
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from backends.local import LocalBackend
from core.settings import Settings
from tests.support.live_app import Served, serve
from tests.support.unfinished import damage_log, damage_rows, drop_from_cache, fill, pictures

pytestmark = pytest.mark.integration

Damage = Callable[[Path, list[str]], None]


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return pictures(tmp_path_factory.mktemp("stock"), 24, distinct=1)


def none(folder: Path, ids: list[str]) -> None:
    """Leave it as it is."""


def rows(folder: Path, ids: list[str]) -> None:
    damage_rows(folder, ids)


def log(folder: Path, ids: list[str]) -> None:
    damage_log(folder, len(ids))


def file_gone(folder: Path, ids: list[str]) -> None:
    for path in list((folder / "images").iterdir())[::2]:
        path.unlink()


def images_gone(folder: Path, ids: list[str]) -> None:
    for path in (folder / "images").iterdir():
        path.unlink()
    (folder / "images").rmdir()


@pytest.mark.parametrize(
    ("count", "damage"),
    [
        (0, none),
        (1, none),
        (30, none),
        (150, none),
        (1, rows),
        (30, rows),
        (30, log),
        (0, log),
        (30, file_gone),
        (30, images_gone),
    ],
)
def test_the_app_answers_and_knows_its_runs(tmp_path: Path, stock: list[Path], count: int, damage: Damage) -> None:
    ids = fill(tmp_path, LocalBackend(Settings(data_dir=tmp_path), cuda=0).spec, stock, count)
    damage(tmp_path, ids)
    drop_from_cache(tmp_path)
    with serve(tmp_path, "app.py", kill=True) as app:
        known = listed(app)
    damaged = ids[::10] if damage is rows else []
    assert known == [each for each in reversed(ids) if each not in damaged][:100]
    assert [each for each in damaged if each not in app.log.read_text()] == []


def listed(app: Served) -> list[str]:
    """Return the ids of the latest hundred runs, newest first."""
    request = urllib.request.Request(f"{app.url}/api/v3/predictions", b"{}", {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=240) as answer:
        return [each["id"] for each in json.load(answer)["data"]["items"]]
