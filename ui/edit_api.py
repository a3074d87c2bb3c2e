"""The programmatic way in: the Gradio API endpoint `/edit`, typed and documented, for clients, curl and MCP."""

from __future__ import annotations

import asyncio
import inspect
import secrets
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr
from gradio.components.api_component import Api
from gradio.processing_utils import save_file_to_cache

from core.backend import Backend
from core.errors import BadParameter, StudioError
from core.events import JobEvent
from core.imaging.images import Reference
from core.job import Job, Source, Visitor
from core.messages import in_full
from core.request import EditRequest
from core.result import Made, Missing, Result
from core.spec import MAX_PROMPT, AnyParam, Choice, Integer, Number, ParamValue, Toggle
from core.terms import TERMS, is_neutral
from engine.engine import Engine
from engine.images import Images
from engine.services import Services
from storage.files.disk import disk_errors
from ui.image_input import DESCRIPTION, Fetch, read_image, take_any_image
from ui.ownership import visitor_of

KINDS: dict[type[AnyParam], str] = {Number: "number", Integer: "integer", Choice: "string", Toggle: "boolean"}
"""JSON's names of the kinds of parameters."""


class Input(NamedTuple):
    """An input of `/edit` after `image`: its JSON type, default (None is the backend's own), and description."""

    kind: str
    default: ParamValue | None
    description: str


INPUTS: dict[str, Input] = {
    "prompt": Input("string", "", f"What the picture should become, 1 to {MAX_PROMPT} characters."),
    "backend": Input("string", None, "A backend's key, such as local; none is the first that is ready."),
    **{name: Input(KINDS[type(term.param)], term.default, term.described) for name, term in TERMS.items()},
}
"""The inputs in their order; the parameters' are the terms."""

DOC = """Edit a reference image by a prompt and return the result files and a report.

Args:
    image: {image}
    {inputs}

Returns:
    The image files, and the report: backend, seed, seeds, steps_run, width, height, timings
    (seconds), cost (US dollars), recipe (all that would repeat it), settings, notices, withheld (why, for
    each image that did not come).
"""


def add_edit_endpoint(services: Services, fetch: Fetch) -> None:
    """Add `/edit` to the app that is being built.

    Args:
        services: do the work.
        fetch: reads a public address or data URI into bytes, or raises a StudioError.
    """

    async def edit(
        request: gr.Request, image: dict[str, Any] | str, prompt: str, backend: str | None = None, *given: Any
    ) -> tuple[list[str], dict[str, Any]]:
        raw = dict(zip(TERMS, given, strict=True))
        try:
            reading = read_image(image, request.request, fetch, services)
            job, result = await run_edit(services.engine, reading, prompt, backend, raw, visitor_of(request))
            with disk_errors():
                files = await asyncio.to_thread(handed, pictures(job, services.images), cache)
        except StudioError as error:
            raise gr.Error(str(error), print_exception=False) from error
        return files, report(job, result)

    cache = add_endpoint("edit", edit, DOC, INPUTS, ["report"])


def add_endpoint(
    name: str, function: Callable[..., Any], doc: str, inputs: Mapping[str, Input], facts: Sequence[str]
) -> str:
    """Add an endpoint of the Gradio API that takes an image and gives images, and return the framework's file cache.

    Args:
        name: of the endpoint, without its slash.
        function: does the work; it takes the last of the inputs as further arguments.
        doc: see `published`.
        inputs: after `image`.
        facts: names of the JSON values that come after the images.
    """
    published(function, doc, inputs)
    image_file = gr.File(label="image", visible=False)
    take_any_image(image_file)
    given = [image_file, *(Api(each.default, schema_of(each), label) for label, each in inputs.items())]
    outputs = [gr.Files(label="images", visible=False), *(gr.JSON(label=label, visible=False) for label in facts)]
    gr.Button(visible=False).click(
        function,
        given,
        outputs,
        api_name=name,
        concurrency_limit=None,
        show_progress="hidden",
        queue=True,
        preprocess=False,  # else the framework hands each of the dozen inputs to a thread and back
    )
    cache: str = image_file.GRADIO_CACHE
    return cache


