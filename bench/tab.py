"""A page's tab spoken by hand: uploads, events and their answers, without a browser's own work in the figures."""

from __future__ import annotations

import copy
import http.client
import json
import secrets
import urllib.request
from typing import Any
from urllib.parse import urlsplit

BOUNDARY = "photo-boundary"


class Tab:
    """A visitor with one tab.

    Args:
        url: the app's.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._session = secrets.token_hex(6)
        with urllib.request.urlopen(url) as answer:
            cookie = answer.headers.get("Set-Cookie", "")
        self._headers = {"Cookie": cookie.split(";")[0]} if cookie else {}
        with urllib.request.urlopen(f"{url}/config") as answer:
            self._events = {each["api_name"]: each["id"] for each in json.loads(answer.read())["dependencies"]}

    def again(self) -> Tab:
        """Return another tab of the same visitor."""
        tab = copy.copy(self)
        tab._session = secrets.token_hex(6)
        return tab

    def upload(self, picture: bytes, name: str = "photo.jpg") -> dict[str, Any]:
        """Upload a file; return it as events take it."""
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'
        body = head.encode() + picture + f"\r\n--{BOUNDARY}--\r\n".encode()
        kind = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
        return {
            "path": json.loads(self._ask("/gradio_api/upload", body, kind))[0],
            "meta": {"_type": "gradio.FileData"},
        }

    def send(self, event: str, *data: Any) -> None:
        """Send an event."""
        asked = {"session_hash": self._session, "fn_index": self._events[event], "data": data}
        self._ask("/gradio_api/queue/join", json.dumps(asked).encode(), {"Content-Type": "application/json"})

    def answer(self, patience: float = 300) -> dict[str, Any]:
        """Return the message that ends the event that was sent last."""
        connection = http.client.HTTPConnection(urlsplit(self._url).netloc, timeout=patience)
        try:
            connection.request("GET", f"/gradio_api/queue/data?session_hash={self._session}", headers=self._headers)
            stream = connection.getresponse()
            while text := stream.readline():
                if text.startswith(b"data:"):
                    message: dict[str, Any] = json.loads(text[5:])
                    if message["msg"] in ("process_completed", "unexpected_error"):
                        return message
        finally:
            connection.close()
        raise RuntimeError("the stream ended before the event did")

    def show(self, file: dict[str, Any]) -> dict[str, Any]:
        """Put an uploaded file on stage; return the stage's value."""
        self.send("show_reference", None, file)
        message = self.answer()
        stage: dict[str, Any] = message["output"]["data"][0]
        return stage

    def get(self, path: str) -> bytes:
        """Return what an address of the app answers."""
        return self._ask(f"/{path}")

    def _ask(self, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> bytes:
        request = urllib.request.Request(self._url + path, body, {**self._headers, **(headers or {})})
        with urllib.request.urlopen(request) as answer:
            data: bytes = answer.read()
        return data
