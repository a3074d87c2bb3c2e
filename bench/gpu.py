"""The local backend on this machine's GPU, at FLUX.1-dev's true size: `make bench-gpu`.

Random weights on the device run as fast as the true ones, so nothing is downloaded. First a small trained
model (mini, in bfloat16) is run at each level, for what speed does to pictures; then every cell of {plain
diffusers, none, regular, high} x sizes x steps, each as the median of some runs with nothing remembered
from the one before, the GPU waited for at both ends. Of a cache's hits random weights say nothing; here
they need not: which steps are computed is settled before a run.
"""

from __future__ import annotations

import argparse
import functools
import json
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from backends.local.levers import LEVELS
from backends.local.machine import GIB
from core.images import Reference, encode
from core.request import EditRequest, steps_run

SIZES = ("512x512", "1024x768", "1024x1024")
STEPS = {28: (28, 1.0), 36: (40, 0.9), 50: (50, 1.0)}
"""Steps that run, and the steps and strength that are asked for."""
ROUNDS = 3
GOALS = {"none": 3.65, "regular": 1.6, "high": 0.95}
"""Seconds at 1024x768 and 36 steps on an H200."""
GOAL_CELL = ("1024x768", 36)
PROMPT = "an oil painting of a harbour at dawn, thick strokes, warm light"
PACKAGES = ("torch", "diffusers", "transformers", "torchao")


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


def main() -> None:
    """Measure what the machine has, print the table, write `bench/gpu.json`."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", nargs="*", default=SIZES, metavar="WxH")
    parser.add_argument("--steps", nargs="*", type=int, default=list(STEPS), choices=list(STEPS))
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "gpu.json")
    given = parser.parse_args()
    import torch

    report: dict[str, Any] = {
        "time": time.strftime("%FT%TZ", time.gmtime()),
        "machine": platform.platform(),
        "versions": {name: version(name) for name in PACKAGES},
    }
    has_gpu = torch.cuda.is_available()
    report["small"] = small("cuda" if has_gpu else "cpu")
    if has_gpu:
        cells, report["card"] = full(given.sizes, given.steps, given.rounds)
        report["cells"] = [asdict(cell) for cell in cells]
        show(cells, report["card"])
    else:
        print("There is no CUDA device: this is the small model on the CPU, and says nothing of FLUX's speed.")
        show(*small_table())
    given.out.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def small(kind: str) -> dict[str, Any]:
    """Run mini in bfloat16 at each level and print how near it stays to plain diffusers' picture and to `none`."""
    from backends.local.choice import MINI_FOLDER, ModelChoice
    from backends.local.loading import load
    from bench.levels import requests
    from bench.quality import distance, worst

    model = load(ModelChoice(str(MINI_FOLDER), None, kind, None), lambda _: None)
    asked = requests()[::2]
    by_level = {level: [edited(model, request, level)[0] for request in asked] for level in LEVELS}
    found: dict[str, Any] = {"levers": model.status()}
    print(f"small model on {kind}: {model.status() or 'no further lever'}")
    for name, one, other in (
        ("none against plain diffusers", by_level["none"], [plain(model.pipe, request)[0] for request in asked]),
        ("regular against none", by_level["regular"], by_level["none"]),
        ("high against none", by_level["high"], by_level["none"]),
    ):
        far = worst([distance(a, b) for a, b in zip(one, other, strict=True)])
        found[name] = asdict(far)
        print(f"  {name:30} at worst PSNR {far.psnr:.1f} dB, SSIM {far.ssim:.4f}, of {len(asked)} pictures")
    return found


def small_table() -> tuple[list[Cell], dict[str, Any]]:
    """Return the table's cells for mini on the CPU: the same code on small numbers."""
    from backends.local.choice import MINI_FOLDER, ModelChoice
    from backends.local.loading import load

    model = load(ModelChoice(str(MINI_FOLDER), None, "cpu", None), lambda _: None)
    cells, levers = table(model.pipe, model.machine, model.sizes, ["128x96"], [28], 1, {"128x96": 0.0})
    return cells, {"name": "CPU", "tflops": 0.0, "levers": levers}


def full(sizes: list[str], steps: list[int], rounds: int) -> tuple[list[Cell], dict[str, Any]]:
    """Return every cell at the true size, and what the card is."""
    import torch

    from backends.local.machine import look
    from bench.floor import count, rate
    from bench.true_size import build, weigh

    torch.manual_seed(0)
    machine = look("cuda")
    measured = rate(machine.device)
    print(f"{machine.name}: bfloat16 products at {measured:.0f} TFLOP/s", file=sys.stderr)
    pipe = build(machine.device)
    floors = {size: count(*map(int, size.split("x"))).total / measured for size in sizes}
    cells, levers = table(pipe, machine, weigh(pipe), sizes, steps, rounds, floors)
    return cells, {"name": machine.name, "tflops": measured, "free_gib": machine.free / GIB, "levers": levers}


