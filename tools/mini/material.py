"""What training draws on, kept in a work folder: pictures made once, and each stage's state to go on from."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from tools.mini.pictures import pictures

SEED = 20
CHUNK = 16


def picture_file(work: Path, count: int, side: int, seed: int) -> NDArray[np.uint8]:
    """Return (count, side, side, 3) pictures, read-only from disk; made first where they are missing."""
    path = work / f"pictures-{side}-{count}.npy"
    if not path.exists():
        work.mkdir(parents=True, exist_ok=True)
        partly = path.with_suffix(".part")
        out = np.lib.format.open_memmap(partly, "w+", np.uint8, (count, side, side, 3))
        starts = list(range(0, count, CHUNK))
        with ProcessPoolExecutor() as pool, tqdm(total=count, desc=f"pictures {side} px") as bar:
            jobs = [pool.submit(_chunk, seed, start, min(start + CHUNK, count), side) for start in starts]
            for start, job in zip(starts, jobs, strict=True):
                made = job.result()
                out[start : start + len(made)] = made
                bar.update(len(made))
        out.flush()
        partly.rename(path)
    return np.load(path, mmap_mode="r")


def _chunk(seed: int, start: int, stop: int, side: int) -> NDArray[np.uint8]:
    return np.stack(list(pictures(seed, start, stop, side)))


def as_tensor(batch: NDArray[np.uint8], device: torch.device) -> torch.Tensor:
    """Return (batch, 3, height, width) in 0..1 of (batch, height, width, 3) bytes."""
    return torch.from_numpy(np.array(batch)).to(device).permute(0, 3, 1, 2).float() / 255


def learning_rate(step: int, total: int, peak: float, warm: int = 200) -> float:
    """Return the rate at a step: up over `warm` steps, then down a half cosine to a hundredth of the peak."""
    if step < warm:
        return peak * (step + 1) / warm
    return peak * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, total - warm))))


def train(
    name: str,
    work: Path,
    model: torch.nn.Module,
    total: int,
    peak: float,
    loss_of: Callable[[int], torch.Tensor],
    decay: float = 0.999,
    weight_decay: float = 0.0,
) -> torch.nn.Module:
    """Train for `total` steps, going on where an earlier run stopped; return a copy with averaged weights.

    Args:
        name: the stage; its state is `work/name.pt`, saved each few hundred steps.
        work: the work folder.
        model: what is trained, in place.
        total: steps.
        peak: the highest learning rate.
        loss_of: from the step's number to its loss; must depend on nothing else, so that a resumed run is the same.
        decay: how long the averaged weights remember.
        weight_decay: AdamW's.
    """
    path = work / f"{name}.pt"
    optimiser = torch.optim.AdamW(model.parameters(), lr=peak, betas=(0.9, 0.98), weight_decay=weight_decay)
    averaged = torch.optim.swa_utils.AveragedModel(
        model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(decay)
    )
    begun = 0
    if path.exists():
        state: dict[str, Any] = torch.load(path, weights_only=True)
        begun = state["step"]
        model.load_state_dict(state["model"])
        averaged.load_state_dict(state["averaged"])
        optimiser.load_state_dict(state["optimiser"])
    seen = 0.0
    with tqdm(total=total, initial=begun, desc=name, mininterval=5) as bar:
        for step in range(begun, total):
            torch.manual_seed(SEED * 1_000_003 + step)
            for group in optimiser.param_groups:
                group["lr"] = learning_rate(step, total, peak)
            loss = loss_of(step)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            averaged.update_parameters(model)
            seen = loss.item() if step == begun else 0.98 * seen + 0.02 * loss.item()
            bar.set_postfix(loss=f"{seen:.4f}", refresh=False)
            bar.update()
            if (step + 1) % 250 == 0 or step + 1 == total:
                state = {"step": step + 1, "model": model.state_dict(), "averaged": averaged.state_dict()}
                torch.save({**state, "optimiser": optimiser.state_dict()}, path.with_suffix(".part"))
                path.with_suffix(".part").rename(path)
    trained: torch.nn.Module = averaged.module
    return trained.eval()
