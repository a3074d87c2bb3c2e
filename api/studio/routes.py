"""The routes of the page's own API, under `/studio/v1`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, Header, Query, Request
from fastapi import Path as PathParam
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from api.answers import refusals
from api.schemas import first_fault
from api.statuses import Refused, headers_of, status_of
from api.studio.archives import add_archives
from api.studio.asker import PREFIX, Asker, ProviderKey, ResultId
from api.studio.backends import Backends
from api.studio.code.codes import Codes
from api.studio.events import Events
from api.studio.experiment_files import add_experiment_files
from api.studio.experiments import add_experiments
from api.studio.exports import download, exported, recipe_file
from api.studio.jobs import Jobs
from api.studio.library import add_library
from api.studio.recipes import Recipes
from api.studio.references import BODY, FILE_BODY, References, reference_view
from api.studio.schemas import (
    Checked,
    Code,
    JobView,
    Limits,
    NewJob,
    Problem,
    ReadRecipe,
    ReferenceView,
    ResultView,
    Specs,
    Spending,
)
from api.studio.views import error_view, recipe_of, row_view
from core.errors import DiskFull, KeyRejected, RunFailed, StudioError
from core.image_types import MIME_OF
from core.imaging.display import WIDTHS, rounded
from core.imaging.images import MAX_SIDE
from core.job import EVERYONE, Visitor, visitor_in
from core.messages import recorded
from core.recipe import Recipe
from core.recipe_files.embed import Embed
from core.secrets import redactor
from core.settings import API_MODELS
from core.spec import MAX_PROMPT
from engine.services import Services
from storage.rows import LibraryRow

FOREVER = {"Cache-Control": "private, max-age=31536000, immutable"}
"""A stored picture never changes."""
STREAM = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
"""Of a stream: no proxy holds it back."""
Width = Annotated[int, Query(ge=1, le=99_999, description=f"Pixels; rounded up to one of {WIDTHS}.")]
DownloadName = Annotated[str | None, Query(max_length=200)]
DIGEST = Annotated[str, PathParam(pattern="^[0-9a-f]{64}$")]


def build(
    services: Services,
    fetch: Callable[[str], Awaitable[bytes]],
    folder: Path,
    build_id: str,
    downloads: Embed = Embed.RECIPE,
    models: Mapping[str, str] = API_MODELS,
    public_url: str | None = None,
) -> tuple[FastAPI, Jobs]:
    """Return the app that answers under `/studio/v1`, and what takes jobs there.

    Args:
        services: do the work.
        fetch: reads a public address into bytes, or raises a StudioError.
        folder: where an uploaded file lies while it is read.
        build_id: of the page's modules: an open page of another build is out of date.
        downloads: what a download holds where nobody says.
        models: the backend's key by the name that the API gives a model.
        public_url: the app's own address, None where a request's word for it is taken.
    """
    app = FastAPI(
        title="SRPO Studio, the page's own API", version="1", openapi_url=f"{PREFIX}/openapi.json", docs_url=None
    )
    app.router.redirect_slashes = False
    engine, images, library = services.engine, services.images, services.library
    backends, references = Backends(engine, services.quotas), References(services, fetch, folder)
    recipes, codes = Recipes(references), Codes(engine, models)
    events = Events(engine, library, services.experiments, backends, build_id)
    jobs = Jobs(engine, references, library, services.live)
    app.state.quotas = services.quotas
    problems: dict[str, Any] = {"responses": refusals(Problem)}

    @app.get(f"{PREFIX}/specs", response_model=Specs, **problems)
    async def specs(visitor: Asker) -> JSONResponse:
        """Return the backends with their parameters, styles and state, and the limits of what is taken."""
        caps = services.quotas.caps
        limits = Limits(prompt=MAX_PROMPT, bytes=caps.max_bytes, megapixels=caps.max_pixels / 1e6, side=MAX_SIDE)
        return JSONResponse(
            {
                "build": build_id,
                "alone": visitor.owner == EVERYONE,
                "limits": limits.model_dump(),
                "downloads": downloads,
                "backends": backends.specs(),
            }
        )

    @app.post(
        f"{PREFIX}/references",
        response_model=ReferenceView,
        status_code=201,
        openapi_extra={"requestBody": BODY},
        **problems,
    )
    async def add_reference(request: Request, visitor: Asker) -> JSONResponse:
        """Read, normalise and store a reference: a form with a `file`, or JSON with a `url`, `result` or `digest`."""
        return JSONResponse(reference_view(*await references.add(visitor, request)), 201)

    @app.get(f"{PREFIX}/references/{{digest}}", response_model=ReferenceView, **problems)
    async def reference(digest: DIGEST, visitor: Asker) -> JSONResponse:
        """Return a stored reference."""
        return JSONResponse(reference_view(*await references.find(visitor, digest)))

    @app.get(f"{PREFIX}/references/{{digest}}/view", response_class=FileResponse, **problems)
    async def reference_view_at(request: Request, digest: DIGEST, width: Width) -> Response:
        """Return a stored picture as WebP at a display width."""
        visitor = visitor_in(request.scope)
        return await displayed(visitor, await named(visitor, digest), width)

    @app.get(f"{PREFIX}/references/{{digest}}/file", response_class=FileResponse, **problems)
    async def reference_file(request: Request, digest: DIGEST) -> Response:
        """Return a stored picture, byte for byte."""
        return stored(await named(visitor_in(request.scope), digest))

    async def named(visitor: Visitor, digest: str) -> str:
        name = await images.find(visitor.owner, digest)
        if name is None:
            raise Refused("picture-unknown", status=404)
        return name

    def stored(name: str, download: str | None = None) -> Response:
        path = images.path(name)
        if not path.is_file():
            raise Refused("picture-unknown", status=404)
        return FileResponse(path, headers=FOREVER, media_type=MIME_OF[path.suffix], filename=download)

    async def displayed(visitor: Visitor, name: str, width: int) -> Response:
        try:
            file = await images.display(name, rounded(width), visitor.source)
        except DiskFull:
            return stored(name)  # the picture itself, however large
        return FileResponse(file, headers=FOREVER)

    # ---- jobs ----------------------------------------------------------------------------------------

    @app.post(f"{PREFIX}/jobs", response_model=JobView, status_code=201, **problems)
    async def submit(
        body: NewJob,
        visitor: Asker,
        idempotency_key: Annotated[str, Header(max_length=255, description="The same key begins no second job.")],
        x_provider_key: ProviderKey = None,
    ) -> JSONResponse:
        """Begin a job. Sent again with the same key, it returns the job that the first request began."""
        job, again = await jobs.submit(visitor, body, idempotency_key, x_provider_key)
        return JSONResponse(await jobs.view(job), 200 if again else 201)

    @app.post(f"{PREFIX}/live", response_class=Response, **problems)
    async def live(body: NewJob, visitor: Asker) -> Response:
        """Return a draft of what a job would make, small and in few steps. Nothing is recorded, and nothing costs.

        It gives way to every job, and to a newer draft of the same visitor, within a step: then it is refused with 409.
        """
        draft = await jobs.draft(visitor, body)
        return Response(draft.data, media_type=draft.mime, headers={"Cache-Control": "no-store"})

    @app.get(f"{PREFIX}/jobs/{{job_id}}", response_model=JobView, **problems)
    async def job(job_id: str, visitor: Asker) -> JSONResponse:
        """Return a job."""
        return JSONResponse(await jobs.view(await jobs.find(visitor, job_id)))

    @app.post(f"{PREFIX}/jobs/{{job_id}}/cancel", response_model=JobView, **problems)
    async def cancel(job_id: str, visitor: Asker) -> JSONResponse:
        """Cancel a job. What a provider has goes on there; then the wait ends. A job that has ended stays as it is."""
        found = await jobs.find(visitor, job_id)
        await engine.cancel(found)
        return JSONResponse(await jobs.view(found))

    @app.get(f"{PREFIX}/jobs/{{job_id}}/preview/{{place}}", response_class=Response, **problems)
    async def preview(request: Request, job_id: str, place: Annotated[int, PathParam(ge=0, le=99)]) -> Response:
        """Return the latest preview of one of a job's images, JPEG; 204 where there is none, or no longer."""
        found = await jobs.find(visitor_in(request.scope), job_id)
        if place >= len(found.previews):
            return Response(status_code=204)  # it has just ended: no fault, and none for the browser's log
        return Response(found.previews[place], media_type="image/jpeg", headers={"Cache-Control": "no-store"})

    # ---- experiments ---------------------------------------------------------------------------------

    add_experiments(app, services, references)
    add_experiment_files(app, services)

    # ---- results -------------------------------------------------------------------------------------

    add_library(app, services)
    add_archives(app, services, folder)

    @app.get(f"{PREFIX}/results/{{result_id}}", response_model=ResultView, **problems)
    async def result(result_id: ResultId, visitor: Asker) -> JSONResponse:
        """Return a result."""
        view = row_view(await found_result(visitor, result_id))
        if view is None:
            raise RunFailed("row-damaged", charged=None)
        return JSONResponse(view)

    @app.get(f"{PREFIX}/results/{{result_id}}/file", response_class=FileResponse, **problems)
    async def result_file(
        request: Request,
        result_id: ResultId,
        name: DownloadName = None,
        recipe: Annotated[Embed | None, Query(description="What the file holds besides the picture.")] = None,
    ) -> Response:
        """Return a result's file; with a `name`, as a download.

        `recipe=embed` writes the recipe and the mark of AI into it, `mark` the mark alone, and `none` nothing: then it
        is the backend's own file, byte for byte. Where nobody says, a download is as the app's owner has set it, and
        all else is the file itself. The compressed picture is never touched.
        """
        row = await found_result(visitor_in(request.scope), result_id)
        what = recipe or (Embed.NONE if name is None else downloads)
        file = pictured(row)
        whole = stored(file, name)
        try:
            data = await exported(images.path(file), recipe_of(row), what)
        except (ValueError, OSError):  # a damaged row; a file that was deleted meanwhile
            data = None
        return whole if data is None else download(data, MIME_OF[Path(file).suffix], name, FOREVER)

    @app.get(f"{PREFIX}/results/{{result_id}}/recipe", response_model=Recipe, **problems)
    async def result_recipe(request: Request, result_id: ResultId, name: DownloadName = None) -> Response:
        """Return a result's recipe as its file would hold it; with a `name`, as a download."""
        row = await found_result(visitor_in(request.scope), result_id)
        return recipe_file(known_recipe(row), name)

    @app.get(f"{PREFIX}/results/{{result_id}}/code", response_model=Code, **problems)
    async def result_code(request: Request, result_id: ResultId, visitor: Asker) -> JSONResponse:
        """Return the code that makes a result again, in each language.

        It reads the reference from `reference.png` (`.jpg` for a JPEG) beside it, and the key from an environment
        variable that it names; it writes `result.png` or `result.jpg`. What has no provider is made through this
        app's own API, at the address that the request came to, or at the public one where that is set.
        """
        row = await found_result(visitor, result_id)
        return JSONResponse(codes.view(known_recipe(row), public_url or str(request.base_url).rstrip("/")))

    @app.get(f"{PREFIX}/results/{{result_id}}/view", response_class=FileResponse, **problems)
    async def result_view(request: Request, result_id: ResultId, width: Width) -> Response:
        """Return a result as WebP at a display width."""
        visitor = visitor_in(request.scope)
        return await displayed(visitor, pictured(await found_result(visitor, result_id)), width)

    async def found_result(visitor: Visitor, result_id: int) -> LibraryRow:
        row = await library.find(visitor.owner, result_id)
        if row is None:
            raise Refused("result-unknown", status=404)
        return row

    def known_recipe(row: LibraryRow) -> Recipe:
        try:
            return recipe_of(row)
        except ValueError as error:
            raise RunFailed("row-damaged", charged=None) from error

    def pictured(row: LibraryRow) -> str:
        if row.file is None:
            raise Refused("picture-unknown", status=404)
        return row.file

    @app.post(f"{PREFIX}/recipes/read", response_model=ReadRecipe, openapi_extra={"requestBody": FILE_BODY}, **problems)
    async def read_recipe(request: Request, visitor: Asker) -> JSONResponse:
        """Return what a picture's file says of how it was made, by this app or another tool. It is not stored."""
        return JSONResponse(await recipes.read(visitor, request))

    # ---- keys, and what changes ----------------------------------------------------------------------

    @app.post(f"{PREFIX}/providers/{{name}}/check", response_model=Checked, **problems)
    async def check(name: str, visitor: Asker, x_provider_key: ProviderKey = None) -> JSONResponse:
        """Ask a provider whether a key works; a good one goes on with the jobs that wait for it."""
        provider = backends.provider(name)
        if provider is None:
            raise Refused("provider-unknown", status=404)
        if x_provider_key is not None:
            redactor.learn(x_provider_key)
        return JSONResponse({"balance": await backends.check_key(visitor, provider, x_provider_key)})

    @app.get(f"{PREFIX}/spending", response_model=Spending, **problems)
    async def spending(visitor: Asker, since: Annotated[float, Query(ge=0, le=1e10)]) -> JSONResponse:
        """Return what the visitor's runs have cost since a time, at each backend that costs anything."""
        found = await engine.spending(visitor.owner, since)
        backends = [{"backend": key, "dollars": round(dollars, 6)} for key, dollars in found.items()]
        return JSONResponse({"dollars": round(sum(found.values()), 6), "backends": backends})

    @app.get(f"{PREFIX}/events", response_class=StreamingResponse, **problems)
    async def stream(
        visitor: Asker, last_event_id: Annotated[int | None, Header(ge=0, le=2**53)] = None
    ) -> StreamingResponse:
        """Return the stream of what changes: `hello` first, then `change` each time, and a comment as a heartbeat."""
        return StreamingResponse(
            events.stream(visitor.owner, last_event_id), media_type="text/event-stream", headers=STREAM
        )

    _answer_errors(app)
    return app, jobs


