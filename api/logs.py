"""Logs: one JSON object a line, or plain lines on a terminal; short, without secrets or what visitors sent."""

from __future__ import annotations

import json
import logging
import traceback
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

import structlog

from core.secrets import redactor

RECORD = 2048
"""Bytes of a record at most."""
_EVENT = 700
_EXCEPTION = 1100
"""Bytes of the two parts that have no bound of their own."""
_FRAMEWORK_EVENT = 200
"""Bytes of what a framework says, which may quote a visitor."""
PERIOD = 60.0
"""Seconds."""
REPEATS = 60
"""Warnings and errors of one kind that are written in a period."""
_ONCE = ("asyncio", "api.connections")
"""Loggers of which one of a kind is written in a period: a flood of connections makes them speak for each."""
_KINDS = 1000
"""Kinds that are remembered."""

_ROOT = str(Path(__file__).resolve().parents[1])
_FRAMEWORKS = tuple(
    f"/site-packages/{name}/" for name in ("gradio", "gradio_client", "fastapi", "starlette", "pydantic", "mcp")
)
_SECRET = 4096
"""Letters that a secret has at most."""
_FRAMES = 6
_CHAIN = 4
"""Exceptions that are written of those that led to one another."""
_LEFT_OUT = "(its words are left out: they may quote what was sent)"


class Redacting(structlog.stdlib.ProcessorFormatter):
    """Formats a record, its traceback included, and then takes every secret out."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        return redactor.clean(super().format(record))


class Repeats(logging.Filter):
    """Lets so many warnings and errors of one kind through in a period, the last with a word on those left out.

    Of one kind is what the same line of code says, of the same exception.

    Args:
        most: that are let through.
        period: in seconds.
    """

    def __init__(self, most: int = REPEATS, period: float = PERIOD) -> None:
        super().__init__()
        self._most = most
        self._period = period
        self._seen: OrderedDict[tuple[object, ...], tuple[float, int]] = OrderedDict()

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a record is written."""
        if record.levelno < logging.WARNING:
            return True
        kind = (record.pathname, record.lineno, *_kind_of(record))
        begin, count = self._seen.get(kind, (record.created, 0))
        most = 1 if record.name in _ONCE else self._most
        notes = []
        if record.created - begin >= self._period:
            if count > most:
                notes.append(f"{count - most} more like this were left out")
            begin, count = record.created, 0
        self._seen[kind] = begin, count + 1
        self._seen.move_to_end(kind)
        while len(self._seen) > _KINDS:
            self._seen.popitem(last=False)
        if count + 1 == most:
            notes.append(f"others like this are left out for {self._period:.0f} s")
        if notes:
            record.msg, record.args = f"{record.getMessage()[:_EVENT]} ({'; '.join(notes)})", ()
        return count < most


def _kind_of(record: logging.LogRecord) -> tuple[object, ...]:
    """Return what tells a record's exception from another of the same line of code."""
    if not record.exc_info or record.exc_info[0] is None:
        return ()
    places = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(record.exc_info[2])]
    return record.exc_info[0], places[-1] if places else None


def configure(stream: TextIO) -> None:
    """Send all logs of the process to a stream, and what the framework would print about its exceptions too."""
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _short,
    ]
    last: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0)
        if stream.isatty()
        else structlog.processors.JSONRenderer()
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        Redacting(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
        )
    )
    handler.addFilter(Repeats())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.captureWarnings(True)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs every address, and an address may hold a token
    traceback.print_exc = _print_exc


_print_exc_to_file = traceback.print_exc


def _print_exc(limit: int | None = None, file: Any = None, chain: bool = True) -> None:
    """Log the exception at hand: the framework prints the whole of it, with all that a visitor sent."""
    if file is None:
        logging.getLogger("framework").error("an exception was caught", exc_info=True)
    else:
        _print_exc_to_file(limit, file, chain)


def _short(_: object, __: str, event_dict: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Cut what a record says, and turn its exception into text."""
    record = event_dict.get("_record")
    event = str(event_dict["event"])
    if record is not None and any(each in record.pathname for each in _FRAMEWORKS):
        event = _fit(event.partition("\n")[0], _FRAMEWORK_EVENT)  # the lines after it quote what was sent
    event_dict["event"] = _fit(event, _EVENT)
    event_dict.pop("stack_info", None)
    found = event_dict.pop("exc_info", None)
    error = found[1] if isinstance(found, tuple) else found
    if isinstance(error, BaseException):
        event_dict["exception"] = _fit(_exception_text(error), _EXCEPTION, end=True)
    return event_dict


def _exception_text(error: BaseException) -> str:
    """Return an exception's innermost frames and its words, behind those of the exceptions that led to it."""
    return "\n".join(_one_exception(each) for each in reversed(list(_chain(error))))


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and those it came from, or holds, the latest first."""
    seen: set[int] = set()
    left = [error]
    while left and len(seen) < _CHAIN:
        each = left.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        before = each.__cause__ or (None if each.__suppress_context__ else each.__context__)
        left += [before] if before is not None else []
        left += each.exceptions if isinstance(each, BaseExceptionGroup) else []


def _one_exception(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    places = [f"{_short_path(each.filename)}:{each.lineno} {each.name}" for each in frames]
    words = _LEFT_OUT if _quotes(error.__traceback__) else _fit(str(error), _EVENT)
    return " > ".join([*places, f"{type(error).__name__}: {words}"])


def _short_path(filename: str) -> str:
    return filename.rpartition("/site-packages/")[2].removeprefix(f"{_ROOT}/")


def _quotes(frames: TracebackType | None) -> bool:
    """Return whether an exception may quote a visitor: it was raised by a framework's code, or for it, not by ours."""
    for filename in reversed([frame.f_code.co_filename for frame, _ in traceback.walk_tb(frames)]):
        if any(each in filename for each in _FRAMEWORKS):
            return True
        if filename.startswith(_ROOT) and "/site-packages/" not in filename:
            return False
    return False


def _fit(text: str, size: int, *, end: bool = False) -> str:
    """Return the begin, or the end, of a text, without secrets and with at most `size` bytes in JSON."""
    some = text[-size - _SECRET :] if end else text[: size + _SECRET]
    clean = redactor.clean(some)  # before the cut: the half of a secret would be known by nobody
    fits = clean[-size:] if end else clean[:size]
    while len(json.dumps(fits)) > size:
        fits = fits[len(fits) // 8 + 1 :] if end else fits[: len(fits) * 7 // 8]
    if fits == clean and some == text:
        return fits
    return f"... {fits}" if end else f"{fits} ..."
