"""Fooocus, in both of its layouts: JSON, and AUTOMATIC1111's text with names of its own.

Source: lllyasviel/Fooocus, modules/meta_parser.py (to_string of FooocusMetadataParser and of A1111MetadataParser,
get_exif), modules/private_logger.py (PNG: `parameters` and `fooocus_scheme`; JPEG and WebP: EXIF's UserComment,
Software and MakerNote) and modules/async_worker.py (the names and values).
"""

from __future__ import annotations

from core.recipe_files.foreign.draft import Draft, Known
from core.recipe_files.foreign.infotext import Infotext, parse_infotext
from core.recipe_files.foreign.reasons import CFG, LORA, MODEL, NEGATIVE, PROMPT_PART, SAMPLER, SECOND_PASS, SIZE, Rules
from core.recipe_files.foreign.texts import Texts
from core.recipe_files.foreign.values import Foreign, Source
from core.terms import SEED, STEPS

PLACES = ("parameters", "exif:UserComment")
KNOWN: Known = {"steps": STEPS, "seed": SEED}
RULES: Rules = (
    (("guidance_scale", "cfg scale", "adaptive_cfg", "adaptive cfg"), CFG),
    (("sampler", "scheduler"), SAMPLER),
    (("lora",), LORA),
    (("negative_prompt", "raw negative prompt"), NEGATIVE),
    (("refiner", "overwrite_switch", "overwrite switch"), SECOND_PASS),
    (("base_model", "model", "vae"), MODEL),
    (("resolution", "size"), SIZE),
    (("prompt_expansion",), PROMPT_PART),
)
DERIVED = {"full_prompt", "full_negative_prompt"}
"""The prompts with the styles' words in them, which `prompt` and `styles` repeat."""


def read_fooocus(texts: Texts) -> Foreign | None:
    """Return the settings, None where there is no such text."""
    named = "fooocus_scheme" in texts or texts.text("exif:Software").startswith("Fooocus")
    for place in PLACES:
        values = texts.json(place)
        if values is not None and (named or _is_version(values.get("version"))):
            return _from_json(values)
        infotext = None if values is not None else parse_infotext(texts.text(place))
        if infotext is not None and (named or _is_version(dict(infotext.pairs).get("Version"))):
            return _from_text(infotext)
    return None


def _is_version(raw: object) -> bool:
    return isinstance(raw, str) and raw.startswith("Fooocus")


def _from_json(values: dict[str, object]) -> Foreign:
    draft = Draft(Source.FOOOCUS)
    draft.tagged_prompt("prompt", values.get("prompt", ""))
    others = ((name, value) for name, value in values.items() if name not in {"prompt", *DERIVED})
    draft.settings(others, KNOWN, RULES)
    return draft.done()


def _from_text(infotext: Infotext) -> Foreign:
    draft = Draft(Source.FOOOCUS)
    values = dict(infotext.pairs)
    # The text's own prompt has the styles' words in it.
    draft.tagged_prompt("Raw prompt", values.pop("Raw prompt", infotext.prompt))
    draft.leave("Negative prompt", values.pop("Raw negative prompt", infotext.negative), NEGATIVE)
    draft.settings(values.items(), KNOWN, RULES)
    return draft.done()
