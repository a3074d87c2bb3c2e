"""Eight-bit weights by torchao: the blocks' large matrices as floats of 8 bits, each row with a scale of its own.

What decides on colours and layout stays in bfloat16: the embedders, the last projection and, while there is
room, the modulation of each block, which takes a quarter of the weights and hardly any of the time.
"""

from __future__ import annotations

import copy
from typing import Any

from backends.local.hardware import Hardware

LARGE = (
    r"(single_)?transformer_blocks\.\d+\."
    r"(attn\.(to_[qkv]|to_out\.0|add_[qkv]_proj|to_add_out)|ff(_context)?\.net\.(0\.proj|2)|proj_mlp|proj_out)"
)
"""The blocks' large matrices, by their names in diffusers; 72 % of FLUX.1-dev's weights."""
MODULATION = r"(single_)?transformer_blocks\.\d+\.norm(1|1_context)?\.linear"
"""What scales and shifts each block by time and guidance; 27 % of FLUX.1-dev's weights."""


def eight_bits(machine: Hardware, *, modulation: bool = False) -> Any:
    """Return torchao's config: which matrices, and how.

    Where the card multiplies 8-bit floats, activations become such too, row by row while they pass; else
    weights are only kept so.

    Args:
        machine: where it will run.
        modulation: whether the blocks' modulation is meant too.
    """
    from torchao.quantization import (
        Float8DynamicActivationFloat8WeightConfig,
        Float8WeightOnlyConfig,
        FqnToConfig,
        PerRow,
    )

    # Else the compiler of the whole process would try every way to run each kernel, for minutes.
    tuned = {"set_inductor_config": False}
    small = Float8WeightOnlyConfig(**tuned)
    large = (
        Float8DynamicActivationFloat8WeightConfig(granularity=PerRow(), **tuned) if machine.multiplies_fp8 else small
    )
    return FqnToConfig({f"re:{LARGE}": large, **({f"re:{MODULATION}": small} if modulation else {})})


def twin(flow: Any, config: Any) -> Any:
    """Return a transformer whose large matrices are in 8 bits, and which shares all others with the first."""
    from torchao.quantization import quantize_

    other = same_weights(flow)
    quantize_(other, config, filter_fn=None)
    return other


def same_weights(module: Any) -> Any:
    """Return a copy of a module that shares its weights."""
    return copy.deepcopy(module, {id(each): each for each in (*module.parameters(), *module.buffers())})
