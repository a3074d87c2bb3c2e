"""A tiny checkpoint for loading tests: FLUX's architecture with random weights, made in place.

Every part is the real class in the real layout, so that `FluxImg2ImgPipeline.from_pretrained` loads
it as it loads FLUX.1-dev.
"""

from __future__ import annotations

import string
from pathlib import Path
from typing import Any

from tools.mini.parts import clip_encoder, clip_tokenizer, t5_encoder, transformer_config, vae_config, write_index

SEED = 20
TEXT_WIDTH = 32
"""Channels of both text encoders; the transformer's joint and pooled widths."""
MAX_TOKENS = 128
"""Tokens of a prompt that the T5 encoder reads (FLUX.1-dev reads 512)."""

VAE = vae_config((8, 16, 16, 32), 8, scale=0.3611, shift=0.1159)
TRANSFORMER = transformer_config(TEXT_WIDTH, layers=(2, 2), heads=4, axes=(4, 6, 6))
SCHEDULER = {  # FLUX.1-dev's own
    "num_train_timesteps": 1000,
    "shift": 3.0,
    "use_dynamic_shifting": True,
    "base_shift": 0.5,
    "max_shift": 1.15,
    "base_image_seq_len": 256,
    "max_image_seq_len": 4096,
}


def build(folder: Path) -> None:
    """Write the checkpoint, about 3 MB in the diffusers layout, into an empty folder; always the same bytes."""
    import torch
    from diffusers import AutoencoderKL, FlowMatchEulerDiscreteScheduler, FluxTransformer2DModel

    clip_tokens, t5_tokens = _clip_tokenizer(), _t5_tokenizer()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        parts: dict[str, Any] = {
            "text_encoder": clip_encoder(clip_tokens, TEXT_WIDTH, 2),
            "text_encoder_2": t5_encoder(t5_tokens, TEXT_WIDTH, 2),
            "tokenizer": clip_tokens,
            "tokenizer_2": t5_tokens,
            "transformer": FluxTransformer2DModel(**TRANSFORMER),
            "vae": AutoencoderKL(**VAE),
            "scheduler": FlowMatchEulerDiscreteScheduler(**SCHEDULER),
        }
    for name, part in parts.items():
        part.save_pretrained(folder / name)
    write_index(folder)


def _clip_tokenizer() -> Any:
    """Return a byte-level BPE tokenizer that knows single bytes only: any text passes, none is unknown."""
    from tokenizers.pre_tokenizers import ByteLevel

    return clip_tokenizer(sorted(ByteLevel.alphabet()), [])


def _t5_tokenizer() -> Any:
    """Return a Unigram tokenizer that knows printable ASCII signs and a few frequent word pieces."""
    from transformers import T5TokenizerFast

    special = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0)]
    signs = [(sign, -4.0) for sign in string.digits + string.ascii_letters + string.punctuation]
    pieces = [(piece, -3.0) for piece in ("▁a", "▁the", "▁of", "▁in", "▁with", "▁and", "ing", "er", "ed", "th", "on")]
    return T5TokenizerFast(vocab=special + signs + pieces, extra_ids=0, model_max_length=MAX_TOKENS)
