"""FLUX.1-dev's pipeline at its true size with random weights, made on the device: as fast as the real one.

The configurations are those of the files that black-forest-labs/FLUX.1-dev publishes beside its weights.
"""

from __future__ import annotations

from typing import Any

from backends.local.choice import MINI_FOLDER
from backends.local.memory_plan import Sizes
from backends.local.quantise import LARGE, MODULATION

TOKENS = 512
"""Of a prompt."""

VAE = {
    "block_out_channels": (128, 256, 512, 512),
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "latent_channels": 16,
    "layers_per_block": 2,
    "norm_num_groups": 32,
    "sample_size": 1024,
    "scaling_factor": 0.3611,
    "shift_factor": 0.1159,
    "use_quant_conv": False,
    "use_post_quant_conv": False,
}
SCHEDULER = {
    "num_train_timesteps": 1000,
    "shift": 3.0,
    "use_dynamic_shifting": True,
    "base_shift": 0.5,
    "max_shift": 1.15,
    "base_image_seq_len": 256,
    "max_image_seq_len": 4096,
}


def build(device: str) -> Any:
    """Return a FluxImg2ImgPipeline in bfloat16, about 34 GB of weights; the tokenizers are mini's own."""
    import torch
    from diffusers import (
        AutoencoderKL,
        FlowMatchEulerDiscreteScheduler,
        FluxImg2ImgPipeline,
        FluxTransformer2DModel,
    )
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer, T5Config, T5EncoderModel, T5TokenizerFast

    clip = CLIPTextConfig(
        vocab_size=49408,
        hidden_size=768,
        intermediate_size=3072,
        projection_dim=768,
        num_hidden_layers=12,
        num_attention_heads=12,
        max_position_embeddings=77,
    )
    t5 = T5Config(
        vocab_size=32128,
        d_model=4096,
        d_ff=10240,
        d_kv=64,
        num_layers=24,
        num_heads=64,
        feed_forward_proj="gated-gelu",
        is_encoder_decoder=False,
        use_cache=False,
    )
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.bfloat16)
    try:
        with torch.device(device):
            parts: dict[str, Any] = {
                "transformer": FluxTransformer2DModel(guidance_embeds=True),
                "text_encoder": CLIPTextModel(clip),
                "text_encoder_2": T5EncoderModel(t5),
                "vae": AutoencoderKL(**VAE),
            }
    finally:
        torch.set_default_dtype(before)
    pipe = FluxImg2ImgPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(**SCHEDULER),
        tokenizer=CLIPTokenizer.from_pretrained(MINI_FOLDER / "tokenizer"),
        tokenizer_2=T5TokenizerFast.from_pretrained(MINI_FOLDER / "tokenizer_2", model_max_length=TOKENS),
        **{name: part.to(torch.bfloat16).eval() for name, part in parts.items()},
    )
    pipe.set_progress_bar_config(disable=True)
    return pipe


def weigh(pipe: Any) -> Sizes:
    """Return what the parts of such a pipeline take, as `backends.local.weights.weigh` does of files."""
    import re

    def weights(part: Any, pattern: str = ".*") -> int:
        return sum(each.numel() for name, each in part.named_parameters() if re.fullmatch(pattern, name))

    flow = pipe.transformer
    full, large, modulation = weights(flow), weights(flow, rf"{LARGE}\.weight"), weights(flow, rf"{MODULATION}\.weight")
    text = [2 * weights(pipe.text_encoder), 2 * weights(pipe.text_encoder_2)]
    eight = 2 * full - large
    return Sizes(2 * full, eight, eight - modulation, sum(text), max(text), 2 * weights(pipe.vae))