def table(
    pipe: Any, machine: Any, weights: Any, sizes: list[str], steps: list[int], rounds: int, floors: dict[str, float]
) -> tuple[list[Cell], str]:
    """Return the cells of a pipeline, and the levers that were on.

    Plain diffusers comes first, while no lever is: they are turned on in the same weights.

    Args:
        pipe: a FluxImg2ImgPipeline.
        machine: where it runs.
        weights: the sizes of its parts.
        sizes: of the pictures.
        steps: that run.
        rounds: runs of a cell, of which the median counts.
        floors: seconds of a step at each size that no version can go below.
    """
    from backends.local.ladder import BY_KEY
    from backends.local.levers import speed_up
    from backends.local.model import Model
    from backends.local.place import place
    from backends.local.preview import fit_rgb

    asked = [(size, ran, request_of(size, ran)) for size in sizes for ran in steps]
    cells: list[Cell] = []

    def add(level: str, used: Any, run: Callable[[EditRequest], int], forget: Callable[[], None]) -> None:
        for size, ran, request in asked:
            total, computed, peak = median_of(rounds, functools.partial(run, request), forget)
            forget()
            with watched(used) as parts:
                run(request)
            parts["loop"] = total - sum(parts.values())
            cells.append(Cell(level, size, ran, computed, total, floors[size] * ran, peak, parts))
            print(f"  {level} {size} {ran}: {total:.3f} s", file=sys.stderr)

    rung = BY_KEY["gpu" if machine.kind == "cuda" else machine.kind]
    place(pipe, rung, machine)
    add("plain", pipe, lambda request: plain(pipe, request)[1], lambda: None)
    model = Model(pipe, fit_rgb(pipe.vae), machine, rung, weights, speed_up(pipe, rung, machine))
    for level in LEVELS:
        used = model.at(level, lambda _: None)
        add(level, used, functools.partial(computed_by, model, level), model.memo.clear)
    return cells, model.status()


def median_of(rounds: int, run: Callable[[], int], forget: Callable[[], None]) -> tuple[float, int, float]:
    """Return a run's median seconds, the steps that it computed, and the peak of the GPU's memory in GiB."""
    import torch

    computed = run()  # compiles what is not compiled yet
    has_gpu = torch.cuda.is_available()
    if has_gpu:
        torch.cuda.reset_peak_memory_stats()
    seconds = []
    for _ in range(rounds):
        forget()
        wait()
        begun = time.perf_counter()
        run()
        wait()
        seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds), computed, torch.cuda.max_memory_allocated() / GIB if has_gpu else 0.0


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
    return EditRequest(
        PROMPT, reference, {"strength": strength, "num_inference_steps": steps, "guidance_scale": 3.5}, (7,)
    )


def computed_by(model: Any, level: str, request: EditRequest) -> int:
    """Run at a level and return how many steps were computed."""
    return edited(model, request, level)[1]


def edited(model: Any, request: EditRequest, level: str) -> tuple[Image.Image, int]:
    """Return the local backend's picture, and how many steps were computed. Previews are on, as in the app."""
    from backends.local.run import edit_images

    at_level = EditRequest(request.prompt, request.image, {**request.params, "acceleration": level}, request.seeds)
    made = edit_images(model, at_level, (request.image.width, request.image.height), lambda _: None)
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


def show(cells: list[Cell], card: dict[str, Any]) -> None:
    """Print the table, and each goal beside what was measured."""
    print(f"{card['name']}, {card['tflops']:.0f} TFLOP/s in bfloat16; {card['levers']}")
    print("level    size       steps  computed  total s  floor s  ratio   text  encode    loop  decode  peak GiB")
    for each in cells:
        parts, ratio = each.parts, each.total / each.floor if each.floor else 0.0
        print(
            f"{each.level:8} {each.size:10} {each.steps:5}  {each.computed:8}  {each.total:7.3f}  {each.floor:7.3f}"
            f"  {ratio:5.2f}  {parts['text']:5.3f}  {parts['encode']:6.3f}  {parts['loop']:6.3f}"
            f"  {parts['decode']:6.3f}  {each.peak:8.1f}"
        )
    there = {each.level: each.total for each in cells if (each.size, each.steps) == GOAL_CELL}
    for level, goal in GOALS.items():
        if level in there:
            slower = "plain is slower" if there["plain"] > there[level] else "plain is faster"
            verdict = "pass" if there[level] <= goal else "short"
            print(f"{level} at 1024x768, 36 steps: {there[level]:.3f} s, goal {goal:.2f} s, {verdict}; {slower}")


if __name__ == "__main__":
    main()
