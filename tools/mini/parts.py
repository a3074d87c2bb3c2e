"""What every small checkpoint in FLUX's layout is built from: the mini checkpoint, and the random one of the tests.

Heavy libraries are imported in the functions, so that tests can read the configurations without them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

LATENT_CHANNELS = 16
"""Channels of the autoencoder's latents, as FLUX's."""


def vae_config(channels: tuple[int, int, int, int], groups: int, *, scale: float, shift: float) -> dict[str, Any]:
    """Return the configuration of an autoencoder that halves a picture three times.

    Args:
        channels: of the four blocks, multiples of `groups`.
        groups: of the group norms.
        scale, shift: bring the latents to mean 0 and deviation 1.
    """
    return {
        "block_out_channels": channels,
        "down_block_types": ("DownEncoderBlock2D",) * 4,
        "up_block_types": ("UpDecoderBlock2D",) * 4,
        "latent_channels": LATENT_CHANNELS,
        "layers_per_block": 1,
        "norm_num_groups": groups,
        "mid_block_add_attention": False,
        "use_quant_conv": False,
        "use_post_quant_conv": False,
        "scaling_factor": scale,
        "shift_factor": shift,
    }


def transformer_config(
    text_width: int, *, layers: tuple[int, int], heads: int, axes: tuple[int, int, int]
) -> dict[str, Any]:
    """Return the configuration of a flow transformer.

    Args:
        text_width: channels of both text encoders.
        layers: blocks with two streams, and with one.
        heads: of attention.
        axes: channels of a head for each axis of the position, even numbers; a head has their sum.
    """
    return {
        "in_channels": 4 * LATENT_CHANNELS,
        "num_layers": layers[0],
        "num_single_layers": layers[1],
        "attention_head_dim": sum(axes),
        "num_attention_heads": heads,
        "axes_dims_rope": axes,
        "joint_attention_dim": text_width,
        "pooled_projection_dim": text_width,
        "guidance_embeds": True,
    }


def clip_tokenizer(letters: list[str], merges: list[tuple[str, ...]]) -> Any:
    """Return CLIP's tokenizer.

    Args:
        letters: the byte-level alphabet, sorted.
        merges: pairs of pieces, the most frequent first; none makes each byte a token.
    """
    from transformers import CLIPTokenizer

    words = dict.fromkeys([*letters, *(letter + "</w>" for letter in letters), *("".join(each) for each in merges)])
    words |= dict.fromkeys(["<|startoftext|>", "<|endoftext|>"])
    return CLIPTokenizer(vocab={word: number for number, word in enumerate(words)}, merges=merges, model_max_length=77)


def clip_encoder(tokenizer: Any, width: int, heads: int) -> Any:
    """Return a CLIP text encoder of two layers with random weights.

    Args:
        tokenizer: its own.
        width: channels, a multiple of `heads`.
        heads: of attention.
    """
    from transformers import CLIPTextConfig, CLIPTextModel

    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=width,
            intermediate_size=2 * width,
            projection_dim=width,
            num_hidden_layers=2,
            num_attention_heads=heads,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )


def t5_encoder(tokenizer: Any, width: int, heads: int) -> Any:
    """Return a T5 encoder of two layers with random weights; arguments as for `clip_encoder`."""
    from transformers import T5Config, T5EncoderModel

    return T5EncoderModel(
        T5Config(
            vocab_size=len(tokenizer),
            d_model=width,
            d_ff=2 * width,
            d_kv=width // heads,
            num_layers=2,
            num_heads=heads,
            feed_forward_proj="gated-gelu",
            is_encoder_decoder=False,
            use_cache=False,
        )
    )


def write_index(folder: Path) -> None:
    """Write `model_index.json`, which names the class of each part's folder."""
    index: Mapping[str, Any] = {
        "_class_name": "FluxPipeline",  # FLUX.1-dev's own; the image-to-image pipeline reads the same parts
        "_diffusers_version": "0.42.1",
        "scheduler": ["diffusers", "FlowMatchEulerDiscreteScheduler"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "text_encoder_2": ["transformers", "T5EncoderModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "tokenizer_2": ["transformers", "T5TokenizerFast"],
        "transformer": ["diffusers", "FluxTransformer2DModel"],
        "vae": ["diffusers", "AutoencoderKL"],
    }
    (folder / "model_index.json").write_text(json.dumps(index, indent=2) + "\n", encoding="utf-8")
