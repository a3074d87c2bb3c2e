"""A page's tab spoken by hand: references and their answers, without a browser's own work in the figures."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

from bench.visitors import STUDIO

BOUNDARY = "photo-boundary"
PATIENCE = 300.0
"""Seconds for one answer."""


class Tab:
    """A tab of the person whose machine it is: there, nobody has a cookie.

    Args:
        url: the app's.
    """

    def __init__(self, url: str) -> None:
        self._host = urlsplit(url).netloc

    def send(self, picture: bytes, name: str = "photo.jpg") -> Sent:
        """Send a picture that becomes a reference; return when all of it has left."""
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
        body = head.encode() + picture + f"\r\n--{BOUNDARY}--\r\n".encode()
        kind = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
        connection = http.client.HTTPConnection(self._host, timeout=PATIENCE)
        connection.request("POST", f"{STUDIO}/references", body, kind)
        return Sent(connection)

    def show(self, picture: bytes, name: str = "photo.jpg") -> dict[str, Any]:
        """Make a picture the reference; return it."""
        return self.send(picture, name).reference()

    def view(self, reference: dict[str, Any], width: int) -> bytes:
        """Return a reference as the stage shows it.

        Args:
            reference: as `show` returned it.
            width: pixels.
        """
        connection = http.client.HTTPConnection(self._host, timeout=PATIENCE)
        connection.request("GET", f"{STUDIO}/references/{reference['digest']}/view?width={width}")
        return _answer(connection)


class Sent:
    """A picture on its way to be a reference.

    Args:
        connection: by which it was sent.
    """

    def __init__(self, connection: http.client.HTTPConnection) -> None:
        self._connection = connection

    def reference(self) -> dict[str, Any]:
        """Return the reference when it is read and stored."""
        reference: dict[str, Any] = json.loads(_answer(self._connection))
        return reference


def _answer(connection: http.client.HTTPConnection) -> bytes:
    try:
        answer = connection.getresponse()
        data = answer.read()
        if answer.status not in (200, 201):
            raise RuntimeError(f"{answer.status} {data.decode()}")
        return data
    finally:
        connection.close()
