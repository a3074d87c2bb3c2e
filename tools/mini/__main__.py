"""Make the mini checkpoint from nothing.

    python -m tools.mini [--work FOLDER] [--out FOLDER] [--device cpu|cuda]

Every seed is fixed. Run again after an interruption, it goes on where it stopped; a finished stage is not repeated
as long as its file lies in the work folder (about 10 GB).
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

import torch

from tools.mini import checkpoint
from tools.mini.autoencoder import fitted_code, trained_autoencoder
from tools.mini.flow import encoded, trained_transformer
from tools.mini.material import SEED, picture_file
from tools.mini.text import trained_text_encoders

SMALL, LARGE = (1600, 256), (100, 512)
"""How many pictures, of how many pixels a side."""
IN_LOOKS = 1000
"""How many of the small ones the transformer sees, each in every style."""
STEPS = {"autoencoder": 6_000, "text": 1_500, "flow": 12_000}
CHECKPOINT = Path(__file__).resolve().parents[2] / "assets" / "mini"


def main() -> None:
    """Run all stages and report."""
    parser = argparse.ArgumentParser(description="Make the mini checkpoint from nothing.")
    parser.add_argument("--work", type=Path, default=Path("data/mini-training"), help="what is kept in between")
    parser.add_argument("--out", type=Path, default=CHECKPOINT, help="the checkpoint's folder")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    options = parser.parse_args()
    device = torch.device(options.device)
    spent: dict[str, float] = {}
    begun = time.monotonic()

    def lap(stage: str) -> None:
        nonlocal begun
        spent[stage] = time.monotonic() - begun
        begun = time.monotonic()

    small, large = (picture_file(options.work, count, side, SEED) for count, side in (SMALL, LARGE))
    lap("pictures")
    code = fitted_code(small)
    latents = [encoded(options.work, pool, code) for pool in (small[:IN_LOOKS], large)]
    lap("latents")
    vae = trained_autoencoder(options.work, small, code, STEPS["autoencoder"], device)
    lap("autoencoder")
    encoders, _ = trained_text_encoders(options.work, STEPS["text"], device)
    lap("text encoders")
    transformer = trained_transformer(options.work, *latents, encoders, STEPS["flow"], device)
    lap("transformer")
    checkpoint.write(options.out, vae, encoders, transformer)
    machine = torch.cuda.get_device_name() if device.type == "cuda" else f"{os.cpu_count()} CPU cores"
    print(f"\nThe checkpoint is in {options.out}. On {machine} this run took:")
    for stage, seconds in spent.items():
        print(f"  {stage:14}{seconds / 60:7.1f} min")
    print(f"  {'all':14}{sum(spent.values()) / 60:7.1f} min (stages that were done before count as nothing)")


if __name__ == "__main__":
    main()
