"""AUTOMATIC1111, Forge and SD.Next: `parameters` in PNG, EXIF's UserComment in JPEG, WebP and AVIF, a comment in GIF.

Source: AUTOMATIC1111/stable-diffusion-webui and lllyasviel/stable-diffusion-webui-forge, modules/images.py
(save_image_with_geninfo) and modules/processing.py (create_infotext; Forge adds "Distilled CFG Scale");
vladmandic/sdnext, modules/processing_info.py.
"""

from __future__ import annotations

from core.recipe_files.foreign.draft import Draft, Known
from core.recipe_files.foreign.infotext import Infotext, parse_infotext
from core.recipe_files.foreign.reasons import CFG, LORA, MODEL, NEGATIVE, PROMPT_PART, SAMPLER, SECOND_PASS, SIZE, Rules
from core.recipe_files.foreign.texts import Texts
from core.recipe_files.foreign.values import Foreign, Source
from core.terms import GUIDANCE, SEED, STEPS, STRENGTH

PLACES = ("parameters", "exif:UserComment", "exif:ImageDescription", "comment")
"""Where the text stands, the tool's own places first."""
RULES: Rules = (
    (("hires", "refiner", "refine", "detailer", "adetailer"), SECOND_PASS),
    (("cfg", "image cfg", "hires cfg"), CFG),
    (("sampler", "schedule", "eta", "ensd", "sigma", "rng"), SAMPLER),
    (("lora", "lyco", "hypernet", "addnet"), LORA),
    (("negative",), NEGATIVE),
    (("model", "vae", "module ", "unet", "pipeline", "diffusion in low bits", "fp8"), MODEL),
    (("size", "resize", "seed resize", "init image size"), SIZE),
    (("template",), PROMPT_PART),
)


def read_a1111(texts: Texts) -> Foreign | None:
    """Return the settings, None where there is no such text."""
    infotext = next(filter(None, (parse_infotext(texts.text(place)) for place in PLACES)), None)
    return None if infotext is None else _foreign(infotext)


def _foreign(infotext: Infotext) -> Foreign:
    draft = Draft(Source.A1111)
    draft.tagged_prompt("Prompt", infotext.prompt)
    draft.leave("Negative prompt", infotext.negative, NEGATIVE)
    known: Known = {"steps": STEPS, "seed": SEED, "distilled cfg scale": GUIDANCE}
    rules = RULES
    if any(name.startswith("Hires ") for name, _ in infotext.pairs):
        # The strength is then of the pass that enlarges, and the picture was made without a reference.
        rules = ((("denoising strength",), SECOND_PASS), *rules)
    else:
        known = {**known, "denoising strength": STRENGTH}
    draft.settings([*infotext.pairs, *infotext.more], known, rules)
    return draft.done()
