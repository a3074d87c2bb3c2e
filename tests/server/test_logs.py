"""Logs: one object a line, and no secret in any of them, whoever wrote it."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest

from core.secrets import redactor
from server import logs

CANARY = "canary-key-in-the-log"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    redactor.learn(CANARY)
    out = io.StringIO()
    logs.configure(out)
    yield out
    root.handlers[:] = before
    root.setLevel(level)


def test_a_line_is_an_object_with_its_level_place_and_time(stream: io.StringIO) -> None:
    logging.getLogger("core.engine").info("job %s was taken", "j1")
    (line,) = stream.getvalue().splitlines()
    told = json.loads(line)
    assert told["event"] == "job j1 was taken"
    assert (told["level"], told["logger"]) == ("info", "core.engine")
    assert told["timestamp"].endswith("Z")


def test_no_secret_is_in_a_message_its_arguments_or_a_traceback(stream: io.StringIO) -> None:
    log = logging.getLogger("anything")
    log.warning("key %s", CANARY)
    log.warning({"authorization": f"Bearer {CANARY}"})
    try:
        raise ValueError(f"bad key {CANARY}")
    except ValueError:
        log.exception("it broke")
    assert "ValueError" in stream.getvalue()
    assert CANARY not in stream.getvalue()
    assert len(stream.getvalue().splitlines()) == 3
