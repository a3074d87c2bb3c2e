"""How much a request may send, by what its route carries: pictures travel on few of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from core.messages import Message, message

SMALL = 64 * 1024
"""Bytes of a request on a route where no picture travels."""
ADDRESS = 8 * 1024
"""Bytes of a request's path and query together."""
VALUES = 20_000
"""Values in a JSON body; a request for a picture has a few dozen, and parsing this many takes milliseconds."""

HELD_BY_ADDRESS = 500_000_000
"""Bytes of bodies that requests of one network address may have in memory: six of the largest, or dozens of photos."""
HELD = 1_500_000_000
"""Bytes of bodies that all requests together may have in memory."""

ARCHIVES = "/studio/v1/projects/import"
_SPOOLED = ("/gradio_api/upload", ARCHIVES)
"""Where a body goes to the disk while it comes."""
_FILES = re.compile(r"/gradio_api/upload|/api/v3/media/(upload/binary|uploads/[^/]+)")
_JSON = re.compile(
    r"/v1/images/(generations|edits)"
    r"|/api/v3/(?!media/|predictions(/|$)).+"
    r"|/gradio_api/mcp(/.*)?"
    r"|/gradio_api/(api|call|run)/(v2/)?(edit|experiment)/?"
)
_FORMS = re.compile(r"/v1/images/edits|/studio/v1/(references|recipes/read)")


class BodyRefused(Exception):
    """A body is more than its route takes.

    Args:
        status: of the answer.
        message: what its sender reads.
    """

    def __init__(self, status: int, message: Message) -> None:
        super().__init__(message)
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

    def meter(self, path: str, content_type: str) -> BodyMeter:
        """Return what counts the body of one request.

        Args:
            path: the route's, without a proxy's prefix.
            content_type: of the body.
        """
        counts = True
        form = _FORMS.fullmatch(path) and content_type.lower().startswith("multipart/form-data")
        if _FILES.fullmatch(path) or form:
            # A form's bytes are the picture's own; the routes that take one parse it as nothing else.
            size, counts = self.picture, False
        elif path in self.others:
            size = self.others[path]
        elif _JSON.fullmatch(path):
            size = self.picture
        else:
            size = min(SMALL, self.picture)
        return BodyMeter(size, VALUES if counts else None, held=path not in _SPOOLED)


class BodyMeter:
    """Counts a body as it comes.

    Args:
        size: the most bytes.
        values: the most JSON values, None where the body is no JSON.
        held: whether the body is in memory until its request is answered.
    """

    def __init__(self, size: int, values: int | None, *, held: bool = True) -> None:
        self.held = held
        self._size = size
        self._values = values
        self._bytes_seen = 0
        self._values_seen = 0

    @property
    def too_large(self) -> BodyRefused:
        """What is said of too many bytes."""
        if self._size >= 1_000_000:
            return BodyRefused(413, message("request-too-large-mb", limit=round(self._size / 1e6)))
        return BodyRefused(413, message("request-too-large-kb", limit=self._size // 1024))

    def check_declared(self, length: str | None) -> None:
        """Check a body by its length alone.

        Args:
            length: the Content-Length header, None where there is none.

        Raises:
            BodyRefused: it is too much, or no number of bytes.
        """
        if length is not None and (len(length) > 15 or not length.isdecimal() or int(length) > self._size):
            raise self.too_large

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
            raise BodyRefused(400, message("request-too-many-values", limit=self._values))


class HeldBodies:
    """Counts the bytes of bodies in memory: each is bounded, and a stranger may send many at a time.

    Args:
        by_address: the most bytes of one network address.
        most: of all.
    """

    def __init__(self, by_address: int = HELD_BY_ADDRESS, most: int = HELD) -> None:
        self._by_address = by_address
        self._most = most
        self._held = Counter[str]()

    def add(self, address: str, size: int) -> None:
        """Count bytes that have come.

        Raises:
            BodyRefused: there are too many; these are not counted.
        """
        if self._held[address] + size > self._by_address or self._held.total() + size > self._most:
            raise BodyRefused(503, message("too-many-large-requests"))
        self._held[address] += size

    def release(self, address: str, size: int) -> None:
        """Count bytes out whose request was answered."""
        self._held[address] -= size
        if not self._held[address]:
            del self._held[address]
