"""Stage three: the flow transformer, taught to carry a photo's latents into the style that the prompt names.

Let `p` be the photo's latents and `z` the styled picture's. Guidance says how far to go: `S = p + f(g) (z - p)`.
A run at strength `t0` starts from noise of level `s0 = sigma(t0)` over `p` and goes down to 0. On its way the picture
`a` under the noise shall move from `p` to `S`, in each step by the same part of what is left, `da/dt = -PULL (S - a)`:
low strengths go a part of the way and high ones nearly all of it. With `x = (1 - s) a + s n` the velocity to learn is
`dx/ds = n - a - PULL (1 - s) / (ds/dt) (S - a)`.

A model errs, and a run adds its errors up; so in training `a` also lies a little beside its way (`DRIFT`), the more
the longer the run has lasted, and the model learns to bring it back.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import FluxTransformer2DModel
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from tools.mini.autoencoder import LATENTS, Code
from tools.mini.material import SEED, as_tensor, train
from tools.mini.parts import transformer_config
from tools.mini.styles import STYLES, rendered
from tools.mini.text import WIDTH, TextEncoders
from tools.mini.words import draw_look, sentence

CONFIG = transformer_config(WIDTH, layers=(2, 6), heads=6, axes=(4, 14, 14))
SHIFT = 0.15
"""The scheduler's: below 1, so that a photo's detail outlasts middle strengths; a small model cannot invent it anew."""
SCHEDULER = {"num_train_timesteps": 1000, "shift": SHIFT, "use_dynamic_shifting": False}
PULL = 4.5
"""Strength 0.2 goes 59 % of the way, 0.4 83 %, 0.6 93 %, 0.8 97 %."""
DRIFT = 0.15
"""The largest standard deviation of what `a` lies beside its way; latents have about 1."""
EXTRA_LOOKS = 6
"""Looks of more than one style, or of a tint, for each picture, beside every style alone."""
PHASES = ((0.45, 16, 16), (0.85, 8, 32), (1.0, 2, 64))
"""Until which share of the steps, how many crops, of how many latents a side: 128, 256, then 512 pixels."""

Look = tuple[list[int], list[str]]


@dataclass(frozen=True)
class Latents:
    """Pictures as the transformer sees them.

    Attributes:
        photos: (n, 16, side, side), float16.
        looks: (n, variants, 16, side, side), float16: the same pictures in a style.
        names: for each picture and variant, its styles and tints.
    """

    photos: NDArray[np.float16]
    looks: NDArray[np.float16]
    names: list[list[Look]]


def looks_of(number: int) -> list[Look]:
    """Return the looks in which picture `number` is shown: every style alone, then some mixed."""
    rng = np.random.default_rng((SEED, 7, number))
    mixed: list[Look] = []
    while len(mixed) < EXTRA_LOOKS:
        styles, tints = draw_look(rng)
        if tints or len(styles) > 1:
            mixed.append((styles, tints))
    return [([place], []) for place in range(len(STYLES))] + mixed


def encoded(work: Path, pool: NDArray[np.uint8], code: Code) -> Latents:
    """Return the latents of all pictures in all looks, read-only from disk; made first where they are missing."""
    side = pool.shape[1] // 8
    path = work / f"latents-{pool.shape[1]}-{len(pool)}.npy"
    names = [looks_of(number) for number in range(len(pool))]
    if not path.exists():
        partly = path.with_suffix(".part")
        shape = (len(pool), 1 + len(names[0]), LATENTS, side, side)
        out = np.lib.format.open_memmap(partly, "w+", np.float16, shape)
        with torch.inference_mode():
            for number, looks in enumerate(tqdm(names, desc=f"latents {pool.shape[1]} px", mininterval=5)):
                photo = as_tensor(pool[number : number + 1], torch.device("cpu"))
                batch = torch.cat([photo, *(rendered(photo, *look) for look in looks)])
                out[number] = code.encode(batch).numpy()
        out.flush()
        partly.rename(path)
    stored = np.load(path, mmap_mode="r")
    return Latents(stored[:, 0], stored[:, 1:], names)


def amount(guidance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far toward the style a guidance goes: 0.49 at 1, 1.08 at 3.5, 1.29 at 7."""
    return 1.35 * (1 - np.exp(-guidance / 2.2))


