"""What the server and the page both compute: one table of cases, read by tests of both (`ui/web/lib/*.test.js`)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from core.imaging.images import working_size
from core.messages import advice, in_full, message_of, render
from core.request import steps_run

CASES: dict[str, list[Any]] = json.loads((Path(__file__).parent / "web_cases.json").read_text(encoding="utf-8"))


def test_steps_that_run() -> None:
    assert [[steps, strength, steps_run(steps, strength)] for steps, strength, _ in CASES["steps"]] == CASES["steps"]


def test_size_of_work() -> None:
    found = [[*given, *working_size(*given)] for *given, _, _ in CASES["sizes"]]
    assert found == CASES["sizes"]


def test_messages() -> None:
    for case in CASES["messages"]:
        said = message_of(case["said"])
        text, details, todo = case["text"], case.get("details", ""), case.get("todo", "")
        assert (render(said), render(said, attribute="details"), advice(said)) == (text, details, todo)
        assert in_full(said) == " ".join(filter(None, (text, details, todo)))
