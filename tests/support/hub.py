"""A small model hub on loopback: what huggingface_hub asks of the real one, answered from folders.

Runs as a program: `python -m tests.support.hub FOLDER` prints its port. FOLDER holds `owner/name`
repositories; names beginning with `gated` or `secret` are kept back as the hub keeps them.
"""

from __future__ import annotations

import hashlib
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub(BaseHTTPRequestHandler):
    root: Path

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path).strip("/").split("/")
        if path[:2] == ["api", "models"]:
            self.answer_api("/".join(path[2:4]), path[4:])
        elif "resolve" in path:
            self.answer_file("/".join(path[:2]), "/".join(path[4:]))
        else:
            self.refuse(404, "EntryNotFound")

    def kept_back(self, repository: str) -> bool:
        name = repository.split("/")[-1]
        if name.startswith("gated") and self.headers.get("Authorization") != "Bearer hf_may_read":
            self.refuse(403, "GatedRepo")
        elif name.startswith("refuses"):
            self.refuse(401, "")
        elif name.startswith("broken"):
            self.refuse(500, "")
        elif not (self.root / repository).is_dir():
            self.refuse(404, "RepoNotFound")
        else:
            return False
        return True

    def answer_api(self, repository: str, rest: list[str]) -> None:
        if self.kept_back(repository):
            return
        files = sorted(path for path in (self.root / repository).rglob("*") if path.is_file())
        names = [str(path.relative_to(self.root / repository)) for path in files]
        if rest[:1] == ["tree"]:
            body: Any = [
                {
                    "type": "file",
                    "path": name,
                    "size": path.stat().st_size,
                    "oid": hashlib.sha1(name.encode()).hexdigest(),
                }
                for name, path in zip(names, files, strict=True)
            ]
        else:
            body = {"id": repository, "sha": COMMIT, "siblings": [{"rfilename": name} for name in names]}
        self.send(200, json.dumps(body).encode(), {"Content-Type": "application/json"})

    def answer_file(self, repository: str, name: str) -> None:
        if self.kept_back(repository):
            return
        path = self.root / repository / name
        if not path.is_file():
            self.refuse(404, "EntryNotFound")
            return
        data = path.read_bytes()
        self.send(200, data, {"X-Repo-Commit": COMMIT, "ETag": f'"{hashlib.sha256(data).hexdigest()}"'})

    def refuse(self, status: int, code: str) -> None:
        self.send(status, b"{}", {"X-Error-Code": code} if code else {})

    def send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


if __name__ == "__main__":
    Hub.root = Path(sys.argv[1])
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    print(server.server_address[1], flush=True)
    server.serve_forever()
