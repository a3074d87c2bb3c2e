"""Logs: one object a line, short, and no secret or visitor's words in any of them, whoever wrote it."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import subprocess
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError

from api import logs
from api.logs import RECORD, Repeats
from core.secrets import redactor

CANARY = "canary-key-in-the-log"
UNKNOWN = "a-key-that-nobody-has-learnt"
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before, level, printing = root.handlers[:], root.level, traceback.print_exc
    redactor.learn(CANARY)
    out = io.StringIO()
    logs.configure(out)
    yield out
    logging.captureWarnings(False)
    traceback.print_exc = printing
    root.handlers[:] = before
    root.setLevel(level)


def lines(stream: io.StringIO) -> list[dict[str, str]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_an_object_with_its_level_place_and_time(stream: io.StringIO) -> None:
    logging.getLogger("engine.engine").info("job %s was taken", "j1")
    (told,) = lines(stream)
    assert told["event"] == "job j1 was taken"
    assert (told["level"], told["logger"]) == ("info", "engine.engine")
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


@pytest.mark.parametrize("letter", ["x", "é", "\x00", '"', "\n", "\ud800", "\U0001f600", "水"])
def test_a_record_is_short_whatever_it_says(stream: io.StringIO, letter: str) -> None:
    log = logging.getLogger("anything")
    try:
        try:
            raise ValueError(letter * 5_000)
        except ValueError as error:
            raise RuntimeError(letter * 1_000_000) from error
    except RuntimeError:
        log.exception(letter * 1_000_000)
    (line,) = stream.getvalue().splitlines()
    assert len(line.encode()) <= RECORD
    told = json.loads(line)
    assert told["event"].startswith(letter)
    assert "RuntimeError" in told["exception"]


@pytest.mark.parametrize("place", [0, 680, 690, 699, 5000])
def test_no_half_of_a_secret_is_left_where_a_record_is_cut(stream: io.StringIO, place: int) -> None:
    logging.getLogger("anything").warning("%s%s%s", "x" * place, CANARY, "x" * 5000)
    assert CANARY[:5] not in stream.getvalue()


def test_an_exception_of_ours_says_what_and_where(stream: io.StringIO) -> None:
    try:
        raise ValueError("the disk is full")
    except ValueError:
        logging.getLogger("anything").exception("it broke")
    (told,) = lines(stream)
    assert told["exception"].endswith("ValueError: the disk is full")
    assert "tests/api/test_logs.py:" in told["exception"]
    assert "test_an_exception_of_ours_says_what_and_where" in told["exception"]


def test_all_that_led_to_an_exception_is_named(stream: io.StringIO) -> None:
    try:
        try:
            raise OSError("the first")
        except OSError as error:
            raise ExceptionGroup("both", [ValueError("the second"), KeyError("the third")]) from error
    except ExceptionGroup:
        logging.getLogger("anything").exception("it broke")
    (told,) = lines(stream)
    for each in ("OSError: the first", "ExceptionGroup: both", "ValueError: the second", "KeyError: 'the third'"):
        assert each in told["exception"]


MALFORMED = """
import asyncio, sys, traceback
from api import logs
logs.configure(sys.stderr)
import gradio as gr
with gr.Blocks() as demo:
    box, number = gr.Textbox(), gr.Number(maximum=5)
    gr.Button().click(lambda text, number: text, [box, number], [box])
event = next(iter(demo.fns.values()))

async def send(*inputs):
    try:
        await demo.preprocess_data(event, list(inputs), None)
    except Exception as error:
        print(f"{error} {error.__cause__}"[:100_000])
        traceback.print_exc()

asyncio.run(send("a private prompt with %(key)s" + "x" * 5_000_000))
asyncio.run(send("a private prompt", "%(key)s"))
"""


@pytest.mark.integration
def test_what_the_framework_prints_of_a_malformed_event_quotes_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-c", MALFORMED % {"key": UNKNOWN}], cwd=ROOT, capture_output=True, check=True, text=True
    )
    assert done.stdout.count(UNKNOWN) >= 2  # so the framework says it
    few, wrong = [json.loads(line) for line in done.stderr.splitlines()]
    assert "validate_inputs" in few["exception"]
    assert "preprocess" in wrong["exception"]
    assert UNKNOWN not in done.stderr
    assert "private" not in done.stderr
    assert len(done.stderr) <= 2 * RECORD


def test_what_is_printed_to_a_file_goes_there(stream: io.StringIO) -> None:
    file = io.StringIO()
    try:
        raise ValueError("as it is")
    except ValueError:
        traceback.print_exc(file=file)
    assert file.getvalue().endswith("ValueError: as it is\n")
    assert stream.getvalue() == ""


class Model(BaseModel):
    """Something that a framework validates."""

    name: int


def test_a_frameworks_message_ends_before_it_quotes(stream: io.StringIO) -> None:
    try:
        Model.model_validate({"name": UNKNOWN})
    except ValidationError as error:
        words = f"Failed to validate request: {error}. Message was: {UNKNOWN}"
    record = logging.LogRecord("root", logging.WARNING, "/x/site-packages/mcp/shared/session.py", 1, words, (), None)
    logging.getLogger().handle(record)
    (told,) = lines(stream)
    assert told["event"].startswith("Failed to validate request: 1 validation error for Model")
    assert UNKNOWN not in stream.getvalue()


def record(
    name: str = "server.x", line: int = 1, created: float = 0.0, level: int = logging.ERROR
) -> logging.LogRecord:
    made = logging.LogRecord(name, level, "x.py", line, "a flood of %s", (created,), None)
    made.created = created
    return made


def test_of_a_flood_so_many_are_written_in_a_period_and_the_rest_is_counted() -> None:
    repeats = Repeats(most=3, period=60.0)
    written = [each for each in (record(created=number) for number in range(50)) if repeats.filter(each)]
    assert [each.created for each in written] == [0, 1, 2]
    assert "left out for 60 s" in written[-1].getMessage()
    later = record(created=60.0)
    assert repeats.filter(later)
    assert "47 more like this were left out" in later.getMessage()
    assert repeats.filter(record(line=2, created=10))


def test_what_a_run_says_is_never_a_flood() -> None:
    repeats = Repeats(most=3)
    assert all(repeats.filter(record(level=logging.INFO)) for _ in range(50))


def test_different_exceptions_of_one_line_are_different() -> None:
    repeats = Repeats(most=1)

    def broken(error: Exception) -> logging.LogRecord:
        try:
            raise error
        except Exception:
            return logging.LogRecord("x", logging.ERROR, "x.py", 1, "it broke", (), sys.exc_info())

    assert [repeats.filter(broken(each)) for each in (OSError(), ValueError(), OSError())] == [True, True, False]


def test_a_flood_of_connections_is_one_line(stream: io.StringIO) -> None:
    loop = asyncio.new_event_loop()
    for number in range(1000):
        error = OSError(24, "Too many open files")
        loop.call_exception_handler({"message": f"socket.accept() out of system resource {number}", "exception": error})
    loop.close()
    assert len(lines(stream)) == 1


def test_kinds_of_records_are_remembered_for_a_while_only() -> None:
    repeats = Repeats(most=1)
    for line in range(5000):
        assert repeats.filter(record(line=line))
    assert len(repeats._seen) == 1000


def test_warnings_are_records_too(stream: io.StringIO) -> None:
    words = "import warnings; warnings.warn('x' * 100_000)"
    code = f"import sys; from api import logs; logs.configure(sys.stderr); {words}"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)
    (line,) = done.stderr.splitlines()
    assert len(line) <= RECORD
    assert json.loads(line)["logger"] == "py.warnings"
