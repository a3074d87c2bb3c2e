"""The table of `make bench-gpu`: each cell is a level, a size and a number of steps, on one pipeline."""

from __future__ import annotations

import copy
import functools
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from backends.local.acceleration import LEVELS
from backends.local.hardware import GIB
from core.imaging.images import Reference, encode
from core.recipe import Recipe
from core.request import EditRequest, steps_run
from core.spec import ParamValue

STEPS = {28: (28, 1.0), 36: (40, 0.9), 50: (50, 1.0)}
"""Steps that run, and the steps and strength that are asked for."""
GOAL_CELL = ("1024x768", 36)
"""The size and steps that the goals are for: measured first, should the time run out."""
PROMPT = "an oil painting of a harbour at dawn, thick strokes, warm light"


@dataclass
class Cell:
    """One cell of the table; seconds."""

    level: str
    size: str
    steps: int
    computed: int
    total: float
    floor: float
    peak: float
    parts: dict[str, float] = field(default_factory=dict)


def table(
    pipe: Any,
    machine: Any,
    weights: Any,
    sizes: list[str],
    steps: list[int],
    rounds: int,
    floors: dict[str, float],
    save: Callable[[list[Cell]], None],
) -> tuple[list[Cell], str, float]:
    """Return the cells of a pipeline, the levers that were on, and the share of a run that its previews take.

    All levels take turns at a cell, plain diffusers before them: with the same weights in a transformer, and with a
    decoder, of its own, on which no lever is.

    Args:
        pipe: a FluxImg2ImgPipeline.
        machine: where it runs.
        weights: the sizes of its parts.
        sizes: of the pictures.
        steps: that run.
        rounds: runs of a cell, of which the median counts.
        floors: seconds of a step at each size that no version can go below.
        save: is given the cells so far, each time there is one more.
    """
    from backends.local.acceleration import speed_up
    from backends.local.memory_plan import BY_KEY
    from backends.local.model import Model
    from backends.local.placement import place
    from backends.local.preview import fit_rgb

    asked = sorted(((size, ran) for size in sizes for ran in steps), key=lambda cell: cell != GOAL_CELL)
    cells: list[Cell] = []
    warm: set[tuple[str, str]] = set()
    lying: dict[str, float] = {}

    def add(level: str, size: str, ran: int, used: Any, run: Callable[[], int], forget: Callable[[], None]) -> None:
        if (level, size) not in warm:
            run()  # compiles what is not compiled yet
            warm.add((level, size))
        forget()
        lies = allocated()
        total, computed, peak = median_of(rounds, run, forget)
        peak -= lies - lying.setdefault(level, lies)  # the matrices that a later level has of its own
        forget()
        with watched(used) as parts:
            run()
        parts["loop"] = total - sum(parts.values())
        cells.append(Cell(level, size, ran, computed, total, floors[size] * ran, peak, parts))
        save(cells)
        print(f"  {level} {size} {ran}: {total:.3f} s", file=sys.stderr)

    rung = BY_KEY["gpu" if machine.kind == "cuda" else machine.kind]
    place(pipe, rung, machine)
    bare = bare_twin(pipe)
    model = Model(pipe, fit_rgb(pipe.vae), machine, rung, weights, speed_up(pipe, rung, machine, weights))
    for size, ran in asked:
        request = request_of(size, ran)
        add("plain", size, ran, bare, functools.partial(steps_of_plain, bare, request), lambda: None)
        for level in LEVELS:
            used = model.pipeline(level, 1, lambda _: None)
            add(level, size, ran, used, functools.partial(computed_by, model, level, request), model.memo.clear)
    return cells, ", ".join(map(str, model.status())), previews_share(model, request_of(*asked[0]), rounds)


def bare_twin(pipe: Any) -> Any:
    """Return a pipeline that shares a pipeline's weights, but for the small decoder's, and none of its levers."""
    from backends.local.quantise import same_weights

    parts = {**pipe.components, "transformer": same_weights(pipe.transformer), "vae": copy.deepcopy(pipe.vae)}
    bare = type(pipe)(**parts)
    bare.set_progress_bar_config(disable=True)
    return bare