async def run_edit(
    engine: Engine,
    reading: Awaitable[Reference],
    prompt: object,
    backend: str | None,
    raw: Mapping[str, Any],
    visitor: Visitor,
    follow: Callable[[JobEvent], Awaitable[None]] | None = None,
    source: Source = Source.EDIT,
) -> tuple[Job, Result]:
    """Check, submit and wait; a caller who goes away cancels the run.

    Args:
        engine: does the work.
        reading: brings the picture. Whoever waits for the run holds none of its bytes: they are on the disk then.
        prompt: what it should become.
        backend: its key; None is the first that is ready.
        raw: parameters by name; None takes a backend's own default.
        visitor: who asks.
        follow: hears the run's events.
        source: where the call came in.

    Raises:
        StudioError: something does not fit, or the run failed.
    """
    reference = await reading
    chosen = choose(engine, backend)
    known = chosen.spec.by_name
    raw = {name: value for name, value in raw.items() if name in known or not is_neutral(name, value)}
    request = EditRequest.build(chosen.spec, prompt, reference, raw)
    job = await engine.submit(chosen.spec.key, request, visitor=visitor, source=source)
    del reference, request
    try:
        async for event in engine.watch(job):
            if follow is not None:
                await follow(event)
        return job, await engine.result(job)
    except asyncio.CancelledError:
        await asyncio.shield(engine.cancel(job))
        raise


def choose(engine: Engine, key: str | None) -> Backend:
    """Return the backend of a key, or the first that is ready.

    Raises:
        BadParameter: there is none of that key.
    """
    keys = list(engine.specs)
    if key is None:
        key = next((each for each in keys if engine.backend(each).ready() is None), keys[0])
    if key not in keys:
        raise BadParameter("backend-unknown", field="backend", backend=repr(str(key)[:40]), backends=", ".join(keys))
    return engine.backend(key)


def schema_of(each: Input) -> dict[str, Any]:
    """Return an input's schema with its description where the framework's lists of parameters look for it."""
    return {"type": each.kind, "description": each.description, "additional_description": each.description}


def published(function: Callable[..., Any], doc: str, inputs: Mapping[str, Input]) -> None:
    """Give an endpoint's function the signature and docstring that the framework shows: every input by its name.

    Args:
        function: takes the last of the inputs as further arguments.
        doc: with places for the image's description and for the inputs.
        inputs: after `image`.
    """
    own = inspect.signature(function)
    shown = [each for each in own.parameters.values() if each.kind is not inspect.Parameter.VAR_POSITIONAL]
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    shown += [
        inspect.Parameter(name, kind, default=each.default)
        for name, each in inputs.items()
        if name not in own.parameters
    ]
    function.__signature__ = own.replace(parameters=shown)  # type: ignore[attr-defined] # as `inspect` reads it
    lines = "\n    ".join(f"{name}: {each.description}" for name, each in inputs.items())
    function.__doc__ = doc.format(image=DESCRIPTION, inputs=lines)


def pictures(job: Job, images: Images) -> list[tuple[int, Path]]:
    """Return the seeds and stored files of what a job made."""
    assert job.result is not None
    return [(each.seed, images.path(each.image.name)) for each in job.result.images if isinstance(each, Made)]


def handed(made: Iterable[tuple[int, Path]], cache: str) -> list[str]:
    """Return results as files in the framework's cache, under names that nobody can guess: see `ui.guard`.

    Args:
        made: seeds and stored files.
        cache: the framework's folder.
    """
    files = []
    with tempfile.TemporaryDirectory() as folder:
        for seed, path in made:
            copy = Path(folder) / f"srpo-{seed}-{secrets.token_urlsafe(24)}{path.suffix}"
            shutil.copyfile(path, copy)
            files.append(save_file_to_cache(copy, cache))
            copy.unlink()
    return files


def report(job: Job, result: Result) -> dict[str, Any]:
    """Return what a caller wants to know about a finished run, enough to repeat it."""
    request = job.request
    first = next((each for each in result.images if isinstance(each, Made)), None)
    return {
        "backend": job.backend,
        "seed": request.seeds[0],
        "seeds": [picture.seed for picture in result.images],
        "steps_run": request.steps_run,
        "width": first.image.width if first else None,
        "height": first.image.height if first else None,
        "timings": dict(result.timings),
        "cost": result.cost,
        "recipe": job.recipe.model_dump(mode="json"),
        "settings": {"prompt": request.prompt, **request.params},
        "notices": [str(each) for each in request.image.notices + result.notices],
        "withheld": [in_full(each.why) for each in result.images if isinstance(each, Missing)],
    }
