"""Tiny image classifiers for the safety checker's tests: ViT's own class and layout, every weight set by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SIDE = 32
"""Pixels of the square that it looks at."""
LARGE = 10.0
"""What holds still in every token, so that normalising one hardly bends what is small beside it."""
SURE = 1e5
"""Makes a difference in brightness of a thousandth a verdict without doubt."""
PREPROCESSOR = {
    "image_processor_type": "ViTImageProcessor",
    "do_resize": True,
    "size": {"height": SIDE, "width": SIDE},
    "do_rescale": True,
    "rescale_factor": 1 / 255,
    "do_normalize": True,
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5],
}


def certain(folder: Path, chances: Mapping[str, float]) -> Path:
    """Write a classifier that sees nothing and gives its labels these chances, which add up to 1."""
    import torch

    model = _blank(list(chances))
    model.classifier.bias.data = torch.tensor(list(chances.values())).log()
    return _saved(model, folder)


def by_brightness(folder: Path, limit: float) -> Path:
    """Write a classifier that calls a picture nsfw whose mean brightness, of 0..1, is above a limit; else normal."""
    model = _blank(["normal", "nsfw"])
    parts = dict(model.named_parameters())
    projection = "vit.embeddings.patch_embeddings.projection"
    parts[f"{projection}.weight"].data[0] = 1 / (3 * 8 * 8)  # channel 0: the patch's brightness above the limit
    parts[f"{projection}.bias"].data[:3] = _row(1 - 2 * limit)
    parts["vit.embeddings.cls_token"].data[0, 0, :3] = _row(0.0)
    for name in ("v_proj", "o_proj"):  # attention is even, as queries are zero: it brings the mean to the class token
        parts[f"vit.layers.0.attention.{name}.weight"].data[0, 0] = 1.0
    parts["classifier.weight"].data[1, 0] = SURE
    return _saved(model, folder)


def _row(first: float) -> Any:
    import torch

    return torch.tensor([first, LARGE, -LARGE])


def _blank(labels: list[str]) -> Any:
    """Return a classifier whose weights are all zero, but for the scale of its layer norms."""
    from transformers import ViTConfig, ViTForImageClassification

    config = ViTConfig(
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=1,
        intermediate_size=16,
        image_size=SIDE,
        patch_size=8,
        id2label=dict(enumerate(labels)),
        label2id={label: place for place, label in enumerate(labels)},
    )
    model = ViTForImageClassification(config)
    for name, weight in model.named_parameters():
        weight.data.fill_(1.0 if "layernorm" in name and name.endswith("weight") else 0.0)
    return model


def _saved(model: Any, folder: Path) -> Path:
    folder.mkdir(parents=True)
    model.save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(PREPROCESSOR), encoding="utf-8")
    return folder