def previews_share(model: Any, request: EditRequest, rounds: int) -> float:
    """Return how much longer a run with previews takes than one without, both taking turns."""
    seconds: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(rounds + 1):
        for previews in seconds:
            wait()
            begun = time.perf_counter()
            edited(model, request, "none", previews=previews)
            wait()
            seconds[previews].append(time.perf_counter() - begun)
    with_them, without = (statistics.median(each[1:]) for each in seconds.values())
    return with_them / without - 1


def median_of(rounds: int, run: Callable[[], int], forget: Callable[[], None]) -> tuple[float, int, float]:
    """Return a run's median seconds, the steps that it computed, and the peak of the GPU's memory in GiB."""
    import torch

    has_gpu = torch.cuda.is_available()
    if has_gpu:
        torch.cuda.reset_peak_memory_stats()
    seconds, computed = [], 0
    for _ in range(rounds):
        forget()
        wait()
        begun = time.perf_counter()
        computed = run()
        wait()
        seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds), computed, torch.cuda.max_memory_allocated() / GIB if has_gpu else 0.0


def allocated() -> float:
    """Return the GiB that lie on the GPU, if there is one."""
    import torch

    return torch.cuda.memory_allocated() / GIB if torch.cuda.is_available() else 0.0


def wait() -> None:
    """Return when the GPU has done all that it was told, if there is one."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.synchronize()


def request_of(size: str, ran: int) -> EditRequest:
    """Return a request for a reference of noise."""
    width, height = map(int, size.split("x"))
    steps, strength = STEPS[ran]
    assert steps_run(steps, strength) == ran
    noise = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    reference = Reference(encode(Image.fromarray(noise), "png"), width, height)
    params: dict[str, ParamValue] = {"strength": strength, "num_inference_steps": steps, "guidance_scale": 3.5}
    return EditRequest(Recipe(backend="local", prompt=PROMPT, params=params, seed=7, seeds=(7,)), reference)


def steps_of_plain(pipe: Any, request: EditRequest) -> int:
    """Run diffusers' own pipeline and return how many steps it computed."""
    return plain(pipe, request)[1]


def computed_by(model: Any, level: str, request: EditRequest) -> int:
    """Run at a level and return how many steps were computed."""
    return edited(model, request, level)[1]


def edited(model: Any, request: EditRequest, level: str, *, previews: bool = True) -> tuple[Image.Image, int]:
    """Return the local backend's picture, and how many steps were computed. Previews are on in the app too."""
    from backends.local.run import edit_images

    at_level = EditRequest(request.recipe.with_params(acceleration=level), request.image)
    inner = request.image.width, request.image.height
    made = edit_images(model, at_level, inner, lambda _: None, previews=previews)
    return made.pictures[0], made.computed


def plain(pipe: Any, request: EditRequest) -> tuple[Image.Image, int]:
    """Return the picture of diffusers' own pipeline, called as its documents say, and how many steps it computed."""
    import torch

    image = request.image
    picture = pipe(
        prompt=request.prompt,
        image=image.open(),
        width=image.width,
        height=image.height,
        generator=torch.Generator("cpu").manual_seed(request.seeds[0]),
        strength=request.number("strength"),
        guidance_scale=request.number("guidance_scale"),
        num_inference_steps=request.integer("num_inference_steps"),
        max_sequence_length=min(512, pipe.tokenizer_2.model_max_length),
    ).images[0]
    return picture, request.steps_run


@contextmanager
def watched(pipe: Any) -> Iterator[dict[str, float]]:
    """While this lasts, the seconds of a run's parts are added up, the GPU waited for at both ends of each."""
    parts = {"text": 0.0, "encode": 0.0, "decode": 0.0}
    own = [(pipe, "encode_prompt", "text"), (pipe.vae, "encode", "encode"), (pipe.vae, "decode", "decode")]

    def timed(call: Callable[..., Any], name: str) -> Callable[..., Any]:
        def inner(*args: Any, **kwargs: Any) -> Any:
            wait()
            begun = time.perf_counter()
            result = call(*args, **kwargs)
            wait()
            parts[name] += time.perf_counter() - begun
            return result

        return inner

    for owner, method, name in own:
        setattr(owner, method, timed(getattr(owner, method), name))
    try:
        yield parts
    finally:
        for owner, method, _ in own:
            delattr(owner, method)
