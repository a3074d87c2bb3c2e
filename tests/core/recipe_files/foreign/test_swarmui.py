"""SwarmUI.

The layouts are those of mcmonkeyprojects/SwarmUI docs/Image Metadata Format.md, src/Text2Image/T2IParamInput.cs
(GenFullMetadataObject) and src/Media/ImageFile.cs (ConvertTo, GetMetadata).
"""

from __future__ import annotations

import json

import pytest

from tests.core.recipe_files.foreign.blocks import SWARMUI
from tests.core.recipe_files.foreign.checks import left_out, read


@pytest.mark.parametrize("place", ["parameters", "exif:UserComment", "exif:Model"])
@pytest.mark.parametrize("indent", [None, 2])
def test_its_settings(place: str, indent: int | None) -> None:
    found = read({place: json.dumps(SWARMUI, indent=indent)})
    assert (found.source, found.prompt, found.seed) == ("swarmui", "a lake at dawn", 1)
    assert found.params == {"num_inference_steps": 20, "guidance_scale": 3.5, "strength": 0.6}
    assert left_out(found) == {
        "prompt": ("<lora:oil:0.6>", "foreign-lora"),
        "model": ("Flux/flux1-dev", "foreign-model"),
        "cfgscale": ("1.0", "foreign-cfg"),
        "aspectratio": ("1:1", "foreign-size"),
        "width": ("1024", "foreign-size"),
        "height": ("1024", "foreign-size"),
        "sampler": ("euler", "foreign-sampler"),
        "scheduler": ("simple", "foreign-sampler"),
        "automaticvae": ("true", "foreign-model"),
        "loras": ("oil", "foreign-lora"),
        "loraweights": ("0.6", "foreign-lora"),
        "swarm_version": ("0.9.5.0", "foreign-other"),
    }


def test_numbers_may_be_written_as_text() -> None:
    params = {"prompt": "a lake", "seed": "77", "steps": "20", "fluxguidancescale": "3.50", "initimagecreativity": "1"}
    found = read({"parameters": json.dumps({"sui_image_params": params})})
    assert found.seed == 77
    assert found.params == {"num_inference_steps": 20, "guidance_scale": 3.5, "strength": 1.0}


def test_an_image_without_a_prompt_or_a_model_is_read_too() -> None:
    found = read({"parameters": json.dumps({"sui_image_params": {"seed": -1, "steps": 0, "negativeprompt": "blurry"}})})
    assert (found.prompt, found.seed, found.params) == (None, None, {})
    assert {name: code for name, (_, code) in left_out(found).items()} == {
        "seed": "foreign-seed",
        "steps": "foreign-whole-range",
        "negativeprompt": "foreign-negative",
    }
