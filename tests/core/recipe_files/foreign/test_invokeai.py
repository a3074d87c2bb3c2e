"""InvokeAI.

The layouts are those of invoke-ai/InvokeAI invokeai/app/invocations/metadata.py (CoreMetadataInvocation) and
invokeai/frontend/web/src/features/nodes/util/graph/generation/buildFLUXGraph.ts, and of 2.x, ldm/invoke/args.py
(metadata_dumps, dream_prompt_str) and invokeai/backend/image_util/pngwriter.py (PromptFormatter).
"""

from __future__ import annotations

import json

import pytest

from tests.core.recipe_files.foreign.blocks import INVOKEAI
from tests.core.recipe_files.foreign.checks import left_out, read


def test_the_settings_of_version_5() -> None:
    found = read({"invokeai_metadata": json.dumps(INVOKEAI)})
    assert (found.source, found.prompt, found.seed) == ("invokeai", "a lake at dawn", 1844674407)
    assert found.params == {"guidance_scale": 4.0, "num_inference_steps": 30, "strength": 0.7}
    assert left_out(found) == {
        "generation_mode": ("flux_img2img", "foreign-other"),
        "negative_prompt": ("blurry", "foreign-negative"),
        "width": ("1024", "foreign-size"),
        "height": ("768", "foreign-size"),
        "scheduler": ("euler", "foreign-sampler"),
        "model": ("FLUX Dev", "foreign-model"),
        "loras": (
            "{model: {key: l, hash: blake3:01, name: Oil, base: flux, type: lora}, weight: 0.75}",
            "foreign-lora",
        ),
        "vae": ("FLUX.1-schnell_ae", "foreign-model"),
        "app_version": ("5.6.0", "foreign-other"),
    }


def test_the_scale_of_another_model_is_not_guidance() -> None:
    older = {
        "generation_mode": "sdxl_img2img",
        "positive_prompt": "a lake",
        "positive_style_prompt": "in oil",
        "cfg_scale": 7.5,
        "seed": 4294967295,
        "model": {"model_name": "sd_xl_base_1.0", "base_model": "sdxl"},
        "refiner_steps": 20,
        "hrf_strength": 0.45,
    }
    found = read({"invokeai_metadata": json.dumps(older)})
    assert (found.prompt, found.params, found.seed) == ("a lake", {}, None)
    assert {name: code for name, (_, code) in left_out(found).items()} == {
        "generation_mode": "foreign-other",
        "positive_style_prompt": "foreign-prompt-part",
        "cfg_scale": "foreign-cfg",
        "seed": "foreign-seed",
        "model": "foreign-model",
        "refiner_steps": "foreign-second-pass",
        "hrf_strength": "foreign-second-pass",
    }


@pytest.mark.parametrize("prompt", ["a lake [blurry, text]", [{"prompt": "a lake [blurry, text]", "weight": 1.0}]])
def test_the_settings_of_version_2(prompt: object) -> None:
    metadata = {
        "model": "stable diffusion",
        "model_weights": "stable-diffusion-1.5",
        "model_hash": "cc6cb27103",
        "app_id": "invoke-ai/InvokeAI",
        "app_version": "2.3.5",
        "image": {
            "prompt": prompt,
            "steps": 50,
            "cfg_scale": 7.5,
            "threshold": 0,
            "height": 512,
            "width": 512,
            "seed": 11,
            "seamless": False,
            "type": "img2img",
            "postprocessing": None,
            "sampler": "k_lms",
            "variations": [],
            "strength_steps": 0.6,
        },
    }
    found = read({"sd-metadata": json.dumps(metadata), "Dream": '"other" -s 1 -S 2'})
    assert (found.prompt, found.seed) == ("a lake", 11)
    assert found.params == {"num_inference_steps": 50, "strength": 0.6}
    left = left_out(found)
    assert left["prompt"] == ("blurry, text", "foreign-negative")
    assert left["sampler"] == ("k_lms", "foreign-sampler")
    assert left["model_weights"] == ("stable-diffusion-1.5", "foreign-model")
    assert not {"seamless", "postprocessing", "variations"} & set(left)


@pytest.mark.parametrize(
    "dream",
    [
        '"a lake [blurry]" -s50 -W512 -H512 -C7.5 -Ak_lms --seamless -Iphoto.png -f0.75 -G0.8 -S123',
        '"a lake [blurry]" -s 50 -S 123 -W 512 -H 512 -C 7.5 --fit -I photo.png -A k_lms -f 0.75 -ft gfpgan',
        "a lake [blurry] -s 50 -S 123 -C 7.5 -f 0.75 -A k_lms",
    ],
)
def test_the_switches_of_version_1(dream: str) -> None:
    found = read({"Dream": dream})
    assert (found.source, found.prompt, found.seed) == ("invokeai", "a lake", 123)
    assert found.params == {"num_inference_steps": 50, "strength": 0.75}
    assert left_out(found)["prompt"] == ("blurry", "foreign-negative")
    assert left_out(found)["cfg_scale"] == ("7.5", "foreign-cfg")
    assert left_out(found)["sampler"] == ("k_lms", "foreign-sampler")


def test_a_prompt_without_switches_is_all_there_is() -> None:
    assert read({"Dream": "a well-kept lake"}).prompt == "a well-kept lake"
