"""Write the trained parts as a checkpoint in the diffusers layout, small enough for a plain git repository."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, FlowMatchEulerDiscreteScheduler, FluxTransformer2DModel

from tools.mini.flow import SCHEDULER
from tools.mini.parts import write_index
from tools.mini.styles import STYLES
from tools.mini.text import TextEncoders

PARTS = ("scheduler", "text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2", "transformer", "vae")
SHARD = "9MB"
MAX_FILE, MAX_ALL = 9_500_000, 20_000_000
"""Bytes that a Space takes without large-file storage."""


def write(folder: Path, vae: AutoencoderKL, encoders: TextEncoders, transformer: FluxTransformer2DModel) -> None:
    """Replace the checkpoint in `folder` (its other files stay), float16, and check its size.

    Raises:
        ValueError: a file, or all together, would be too large.
    """
    for name in PARTS:
        shutil.rmtree(folder / name, ignore_errors=True)
    parts: dict[str, Any] = {
        "scheduler": FlowMatchEulerDiscreteScheduler(**SCHEDULER),
        "text_encoder": encoders.clip.to(torch.float16),
        "text_encoder_2": encoders.t5.to(torch.float16),
        "tokenizer": encoders.clip_tokenizer,
        "tokenizer_2": encoders.t5_tokenizer,
        "transformer": transformer.to(torch.float16),
        "vae": vae.to(torch.float16, memory_format=torch.contiguous_format),
    }
    for name, part in parts.items():
        sized = {"max_shard_size": SHARD} if name == "transformer" else {}
        part.save_pretrained(folder / name, **sized)
    for name in ("text_encoder", "text_encoder_2"):
        # transformers takes the type from here; the other parts are float32 unless asked otherwise.
        config = folder / name / "config.json"
        config.write_text(config.read_text(encoding="utf-8").replace("float16", "float32"), encoding="utf-8")
    write_index(folder)
    kinds = {True: "medium", False: "mood"}
    styles = [
        {"name": each.name, "label": each.label, "prompt": each.prompt, "kind": kinds[each.is_medium]}
        for each in STYLES
    ]
    (folder / "styles.json").write_text(json.dumps(styles, indent=2) + "\n", encoding="utf-8")
    sizes = {path: path.stat().st_size for name in PARTS for path in (folder / name).rglob("*") if path.is_file()}
    if max(sizes.values()) > MAX_FILE or sum(sizes.values()) > MAX_ALL:
        raise ValueError(f"The checkpoint is too large: {sizes}")
