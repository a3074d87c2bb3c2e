"""The safety checker: an image classifier that says which pictures are not safe for work."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

from backends.local.choice import ModelChoice
from backends.local.files import fetch_folder
from backends.local.load_errors import explained, out_of_memory
from core.errors import ModelMissing
from core.messages import Message, message

UNSAFE = re.compile(r"nsfw|porn|hentai|sexy|sexual|nud|explicit|unsafe|gore|violen", re.IGNORECASE)
"""What labels of unsafe kinds are called by the classifiers on the hub."""
THRESHOLD = 0.5
"""Probability of all unsafe labels together from which a picture is withheld."""

WITHHELD = message("withheld-by-safety-checker")


class SafetyChecker:
    """A `transformers` image classifier.

    Args:
        name: a folder, or a hub repository; only safetensors are read.
        token: the hub token, None where there is none.
        device: where it runs.
        tell: hears how a download goes, and may raise to stop it.

    Raises:
        ModelMissing: it is not there, no image classifier, or none of its labels names what is unsafe.
        BackendUnavailable: the hub does not give it; its kinds tell why.
    """

    def __init__(self, name: str, token: str | None, device: str, tell: Callable[[Message], None]) -> None:
        with explained(ModelChoice(name, None, device, token), "safety"):
            self._load(name, token, device, tell)

    def _load(self, name: str, token: str | None, device: str, tell: Callable[[Message], None]) -> None:
        from transformers import AutoImageProcessor, AutoModelForImageClassification

        folder = fetch_folder(name, ["*.json", "*.safetensors"], token, tell, "safety")
        model, found = AutoModelForImageClassification.from_pretrained(
            folder, use_safetensors=True, output_loading_info=True
        )
        if found["missing_keys"]:
            raise ModelMissing("safety-weights-missing", model=Path(name).name)
        self._model: Any = model.eval().to(device)
        # The one that needs no torchvision.
        self._processor = AutoImageProcessor.from_pretrained(folder, backend="pil")
        labels: dict[int, str] = self._model.config.id2label
        self._unsafe = [place for place, label in labels.items() if UNSAFE.search(label) and not _denied(label)]
        if not self._unsafe or len(self._unsafe) == len(labels):
            shown = ", ".join(labels.values())[:80]
            raise ModelMissing("safety-labels-unclear", model=Path(name).name, labels=shown)

    def unsafe(self, pictures: list[Image.Image]) -> list[bool]:
        """Return for each picture whether it is not safe for work."""
        try:
            chances = self._chances(pictures)
        except RuntimeError as error:
            if not out_of_memory(error):
                raise
            chances = []
        if not chances:  # the card has no room beside the pipeline
            self._model.to("cpu")
            chances = self._chances(pictures)
        return [chance >= THRESHOLD for chance in chances]

    def _chances(self, pictures: list[Image.Image]) -> list[float]:
        import torch

        with torch.inference_mode():
            inputs = self._processor(images=pictures, return_tensors="pt").to(self._model.device)
            chances = self._model(**inputs).logits.float().softmax(-1)[:, self._unsafe].sum(-1)
        return [float(chance) for chance in chances.tolist()]


def _denied(label: str) -> bool:
    """Return whether a label names something unsafe only to deny it, as `not_nsfw` does."""
    return bool(re.match(rf"(not?|non)[\W_]*({UNSAFE.pattern})", label, re.IGNORECASE))
