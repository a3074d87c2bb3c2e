"""Fooocus.

The layouts are those of lllyasviel/Fooocus modules/meta_parser.py (FooocusMetadataParser and A1111MetadataParser,
to_string; get_exif), modules/private_logger.py (log) and modules/async_worker.py (save_and_log).
"""

from __future__ import annotations

import json

import pytest

from tests.core.recipe_files.foreign.blocks import FOOOCUS, FOOOCUS_TEXT
from tests.core.recipe_files.foreign.checks import left_out, read

JSON = json.dumps(FOOOCUS)


@pytest.mark.parametrize(
    "texts",
    [
        {"parameters": JSON, "fooocus_scheme": "fooocus"},
        {"exif:UserComment": JSON, "exif:Software": "Fooocus v2.5.5"},
        {"exif:UserComment": JSON},
    ],
)
def test_the_settings_in_json(texts: dict[str, str]) -> None:
    found = read(texts)
    assert (found.source, found.prompt, found.seed) == ("fooocus", "a lake at dawn", 123456)
    assert found.params == {"num_inference_steps": 30}
    left = left_out(found)
    assert left["guidance_scale"] == ("4.0", "foreign-cfg")
    assert left["base_model"] == ("juggernautXL_v8Rundiffusion", "foreign-model")
    assert left["lora_combined_1"] == ("sd_xl_offset_example-lora_1.0 : 0.1", "foreign-lora")
    assert left["negative_prompt"] == ("blurry", "foreign-negative")
    assert left["resolution"] == ("(1152, 896)", "foreign-size")
    assert left["prompt_expansion"] == ("a lake at dawn, intricate", "foreign-prompt-part")
    assert left["sampler"][1] == left["scheduler"][1] == "foreign-sampler"
    assert left["styles"] == ("['Fooocus V2', 'Fooocus Enhance']", "foreign-other")
    assert not {"full_prompt", "full_negative_prompt", "refiner_model"} & set(left)


@pytest.mark.parametrize(
    "texts",
    [
        {"parameters": FOOOCUS_TEXT, "fooocus_scheme": "a1111"},
        {"exif:UserComment": FOOOCUS_TEXT, "exif:Software": "Fooocus v2.5.5"},
        {"parameters": FOOOCUS_TEXT},
    ],
)
def test_the_settings_in_the_layout_of_automatic1111(texts: dict[str, str]) -> None:
    found = read(texts)
    assert (found.source, found.prompt, found.seed) == ("fooocus", "a lake at dawn,\nsecond line", 123456)
    assert found.params == {"num_inference_steps": 30}
    left = left_out(found)
    assert left["Negative prompt"] == ("blurry", "foreign-negative")
    assert left["CFG scale"] == ("4.0", "foreign-cfg")
    assert left["ADM Guidance"] == ("(1.5, 0.8, 0.3)", "foreign-other")
    assert left["Lora weights"] == ("offset: 0.1", "foreign-lora")


def test_its_seeds_of_63_bits_do_not_fit() -> None:
    found = read({"parameters": json.dumps({**FOOOCUS, "seed": "8166543543536235"}), "fooocus_scheme": "fooocus"})
    assert found.seed is None
    assert left_out(found)["seed"] == ("8166543543536235", "foreign-seed")
