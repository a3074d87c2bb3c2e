"""AUTOMATIC1111, Forge and SD.Next.

The layouts are those of AUTOMATIC1111/stable-diffusion-webui modules/processing.py (create_infotext) and
modules/images.py (save_image_with_geninfo), of lllyasviel/stable-diffusion-webui-forge modules/processing.py, and of
vladmandic/sdnext modules/processing_info.py (create_infotext).
"""

from __future__ import annotations

import pytest

from core.recipe_files.foreign import read_foreign
from tests.core.recipe_files.foreign.blocks import A1111, FORGE
from tests.core.recipe_files.foreign.checks import left_out, read


def test_the_settings_of_automatic1111() -> None:
    found = read({"parameters": A1111})
    assert found.source == "a1111"
    assert found.prompt == "a lake at dawn, (mist:1.2),\nsecond line"
    assert found.params == {"num_inference_steps": 30, "strength": 0.55}
    assert found.seed == 1234567
    assert left_out(found) == {
        "Prompt": ("<lora:oil_paint:0.8>", "foreign-lora"),
        "Negative prompt": ("blurry, text,\nwatermark", "foreign-negative"),
        "Sampler": ("DPM++ 2M", "foreign-sampler"),
        "Schedule type": ("Karras", "foreign-sampler"),
        "CFG scale": ("7", "foreign-cfg"),
        "Size": ("512x768", "foreign-size"),
        "Model hash": ("6ce0161689", "foreign-model"),
        "Model": ("v1-5-pruned-emaonly", "foreign-model"),
        "Clip skip": ("2", "foreign-other"),
        "Lora hashes": ("oil_paint: 7c6bad76eb54, other: 0123456789ab", "foreign-lora"),
        "Mask blur": ("4", "foreign-other"),
        "Version": ("v1.10.1", "foreign-other"),
    }


@pytest.mark.parametrize("place", ["parameters", "exif:UserComment", "comment"])
def test_only_the_distilled_scale_of_forge_is_guidance(place: str) -> None:
    found = read({place: FORGE})
    assert found.prompt == "a lake at dawn"
    assert found.params == {"num_inference_steps": 20, "guidance_scale": 3.5, "strength": 0.75}
    assert found.seed == 42
    assert left_out(found)["CFG scale"] == ("1", "foreign-cfg")
    assert left_out(found)["Module 1"] == ("ae", "foreign-model")
    assert "Negative prompt" not in left_out(found)


def test_the_strength_of_the_pass_that_enlarges_is_not_the_references() -> None:
    found = read(
        {
            "parameters": "a lake\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 5, Size: 512x512, "
            "Denoising strength: 0.7, Hires upscale: 2, Hires steps: 10, Hires upscaler: Latent"
        }
    )
    assert found.params == {"num_inference_steps": 20}
    assert left_out(found)["Denoising strength"] == ("0.7", "foreign-second-pass")
    assert left_out(found)["Hires steps"] == ("10", "foreign-second-pass")


def test_templates_of_sd_next_are_no_part_of_the_negative_prompt() -> None:
    found = read(
        {
            "parameters": "a red lake\nNegative prompt: blurry\n"
            "Template: a {red|blue} lake\nNegative template: blurry\n"
            "Steps: 20, Size: 1024x1024, Sampler: Euler, Scheduler: FlowMatchEulerDiscreteScheduler, Seed: 7, "
            "CFG scale: 6, App: SD.Next, Version: 94e3c9b, Pipeline: FluxImg2ImgPipeline, Operations: img2img, "
            "Init image size: 1024x1024, Denoising strength: 0.3"
        }
    )
    assert (found.prompt, found.seed, found.params["strength"]) == ("a red lake", 7, 0.3)
    assert left_out(found)["Negative prompt"] == ("blurry", "foreign-negative")
    assert left_out(found)["Template"] == ("a {red|blue} lake", "foreign-prompt-part")
    assert left_out(found)["Pipeline"] == ("FluxImg2ImgPipeline", "foreign-model")


