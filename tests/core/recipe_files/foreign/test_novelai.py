"""NovelAI.

The layouts are those that NovelAI/novelai-image-metadata nai_sig.py reads (extract_png_text_metadata,
extract_exif_metadata, Metadata.decoded_comment), with the names of the service's own files.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.recipe_files.foreign import read_foreign
from tests.core.recipe_files.foreign.blocks import NOVELAI, NOVELAI_TEXTS
from tests.core.recipe_files.foreign.checks import left_out, read


def comment(**changes: Any) -> dict[str, str]:
    """Return the texts of a file whose comment has other values; None takes one out."""
    values = {name: value for name, value in {**NOVELAI, **changes}.items() if value is not None}
    return {**NOVELAI_TEXTS, "Comment": json.dumps(values)}


def test_its_settings() -> None:
    found = read(NOVELAI_TEXTS)
    assert (found.source, found.prompt, found.seed) == ("novelai", "a lake at dawn", 1166865010)
    assert found.params == {"num_inference_steps": 28, "strength": 0.7}
    assert left_out(found) == {
        "char_caption": ("a fisher", "foreign-prompt-part"),
        "height": ("1216", "foreign-size"),
        "width": ("832", "foreign-size"),
        "scale": ("5.0", "foreign-cfg"),
        "uncond_scale": ("0.0", "foreign-cfg"),
        "cfg_rescale": ("0.0", "foreign-cfg"),
        "n_samples": ("1", "foreign-other"),
        "noise_schedule": ("karras", "foreign-sampler"),
        "noise": ("0.2", "foreign-other"),
        "sampler": ("k_euler_ancestral", "foreign-sampler"),
        "uc": ("blurry", "foreign-negative"),
        "request_type": ("Img2ImgRequest", "foreign-other"),
    }


def test_versions_before_4_have_the_prompt_in_the_comment_or_beside_it() -> None:
    assert read(comment(v4_prompt=None, v4_negative_prompt=None)).prompt == "a lake at dawn, very aesthetic"
    assert read(comment(v4_prompt=None, prompt=None)).prompt == "a lake at dawn, very aesthetic"


def test_a_picture_made_of_words_has_no_strength() -> None:
    found = read(comment(request_type="PromptGenerateRequest"))
    assert found.params == {"num_inference_steps": 28}
    assert left_out(found)["strength"] == ("0.7", "foreign-other")


def test_seeds_of_32_bits_do_not_fit() -> None:
    found = read(comment(seed=3816166865))
    assert found.seed is None
    assert left_out(found)["seed"] == ("3816166865", "foreign-seed")


@pytest.mark.parametrize("nested", [False, True])
def test_the_comment_of_a_webp_stands_in_its_exif(nested: bool) -> None:
    whole = json.dumps({"Software": "NovelAI", "Comment": NOVELAI_TEXTS["Comment"]})
    texts = {
        "exif:Software": "NovelAI Diffusion V4.5 4BDE2A90",
        "exif:ImageDescription": "a lake at dawn",
        "exif:UserComment": whole if nested else NOVELAI_TEXTS["Comment"],
    }
    assert read(texts) == read(NOVELAI_TEXTS)


def test_a_comment_of_other_software_is_not_its() -> None:
    assert read_foreign({"Software": "Paint", "Comment": NOVELAI_TEXTS["Comment"]}) is None
    assert read_foreign({"Software": "NovelAI", "Comment": "a photo"}) is None
