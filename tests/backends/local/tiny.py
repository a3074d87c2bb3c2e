"""A tiny checkpoint for loading tests: FLUX's architecture with random weights, made in place.

Every part is the real class in the real layout, so that `FluxImg2ImgPipeline.from_pretrained` loads
it as it loads FLUX.1-dev.
"""

from __future__ import annotations

import json
import string
from pathlib import Path
from typing import Any

SEED = 20
TEXT_WIDTH = 32
"""Channels of both text encoders; the transformer's joint and pooled widths."""
MAX_TOKENS = 128
"""Tokens of a prompt that the T5 encoder reads (FLUX.1-dev reads 512)."""

VAE = {
    "block_out_channels": (8, 16, 16, 32),  # three halvings: 8x reduction, as FLUX
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "latent_channels": 16,
    "layers_per_block": 1,
    "norm_num_groups": 8,
    "mid_block_add_attention": False,
    "scaling_factor": 0.3611,
    "shift_factor": 0.1159,
    "use_quant_conv": False,
    "use_post_quant_conv": False,
}
TRANSFORMER = {
    "in_channels": 64,
    "num_layers": 2,
    "num_single_layers": 2,
    "attention_head_dim": 16,
    "num_attention_heads": 4,
    "axes_dims_rope": (4, 6, 6),
    "joint_attention_dim": TEXT_WIDTH,
    "pooled_projection_dim": TEXT_WIDTH,
    "guidance_embeds": True,
}
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
    from transformers import CLIPTextConfig, CLIPTextModel, T5Config, T5EncoderModel

    clip_tokenizer, t5_tokenizer = _clip_tokenizer(), _t5_tokenizer()
    clip = CLIPTextConfig(
        vocab_size=len(clip_tokenizer),
        hidden_size=TEXT_WIDTH,
        intermediate_size=2 * TEXT_WIDTH,
        projection_dim=TEXT_WIDTH,
        num_hidden_layers=2,
        num_attention_heads=2,
        bos_token_id=clip_tokenizer.bos_token_id,
        eos_token_id=clip_tokenizer.eos_token_id,
        pad_token_id=clip_tokenizer.pad_token_id,
    )
    t5 = T5Config(
        vocab_size=len(t5_tokenizer),
        d_model=TEXT_WIDTH,
        d_ff=2 * TEXT_WIDTH,
        d_kv=16,
        num_layers=2,
        num_heads=2,
        feed_forward_proj="gated-gelu",
        is_encoder_decoder=False,
        use_cache=False,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        parts: dict[str, Any] = {
            "text_encoder": CLIPTextModel(clip),
            "text_encoder_2": T5EncoderModel(t5),
            "tokenizer": clip_tokenizer,
            "tokenizer_2": t5_tokenizer,
            "transformer": FluxTransformer2DModel(**TRANSFORMER),
            "vae": AutoencoderKL(**VAE),
            "scheduler": FlowMatchEulerDiscreteScheduler(**SCHEDULER),
        }
    for name, part in parts.items():
        part.save_pretrained(folder / name)
    (folder / "model_index.json").write_text(json.dumps(_index(), indent=2) + "\n", encoding="utf-8")


def _index() -> dict[str, Any]:
    """Return what `model_index.json` says: which class each folder holds."""
    return {
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


def _clip_tokenizer() -> Any:
    """Return a byte-level BPE tokenizer that knows single bytes only: any text passes, none is unknown."""
    from tokenizers.pre_tokenizers import ByteLevel
    from transformers import CLIPTokenizer

    letters = sorted(ByteLevel.alphabet())
    words = [*letters, *(letter + "</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    return CLIPTokenizer(vocab={word: number for number, word in enumerate(words)}, merges=[], model_max_length=77)


def _t5_tokenizer() -> Any:
    """Return a Unigram tokenizer that knows printable ASCII signs and a few frequent word pieces."""
    from transformers import T5TokenizerFast

    special = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0)]
    signs = [(sign, -4.0) for sign in string.digits + string.ascii_letters + string.punctuation]
    pieces = [(piece, -3.0) for piece in ("▁a", "▁the", "▁of", "▁in", "▁with", "▁and", "ing", "er", "ed", "th", "on")]
    return T5TokenizerFast(vocab=special + signs + pieces, extra_ids=0, model_max_length=MAX_TOKENS)
