"""The libraries of the page are the files that were recorded, with their licences."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
VENDOR = ROOT / "ui" / "web" / "vendor"
RECORDED = json.loads((VENDOR / "vendor.json").read_text(encoding="utf-8"))
PINNED = json.loads((ROOT / "tools" / "web" / "package.json").read_text(encoding="utf-8"))["devDependencies"]


def test_every_library_is_recorded() -> None:
    assert sorted(RECORDED) == sorted(path.name for path in VENDOR.glob("*.js"))


@pytest.mark.parametrize("name", RECORDED)
def test_a_library_is_the_recorded_file_of_the_pinned_version(name: str) -> None:
    data = (VENDOR / name).read_bytes()
    assert hashlib.sha256(data).hexdigest() == RECORDED[name]["sha256"]
    assert PINNED[RECORDED[name]["package"]] == RECORDED[name]["version"]
    assert b"sourceMappingURL" not in data


@pytest.mark.parametrize("name", RECORDED)
def test_a_library_has_its_licence_and_its_types_beside_it(name: str) -> None:
    assert (VENDOR / f"LICENSE-{Path(name).stem}").is_file()
    assert (VENDOR / name).with_suffix(".d.ts").is_file()


def test_the_tools_of_the_page_are_pinned() -> None:
    assert all(version[0].isdigit() for version in PINNED.values())