def routes(app: FastAPI) -> list[BaseRoute]:
    """Return the routes that lead here, for the whole app."""
    return [Route(f"{PREFIX}/{{rest:anything}}", app)]


def _answer_errors(app: FastAPI) -> None:
    """Answer every error as a code and values."""

    def problem(error: StudioError, status: int, headers: dict[str, str] | None = None) -> JSONResponse:
        return JSONResponse({"error": error_view(error)}, status, headers)

    @app.exception_handler(StudioError)
    async def studio(_: Request, error: StudioError) -> JSONResponse:
        # To a caller of the wire formats a rejected key is the owner's, and the backend away; here it may be theirs.
        status = 403 if isinstance(error, KeyRejected) else status_of(error)
        return problem(error, status, headers_of(error))

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        place = [str(each) for each in error.errors()[0]["loc"] if each not in ("body", "query", "path")]
        return problem(Refused(recorded(first_fault(error)), status=400, field=".".join(place) or None), 400)

    @app.exception_handler(HTTPException)
    async def other(_: Request, error: HTTPException) -> JSONResponse:
        return problem(Refused(recorded(error.detail), status=error.status_code), error.status_code)

    @app.exception_handler(Exception)
    async def broken(_: Request, __: Exception) -> JSONResponse:
        return problem(RunFailed("app-broke", charged=None), 500)
