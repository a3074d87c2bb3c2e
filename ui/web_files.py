"""The page's modules, styles and words over HTTP: `/web/{build}/...`, where the build is the digest of all of them.

An address never changes its content, so browsers store it for a year. A newer version of the app has other addresses;
the old ones answer 404, and the page says that a new version is running.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import html
import json
import posixpath
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import brotli
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from core.messages import LOCALES, say
from ui.api_tab import api_examples

WEB = Path(__file__).resolve().parent / "web"
"""The folder of the modules."""
LATER_FOLDERS = ("library/", "explore/", "compare/", "later/")
"""The folders of what a page fetches when it is opened."""
LATER = "later"
"""The part of a catalogue that a page fetches when it needs it first."""
TERMINAL = "The terminal"
"""The section of the catalogues whose words no page shows."""
LATER_SECTIONS = {"The library", "Dropped files", "Unmapped settings", "Experiments", "Explore", "Compare"}
"""The sections of the catalogues that no page shows at first."""
WORDS = "locales"
"""Under which name the catalogues are served beside the modules."""
MIME = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".ftl": "text/plain; charset=utf-8",
    ".html": "text/html; charset=utf-8",
}
"""What is served. Declarations, tests and the tools' settings are not."""
VENDOR = "vendor/"
"""The folder of other people's modules."""
UNSERVED = {"testing", "node_modules"}
"""Folders of tests and tools."""
API_EXAMPLES = "api.html"
"""What the API tab shows, made of docs/api.md."""
RECONNECT = "reconnect.js"
"""The classic script that has to run before the framework's module."""

_COMMENT = re.compile(r"^[ \t]*(?:/\*(?:(?!\*/).)*\*/[ \t]*\n|//[^\n]*\n)", re.MULTILINE | re.DOTALL)
"""A comment that has its lines for itself, in a module or a style sheet."""
_IMPORT = re.compile(r"""^(?:import|export)\b[^;]*?\bfrom '(\.[^']+)';""", re.MULTILINE)
_FOR_A_YEAR = "public, max-age=31536000, immutable"
_ENCODERS: Mapping[str, Callable[[bytes], bytes]] = {
    "br": lambda data: brotli.compress(data, quality=11),
    "gzip": lambda data: gzip.compress(data, mtime=0),
}
"""How files are compressed; the best first."""


@dataclass(frozen=True)
class WebFile:
    """A file, and the compressed forms that were asked for so far."""

    data: bytes
    mime: str
    digest: str
    compressed: dict[str, bytes] = field(default_factory=dict, repr=False)

    async def body(self, encoding: str) -> bytes:
        """Return the content in an encoding, compressed once; the best compression takes milliseconds."""
        if encoding not in _ENCODERS:
            return self.data
        if encoding not in self.compressed:
            self.compressed[encoding] = await asyncio.to_thread(_ENCODERS[encoding], self.data)
        return self.compressed[encoding]


