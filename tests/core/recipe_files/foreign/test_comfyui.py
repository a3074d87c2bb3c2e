"""ComfyUI.

The layouts are those of comfyanonymous/ComfyUI nodes.py (SaveImage, KSampler, KSamplerAdvanced),
comfy_api/latest/_ui.py (_create_webp_metadata), comfy_extras/nodes_custom_sampler.py, comfy_extras/nodes_flux.py,
comfy_extras/nodes_primitive.py and comfy_extras/nodes_string.py.
"""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest

from core.recipe_files.foreign import Foreign, read_foreign
from tests.core.recipe_files.foreign.blocks import COMFYUI
from tests.core.recipe_files.foreign.checks import left_out, read

SIMPLE: dict[str, Any] = {
    "3": {
        "inputs": {
            "seed": 156680208700286,
            "steps": 20,
            "cfg": 1.0,
            "sampler_name": "euler",
            "scheduler": "simple",
            "denoise": 1.0,
            "model": ["4", 0],
            "positive": ["6", 0],
            "negative": ["7", 0],
            "latent_image": ["5", 0],
        },
        "class_type": "KSampler",
    },
    "4": {"inputs": {"ckpt_name": "flux1-dev-fp8.safetensors"}, "class_type": "CheckpointLoaderSimple"},
    "5": {"inputs": {"width": 1024, "height": 768, "batch_size": 1}, "class_type": "EmptySD3LatentImage"},
    "6": {"inputs": {"text": "a lake", "clip": ["4", 1]}, "class_type": "CLIPTextEncode"},
    "7": {"inputs": {"text": "blurry", "clip": ["4", 1]}, "class_type": "CLIPTextEncode"},
    "8": {"inputs": {"samples": ["3", 0], "vae": ["4", 2]}, "class_type": "VAEDecode"},
    "9": {"inputs": {"filename_prefix": "ComfyUI", "images": ["8", 0]}, "class_type": "SaveImage"},
}


def workflow(base: dict[str, Any], **changes: Any) -> Foreign:
    """Return what is read from a workflow, with nodes `n1`... and inputs `n1__name` replaced."""
    nodes = deepcopy(base)
    for name, value in changes.items():
        node, _, field = name.removeprefix("n").partition("__")
        if field:
            nodes[node]["inputs"][field] = value
        else:
            nodes[node] = {"class_type": value[0], "inputs": value[1]}
    return read({"prompt": json.dumps(nodes)})


def test_the_settings_of_flux_with_a_guider() -> None:
    found = workflow(COMFYUI)
    assert (found.source, found.prompt, found.seed) == ("comfyui", "a lake at dawn", 219670278)
    # 20 steps run of 40, which is what 40 steps at this strength do here.
    assert found.params == {"guidance_scale": 3.5, "num_inference_steps": 40, "strength": 0.5}
    assert left_out(found) == {
        "sampler_name": ("euler", "foreign-sampler"),
        "scheduler": ("simple", "foreign-sampler"),
        "VAELoader": ("vae_name: ae.safetensors", "foreign-model"),
        "DualCLIPLoader": (
            "clip_name1: t5xxl_fp16.safetensors, clip_name2: clip_l.safetensors, type: flux",
            "foreign-model",
        ),
        "UNETLoader": ("unet_name: flux1-dev.safetensors, weight_dtype: default", "foreign-model"),
    }


@pytest.mark.parametrize("name", ["exif:Model", "exif:Make", "exif:ImageDescription"])
@pytest.mark.parametrize("label", ["prompt:", "Prompt: "])
def test_the_workflow_of_a_webp_stands_in_its_exif(name: str, label: str) -> None:
    texts = {"exif:Software": "workflow:{}", name: label + json.dumps(COMFYUI)}
    assert read(texts) == workflow(COMFYUI)


def test_a_picture_without_a_reference_has_no_strength() -> None:
    found = workflow(SIMPLE)
    assert (found.prompt, found.seed, found.params) == ("a lake", None, {"num_inference_steps": 20})
    assert left_out(found) == {
        "negative": ("blurry", "foreign-negative"),
        "seed": ("156680208700286", "foreign-seed"),
        "cfg": ("1.0", "foreign-cfg"),
        "sampler_name": ("euler", "foreign-sampler"),
        "scheduler": ("simple", "foreign-sampler"),
        "CheckpointLoaderSimple": ("ckpt_name: flux1-dev-fp8.safetensors", "foreign-model"),
        "EmptySD3LatentImage": ("width: 1024, height: 768, batch_size: 1", "foreign-size"),
    }


