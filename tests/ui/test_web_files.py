"""The page's files over HTTP: addresses that never change their content, compressed, under any prefix."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from urllib.parse import urljoin

import brotli
import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from api.subpath import SubPath
from ui.web_files import LATER_FOLDERS, RECONNECT, WEB, WebFiles, chosen_encoding


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    web = tmp_path / "web"
    for name in (
        "main.js",
        "reconnect.js",
        "page.css",
        "lib/api.js",
        "lib/api.test.js",
        "lib/api.d.ts",
        "package.json",
    ):
        (web / name).parent.mkdir(parents=True, exist_ok=True)
        (web / name).write_text(f"// {name} " + "☾" * 500)
    with (web / "main.js").open("a") as main:
        main.write("\nimport {\n  ask,\n} from './lib/api.js';\nconst later = () => import('./later.js');\n")
    (web / "later.js").write_text("export {};")
    for name in ("testing/fake.js", "node_modules/x.js", ".cache/y.js"):
        (web / name).parent.mkdir()
        (web / name).write_text("")
    return web


def files_of(folder: Path) -> WebFiles:
    locales = folder.parent / "locales"
    locales.mkdir(exist_ok=True)
    (locales / "en.ftl").write_text("run = Run")
    return WebFiles(folder, locales)


def client(files: WebFiles, prefix: str = "") -> httpx.AsyncClient:
    app = SubPath(Starlette(routes=files.routes()), prefix, files.routes())
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://host")


def test_tests_types_and_settings_of_tools_are_not_served(folder: Path) -> None:
    assert list(files_of(folder).files) == [
        "api.html",
        "later.js",
        "lib/api.js",
        "locales/en.ftl",
        "main.js",
        "page.css",
        "reconnect.js",
    ]


def test_the_build_changes_with_any_file_and_with_nothing_else(folder: Path) -> None:
    first = files_of(folder).build
    (folder / "lib" / "api.test.js").write_text("other")
    assert files_of(folder).build == first
    (folder / "page.css").write_text("other")
    assert files_of(folder).build != first


@pytest.mark.parametrize(("accepted", "encoding"), [("gzip, br", "br"), ("gzip", "gzip"), ("identity", "")])
async def test_a_file_comes_compressed_and_for_a_year(folder: Path, accepted: str, encoding: str) -> None:
    files = files_of(folder)
    web = client(files)
    for _ in range(2):
        async with web.stream("GET", f"/web/{files.build}/lib/api.js", headers={"Accept-Encoding": accepted}) as answer:
            raw = b"".join([chunk async for chunk in answer.aiter_raw()])
        plain = {"br": brotli.decompress, "gzip": gzip.decompress, "": bytes}[encoding](raw)
        assert plain == (folder / "lib" / "api.js").read_bytes()
        assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["vary"] == "Accept-Encoding"
        assert answer.headers.get("content-encoding", "") == encoding


async def test_a_files_head_can_be_asked_for_alone(folder: Path) -> None:
    files = files_of(folder)
    web = client(files)
    head = await web.head(f"/web/{files.build}/main.js")
    assert (head.status_code, head.content) == (200, b"")


@pytest.mark.parametrize("name", ["lib/api.test.js", "absent.js", "../web_files.py", "%2e%2e/main.js", "lib", ""])
async def test_whatever_else_is_asked_for_is_not_there(folder: Path, name: str) -> None:
    files = files_of(folder)
    answer = await client(files).get(f"/web/{files.build}/{name}")
    assert (answer.status_code, answer.headers["cache-control"]) == (404, "no-store")


async def test_an_older_version_is_gone_and_nobody_stores_that(folder: Path) -> None:
    answer = await client(files_of(folder)).get("/web/0123456789ab/main.js")
    assert (answer.status_code, answer.headers["cache-control"]) == (404, "no-store")


def test_what_a_module_imports_while_it_runs_is_not_fetched_with_it(folder: Path) -> None:
    files = files_of(folder)
    assert files.imported("main.js") == ["lib/api.js", "main.js"]
    assert "later.js" in files.modules
    assert "dropped.js" not in WebFiles().imported("main.js")
    assert {"main.js", "views/page.js", "vendor/lit.js"} <= {*WebFiles().imported("main.js")}


def test_what_a_later_click_opens_is_served_and_not_part_of_the_first_visit(folder: Path) -> None:
    (folder / "library").mkdir()
    for name in ("library.js", "library.css"):
        (folder / "library" / name).write_text("// later")
    (folder.parent / "locales").mkdir()
    catalogue = folder.parent / "locales" / "en.ftl"
    catalogue.write_text(
        "# Words.\n\n## First\n\nrun = Run\n    .todo = Go\n## The library\n\nstar = Star\n## The terminal\n\nx = X\n"
    )
    files = WebFiles(folder, catalogue.parent)
    assert files.files["locales/en.ftl"].data.decode().strip() == "run = Run\n    .todo = Go"
    assert files.files["locales/en.later.ftl"].data.decode().strip() == "star = Star"
    assert files.languages == ["en"]
    assert "library/library.js" in files.modules
    assert "library" not in files.styles() + files.preloads()


@pytest.mark.parametrize("prefix", ["", "/studio"])
async def test_the_heads_links_lead_to_the_files_under_any_prefix(folder: Path, prefix: str) -> None:
    files = files_of(folder)
    head = files.reconnect("3 4") + files.styles() + files.preloads()
    links = re.findall(r'"(web/[^"]+)"', head)
    names = [link.split("/", 2)[2] for link in links]
    assert names == ["reconnect.js", "page.css", "lib/api.js", "main.js", "main.js", "locales/en.ftl"]
    web = client(files, prefix)
    for link in links:
        assert (await web.get(urljoin(f"http://host{prefix}/", link))).status_code == 200


def test_the_head_names_what_may_run_twice_and_escapes_it(folder: Path) -> None:
    element = files_of(folder).reconnect('"><script>')
    assert 'data-safe="&quot;&gt;&lt;script&gt;"' in element
    assert 'data-health="healthz"' in element
    with pytest.raises(KeyError):
        files_of(folder).address("absent.js")


async def test_it_works_below_a_mount_too(folder: Path) -> None:
    files = files_of(folder)
    app = Starlette(routes=[Mount("/deep", routes=files.routes())])
    web = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://host")
    assert (await web.get(f"/deep/web/{files.build}/main.js")).status_code == 200


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip;q=1.0, br;q=0", "gzip"),
        ("*", "br"),
        ("*;q=0", ""),
        ("br;q=x", ""),
        ("GZIP ; q=0.5", "gzip"),
        ("", ""),
    ],
)
def test_the_encoding_is_the_best_that_is_accepted(accepted: str, encoding: str) -> None:
    assert chosen_encoding(accepted) == encoding


def test_the_real_files_are_few_and_small_enough_for_a_first_visit() -> None:
    files = WebFiles()
    assert "en" in files.languages
    assert "lib/state.js" in files.modules
    assert "reconnect.js" not in files.modules
    first = {*files.imported("main.js"), RECONNECT, "studio.css"}
    assert not [name for name in first if name.startswith(LATER_FOLDERS)]
    assert sum(len(brotli.compress(files.files[name].data, quality=11)) for name in first) < 70_000


@pytest.mark.parametrize("folder", [each for each in LATER_FOLDERS if each != "later/"])
def test_the_door_of_a_view_names_every_other_module_of_it(folder: str) -> None:
    files = WebFiles()
    view = folder.removesuffix("/")
    door = files.files[f"{folder}{view}.js"].data.decode()
    named = re.findall(r"'([\w-]+)'", door[door.index("const MODULES") : door.index("];", door.index("const MODULES"))])
    others = [name.removeprefix(folder).removesuffix(".js") for name in files.modules if name.startswith(folder)]
    assert sorted([*named, view]) == sorted(others)


def test_every_import_of_a_module_leads_to_a_file_that_is_served() -> None:
    files = WebFiles()
    for name in files.modules:
        source = (WEB / name).read_text(encoding="utf-8")
        for target in re.findall(r"""(?:^|\n)(?:import|export)[^;]*?from '([^']+)'""", source):
            assert target.startswith("."), f"{name} imports {target}"
            assert urljoin(f"/{name}", target).lstrip("/") in files.files, f"{name} imports {target}"
