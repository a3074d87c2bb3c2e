"""Logs: one JSON object a line, or plain lines on a terminal; always without secrets."""

from __future__ import annotations

import logging
from typing import TextIO

import structlog

from core.secrets import redactor


class Redacting(structlog.stdlib.ProcessorFormatter):
    """Formats a record, its traceback included, and then takes every secret out."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        return redactor.clean(super().format(record))


def configure(stream: TextIO) -> None:
    """Send all logs of the process to a stream."""
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
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
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs every address, and an address may hold a token