def test_steps_beyond_the_range_are_listed_as_the_file_has_them() -> None:
    found = workflow(COMFYUI, n17__denoise=0.25)
    assert found.params == {"guidance_scale": 3.5, "strength": 0.25}
    assert left_out(found)["steps"] == ("20", "foreign-whole-range")


def test_the_start_of_the_advanced_sampler_is_a_strength() -> None:
    sampler = {
        "add_noise": "enable",
        "noise_seed": 5,
        "steps": 20,
        "cfg": 1.0,
        "sampler_name": "euler",
        "scheduler": "simple",
        "start_at_step": 8,
        "end_at_step": 10000,
        "return_with_leftover_noise": "disable",
        "positive": ["6", 0],
        "negative": ["7", 0],
        "latent_image": ["10", 0],
    }
    latent = ("VAEEncode", {"pixels": ["11", 0], "vae": ["4", 2]})
    found = workflow(SIMPLE, n3=("KSamplerAdvanced", sampler), n10=latent, n11=("LoadImage", {"image": "a.png"}))
    assert (found.seed, found.params) == (5, {"num_inference_steps": 20, "strength": 0.6})


def test_the_first_pass_counts_and_later_ones_are_listed() -> None:
    second = {**SIMPLE["3"]["inputs"], "seed": 9, "denoise": 0.4, "steps": 10, "latent_image": ["21", 0]}
    found = workflow(
        SIMPLE,
        n3__seed=8,
        n20=("KSampler", second),
        n21=("LatentUpscaleBy", {"samples": ["3", 0], "upscale_method": "nearest-exact", "scale_by": 1.5}),
        n8__samples=["20", 0],
    )
    assert (found.seed, found.params) == (8, {"num_inference_steps": 20})
    assert left_out(found)["KSampler"][1] == "foreign-second-pass"
    assert left_out(found)["LatentUpscaleBy"] == ("upscale_method: nearest-exact, scale_by: 1.5", "foreign-other")


def test_values_are_followed_through_primitives_reroutes_and_joined_texts() -> None:
    found = workflow(
        SIMPLE,
        n3__seed=["30", 0],
        n3__steps=["31", 0],
        n6__text=["33", 0],
        n30=("PrimitiveInt", {"value": 0}),
        n31=("Reroute", {"": ["32", 0]}),
        n32=("INTConstant", {"value": 12}),
        n33=("StringConcatenate", {"string_a": ["34", 0], "string_b": "at dawn", "delimiter": ", "}),
        n34=("PrimitiveStringMultiline", {"value": "a lake"}),
    )
    assert (found.prompt, found.seed, found.params) == ("a lake, at dawn", 0, {"num_inference_steps": 12})


def test_what_the_workflow_computes_is_listed() -> None:
    found = workflow(
        SIMPLE,
        n3__seed=["30", 0],
        n6__text=["31", 0],
        n30=("RandomIntegers", {"low": 1, "high": 9}),
        n31=("LLMWriter", {"model": ["4", 0], "image": ["8", 0]}),
    )
    assert (found.prompt, found.seed) == (None, None)
    assert left_out(found)["seed"] == ("RandomIntegers", "foreign-computed")
    assert left_out(found)["text"] == ("CLIPTextEncode", "foreign-computed")


@pytest.mark.parametrize(
    ("words", "prompt", "parts"),
    [
        ({"clip_l": "a lake", "t5xxl": "a lake", "guidance": 2.5}, "a lake", None),
        ({"clip_l": "lake", "t5xxl": "a wide lake", "guidance": 2.5}, "a wide lake", ("lake", "foreign-prompt-part")),
        ({"clip_l": "a lake", "t5xxl": "", "guidance": 2.5}, "a lake", None),
    ],
)
def test_the_two_encoders_of_flux(words: dict[str, object], prompt: str, parts: object) -> None:
    found = workflow(SIMPLE, n6=("CLIPTextEncodeFlux", words))
    assert (found.prompt, found.params["guidance_scale"]) == (prompt, 2.5)
    assert left_out(found).get("clip_l") == parts


