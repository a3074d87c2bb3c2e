"""What tests of a transformer's files share: single files written from tiny's, and one velocity to compare."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from backends.local.files import WEIGHTS
from tests.backends.local.tiny import TEXT_WIDTH

if TYPE_CHECKING:
    import torch

Arrays = Mapping[str, npt.NDArray[Any]]


def tinys_weights(tiny: Path) -> dict[str, torch.Tensor]:
    """Return the weights of tiny's transformer, by diffusers' names, in float32."""
    from safetensors.torch import load_file

    return load_file(tiny / "transformer" / WEIGHTS)


def written(path: Path, weights: Mapping[str, torch.Tensor]) -> Path:
    """Write a single file of weights."""
    from safetensors.torch import save_file

    save_file(dict(weights), path)
    return path


def velocity(flow: Any, dtype: torch.dtype) -> npt.NDArray[np.float32]:
    """Return what a transformer says of four by four tokens that are always the same."""
    import torch

    noise = torch.Generator().manual_seed(1)
    places = torch.zeros(16, 3)
    places[:, 1], places[:, 2] = torch.arange(16) // 4, torch.arange(16) % 4
    with torch.inference_mode():
        (said,) = flow(
            hidden_states=torch.randn(1, 16, 64, generator=noise).to(dtype),
            encoder_hidden_states=torch.randn(1, 8, TEXT_WIDTH, generator=noise).to(dtype),
            pooled_projections=torch.randn(1, TEXT_WIDTH, generator=noise).to(dtype),
            timestep=torch.tensor([0.5]),
            guidance=torch.tensor([3.5]),
            img_ids=places,
            txt_ids=torch.zeros(8, 3),
            return_dict=False,
        )
    return np.asarray(said.float().numpy())


def apart(one: npt.NDArray[np.float32], other: npt.NDArray[np.float32]) -> float:
    """Return how far one velocity is from another, as a share of it."""
    return float(np.linalg.norm(one - other) / np.linalg.norm(other))


def write_gguf(path: Path, arrays: Arrays, kinds: Mapping[str, Any]) -> Path:
    """Write a GGUF file of a FLUX transformer.

    Args:
        path: where to.
        arrays: each weight by its name; bytes as gguf packs them where it is quantised.
        kinds: the quantisation of those that are.
    """
    from gguf import GGUFWriter

    writer = GGUFWriter(path, "flux")
    for name, array in arrays.items():
        writer.add_tensor(name, array, raw_dtype=kinds.get(name))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def eight_bit_gguf(path: Path, weights: Mapping[str, torch.Tensor]) -> Path:
    """Write weights as community files have them: matrices in Q8_0 where rows allow it, small things in floats."""
    from gguf import GGMLQuantizationType
    from gguf.quants import quantize

    arrays, kinds = {}, {}
    for name, weight in weights.items():
        array = weight.numpy()
        if array.ndim == 2 and array.shape[1] % 32 == 0:
            if name.startswith("proj_out"):
                array = array.astype(np.float16)
            else:
                kinds[name] = GGMLQuantizationType.Q8_0
                array = quantize(array, kinds[name])
        arrays[name] = array
    return write_gguf(path, arrays, kinds)
