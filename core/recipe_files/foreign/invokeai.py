"""InvokeAI: `invokeai_metadata` since 3.0, `sd-metadata` and `Dream` before. It writes them into PNG only.

Source: invoke-ai/InvokeAI, invokeai/app/services/image_files/image_files_disk.py, invokeai/app/invocations/metadata.py
(CoreMetadataInvocation), invokeai/frontend/web/src/features/nodes/util/graph/generation/buildFLUXGraph.ts (`guidance`),
invokeai/frontend/install/import_images.py (`sd-metadata`, `[negative]` words within the prompt),
invokeai/backend/image_util/pngwriter.py and, of 2.x, ldm/invoke/args.py (`Dream`: the prompt and switches).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from core.recipe_files.foreign.draft import MAX_KEYS, Draft, Known
from core.recipe_files.foreign.reasons import CFG, LORA, MODEL, NEGATIVE, PROMPT_PART, SAMPLER, SECOND_PASS, SIZE, Rules
from core.recipe_files.foreign.texts import Texts
from core.recipe_files.foreign.values import Foreign, Source
from core.terms import GUIDANCE, SEED, STEPS, STRENGTH

KNOWN: Known = {
    "steps": STEPS,
    "seed": SEED,
    "strength": STRENGTH,
    "strength_steps": STRENGTH,  # 2.x, of pictures with a reference
    "guidance": GUIDANCE,  # FLUX's; other models have `cfg_scale`
}
RULES: Rules = (
    (("cfg_",), CFG),
    (("scheduler", "sampler"), SAMPLER),
    (("lora",), LORA),
    (("negative_",), NEGATIVE),
    (("positive_style_prompt",), PROMPT_PART),
    (("refiner_", "hrf_"), SECOND_PASS),
    (("model", "vae", "t5_encoder", "clip_embed_model", "qwen3_", "mistral_encoder"), MODEL),
    (("width", "height"), SIZE),
)
SWITCHES = {
    "-s": "steps",
    "-S": "seed",
    "-f": "strength",
    "-W": "width",
    "-H": "height",
    "-C": "cfg_scale",
    "-A": "sampler",
    "-I": "init_img",
    "-M": "init_mask",
    "-G": "facetool_strength",
    "-U": "upscale",
    "-v": "variation_amount",
    "-V": "with_variations",
}
"""What the switches of `Dream` mean, by the names in `sd-metadata`."""

_NEGATIVE = re.compile(r"\[([^\[\]]*)\]")
_SWITCH = re.compile(r"\s--?[A-Za-z]")
_LONGEST_DREAM = 2**16
"""Characters of `Dream`; a longer one holds no prompt that fits."""


def read_invokeai(texts: Texts) -> Foreign | None:
    """Return the settings, None where there are none of InvokeAI."""
    metadata = texts.json("invokeai_metadata")
    if metadata is not None:
        return _from_metadata(metadata)
    older = texts.json("sd-metadata")
    if older is not None and (found := _from_sd_metadata(older)) is not None:
        return found
    dream = texts.text("Dream")
    return _from_dream(dream) if dream and len(dream) <= _LONGEST_DREAM else None


def _from_metadata(metadata: dict[str, object]) -> Foreign:
    draft = Draft(Source.INVOKEAI)
    draft.prompt("positive_prompt", metadata.get("positive_prompt", ""))
    draft.settings(
        ((name, _named(value)) for name, value in metadata.items() if name != "positive_prompt"), KNOWN, RULES
    )
    return draft.done()


def _named(raw: object) -> object:
    """Return a model's name in place of all that is recorded of it."""
    name = (raw.get("name") or raw.get("model_name")) if isinstance(raw, dict) else None
    return raw if name is None else name


def _from_sd_metadata(metadata: dict[str, object]) -> Foreign | None:
    image = metadata.get("image")
    if not isinstance(image, dict):
        return None
    draft = Draft(Source.INVOKEAI)
    prompt = image.get("prompt", "")
    if isinstance(prompt, list) and prompt and isinstance(prompt[0], dict):  # parts with weights, of which it had one
        prompt = prompt[0].get("prompt", "")
    _prompt_with_negatives(draft, prompt)
    draft.settings(((name, value) for name, value in image.items() if name != "prompt"), KNOWN, RULES)
    draft.settings(((name, value) for name, value in metadata.items() if name != "image"), {}, RULES)
    return draft.done()


def _prompt_with_negatives(draft: Draft, prompt: object) -> None:
    if isinstance(prompt, str) and len(prompt) <= _LONGEST_DREAM:
        for words in _NEGATIVE.findall(prompt):
            draft.leave("prompt", words, NEGATIVE)
        prompt = _NEGATIVE.sub("", prompt)
    draft.prompt("prompt", prompt)


def _from_dream(dream: str) -> Foreign:
    draft = Draft(Source.INVOKEAI)
    closing = dream.rfind('" -') if dream.startswith('"') else -1
    first = _SWITCH.search(dream)
    if closing > 0:
        prompt, switches = dream[1:closing], dream[closing + 1 :]
    elif first is not None:
        prompt, switches = dream[: first.start()].strip('"'), dream[first.start() :]
    else:
        prompt, switches = dream.strip('"'), ""
    _prompt_with_negatives(draft, prompt)
    draft.settings(_switches(switches), KNOWN, RULES)
    return draft.done()


def _switches(text: str) -> Iterator[tuple[str, object]]:
    """Yield the names and values of `-s50 -S 42 --seamless`; a switch without a value is true."""
    words = text.split(maxsplit=4 * MAX_KEYS)
    for place, word in enumerate(words):
        if not word.startswith("-"):
            continue
        following = words[place + 1] if place + 1 < len(words) and not words[place + 1].startswith("-") else None
        short = SWITCHES.get(word[:2])
        if short is None or (
            word[2:3].isalpha() and short not in ("sampler", "init_img", "init_mask")
        ):  # `-ft`, `--fit` and such
            yield word.lstrip("-"), following or True
        else:
            yield short, word[2:] or following
