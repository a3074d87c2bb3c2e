"""Measure the mini checkpoint on real photos, which training never saw, and draw its sheets.

    python -m tools.mini.judge PHOTO [PHOTO ...] [--sheets docs/mini]

scikit-image's astronaut, coffee and chelsea come on top of the photos given. Prints a table of measured value and
goal, and ends with 1 when one falls short. About 35 minutes on 2 CPU cores with eight photos.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import FluxImg2ImgPipeline
from numpy.typing import NDArray
from PIL import Image
from skimage import data
from skimage.metrics import structural_similarity
from torch import Tensor
from torch.nn import functional
from tqdm import tqdm

from tools.mini.sheets import draw_sheets
from tools.mini.styles import STYLES, edges

HERE = Path(__file__).resolve().parent
CHECKPOINT = HERE.parents[1] / "assets" / "mini"
SIDE = 512
DEFAULTS: dict[str, Any] = {"strength": 0.6, "guidance_scale": 3.5, "num_inference_steps": 20, "seed": 1}
STRENGTHS, GUIDANCES = (0.2, 0.4, 0.6, 0.8), (1.0, 3.5, 7.0)
UNKNOWN = "blorvt quenzle of the marrovine"
PROMPTS = tuple(style.prompt for style in STYLES)


@dataclass
class Table:
    """The measurements, printed as they come."""

    short: int = 0
    lines: list[str] = field(default_factory=list)

    def add(self, what: str, value: float, goal: float, unit: str = "", most: bool = False) -> None:
        """Add a value that should be at least `goal`, or at most where `most` says so."""
        reached = value <= goal if most else value >= goal
        self.short += not reached
        verdict = "pass" if reached else "SHORT"
        line = f"{what:72} {value:8.3f} {unit:3} {'<=' if most else '>='} {goal:<6g} {verdict}"
        self.lines.append(line)
        print(line, flush=True)


def load_photo(source: Path | NDArray[np.uint8]) -> Tensor:
    """Return a photo as the app works on it: (1, 3, height, width) in 0..1, 512 on its longer side, sides of 16."""
    picture = Image.fromarray(source) if isinstance(source, np.ndarray) else Image.open(source)
    picture = picture.convert("RGB")
    scale = min(1.0, SIDE / max(picture.size))
    width, height = (max(16, round(side * scale) // 16 * 16) for side in picture.size)
    pixels = np.asarray(picture.resize((width, height), Image.Resampling.LANCZOS))
    return torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None].float() / 255


class Mini:
    """The checkpoint in diffusers' own pipeline."""

    def __init__(self, folder: Path) -> None:
        self.pipe = FluxImg2ImgPipeline.from_pretrained(folder)
        self.pipe.set_progress_bar_config(disable=True)

    def edit(self, photo: Tensor, prompt: str, **settings: Any) -> Tensor:
        """Return the pipeline's picture, the shape of the photo."""
        given = {**DEFAULTS, **settings}
        generator = torch.Generator().manual_seed(given.pop("seed"))
        size = {"height": photo.shape[-2], "width": photo.shape[-1]}
        tokens = self.pipe.tokenizer_2.model_max_length
        with torch.inference_mode():
            made: Tensor = self.pipe(
                prompt, image=photo, generator=generator, max_sequence_length=tokens, output_type="pt", **size, **given
            ).images
        return made.float()

    def reconstructed(self, photo: Tensor) -> Tensor:
        """Return what the autoencoder alone makes of a photo."""
        with torch.inference_mode():
            latents = self.pipe.vae.encode(photo * 2 - 1).latent_dist.mean
            back: Tensor = self.pipe.vae.decode(latents).sample
        return (back / 2 + 0.5).clamp(0, 1)


def colour_distance(one: Tensor, other: Tensor) -> float:
    """Return the mean absolute difference after a 4x downscale."""
    return float((functional.avg_pool2d(one, 4) - functional.avg_pool2d(other, 4)).abs().mean())


def edge_distance(one: Tensor, other: Tensor) -> float:
    """Return 1 minus the correlation of the edge maps, colour by colour, at half size."""
    maps = []
    for picture in (one, other):
        small = functional.avg_pool2d(picture, 2)
        maps.append(torch.cat([edges(small[:, k : k + 1].expand(-1, 3, -1, -1)) for k in range(3)], 1).flatten())
    return 1 - float(torch.corrcoef(torch.stack(maps))[0, 1])


def distance(one: Tensor, other: Tensor) -> float:
    """Return both in one figure: colours weigh as they are, edges a fifth."""
    return colour_distance(one, other) + 0.2 * edge_distance(one, other)


def judge_autoencoder(mini: Mini, photos: list[Tensor], table: Table) -> None:
    """Measure how well pictures come back."""
    errors = [float((mini.reconstructed(photo) - photo).square().mean()) for photo in photos]
    table.add("autoencoder: PSNR, mean of the photos at 512 px", float(-10 * np.log10(errors).mean()), 26, "dB")


