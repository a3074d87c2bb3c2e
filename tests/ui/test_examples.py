"""The example pictures are served, and nothing else that lies beside them."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient

from ui import examples
from ui.examples import EXAMPLES, FOLDER, NAMES, Example, ExamplePictures


@pytest.fixture
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    """A client of the examples, in whose folder other files lie too."""
    for each in EXAMPLES:
        (tmp_path / each.file).write_bytes(each.path.read_bytes())
    (tmp_path / "notes").mkdir()
    for name in ("render.py", "other.jpg", "notes/lake.jpg"):
        (tmp_path / name).write_text("not for the web")
    monkeypatch.setattr(examples, "FOLDER", tmp_path)
    return TestClient(Starlette(routes=[Mount("/examples", ExamplePictures())]))


def test_the_folder_holds_the_examples_pictures_and_nothing_else() -> None:
    assert sorted(path.name for path in FOLDER.iterdir()) == sorted(NAMES)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda each: each.file)
def test_an_examples_picture_is_served_as_it_is(web: TestClient, example: Example) -> None:
    answer = web.get(f"/examples/{example.file}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.content == example.path.read_bytes()


@pytest.mark.parametrize(
    "path", ["render.py", "other.jpg", "notes/lake.jpg", "notes/", "", "../page.js", "%2e%2e/page.js", "street.jpg/x"]
)
def test_no_other_file_is_served(web: TestClient, path: str) -> None:
    assert web.get(f"/examples/{path}").status_code == 404


def test_all_cards_together_are_a_small_part_of_a_first_visit() -> None:
    assert sum((FOLDER / name).stat().st_size for each in EXAMPLES for name in (each.before, each.after)) <= 40_000
