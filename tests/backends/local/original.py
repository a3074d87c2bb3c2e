"""A FLUX transformer's weights in the names that Black Forest Labs gave them: what diffusers' translation undoes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Arrays = Mapping[str, npt.NDArray[Any]]

TIMES = {"time_in": "timestep_embedder", "vector_in": "text_embedder", "guidance_in": "guidance_embedder"}
STREAMS = {
    "img": ("norm1", "ff", ("to_q", "to_k", "to_v"), "to_out.0", ("norm_q", "norm_k")),
    "txt": (
        "norm1_context",
        "ff_context",
        ("add_q_proj", "add_k_proj", "add_v_proj"),
        "to_add_out",
        ("norm_added_q", "norm_added_k"),
    ),
}
"""Of each stream of a double block: modulation, feed-forward, attention's three, its projection and its two norms."""
KINDS = ("weight", "bias")


def in_original_names(arrays: Arrays, doubles: int = 1, singles: int = 1) -> dict[str, npt.NDArray[Any]]:
    """Return the weights of a transformer in original names.

    Args:
        arrays: by diffusers' names; rows of a matrix may be packed in any way.
        doubles: how many double blocks there are.
        singles: how many single ones.
    """
    out: dict[str, npt.NDArray[Any]] = {}

    def rename(to: str, name: str) -> None:
        out.update({f"{to}.{kind}": arrays[f"{name}.{kind}"] for kind in KINDS})

    def join(to: str, *names: str) -> None:
        out.update({f"{to}.{kind}": np.concatenate([arrays[f"{each}.{kind}"] for each in names]) for kind in KINDS})

    def norms(to: str, block: str, query: str, key: str) -> None:
        out[f"{to}.norm.query_norm.scale"] = arrays[f"{block}.attn.{query}.weight"]
        out[f"{to}.norm.key_norm.scale"] = arrays[f"{block}.attn.{key}.weight"]

    for to, name in TIMES.items():
        rename(f"{to}.in_layer", f"time_text_embed.{name}.linear_1")
        rename(f"{to}.out_layer", f"time_text_embed.{name}.linear_2")
    rename("txt_in", "context_embedder")
    rename("img_in", "x_embedder")
    for number in range(doubles):
        to, block = f"double_blocks.{number}", f"transformer_blocks.{number}"
        for stream, (norm, feed, three, projection, two) in STREAMS.items():
            rename(f"{to}.{stream}_mod.lin", f"{block}.{norm}.linear")
            join(f"{to}.{stream}_attn.qkv", *(f"{block}.attn.{each}" for each in three))
            rename(f"{to}.{stream}_attn.proj", f"{block}.attn.{projection}")
            norms(f"{to}.{stream}_attn", block, *two)
            rename(f"{to}.{stream}_mlp.0", f"{block}.{feed}.net.0.proj")
            rename(f"{to}.{stream}_mlp.2", f"{block}.{feed}.net.2")
    for number in range(singles):
        to, block = f"single_blocks.{number}", f"single_transformer_blocks.{number}"
        rename(f"{to}.modulation.lin", f"{block}.norm.linear")
        join(f"{to}.linear1", *(f"{block}.{each}" for each in ("attn.to_q", "attn.to_k", "attn.to_v", "proj_mlp")))
        rename(f"{to}.linear2", f"{block}.proj_out")
        norms(to, block, "norm_q", "norm_k")
    rename("final_layer.linear", "proj_out")
    for kind in KINDS:  # the original has the shift first
        scale, shift = np.split(arrays[f"norm_out.linear.{kind}"], 2)
        out[f"final_layer.adaLN_modulation.1.{kind}"] = np.concatenate([shift, scale])
    return out