def test_a_text_that_is_computed_is_not_replaced_by_the_other_encoders() -> None:
    words = {"clip_l": "lake", "t5xxl": ["31", 0], "guidance": 2.5}
    found = workflow(SIMPLE, n6=("CLIPTextEncodeFlux", words), n31=("LLMWriter", {}))
    assert found.prompt is None
    assert left_out(found)["t5xxl"] == ("CLIPTextEncodeFlux", "foreign-computed")
    assert left_out(found)["clip_l"] == ("lake", "foreign-prompt-part")


def test_a_schedule_that_is_split_has_no_strength() -> None:
    split = {"sigmas": ["17", 0], "denoise": 0.6}
    found = workflow(COMFYUI, n17__denoise=1.0, n13__sigmas=["80", 1], n80=("SplitSigmasDenoise", split))
    assert found.params == {"guidance_scale": 3.5, "num_inference_steps": 20}
    assert left_out(found)["denoise"] == ("1.0", "foreign-computed")
    assert left_out(found)["SplitSigmasDenoise"] == ("denoise: 0.6", "foreign-other")


def test_the_guidance_nearest_to_the_sampler_counts() -> None:
    twice = workflow(
        SIMPLE,
        n3__positive=["40", 0],
        n40=("FluxGuidance", {"guidance": 5.0, "conditioning": ["41", 0]}),
        n41=("FluxGuidance", {"guidance": 2.0, "conditioning": ["6", 0]}),
    )
    assert (twice.prompt, twice.params["guidance_scale"]) == ("a lake", 5.0)
    disabled = workflow(
        SIMPLE,
        n3__positive=["40", 0],
        n40=("FluxDisableGuidance", {"conditioning": ["41", 0]}),
        n41=("FluxGuidance", {"guidance": 2.0, "conditioning": ["6", 0]}),
    )
    assert (disabled.prompt, disabled.params) == ("a lake", {"num_inference_steps": 20})


def test_a_node_that_hands_on_both_conditionings_keeps_them_apart() -> None:
    control = {"strength": 0.6, "positive": ["6", 0], "negative": ["7", 0], "image": ["8", 0]}
    found = workflow(SIMPLE, n3__positive=["50", 0], n3__negative=["50", 1], n50=("ControlNetApplyAdvanced", control))
    assert found.prompt == "a lake"
    assert left_out(found)["negative"] == ("blurry", "foreign-negative")
    assert left_out(found)["ControlNetApplyAdvanced"] == ("strength: 0.6", "foreign-other")


def test_a_negative_prompt_that_is_zeroed_out_is_none() -> None:
    found = workflow(SIMPLE, n3__negative=["60", 0], n60=("ConditioningZeroOut", {"conditioning": ["7", 0]}))
    assert "negative" not in left_out(found)


def test_loras_are_listed() -> None:
    found = workflow(SIMPLE, n70=("LoraLoaderModelOnly", {"lora_name": "oil.safetensors", "strength_model": 0.8}))
    assert left_out(found)["LoraLoaderModelOnly"] == (
        "lora_name: oil.safetensors, strength_model: 0.8",
        "foreign-lora",
    )


def test_circles_end() -> None:
    found = workflow(
        SIMPLE,
        n3__seed=["30", 0],
        n3__latent_image=["3", 0],
        n6__text=["31", 0],
        n7=("ConditioningCombine", {"conditioning_1": ["7", 0], "conditioning_2": ["7", 0]}),
        n30=("PrimitiveInt", {"value": ["30", 0]}),
        n31=("StringConcatenate", {"string_a": ["31", 0], "string_b": ["31", 0], "delimiter": ""}),
    )
    assert (found.prompt, found.seed) == (None, None)


def test_a_text_beside_a_workflow_that_says_nothing_counts() -> None:
    texts = {"prompt": json.dumps({"1": {"class_type": "Odd", "inputs": {}}})}
    assert read(texts).source == "comfyui"
    found = read({**texts, "parameters": "a lake\nSteps: 20, Sampler: Euler, Seed: 8"})
    assert (found.source, found.prompt) == ("a1111", "a lake")


@pytest.mark.parametrize(
    "text", ["a lake", "{}", "[]", '{"1": {"class_type": 3}}', '{"1": {"class_type": "KSampler"}}']
)
def test_a_prompt_that_is_no_workflow_is_none(text: str) -> None:
    assert read_foreign({"prompt": text, "exif:Make": f"prompt:{text}", "exif:Model": "Camera"}) is None
