"""What the page uploads, looked at while it arrives: one picture a request, counted, before the framework keeps it.

The framework writes each part of a form to a temporary file, and deletes that only where the form cannot be parsed.
So everything that ends an upload early is raised to it as a `MultiPartException`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.datastructures import Headers
from starlette.formparsers import MultiPartException
from starlette.responses import Response
from starlette.types import Message, Receive

from core.errors import TooManyRequests
from core.imaging.file_kinds import kind_of, refusal_of, start_of
from core.messages import recorded
from ui.refusal import Refusal

FRAME = 16_384
"""Bytes of a form around its file: boundaries and headers."""
ENOUGH = 4096
"""Bytes of a file's beginning that tell what it is."""
EMPTY = Refusal("image-file-empty", status=415)
ONE_FILE = Refusal("form-one-file", status=400)


class Form:
    """A form as it arrives: holds it to one file, and that file to what pictures begin with.

    Args:
        content_type: of the request.
        pictures_only: whether the first bytes must be a picture's.

    Raises:
        Refusal: it is no form.
    """

    def __init__(self, content_type: str, *, pictures_only: bool) -> None:
        kind, options = parse_options_header(content_type)
        boundary = options.get(b"boundary")
        if kind != b"multipart/form-data" or not boundary:
            raise Refusal("form-expected", status=400)
        self._pictures_only = pictures_only
        self._parts = 0
        self._name, self._value = bytearray(), bytearray()
        self._is_file = False
        self._head = bytearray()
        calls: dict[str, Callable[..., None]] = {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: self._name.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
            "on_header_end": self._header,
            "on_headers_finished": self._headers,
            "on_part_data": self._data,
            "on_part_end": self._end,
        }
        self._parser = MultipartParser(boundary, calls)  # type: ignore[arg-type] # its names are a TypedDict's keys

    def feed(self, data: bytes) -> None:
        """Look at the next bytes.

        Raises:
            Refusal: there is a second part, or one that is no file, or no picture.
        """
        try:
            self._parser.write(data)
        except FormParserError as error:
            raise Refusal("form-unreadable", status=400) from error

    def _begin(self) -> None:
        self._parts += 1
        if self._parts > 1:
            raise ONE_FILE

    def _header(self) -> None:
        if self._name.lower() == b"content-disposition":
            _, options = parse_options_header(bytes(self._value))
            self._is_file = b"filename" in options and options.get(b"name") == b"files"
        self._name.clear()
        self._value.clear()

    def _headers(self) -> None:
        if not self._is_file:
            raise ONE_FILE

    def _data(self, data: bytes, start: int, end: int) -> None:
        if len(self._head) < ENOUGH:
            self._head += data[start : min(end, start + ENOUGH)]
            if len(self._head) >= ENOUGH:
                self._look()

    def _end(self) -> None:
        if len(self._head) < ENOUGH:
            self._look()

    def _look(self) -> None:
        head = bytes(self._head)
        if self._pictures_only and kind_of(head[start_of(head) :]) is None:
            error = refusal_of(head)
            raise Refusal(error.message, status=415) if head else EMPTY


class Upload:
    """One upload on its way to the framework, and the framework's answer on its way back.

    Args:
        headers: of the request.
        max_bytes: of the file.
        count: counts bytes, and raises `TooManyRequests` at the end of a share.
        pictures_only: whether the first bytes must be a picture's.

    Raises:
        Refusal: the form is too large, or none.
    """

    def __init__(self, headers: Headers, max_bytes: int, count: Callable[[int], None], *, pictures_only: bool) -> None:
        length = headers.get("content-length", "")
        self.size = int(length) if length.isascii() and length.isdigit() else max_bytes
        self._most = max_bytes + FRAME
        self._too_large = Refusal("file-too-large", status=413, limit=round(max_bytes / 1e6))
        if self.size > self._most:
            raise self._too_large
        self._form = Form(headers.get("content-type", ""), pictures_only=pictures_only)
        self._count = count
        self._refusal: Refusal | None = None
        self._status = 0
        self._body = bytearray()

    def receiving(self, receive: Receive) -> Receive:
        """Return a receiver that looks at everything on its way."""

        received = 0

        async def looked() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            try:
                if received > self._most:
                    raise self._too_large
                if message["type"] == "http.disconnect":
                    raise Refusal("upload-cut", status=400)
                self._count(len(message.get("body", b"")))
                self._form.feed(message.get("body", b""))
            except TooManyRequests as error:
                self._refusal = Refusal.of(error)
            except Refusal as error:
                self._refusal = error
            if self._refusal is not None:
                raise MultiPartException(self._refusal.words)
            return message

        return looked

    async def send(self, message: Message) -> None:
        """Take the framework's answer."""
        if message["type"] == "http.response.start":
            self._status = message["status"]
        else:
            self._body += message.get("body", b"")

    def paths(self) -> list[str]:
        """Return where the framework put the file, from its answer.

        Raises:
            Refusal: the upload was refused, here or there.
        """
        if self._refusal is not None:
            raise self._refusal
        if self._status != 200:
            raise Refusal(recorded(self._words()), status=self._status or 500)
        paths: list[str] = json.loads(self._body)
        return paths

    def answer(self) -> Response:
        """Return the framework's answer."""
        return Response(bytes(self._body), self._status, media_type="application/json")

    def _words(self) -> str:
        try:
            answer: Any = json.loads(self._body)
        except ValueError:
            answer = self._body.decode("utf-8", "replace")
        return str(answer.get("detail", answer) if isinstance(answer, dict) else answer)