def test_lines_in_the_prompt_that_look_like_settings_are_words() -> None:
    prompt = "Steps: 5, Seed: 6, Size: 7x7\nSteps: of stone\nSeed: 1"
    found = read({"parameters": f"{prompt}\nSteps: 20, Sampler: Euler, Seed: 8"})
    assert (found.prompt, found.seed) == (prompt, 8)


def test_lines_behind_the_settings_are_listed() -> None:
    found = read({"parameters": "a red lake\nSteps: 20, Sampler: Euler, Seed: 8\nTemplate: a {red|blue} lake"})
    assert (found.prompt, found.seed) == ("a red lake", 8)
    assert left_out(found)["Template"] == ("a {red|blue} lake", "foreign-prompt-part")


def test_quoted_values_hold_commas_quotes_and_line_feeds() -> None:
    found = read(
        {
            "parameters": "a lake\n"
            r'Steps: 20, ADetailer prompt: "a \"big\" face,\nSeed: 1", Odd: "half, Seed: 9, Sampler: Euler, Size: 1x1'
        }
    )
    assert found.seed == 9
    assert left_out(found)["ADetailer prompt"] == ('a "big" face,\nSeed: 1', "foreign-second-pass")
    assert left_out(found)["Odd"] == ('"half', "foreign-other")


def test_a_file_without_a_prompt_still_has_its_settings() -> None:
    found = read({"parameters": "Steps: 20, Sampler: Euler, Seed: 8"})
    assert (found.prompt, found.seed, found.params) == (None, 8, {"num_inference_steps": 20})
    assert left_out(read({"parameters": "Negative prompt: blurry\nSteps: 20, Sampler: Euler, Seed: 8"})) == {
        "Negative prompt": ("blurry", "foreign-negative"),
        "Sampler": ("Euler", "foreign-sampler"),
    }


@pytest.mark.parametrize(
    ("line", "name", "code"),
    [
        ("Steps: 20, Sampler: Euler, Seed: 2147483648", "Seed", "foreign-seed"),
        ("Steps: 20, Sampler: Euler, Seed: -1", "Seed", "foreign-seed"),
        ("Steps: 150, Sampler: Euler, Seed: 1", "Steps", "foreign-whole-range"),
        ("Steps: 20.5, Sampler: Euler, Seed: 1", "Steps", "foreign-whole-range"),
        ("Steps: twenty, Sampler: Euler, Seed: 1", "Steps", "foreign-not-a-number"),
        ("Steps: 20, Seed: 1, Denoising strength: 1.01", "Denoising strength", "foreign-range"),
        ("Steps: 20, Seed: 1, Denoising strength: nan", "Denoising strength", "foreign-not-a-number"),
        ("Steps: 20, Seed: 1, Distilled CFG Scale: 0.5", "Distilled CFG Scale", "foreign-range"),
        (f"Steps: {'9' * 5000}, Sampler: Euler, Seed: 1", "Steps", "foreign-not-a-number"),
    ],
)
def test_a_number_that_does_not_fit_is_listed_and_never_changed(line: str, name: str, code: str) -> None:
    found = read({"parameters": f"a lake\n{line}"})
    assert left_out(found)[name][1] == code
    assert {**found.params, "seed": found.seed}.get(
        {"Seed": "seed", "Steps": "num_inference_steps"}.get(name, "")
    ) is None


def test_the_largest_seed_fits() -> None:
    assert read({"parameters": "Steps: 1, Sampler: Euler, Seed: 2147483647"}).seed == 2**31 - 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a holiday photo",
        "Camera: X, Lens: Y, Film: Z",
        "Steps: 20",
        "Postprocess upscale by: 4, Postprocess upscaler: Lanczos, Extras: 1",
        "{}",
    ],
)
def test_other_texts_are_no_settings(text: str) -> None:
    assert read_foreign({"parameters": text, "exif:UserComment": text, "comment": text}) is None
