"""Settings as AUTOMATIC1111 and Forge write them: the prompt, then one line of names and values.

The layout is that of `create_infotext` in `modules/processing.py` and of `quote` in `modules/infotext_utils.py` there.
"""

from __future__ import annotations

import json

from core.about import NAME
from core.recipe import UNKNOWN, Recipe, compose


def infotext(recipe: Recipe, size: tuple[int, int] | None) -> str:
    """Return a recipe as AUTOMATIC1111's readers take it; the prompt is the one that was sent, with its styles.

    Args:
        recipe: whose settings.
        size: width and height of the picture; None where they are not known.
    """
    values = {
        "Steps": recipe.params.get("num_inference_steps"),
        "Seed": recipe.own_seed,
        "Size": None if size is None else f"{size[0]}x{size[1]}",
        "Model": None if recipe.model.id == UNKNOWN else recipe.model.id,
        "Denoising strength": recipe.params.get("strength"),
        "Distilled CFG Scale": recipe.params.get("guidance_scale"),
        "Version": tool(recipe),
    }
    line = ", ".join(f"{name}: {_quoted(str(value))}" for name, value in values.items() if value not in (None, ""))
    return f"{compose(recipe)}\n{line}".replace("\0", "").strip()


def tool(recipe: Recipe) -> str:
    """Return what made the picture, with its version where that is known."""
    return NAME if recipe.app == UNKNOWN else f"{NAME} {recipe.app}"


def _quoted(text: str) -> str:
    """Return a value as JSON where it has a sign by which readers would part it."""
    return json.dumps(text, ensure_ascii=False) if set(text) & set(',\n:"') else text
