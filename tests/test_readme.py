"""The README tells the truth: settings, versions, the Space's front matter."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from core.settings import NAMES, Settings

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
_, FRONT, BODY = README.split("---\n", 2)

PACKAGES = ("core", "engine", "storage", "backends", "api", "ui")


def pins(name: str) -> dict[str, str]:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return dict(re.match(r"([\w-]+)(?:\[\w+\])?==(\S+)", line).groups() for line in lines if "==" in line)  # type: ignore[union-attr]


def test_the_settings_table_lists_what_the_app_reads() -> None:
    assert re.findall(r"^\| `(\w+)` \|", BODY, re.MULTILINE) == list(NAMES)


def test_the_settings_table_gives_the_defaults() -> None:
    given = dict(re.findall(r"^\| `(\w+)` \| `?([^`|]+?)`? \|", BODY, re.MULTILINE))
    default = Settings()
    assert given["STUDIO_DATA_DIR"] == str(default.data_dir)
    assert given["STUDIO_LOCAL_DEVICE"] == default.local_device
    assert given["STUDIO_QUEUE_SIZE"] == str(default.queue_size)
    assert given["STUDIO_MCP"] == str(int(default.mcp))
    assert given["GRADIO_SERVER_NAME"] == default.server_name
    assert given["GRADIO_SERVER_PORT"] == str(default.server_port)


def test_the_spaces_front_matter_fits_the_project() -> None:
    front = yaml.safe_load(FRONT)
    assert front["sdk"] == "gradio"
    assert front["sdk_version"] == pins("requirements.txt")["gradio"]
    assert (ROOT / front["app_file"]).is_file()
    assert len(front["short_description"]) <= 60
    assert front["license"] == "apache-2.0"
    assert "Apache License" in (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert front["python_version"] == "3.11"


def test_every_file_that_it_shows_or_links_is_there() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", BODY):
        assert target.startswith("http") or (ROOT / target).is_file(), target


def test_every_direct_dependency_is_pinned_and_used() -> None:
    sources = [
        ROOT / "app.py",
        *(
            path
            for room in ("core", "engine", "storage", "backends", "api", "ui")
            for path in (ROOT / room).rglob("*.py")
        ),
    ]
    code = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    named_by_others = {
        "accelerate": "low_cpu_mem_usage",  # diffusers needs it for this
        "pillow": "from PIL import",
        "pi-heif": "import pi_heif",
        "fluent-runtime": "from fluent.runtime import",
    }
    for name in pins("requirements.txt"):
        assert named_by_others.get(name, f"import {name}") in code or f"from {name}" in code, name


def test_the_two_commands_stand_on_the_first_screen() -> None:
    first = BODY.splitlines()[:20]
    assert any(line.startswith("make run") for line in first)
    assert any(line.startswith("make test") for line in first)
