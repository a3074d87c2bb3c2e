"""The framework's requests without a browser, as clients of the API and scripts send them."""

from __future__ import annotations

import http.client
import json
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

END = ("process_completed", "unexpected_error")


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the body's JSON."""
        return json.loads(self.body)

    @property
    def words(self) -> str:
        """Return the sentence of a refusal; it must be JSON, as the page reads it."""
        return str(self.json()["detail"])


@dataclass
class Person:
    """Somebody who asks a running app.

    Attributes:
        url: the app's.
        cookie: theirs; empty for a client that keeps none.
    """

    url: str
    cookie: str = ""

    @classmethod
    def visitor(cls, url: str) -> Person:
        """Return a new visitor, with the cookie that the page gave them."""
        given = cls(url).ask("GET", "/").headers.get("set-cookie", "")
        return cls(url, given.split(";")[0])

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Send a request; a body that is no bytes goes as JSON."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.cookie:
            sent["Cookie"] = self.cookie
        if body is not None and not isinstance(body, bytes):
            body, sent["Content-Type"] = json.dumps(body).encode(), "application/json"
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=60)
        try:
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def send_files(self, *files: tuple[str, bytes], field: str = "files") -> Answer:
        """Upload files in one form."""
        head = '--mark\r\nContent-Disposition: form-data; name="{}"; filename="{}"\r\nContent-Type: image/png\r\n\r\n'
        body = b"".join(head.format(field, name).encode() + data + b"\r\n" for name, data in files) + b"--mark--\r\n"
        return self.ask("POST", "/gradio_api/upload", body, Content_Type="multipart/form-data; boundary=mark")

    def upload(self, data: bytes, name: str = "a.png") -> dict[str, Any]:
        """Upload a picture; return it as events take it."""
        answer = self.send_files((name, data))
        assert answer.status == 200, answer.body
        return {"path": answer.json()[0], "meta": {"_type": "gradio.FileData"}}

    def events(self) -> dict[str, int]:
        """Return the number of each of the page's events."""
        return {each["api_name"]: each["id"] for each in self.ask("GET", "/config").json()["dependencies"]}


@dataclass
class Tab:
    """A tab of a person's browser."""

    person: Person
    session: str = field(default_factory=lambda: secrets.token_hex(6))

    def join(self, event: int, *data: Any, **more: Any) -> Answer:
        """Send an event to the queue."""
        body = {"session_hash": self.session, "fn_index": event, "data": data, **more}
        return self.person.ask("POST", "/gradio_api/queue/join", body)

    def end(self) -> dict[str, Any]:
        """Return the message that ends the event."""
        headers = {"Cookie": self.person.cookie} if self.person.cookie else {}
        connection = http.client.HTTPConnection(urlsplit(self.person.url).netloc, timeout=60)
        try:
            connection.request("GET", f"/gradio_api/queue/data?session_hash={self.session}", headers=headers)
            answer = connection.getresponse()
            while text := answer.readline():
                if text.startswith(b"data:"):
                    message: dict[str, Any] = json.loads(text[5:])
                    if message["msg"] in END:
                        return message
        finally:
            connection.close()
        raise AssertionError("the stream ended before the event")
