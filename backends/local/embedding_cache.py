"""Work done once: what the text encoders made of a prompt, and the image encoder of a reference.

Both are small next to what makes them, and batches, sweeps and repeats ask for the same again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Any

from PIL import Image

PROMPTS = 32
"""Prompts kept; FLUX.1-dev's take 4 MiB each."""
REFERENCES = 16
"""References kept, each at one size; 1 MiB for a megapixel."""


class Recent:
    """Keeps the values that were asked for last.

    Args:
        limit: how many.

    Attributes:
        hits: how often a value was there.
        misses: how often it had to be made.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()
        self.hits = 0
        self.misses = 0

    def get(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """Return the value of a key, made now if it is not there."""
        if key in self._kept:
            self.hits += 1
            self._kept.move_to_end(key)
        else:
            made = make()  # may raise: then nothing is kept
            self.misses += 1
            self._kept[key] = made
            if len(self._kept) > self._limit:
                self._kept.popitem(last=False)
        return self._kept[key]

    def clear(self) -> None:
        """Let go of everything."""
        self._kept.clear()


class EmbeddingCache:
    """What one loaded model remembers between runs.

    Attributes:
        prompts: by text.
        references: by picture and size.
    """

    def __init__(self) -> None:
        self.prompts = Recent(PROMPTS)
        self.references = Recent(REFERENCES)

    def prompt(self, pipe: Any, text: str, tokens: int) -> tuple[Any, Any, bool]:
        """Return a prompt's embeddings, shapes (1, tokens, wide) and (1, pooled), and whether all of it was read."""

        def make() -> tuple[Any, Any, bool]:
            words, pooled, _ = pipe.encode_prompt(text, None, max_sequence_length=tokens)
            whole = len(pipe.tokenizer_2(text, truncation=False, verbose=False).input_ids) <= tokens
            return words, pooled, whole

        return self.prompts.get((text, tokens), make)  # type: ignore[no-any-return]  # what `make` returns

    def reference(self, pipe: Any, mark: str, image: Image.Image) -> Any:
        """Return how a reference lies in the latents: a distribution, from which each seed draws its own.

        Args:
            pipe: whose encoder.
            mark: the same for the same picture only.
            image: the picture at the size that is worked at, its sides multiples of 16.
        """

        def make() -> Any:
            pixels = pipe.image_processor.preprocess(image, height=image.height, width=image.width)
            return pipe.vae.encode(pixels.to(pipe._execution_device, pipe.vae.dtype)).latent_dist

        return self.references.get((mark, image.size), make)

    def clear(self) -> None:
        """Let go of everything, to make room."""
        self.prompts.clear()
        self.references.clear()


@contextmanager
def positions_once(flow: Any) -> Iterator[None]:
    """While this lasts, for one run, a transformer's rotary embedding of positions is computed at the first step only.

    It depends on the sizes of text and picture alone; the model computes it at every step, in float64.
    """
    compute, known = flow.pos_embed.forward, list[Any]()

    def forward(ids: Any) -> Any:
        if not known:
            known.append(compute(ids))
        return known[0]

    flow.pos_embed.forward = forward
    try:
        yield
    finally:
        del flow.pos_embed.forward