class WebFiles:
    """All files of the page, in memory.

    Args:
        web: the folder of modules and styles.
        locales: the folder of catalogues.

    Attributes:
        files: by their path under the build.
        build: changes with any of them.
    """

    def __init__(self, web: Path = WEB, locales: Path = LOCALES) -> None:
        found = {path.relative_to(web).as_posix(): path for path in web.rglob("*") if _is_served(path, web)}
        contents = {name: _content(name, path) for name, path in found.items()}
        contents[API_EXAMPLES] = api_examples().encode()
        for path in locales.glob("*.ftl"):
            contents |= {f"{WORDS}/{name}": data for name, data in _words(path).items()}
        self.files = {name: _file(name, contents[name]) for name in sorted(contents)}
        named = "\n".join(f"{name} {each.digest}" for name, each in self.files.items())
        self.build = hashlib.sha256(named.encode()).hexdigest()[:12]

    @property
    def languages(self) -> list[str]:
        """The languages that there are catalogues of."""
        names = [name.removeprefix(f"{WORDS}/").removesuffix(".ftl") for name in self.files if name.endswith(".ftl")]
        return [name for name in names if not name.endswith(f".{LATER}")]

    @property
    def modules(self) -> list[str]:
        """The paths of all ES modules."""
        return [name for name in self.files if name.endswith(".js") and name != RECONNECT]

    def address(self, name: str) -> str:
        """Return a file's address, relative to the page's: so it works under any prefix.

        Args:
            name: its path under the build, such as `main.js`.

        Raises:
            KeyError: there is no such file.
        """
        if name not in self.files:
            raise KeyError(name)
        return f"web/{self.build}/{name}"

    def routes(self) -> list[BaseRoute]:
        """Return the route of all files."""
        return [Route(f"/web/{self.build}/{{name:path}}", self._serve), Route("/web/{rest:path}", _gone)]

    def imported(self, main: str) -> list[str]:
        """Return the paths of a module and of all that it imports before it runs; what it imports later is left out."""
        found, waiting = set[str](), [main]
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                source = self.files[name].data.decode()
                folder = posixpath.dirname(name)
                waiting += [posixpath.normpath(posixpath.join(folder, each)) for each in _IMPORT.findall(source)]
        return sorted(found)

    def preloads(self, main: str = "main.js", language: str = "en") -> str:
        """Return the elements that let a browser fetch everything at once instead of import by import, and begin.

        The framework puts them into the head once it begins to build the page, while it waits for its own files.

        Args:
            main: the module that brings all others.
            language: whose words are fetched as well.
        """
        addresses = json.dumps([self.address(name) for name in self.imported(main)])
        # Without `crossorigin` it would not be what `fetch` asks for, and come twice.
        words = (
            f'<link rel="preload" as="fetch" href="{html.escape(self.address(f"{WORDS}/{language}.ftl"))}" crossorigin>'
        )
        early = (
            f"for (const href of {addresses})"
            " document.head.append(Object.assign(document.createElement('link'), { rel: 'modulepreload', href }));"
            f" import(new URL({json.dumps(self.address(main))}, document.baseURI))"
        )
        return f"<script>{early}</script>{words}"

    def styles(self, *names: str) -> str:
        """Return the links of style sheets.

        Args:
            names: their paths; none for all of a first visit, in the order of their names.
        """
        wanted = names or [name for name in self.files if name.endswith(".css") and not name.startswith(LATER_FOLDERS)]
        return "".join(f'<link rel="stylesheet" href="{html.escape(self.address(name))}">' for name in wanted)

    def reconnect(self, safe: str = "", health: str = "healthz") -> str:
        """Return the element of the script that keeps the framework from reloading the page.

        Args:
            safe: the numbers of the functions whose events may run twice, with spaces between, or `all`.
            health: the address that answers when the server is there.
        """
        attributes = {"data-health": health, "data-safe": safe, "data-lost": say("event-lost")}
        written = "".join(f' {name}="{html.escape(value)}"' for name, value in attributes.items())
        return f'<script src="{html.escape(self.address(RECONNECT))}"{written}></script>'

    async def _serve(self, request: Request) -> Response:
        file = self.files.get(request.path_params["name"])
        if file is None:
            return await _gone(request)
        encoding = chosen_encoding(request.headers.get("accept-encoding", ""))
        headers = {"Cache-Control": _FOR_A_YEAR, "Vary": "Accept-Encoding"}
        if encoding:
            headers["Content-Encoding"] = encoding
        return Response(await file.body(encoding), headers=headers, media_type=file.mime)


def chosen_encoding(accepted: str) -> str:
    """Return the best encoding that a browser accepts; empty for none.

    Args:
        accepted: the header `Accept-Encoding`.
    """
    weights: dict[str, float] = {}
    for each in accepted.lower().split(","):
        name, _, rest = each.partition(";")
        weight = rest.strip().removeprefix("q=").strip() if rest.strip().startswith("q=") else "1"
        try:
            weights[name.strip()] = float(weight)
        except ValueError:
            weights[name.strip()] = 0.0
    return next((name for name in _ENCODERS if weights.get(name, weights.get("*", 0.0)) > 0), "")


async def _gone(_: Request) -> Response:
    return PlainTextResponse(say("nothing-served"), status_code=404, headers={"Cache-Control": "no-store"})


def _is_served(path: Path, web: Path) -> bool:
    inner = path.relative_to(web)
    hidden = any(part in UNSERVED or part.startswith(".") for part in inner.parts)
    return path.is_file() and path.suffix in MIME and not path.name.endswith(".test.js") and not hidden


def _content(name: str, path: Path) -> bytes:
    """Return a file as pages fetch it: without the comments, whose lines stay, so that traces name the source's.

    Those of other people's files have their licences.
    """
    data = path.read_bytes()
    if path.suffix not in (".js", ".css") or name.startswith(VENDOR):
        return data
    return _COMMENT.sub(lambda found: "\n" * found[0].count("\n"), data.decode()).encode()


def _words(path: Path) -> dict[str, bytes]:
    """Return a catalogue's messages as pages fetch them: those that are needed later in a file of their own."""
    sections = re.split(r"(?m)^(?=## )", path.read_text(encoding="utf-8"))
    titles = [each.partition("\n")[0].removeprefix("## ") for each in sections]
    later = [each for each, title in zip(sections, titles, strict=True) if title in LATER_SECTIONS]
    first = [
        each for each, title in zip(sections, titles, strict=True) if title not in LATER_SECTIONS and title != TERMINAL
    ]
    parts = {path.name: first, f"{path.stem}.{LATER}.ftl": later}
    plain = {name: re.sub(r"(?m)^#.*\n", "", "".join(texts)) for name, texts in parts.items() if texts}
    return {name: text.encode() for name, text in plain.items()}


def _file(name: str, data: bytes) -> WebFile:
    return WebFile(data, MIME[Path(name).suffix], hashlib.sha256(data).hexdigest())
