"""A loaded model: its pipeline in its place, what it remembers, and which levers are on."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
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

The compiler takes equal numbers for one, and for ever: so this is no square, and a picture of it has another number of
tokens than the transformer is wide (3072, as at 1024x768).
"""

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
        warm: kinds of run whose graphs are compiled: whether in 8 bits, whether of several images.
        too_many: pixels, of all images, of the smallest batch that was out of memory; None while none was.
        _fast: the pipeline whose matrices are in 8 bits, None while there is none.
        _exact: whether there will be none: no room, or it does not work here.
    """

    pipe: Any
    rgb: Floats
    machine: Hardware
    rung: Rung
    sizes: Sizes
    details: tuple[Message, ...] = ()
    identity: recipe.Model = recipe.Model()  # noqa: RUF009 - frozen
    memo: EmbeddingCache = field(default_factory=EmbeddingCache)
    warm: set[tuple[bool, bool]] = field(default_factory=set)
    too_many: int | None = None
    _fast: Any = None
    _exact: bool = False

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

    def at(self, level: str, images: int, tell: Callable[[Loading], None]) -> Any:
        """Return the pipeline for a level of `acceleration`, ready for a batch.

        What a level has of its own is made at its first run, what a kind of run needs is compiled at its first. Where
        either does not work, the run goes on without.

        Args:
            level: `none`, `regular` or `high`.
            images: of the batch.
            tell: is told what takes long, and may raise to stop before it.
        """
        if level != "none" and self.compiled and doubles(self.pipe, self.rung, self.machine, self.sizes):
            if self._fast is None and not self._exact:
                self._double(tell)
            if self._fast is not None and self._warmed(self._fast, images, tell):
                return self._fast
            self._fast, self._exact = None, True  # asked again, the answer would change with what ran before
        if not self._warmed(self.pipe, images, tell):
            run_plain(self.pipe)
            self._fast = None  # it would be slower than this one, see `doubles`
            self.details = tuple(each for each in self.details if each != COMPILED)
        return self.pipe

    def _double(self, tell: Callable[[Loading], None]) -> None:
        """Make the pipeline whose matrices are in 8 bits, where there is room and they work."""
        if not self._has_room():
            return
        making = Loading(message("stage-eight-bits"), 0, 1)
        tell(making)
        with alone(lambda: tell(making)), _forgiving("8-bit matrices"):
            parts = {**self.pipe.components, "transformer": twin(self.pipe.transformer, eight_bits(self.machine))}
            fast = type(self.pipe)(**parts)  # `from_pipe` would turn the shared weights into float32
            fast.set_progress_bar_config(disable=True)
            compile_flow(fast.transformer)
            self._fast = fast

    def _warmed(self, pipe: Any, images: int, tell: Callable[[Loading], None]) -> bool:
        """Compile what this kind of run needs, if that was not done before; return whether it works."""
        kind = (pipe is self._fast, images > 1)
        if not self.compiled or kind in self.warm:
            return True
        tell(Loading(message("stage-compiling-batch" if images > 1 else "stage-compiling"), 0, 1))
        with _forgiving("compiling"):
            warm_up(pipe, *WARM_SIZE, min(images, 2), self.tokens)
            self.warm.add(kind)
        return kind in self.warm

    def _has_room(self) -> bool:
        import torch

        torch.cuda.empty_cache()  # what torch keeps for itself counts as used
        free, _ = torch.cuda.mem_get_info(self.machine.index)
        return free >= self.sizes.transformer - self.sizes.transformer8 + WORK
