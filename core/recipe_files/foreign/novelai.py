"""NovelAI: JSON in PNG's `Comment` beside `Software` and `Description`, or in EXIF's UserComment of WebP.

Source: NovelAI/novelai-image-metadata, nai_sig.py (extract_png_text_metadata; extract_exif_metadata: EXIF's Software is
what PNG calls `Source`; decoded_comment: the comment may be an object that holds the real one as text). The names
within the comment are those of the files that the service makes; it has published no writer.
"""

from __future__ import annotations

from core.recipe_files.foreign.bounded_json import parse_object
from core.recipe_files.foreign.draft import Draft, Known
from core.recipe_files.foreign.reasons import CFG, LORA, MODEL, NEGATIVE, OTHER, PROMPT_PART, SAMPLER, SIZE, Rules
from core.recipe_files.foreign.texts import Texts
from core.recipe_files.foreign.values import Foreign, Source
from core.terms import SEED, STEPS, STRENGTH

PLACES = ("Comment", "exif:UserComment")
KNOWN: Known = {"steps": STEPS, "seed": SEED, "strength": STRENGTH}
RULES: Rules = (
    (("scale", "uncond_scale", "cfg_"), CFG),
    (("sampler", "noise_schedule", "sm", "skip_cfg", "dynamic_thresholding", "prefer_brownian"), SAMPLER),
    (("lora_",), LORA),
    (("uc", "negative_prompt"), NEGATIVE),
    (("width", "height"), SIZE),
    (("model",), MODEL),
)
APART = {"prompt", "v4_prompt", "v4_negative_prompt", "signed_hash"}
"""The prompts are taken by themselves; the hash proves who made the picture and is no setting."""
WITHOUT_REFERENCE = "PromptGenerateRequest"
"""The request of a picture that was made of words alone."""


def read_novelai(texts: Texts) -> Foreign | None:
    """Return the settings, None where the file is none of NovelAI's."""
    named = any(
        texts.text(name).startswith("NovelAI") for name in ("Software", "Source", "exif:Software", "exif:Source")
    )
    for place in PLACES:
        values = texts.json(place)
        if values is None:
            continue
        inner = values.get("Comment")
        if isinstance(inner, str):
            named = named or str(values.get("Software", "")).startswith("NovelAI")
            values = parse_object(inner)
        if named and values is not None:
            return _foreign(values, texts.text("Description"))
    return None


def _foreign(values: dict[str, object], description: str) -> Foreign:
    draft = Draft(Source.NOVELAI)
    base, characters = _captions(values.get("v4_prompt"))
    draft.prompt("prompt", base or values.get("prompt") or description)
    for caption in characters:
        draft.leave("char_caption", caption, PROMPT_PART)
    base, characters = _captions(values.get("v4_negative_prompt"))
    for caption in [base if base != values.get("uc") else "", *characters]:
        draft.leave("v4_negative_prompt", caption, NEGATIVE)
    others = {name: value for name, value in values.items() if name not in APART}
    if values.get("request_type") == WITHOUT_REFERENCE:
        draft.leave("strength", others.pop("strength", None), OTHER)
    draft.settings(others.items(), KNOWN, RULES)
    return draft.done()


def _captions(raw: object) -> tuple[object, list[object]]:
    """Return the base caption of a prompt of version 4, and the captions of its characters."""
    caption = raw.get("caption") if isinstance(raw, dict) else None
    if not isinstance(caption, dict):
        return "", []
    characters = caption.get("char_captions")
    found = (
        [each.get("char_caption") for each in characters if isinstance(each, dict)]
        if isinstance(characters, list)
        else []
    )
    return caption.get("base_caption"), found
