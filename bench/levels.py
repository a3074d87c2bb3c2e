"""What `regular` and `high` change of a picture and take of the time, on mini; beside them, what cache-dit would.

The same reference, prompt and seed at each level, against `none`. Mini is a trained flow: its velocities
behave as a flow's do, which random weights would not. What FLUX itself does, only its own weights can tell.
"""

from __future__ import annotations

import json
import logging
import statistics
import time
from fractions import Fraction
from typing import Any

from PIL import Image

from backends.local.acceleration import LEVELS
from backends.local.choice import MINI_FOLDER, ModelChoice
from bench.quality import Distance, distance, worst
from bench.serve import ROOT
from bench.table import Row
from core.imaging.images import Reference, encode
from core.recipe import Recipe
from core.request import EditRequest
from core.spec import ParamValue

SIDE = 256
RUNS = ((40, 0.9), (28, 0.6))
"""Steps and strength: 36 and 17 steps run."""
GOALS = {"regular": 1.5, "high": 2.0}
"""Colour levels of 0..255, root mean square over a picture, the worst of all."""


def measure() -> list[Row]:
    """Run every example in two styles of mini at every level."""
    from backends.local.loading import load
    from backends.local.model import Model

    model: Model = load(ModelChoice(None, None, "cpu", None), lambda _: None)
    asked = requests()
    made, seconds = ours(model, asked)
    rows = []
    for level in GOALS:
        carried = [distance(a, b) for a, b in zip(made[level], made["none"], strict=True)]
        their_own = theirs(model, asked, LEVELS[level])
        other = [distance(a, b) for a, b in zip(their_own, made["none"], strict=True)]
        took, exact = statistics.median(seconds[level]), statistics.median(seconds["none"])
        rows += [
            Row(f"{level}: distance from none on mini", worst(carried).levels, GOALS[level], "levels", told(carried)),
            Row(
                f"{level}: time over none", took / exact, float(LEVELS[level]) + 0.15, "x", f"{took:.2f}/{exact:.2f} s"
            ),
            Row(
                f"{level}: distance over cache-dit's, the same steps computed",
                mean(carried) / mean(other),
                1.15,
                "x",
                f"cache-dit: {told(other)}",
            ),
        ]
    return rows


def requests() -> list[EditRequest]:
    """Return what is run: every example in two styles, long and short."""
    styles = json.loads((MINI_FOLDER / "styles.json").read_text(encoding="utf-8"))
    asked = []
    for place, path in enumerate(sorted((ROOT / "assets" / "examples").glob("*.jpg"))):
        picture = Image.open(path).convert("RGB").resize((SIDE, SIDE), Image.Resampling.LANCZOS)
        reference = Reference(encode(picture, "png"), SIDE, SIDE)
        for style in (styles[place], styles[place + 6]):
            for steps, strength in RUNS:
                params: dict[str, ParamValue] = {
                    "strength": strength,
                    "num_inference_steps": steps,
                    "guidance_scale": 4.5,
                }
                recipe = Recipe(backend="local", prompt=style["prompt"], params=params, seed=7, seeds=(7,))
                asked.append(EditRequest(recipe, reference))
    return asked


def ours(model: Any, asked: list[EditRequest]) -> tuple[dict[str, list[Image.Image]], dict[str, list[float]]]:
    """Return the pictures by level, and the seconds of the longer runs; the levels take turns."""
    from backends.local.run import edit_images

    pictures: dict[str, list[Image.Image]] = {level: [] for level in LEVELS}
    seconds: dict[str, list[float]] = {level: [] for level in LEVELS}
    for request in asked:
        for level in LEVELS:
            at_level = EditRequest(request.recipe.with_params(acceleration=level), request.image)
            begun = time.perf_counter()
            made = edit_images(model, at_level, (SIDE, SIDE), lambda _: None, previews=False)
            if request.integer("num_inference_steps") == RUNS[0][0]:
                seconds[level].append(time.perf_counter() - begun)
            pictures[level] += made.pictures
    return pictures, seconds


def theirs(model: Any, asked: list[EditRequest], share: Fraction) -> list[Image.Image]:
    """Return the pictures by cache-dit: the same steps computed, its Taylor calibrator, one block for the rest."""
    import cache_dit
    from cache_dit import DBCacheConfig, TaylorSeerCalibratorConfig

    from backends.local.run import edit_images
    from backends.local.step_cache import plan

    for name in logging.root.manager.loggerDict:
        if "cache_dit" in name.lower():
            logging.getLogger(name).setLevel(logging.ERROR)  # it tells of every block, on stdout
    pictures = []
    for request in asked:
        steps = [int(each) for each in plan(request.steps_run, share)]
        config = DBCacheConfig(
            Fn_compute_blocks=1,
            Bn_compute_blocks=0,
            max_warmup_steps=2,
            steps_computation_mask=steps,
            steps_computation_policy="static",
            num_inference_steps=request.steps_run,
        )
        cache_dit.enable_cache(
            model.pipe, cache_config=config, calibrator_config=TaylorSeerCalibratorConfig(taylorseer_order=1)
        )
        try:
            pictures += edit_images(model, request, (SIDE, SIDE), lambda _: None, previews=False).pictures
        finally:
            cache_dit.disable_cache(model.pipe)
    return pictures


def mean(distances: list[Distance]) -> float:
    """Return the mean of the distances in colour levels."""
    return statistics.mean(each.levels for each in distances)


def told(distances: list[Distance]) -> str:
    """Return distances in words."""
    low = worst(distances)
    psnr = statistics.mean(each.psnr for each in distances)
    return f"PSNR {psnr:.1f} dB, at worst {low.psnr:.1f}; SSIM at worst {low.ssim:.4f}; {len(distances)} pictures"