def judge_styles(mini: Mini, photos: list[Tensor], table: Table) -> list[list[Tensor]]:
    """Measure whether results are nearest to their own style; return them by photo and style."""
    measures: dict[str, Callable[[Tensor, Tensor], float]] = {
        "colour": colour_distance,
        "edges": edge_distance,
        "both": distance,
    }
    nearest, closer = ({name: [] for name in measures} for _ in range(2))
    misses: list[str] = []
    results = []
    for number, photo in enumerate(tqdm(photos, desc="styles", file=sys.stderr)):
        true = [style.program(photo) for style in STYLES]
        made = [mini.edit(photo, prompt) for prompt in PROMPTS]
        results.append(made)
        for place, result in enumerate(made):
            for name, measure in measures.items():
                apart = [measure(result, each) for each in true]
                best = int(np.argmin(apart))
                nearest[name].append(best == place)
                closer[name].append(apart[place] < measure(photo, true[place]))
                if name == "both" and best != place:
                    misses.append(f"photo {number}: {STYLES[place].name} looks like {STYLES[best].name}")
    for name in measures:
        goal = {"goal": 90.0} if name == "both" else {"goal": 0.0}
        table.add(
            f"result nearest to its own style's rendering ({name})", 100 * np.mean(nearest[name]), unit="%", **goal
        )
    for name in measures:
        goal = {"goal": 95.0} if name == "both" else {"goal": 0.0}
        table.add(f"result nearer to it than the photo ({name})", 100 * np.mean(closer[name]), unit="%", **goal)
    print("\n".join(misses), file=sys.stderr)
    return results


def judge_settings(mini: Mini, photos: list[Tensor], table: Table) -> None:
    """Measure whether the distance to the photo grows with strength and with guidance, and what else settings do."""
    for name, values in (("strength", STRENGTHS), ("guidance_scale", GUIDANCES)):
        grows = []
        for photo, prompt in tqdm(list(itertools.product(photos, PROMPTS)), desc=name, file=sys.stderr):
            apart = [float((mini.edit(photo, prompt, **{name: value}) - photo).abs().mean()) for value in values]
            grows += [low < high for low, high in itertools.pairwise(apart)]
        said = ", ".join(f"{value:g}" for value in values)
        table.add(f"distance to the photo grows with {name} ({said})", 100 * float(np.mean(grows)), 95, "%")
    differ = [
        bool((mini.edit(p, PROMPTS[0], seed=1) - mini.edit(p, PROMPTS[0], seed=2)).abs().mean() > 1e-3) for p in photos
    ]
    table.add("two seeds differ", 100 * float(np.mean(differ)), 100, "%")
    kept = [similarity(mini.edit(p, UNKNOWN, strength=0.4), mini.reconstructed(p)) for p in photos]
    table.add("unknown words, strength 0.4: SSIM with the autoencoder's picture, mean", float(np.mean(kept)), 0.7)


def similarity(one: Tensor, other: Tensor) -> float:
    """Return SSIM over colours."""
    pair = [each[0].permute(1, 2, 0).numpy() for each in (one, other)]
    return float(structural_similarity(*pair, channel_axis=2, data_range=1.0))


def judge_words(mini: Mini, photo: Tensor, table: Table) -> None:
    """Measure whether phrasings that training never saw choose the right style."""
    held_out = json.loads((HERE / "held_out.json").read_text(encoding="utf-8"))
    true = [style.program(photo) for style in STYLES]
    right = []
    for each in tqdm(held_out, desc="phrasings", file=sys.stderr):
        result = mini.edit(photo, each["prompt"])
        chosen = STYLES[int(np.argmin([distance(result, one) for one in true]))].name
        right.append(chosen == each["style"])
        if not right[-1]:
            print(f"{each['prompt']!r} looks like {chosen}", file=sys.stderr)
    table.add(f"held-out phrasings choose their style ({len(held_out)})", 100 * float(np.mean(right)), 85, "%")


def judge_time(mini: Mini, table: Table) -> None:
    """Time a run at the defaults on 512x512, the median of five."""
    photo = load_photo(data.astronaut())
    seconds = []
    for _ in range(6):
        begun = time.perf_counter()
        mini.edit(photo, PROMPTS[0])
        seconds.append(time.perf_counter() - begun)
    table.add("512x512, 20 steps at strength 0.6", float(np.median(seconds[1:])), 6, "s", most=True)


def photos_of(paths: list[Path]) -> Iterator[Tensor]:
    """Yield scikit-image's three photos and those of the paths."""
    for known in (data.astronaut, data.coffee, data.chelsea):
        yield load_photo(known())
    for path in paths:
        yield load_photo(path)


def main() -> int:
    """Measure, print, draw; return 1 when a goal was missed."""
    parser = argparse.ArgumentParser(description="Measure the mini checkpoint on real photos.")
    parser.add_argument("photos", nargs="*", type=Path)
    parser.add_argument("--checkpoint", type=Path, default=CHECKPOINT)
    parser.add_argument(
        "--sheets", type=Path, help="draw before and after sheets of the app's examples into this folder"
    )
    parser.add_argument("--brief", action="store_true", help="leave out the settings, which take longest")
    options = parser.parse_args()
    mini, table = Mini(options.checkpoint), Table()
    if options.sheets:
        draw_sheets(options.sheets, lambda path, prompt, **settings: mini.edit(load_photo(path), prompt, **settings))
    photos = list(photos_of(options.photos))
    judge_time(mini, table)
    judge_autoencoder(mini, photos, table)
    judge_words(mini, photos[0], table)
    judge_styles(mini, photos, table)
    if not options.brief:
        judge_settings(mini, photos, table)
    return 1 if table.short else 0


if __name__ == "__main__":
    sys.exit(main())
