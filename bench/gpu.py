"""The local backend on this machine's GPU, at FLUX.1-dev's true size: `make bench-gpu`.

Random weights on the device run as fast as the true ones, so nothing is downloaded. First a small trained
model (mini, in bfloat16) is run at each level, for what speed does to pictures; then every cell of {plain
diffusers, none, regular, high} x sizes x steps, each as the median of some runs with nothing remembered
from the one before, the GPU waited for at both ends. Of a cache's hits random weights say nothing; here
they need not: which steps are computed is settled before a run.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from backends.local.acceleration import LEVELS
from backends.local.hardware import GIB
from bench.gpu_table import GOAL_CELL, STEPS, Cell, edited, plain, table

SIZES = ("512x512", "1024x768", "1024x1024")
ROUNDS = 3
GOALS = {"none": 3.65, "regular": 1.6, "high": 0.95}
"""Seconds at 1024x768 and 36 steps on an H200."""
PACKAGES = ("torch", "diffusers", "transformers", "torchao")


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

    def save(card: dict[str, Any], cells: list[Cell]) -> None:
        report.update(card=card, cells=[asdict(cell) for cell in cells])
        given.out.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")

    if has_gpu:
        cells, card = full(given.sizes, given.steps, given.rounds, save)
        save(card, cells)
    else:
        print("There is no CUDA device: this is the small model on the CPU, and says nothing of FLUX's speed.")
        cells, card = small_table()
        save(card, [])
    show(cells, card)


def small(kind: str) -> dict[str, Any]:
    """Run mini in bfloat16 at each level and print how near it stays to plain diffusers' picture and to `none`."""
    from backends.local.choice import MINI_FOLDER, ModelChoice
    from backends.local.hardware import look
    from backends.local.loading import load
    from bench.levels import requests
    from bench.quality import distance, worst

    choice = ModelChoice(str(MINI_FOLDER), None, kind, None)
    # Plain diffusers on a pipeline of its own, on which no lever is.
    bare = load(choice, lambda _: None, machine=replace(look(kind), compiles=False, flash3=False, capability=(8, 0)))
    asked = requests()[::2]
    by_diffusers = [plain(bare.pipe, request)[0] for request in asked]
    model = load(choice, lambda _: None)
    by_level = {level: [edited(model, request, level)[0] for request in asked] for level in LEVELS}
    found: dict[str, Any] = {"levers": ", ".join(map(str, model.status()))}
    print(f"small model on {kind}: {found['levers'] or 'no further lever'}")
    for name, one, other in (
        ("none against plain diffusers", by_level["none"], by_diffusers),
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
    cells, levers, share = table(
        model.pipe, model.machine, model.sizes, ["128x96"], [28], 1, {"128x96": 0.0}, lambda _: None
    )
    return cells, {"name": "CPU", "tflops": 0.0, "levers": levers, "previews": share}


def full(
    sizes: list[str], steps: list[int], rounds: int, save: Callable[[dict[str, Any], list[Cell]], None]
) -> tuple[list[Cell], dict[str, Any]]:
    """Return every cell at the true size, and what the card is; each is saved when it is there."""
    import torch

    from backends.local.hardware import look
    from bench.floor import count, rate
    from bench.true_size import build, weigh

    torch.manual_seed(0)
    machine = look("cuda")
    measured = rate(machine.device)
    print(f"{machine.name}: bfloat16 products at {measured:.0f} TFLOP/s", file=sys.stderr)
    pipe = build(machine.device)
    floors = {size: count(*map(int, size.split("x"))).total / measured for size in sizes}
    card: dict[str, Any] = {"name": machine.name, "tflops": measured, "free_gib": machine.free / GIB}
    cells, card["levers"], card["previews"] = table(
        pipe, machine, weigh(pipe), sizes, steps, rounds, floors, partial(save, card)
    )
    return cells, card


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
    print(f"previews make a run at none {card['previews']:.1%} longer (goal: under 1% on a GPU)")
    there = {each.level: each.total for each in cells if (each.size, each.steps) == GOAL_CELL}
    for level, goal in GOALS.items():
        if level in there:
            slower = "plain is slower" if there["plain"] > there[level] else "plain is faster"
            verdict = "pass" if there[level] <= goal else "short"
            print(f"{level} at 1024x768, 36 steps: {there[level]:.3f} s, goal {goal:.2f} s, {verdict}; {slower}")


if __name__ == "__main__":
    main()
