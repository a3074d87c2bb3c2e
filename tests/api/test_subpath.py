"""Under a sub-path: a path is matched as it came first, by whole routes, and the prefix is taken off only then."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from api.subpath import SubPath
from core.links import Links
from core.subpath import route_path

SECRET = b"s" * 32


def client(folder: Path, prefix: str = "/studio") -> httpx.AsyncClient:
    links = Links(SECRET, root_path=prefix)

    async def seen(request: Request) -> Response:
        return JSONResponse([request.scope["endpoint"].__name__, route_path(request.scope), str(request.url)])

    async def jobs(request: Request) -> Response:
        return await seen(request)

    async def signed(request: Request) -> Response:
        return JSONResponse(links.opened(str(request.url)))

    (folder / "a.txt").write_text("from the mount")
    routes = [
        Route("/", seen),
        Route("/images/{name}", seen),
        Route("/studio/v1/jobs", jobs, methods=["POST"]),
        Route("/v1/jobs", seen, methods=["GET", "POST"]),
        Route("/files/{name}", signed),
        Mount("/examples", StaticFiles(directory=folder)),
    ]
    app = SubPath(Starlette(routes=routes), prefix, routes)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://host")


@pytest.mark.parametrize("before", ["", "/studio"])
async def test_the_prefix_may_be_taken_away_or_kept(tmp_path: Path, before: str) -> None:
    web = client(tmp_path)
    assert (await web.get(f"{before}/images/x")).json() == ["seen", "/images/x", "http://host/studio/images/x"]
    assert (await web.get(f"{before}/")).json() == ["seen", "/", "http://host/studio/"]
    assert (await web.get(f"{before}/examples/a.txt")).text == "from the mount"


@pytest.mark.parametrize("before", ["", "/studio"])
async def test_a_signed_link_opens_with_and_without_the_prefix(tmp_path: Path, before: str) -> None:
    link = before + Links(SECRET).sign("/files/x.png")
    assert (await client(tmp_path).get(link)).json() == "/files/x.png"


async def test_a_route_that_begins_like_the_prefix_is_matched_as_it_came(tmp_path: Path) -> None:
    web = client(tmp_path)
    assert (await web.post("/studio/v1/jobs")).json()[0] == "jobs"
    assert (await web.post("/studio/studio/v1/jobs")).json()[:2] == ["jobs", "/studio/v1/jobs"]


async def test_another_method_of_a_whole_route_is_no_reason_to_take_the_prefix_off(tmp_path: Path) -> None:
    assert (await client(tmp_path).get("/studio/v1/jobs")).status_code == 405


@pytest.mark.parametrize("path", ["/studiox/images/x", "/studi/images/x", "/other/images/x", "/studio/none"])
async def test_what_no_route_takes_is_not_found(tmp_path: Path, path: str) -> None:
    assert (await client(tmp_path).get(path)).status_code == 404


async def test_the_prefix_without_its_slash_leads_to_the_page(tmp_path: Path) -> None:
    answer = await client(tmp_path).get("/studio?a=b")
    assert (answer.status_code, answer.headers["location"]) == (308, "/studio/?a=b")


async def test_without_a_prefix_nothing_changes(tmp_path: Path) -> None:
    web = client(tmp_path, "")
    assert (await web.get("/images/x")).json() == ["seen", "/images/x", "http://host/images/x"]
    assert (await web.post("/studio/v1/jobs")).json()[0] == "jobs"
    assert (await web.get("/studio/images/x")).status_code == 404


def test_a_link_is_not_opened_by_a_prefix_that_is_not_ours() -> None:
    links = Links(SECRET, root_path="/studio")
    assert links.opened("http://host/other" + links.sign("/files/x.png")) is None
