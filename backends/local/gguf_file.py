"""A transformer in a GGUF file: few bits a weight, in diffusers' names or in Black Forest Labs' own."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import ModelMissing

if TYPE_CHECKING:
    import torch


def is_gguf(path: Path) -> bool:
    """Return whether a transformer comes as a GGUF file."""
    return path.suffix.lower() == ".gguf"


def read_gguf(config: Path, file: Path, dtype: torch.dtype, device: str) -> Any:
    """Load a FluxTransformer2DModel; its weights stay as they are and are unpacked while they are used.

    Args:
        config: the folder of the base's transformer, whose `config.json` tells the shape.
        file: of weights.
        dtype: what weights become while they are used.
        device: where they are put.

    Raises:
        ModelMissing: weights are missing.
    """
    from diffusers import FluxTransformer2DModel, GGUFQuantizationConfig

    missing = _missing(config, file)
    if missing:
        raise ModelMissing("model-gguf-incomplete", missing=missing)
    with tempfile.TemporaryDirectory() as links:  # diffusers knows the kind by the name's end, in small letters
        link = Path(links) / "transformer.gguf"
        link.symlink_to(file.resolve())
        return FluxTransformer2DModel.from_single_file(
            str(link),
            config=str(config),
            quantization_config=GGUFQuantizationConfig(compute_dtype=dtype),
            dtype=dtype,
            device=device,
        )


def _missing(config: Path, file: Path) -> int:
    """Return how many of the model's weights a file does not have. Diffusers would fail on them in many ways."""
    import torch
    from diffusers import FluxTransformer2DModel
    from diffusers.loaders.single_file_utils import convert_flux_transformer_checkpoint_to_diffusers
    from gguf import GGUFReader

    shapes = {each.name: [int(side) for side in reversed(each.shape)] for each in GGUFReader(file).tensors}
    names = {name.removeprefix("model.diffusion_model."): shape for name, shape in shapes.items()}
    with torch.device("meta"):
        model = FluxTransformer2DModel.from_config(FluxTransformer2DModel.load_config(config))
        weights: dict[str, Any] = {name: torch.empty(shape) for name, shape in names.items()}
    wanted = set(model.state_dict())
    if any(name.startswith("double_blocks.") for name in names):
        try:
            weights = convert_flux_transformer_checkpoint_to_diffusers(weights)
        except KeyError:
            return max(1, len(wanted) - len(shapes))
    return len(wanted - set(weights))
