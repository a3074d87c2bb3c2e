"""How much a request may send, by what its route carries: pictures travel on few of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

SMALL = 64 * 1024
"""Bytes of a request on a route where no picture travels."""
ADDRESS = 8 * 1024
"""Bytes of a request's path and query together."""
VALUES = 20_000
"""Values in a JSON body; a request for a picture has a few dozen, and parsing this many takes milliseconds."""

_FILES = re.compile(r"/gradio_api/upload|/api/v3/media/(upload/binary|uploads/[^/]+)")
_JSON = re.compile(
    r"/v1/images/(generations|edits)"
    r"|/api/v3/(?!media/|predictions(/|$)).+"
    r"|/gradio_api/mcp(/.*)?"
    r"|/gradio_api/(api|call|run)/(v2/)?edit/?"
)
_FORMS = re.compile(r"/v1/images/edits")


class BodyRefused(Exception):
    """A body is more than its route takes.

    Args:
        status: of the answer.
        words: a sentence for its sender.
    """

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


@dataclass(frozen=True, kw_only=True)
class BodyLimits:
    """The largest bodies, in bytes.

    Attributes:
        picture: of a request that carries a picture: a file, or base64 in JSON.
        others: of single paths that neither `SMALL` nor `picture` fits: a provider's webhook.
    """

    picture: int
    others: Mapping[str, int]

    def meter(self, path: str, content_type: str, length: str | None) -> BodyMeter:
        """Return what counts the body of one request.

        Args:
            path: the route's, without a proxy's prefix.
            content_type: of the body.
            length: the Content-Length header, None where there is none.

        Raises:
            BodyRefused: the length alone is too much.
        """
        counts = True
        if _FILES.fullmatch(path):
            size, counts = self.picture, False
        elif path in self.others:
            size = self.others[path]
        elif _JSON.fullmatch(path):
            # A form's bytes are the picture's own; the routes that take one parse it as nothing else.
            size = self.picture
            counts = not (_FORMS.fullmatch(path) and content_type.startswith("multipart/form-data"))
        else:
            size = min(SMALL, self.picture)
        meter = BodyMeter(size, VALUES if counts else None)
        if length is not None and (len(length) > 15 or not length.isdecimal() or int(length) > size):
            raise meter.too_large
        return meter


class BodyMeter:
    """Counts a body as it comes.

    Args:
        size: the most bytes.
        values: the most JSON values, None where the body is no JSON.
    """

    def __init__(self, size: int, values: int | None) -> None:
        self._size = size
        self._values = values
        self._bytes_seen = 0
        self._values_seen = 0

    @property
    def too_large(self) -> BodyRefused:
        """What is said of too many bytes."""
        most = f"{self._size / 1e6:.0f} MB" if self._size >= 1_000_000 else f"{self._size // 1024} KB"
        return BodyRefused(413, f"This request's body is too large: at most {most} are taken here.")

    def count(self, chunk: bytes) -> None:
        """Count a part of the body.

        Raises:
            BodyRefused: with this part it is too much.
        """
        self._bytes_seen += len(chunk)
        if self._bytes_seen > self._size:
            raise self.too_large
        if self._values is None:
            return
        # Each JSON value but the first stands behind one of these; inside texts they are counted too, and are few.
        self._values_seen += chunk.count(b",") + chunk.count(b"[") + chunk.count(b"{")
        if self._values_seen > self._values:
            raise BodyRefused(400, f"This request's JSON holds too many values: at most {self._values} are taken.")
