"""A loaded model: its pipeline in its place, what it remembers, and which levers are on."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from backends.local.acceleration import COMPILED, compile_flow, compiles, doubles, run_plain, warm_up
from backends.local.embedding_cache import EmbeddingCache
from backends.local.hardware import Hardware
from backends.local.load_errors import out_of_memory
from backends.local.memory_plan import WORK, Rung, Sizes
from backends.local.preview import Floats
from backends.local.quantise import eight_bits, twin
from core import recipe
from core.events import Loading
from core.messages import Message, message

log = logging.getLogger(__name__)

MAX_TOKENS = 512
"""Tokens of a prompt that FLUX.1-dev was taught with."""
WARM_SIZE = (896, 640)
"""Pixels at which a compiled model is warmed; its graphs serve every other size.

The compiler takes equal sizes for one dimension, in every later graph too: so this is no square, and its number of
tokens differs from the transformer's width (3072, the tokens of 1024x768).
"""


class Variant(Enum):
    """Which of a model's two pipelines."""

    EXACT = "exact"
    FAST = "fast"


_LOADING = threading.Lock()


@contextmanager
def alone(tell: Callable[[], None]) -> Iterator[None]:
    """Let one thread of the process at a time in: while weights are loaded or copied, libraries patch torch for all.

    Args:
        tell: is called while others are in, and may raise to stop waiting.
    """
    while not _LOADING.acquire(timeout=0.5):
        tell()
    try:
        yield
    finally:
        _LOADING.release()


@contextmanager
def _forgiving(what: str) -> Iterator[None]:
    """Let what does not work here fail, and go on; being out of memory is another matter."""
    try:
        yield
    except Exception as error:
        if out_of_memory(error):
            raise
        log.warning("%s failed here; going on without", what, exc_info=True)


@dataclass
class Model:
    """A pipeline on its device. Not safe for two runs at once.

    Attributes:
        pipe: a FluxImg2ImgPipeline.
        rgb: what `fit_rgb` found for its VAE.
        machine: where it runs.
        rung: how it was placed.
        sizes: of its parts.
        words: the levers that are on, for the status line.
        identity: its id and revision, as recipes record them.
        memo: what it remembers between runs.
        warm: what is compiled: each variant, and whether its graphs are those for several images.
        too_many: pixels, of all images, of the smallest batch that was out of memory; None while none was.
        _fast: the pipeline that multiplies in 8 bits, None while there is none.
        _fast_given_up: whether there will be none: the device lacks the memory, or it failed here.
    """

    pipe: Any
    rgb: Floats
    machine: Hardware
    rung: Rung
    sizes: Sizes
    details: tuple[Message, ...] = ()
    identity: recipe.Model = recipe.Model()  # noqa: RUF009 - frozen
    memo: EmbeddingCache = field(default_factory=EmbeddingCache)
    warm: set[tuple[Variant, bool]] = field(default_factory=set)
    too_many: int | None = None
    _fast: Any = None
    _fast_given_up: bool = False

    @property
    def tokens(self) -> int:
        """How many tokens of a prompt it reads."""
        return int(min(MAX_TOKENS, self.pipe.tokenizer_2.model_max_length))

    @property
    def compiled(self) -> bool:
        """Whether its blocks are compiled, or will be at their first call."""
        return compiles(self.rung, self.machine, self.sizes) and COMPILED in self.details

    def status(self) -> tuple[Message, ...]:
        """Return how it is set up: what the status line says behind the device's name."""
        found = []
        if self.sizes.quantised:
            found.append(message("detail-gguf"))
        elif self.rung.eight_bits:
            found.append(message("detail-eight-bit-weights"))
        if self.rung.moves:
            found.append(message("detail-placement", plan=self.rung.key))
        found += self.details
        if self._fast is not None:
            found.append(message("detail-eight-bit-multiplication"))
        return tuple(found)

    def pipeline(self, level: str, images: int, tell: Callable[[Loading], None]) -> Any:
        """Return the pipeline for a level of `acceleration`, ready for a batch.

        Level-specific weights are made, and graphs compiled, on first use. Where either fails, the run goes on without.

        Args:
            level: `none`, `regular` or `high`.
            images: of the batch, 1 or more.
            tell: receives what takes long, before it begins; raising from it stops that.

        Raises:
            torch.OutOfMemoryError: a batch of this size does not fit.
        """
        fast = None if level == "none" else self.fast(images, tell)
        return self.exact(images, tell) if fast is None else fast

    def exact(self, images: int, tell: Callable[[Loading], None]) -> Any:
        """Return the pipeline with the weights as they were loaded: compiled, or plain where the compiler fails.

        Arguments and errors are those of `pipeline`.
        """
        if not self._warm_up(Variant.EXACT, self.pipe, images, tell):
            run_plain(self.pipe)
            self._fast = None  # it would be slower than this one, see `doubles`
            self.details = tuple(each for each in self.details if each != COMPILED)
        return self.pipe

    def fast(self, images: int, tell: Callable[[Loading], None]) -> Any | None:
        """Return the pipeline that multiplies in 8 bits, None where there is none.

        Once it failed it is not tried again: otherwise a picture would depend on what ran before.

        Arguments and errors are those of `pipeline`.
        """
        if not (self.compiled and doubles(self.pipe, self.rung, self.machine, self.sizes)):
            return None
        if self._fast is None and not self._fast_given_up:
            self._fast = self._make_fast(tell)
        if self._fast is None or not self._warm_up(Variant.FAST, self._fast, images, tell):
            self._fast, self._fast_given_up = None, True
        return self._fast

    def _make_fast(self, tell: Callable[[Loading], None]) -> Any | None:
        """Return a pipeline whose matrices are in 8 bits, None where they do not fit or do not work."""
        if not self._has_room():
            return None
        working: Any = None
        making = Loading(message("stage-eight-bits"), 0, 1)
        tell(making)
        with alone(lambda: tell(making)), _forgiving("8-bit matrices"):
            parts = {**self.pipe.components, "transformer": twin(self.pipe.transformer, eight_bits(self.machine))}
            fast = type(self.pipe)(**parts)  # `from_pipe` would turn the shared weights into float32
            fast.set_progress_bar_config(disable=True)
            compile_flow(fast.transformer)
            working = fast
        return working

    def _warm_up(self, variant: Variant, pipe: Any, images: int, tell: Callable[[Loading], None]) -> bool:
        """Compile what a variant needs for a batch, if that was not done before; return whether it works."""
        several = images > 1
        if not self.compiled or (variant, several) in self.warm:
            return True
        tell(Loading(message("stage-compiling-batch" if several else "stage-compiling"), 0, 1))
        with _forgiving("compiling"):
            warm_up(pipe, *WARM_SIZE, min(images, 2), self.tokens)
            self.warm.add((variant, several))
        return (variant, several) in self.warm

    def _has_room(self) -> bool:
        import torch

        torch.cuda.empty_cache()  # what torch keeps for itself counts as used
        free, _ = torch.cuda.mem_get_info(self.machine.index)
        return free >= self.sizes.transformer - self.sizes.transformer8 + WORK
