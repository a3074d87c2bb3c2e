"""SwarmUI: JSON with `sui_image_params`, in PNG's `parameters`, or EXIF's UserComment; older files have it in Model.

Source: mcmonkeyprojects/SwarmUI, docs/Image Metadata Format.md, src/Text2Image/T2IParamInput.cs
(GenFullMetadataObject), src/Text2Image/T2IParamTypes.cs (a parameter's id is its name's letters in lower case) and
src/Media/ImageFile.cs. Its documentation says that numbers may be written as text.
"""

from __future__ import annotations

from core.recipe_files.foreign.draft import Draft, Known
from core.recipe_files.foreign.reasons import CFG, LORA, MODEL, NEGATIVE, SAMPLER, SECOND_PASS, SIZE, Rules
from core.recipe_files.foreign.texts import Texts
from core.recipe_files.foreign.values import Foreign, Source
from core.terms import GUIDANCE, SEED, STEPS, STRENGTH

PLACES = ("parameters", "exif:UserComment", "exif:Model")
KNOWN: Known = {
    "steps": STEPS,
    "seed": SEED,
    "initimagecreativity": STRENGTH,  # the part of the steps that runs: "Denoising Strength" in other tools' words
    "fluxguidancescale": GUIDANCE,
}
RULES: Rules = (
    (("cfgscale", "ippcfg"), CFG),
    (("refiner", "segment"), SECOND_PASS),
    (("sampler", "scheduler", "sigmashift"), SAMPLER),
    (("lora",), LORA),
    (("negativeprompt",), NEGATIVE),
    (("width", "height", "aspectratio", "sidelength", "rawresolution"), SIZE),
    (("model", "vae", "automaticvae", "clipl", "clipg", "txxlmodel", "preferreddtype"), MODEL),
)


def read_swarmui(texts: Texts) -> Foreign | None:
    """Return the settings, None where there is no such text."""
    for place in PLACES:
        values = (texts.json(place) or {}).get("sui_image_params")
        if isinstance(values, dict):
            draft = Draft(Source.SWARMUI)
            draft.tagged_prompt("prompt", values.get("prompt", ""))
            draft.settings(((name, value) for name, value in values.items() if name != "prompt"), KNOWN, RULES)
            return draft.done()
    return None