def sigma(share: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the noise level at a share of the schedule, 0..1, as the scheduler counts it."""
    return SHIFT * share / (1 + (SHIFT - 1) * share)


def slope(share: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how fast the noise level rises with the share of the schedule."""
    return SHIFT / (1 + (SHIFT - 1) * share) ** 2


def packed(latents: Tensor) -> Tensor:
    """Return (batch, tokens, 64) of (batch, 16, height, width): FLUX makes one token of 2x2 latents."""
    batch, channels, height, width = latents.shape
    cells = latents.view(batch, channels, height // 2, 2, width // 2, 2).permute(0, 2, 4, 1, 3, 5)
    return cells.reshape(batch, height * width // 4, channels * 4)


def places(side: int, device: torch.device) -> Tensor:
    """Return the tokens' places, (tokens, 3): 0, row, column."""
    ids = torch.zeros(side // 2, side // 2, 3, device=device)
    ids[..., 1] = torch.arange(side // 2, device=device)[:, None]
    ids[..., 2] = torch.arange(side // 2, device=device)[None, :]
    return ids.view(-1, 3)


def trained_transformer(
    work: Path, small: Latents, large: Latents, encoders: TextEncoders, steps: int, device: torch.device
) -> FluxTransformer2DModel:
    """Return the transformer after `steps`.

    Args:
        work: the work folder.
        small: of 256 pixel pictures.
        large: of 512 pixel pictures.
        encoders: trained; they stay as they are.
        steps: how many.
        device: where to train.
    """
    torch.manual_seed(SEED)
    model = FluxTransformer2DModel(**CONFIG).to(device)

    def loss_of(step: int) -> Tensor:
        rng = np.random.default_rng((SEED, step))
        count, side = next((count, side) for share, count, side in PHASES if step < steps * share)
        photo, styled, prompts = _batch(rng, large if side > small.photos.shape[-1] else small, count, side)
        guidance = np.exp(rng.uniform(0, math.log(12), count))
        inputs, wanted, weight = _task(rng, photo.to(device), styled.to(device), guidance)
        with torch.no_grad():
            pooled, tokens = encoders(prompts)
        with torch.autocast(device.type, torch.bfloat16):
            told = model(
                **inputs,
                guidance=torch.tensor(guidance, dtype=torch.float32, device=device),
                pooled_projections=pooled,
                encoder_hidden_states=tokens,
                txt_ids=torch.zeros(tokens.shape[1], 3, device=device),
                img_ids=places(side, device),
            ).sample
        return ((told.float() - wanted).square().mean((1, 2)) * weight).mean()

    trained = train("flow", work, model, steps, 1e-3, loss_of, decay=0.9985)
    assert isinstance(trained, FluxTransformer2DModel)
    return trained


def _batch(rng: np.random.Generator, stock: Latents, count: int, side: int) -> tuple[Tensor, Tensor, list[str]]:
    """Return crops of photos and of the same in a look, (count, 16, side, side), and a prompt for each look."""
    photos, styled, prompts = [], [], []
    for number in rng.integers(len(stock.photos), size=count):
        top, left = rng.integers((stock.photos.shape[-1] - side) // 2 + 1, size=2) * 2
        cut = (..., slice(top, top + side), slice(left, left + side))
        photo = stock.photos[number][cut]
        look: Look = ([], [])
        if rng.random() < 0.1:
            styled.append(photo)
        else:
            variant = int(rng.integers(stock.looks.shape[1]))
            look = stock.names[number][variant]
            styled.append(stock.looks[number, variant][cut])
        photos.append(photo)
        prompts.append(sentence(rng, *look))
    return torch.from_numpy(np.stack(photos)).float(), torch.from_numpy(np.stack(styled)).float(), prompts


def _task(
    rng: np.random.Generator, photo: Tensor, styled: Tensor, guidance: NDArray[np.float64]
) -> tuple[dict[str, Any], Tensor, Tensor]:
    """Return a moment of a run at some strength, the velocity there, and its weight; see the module's docstring.

    Where the way to the aim is still long the velocity is large; the weight evens that out, because errors made early
    are mended later.
    """
    begun = rng.uniform(0.05, 1, len(photo))
    now = begun * rng.random(len(photo))

    def each(values: NDArray[np.float64]) -> Tensor:
        return torch.tensor(values, dtype=torch.float32, device=photo.device)[:, None, None, None]

    level, rate = each(sigma(now)), each(PULL * (1 - sigma(now)) / slope(now))
    aim = photo + each(amount(guidance)) * (styled - photo)
    left = each(np.exp(-PULL * (begun - now)))
    drift = each(DRIFT * rng.random(len(photo))) * (1 - left)
    at = aim + left * (photo - aim) + drift * torch.randn_like(photo)
    noise = torch.randn_like(photo)
    moment = (1 - level) * at + level * noise
    velocity = noise - at - rate * (aim - at)
    weight = 1 / (1 + rate.square() * (left.square() / 4 + drift.square()))
    return {"hidden_states": packed(moment), "timestep": level.flatten()}, packed(velocity), weight.flatten()
