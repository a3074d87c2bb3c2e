"""The memory ladder: where a model's parts live, from "all on the GPU" down to what a small card can do.

The first rung whose expected peak fits is taken when the model is loaded; a run that is out of memory
all the same steps one rung down. Figures are expectations from the sizes of the parts, in one place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from backends.local.hardware import GIB, Hardware

WORK = 4.0 * GIB
"""Room for a run beside the weights: activations, and the decoder, at 2 megapixels."""
TILED_WORK = 2.5 * GIB
"""The same with a decoder that works tile by tile."""
STREAMED = 1.0 * GIB
"""What streamed text encoders or blocks hold on the card at a time."""
SPARE = 4.0 * GIB
"""Main memory that is left to everybody else."""


@dataclass(frozen=True)
class Sizes:
    """Bytes of a model's parts as they are loaded. `text_part` is the larger text encoder.

    `transformer8` is the transformer with its blocks' large matrices in 8 bits, `smallest8` with the
    blocks' modulation in 8 bits too; both as `transformer` where it is quantised already (GGUF).
    """

    transformer: int
    transformer8: int
    smallest8: int
    text: int
    text_part: int
    vae: int
    quantised: bool = False


@dataclass(frozen=True)
class Rung:
    """One way to place a model.

    Attributes:
        key: its name in `STUDIO_LOCAL_MEMORY`.
        kinds: the kinds of device that it is for.
        card: expected peak of the device's memory, in bytes.
        main: main memory that it needs, in bytes.
        eight_bits: whether the transformer's large matrices are in 8 bits.
        modulation: whether those of its modulation are, too.
        tiled: whether pictures are encoded and decoded tile by tile.
        text_streams, blocks_stream: which parts are brought to the card piece by piece while they are used.
        swaps: whether the parts take turns on the card.
    """

    key: str
    kinds: tuple[str, ...]
    card: Callable[[Sizes], float]
    main: Callable[[Sizes], float]
    eight_bits: bool = False
    modulation: bool = False
    tiled: bool = False
    text_streams: bool = False
    blocks_stream: bool = False
    swaps: bool = False

    @property
    def moves(self) -> bool:
        """Whether parts of the model are brought to the device while it works."""
        return self.text_streams or self.blocks_stream or self.swaps


def _nothing(_: Sizes) -> float:
    return 0.0


def _all(sizes: Sizes) -> float:
    return sizes.transformer + sizes.text + sizes.vae


LADDER = (
    Rung("gpu", ("cuda",), lambda s: _all(s) + WORK, _nothing),
    Rung(
        "fp8",
        ("cuda",),
        lambda s: s.transformer8 + s.text + s.vae + WORK,
        _nothing,
        eight_bits=True,
    ),
    Rung(
        "text",
        ("cuda",),
        lambda s: s.transformer8 + s.vae + STREAMED + WORK,
        lambda s: s.text + SPARE,
        eight_bits=True,
        text_streams=True,
    ),
    Rung(
        "tiles",
        ("cuda",),
        lambda s: s.transformer8 + s.vae + STREAMED + TILED_WORK,
        lambda s: s.text + SPARE,
        eight_bits=True,
        text_streams=True,
        tiled=True,
    ),
    Rung(
        "offload",
        ("cuda",),
        lambda s: max(s.smallest8, s.text_part) + TILED_WORK,
        lambda s: s.smallest8 + s.text + SPARE,
        eight_bits=True,
        modulation=True,
        tiled=True,
        swaps=True,
    ),
    Rung(
        "stream",
        ("cuda",),
        lambda s: s.vae + 2 * STREAMED + TILED_WORK,
        lambda s: s.transformer + s.text + SPARE,
        tiled=True,
        text_streams=True,
        blocks_stream=True,
    ),
    Rung("mps", ("mps",), _nothing, lambda s: _all(s) + WORK),
    Rung("cpu", ("cuda", "mps", "cpu"), _nothing, lambda s: _all(s) + WORK),
)
"""Best first. The last is for machines without a GPU; a machine that has one takes it only when it is asked for."""

BY_KEY = {rung.key: rung for rung in LADDER}


def choose_rung(machine: Hardware, sizes: Sizes, wanted: str = "auto") -> Rung:
    """Return the best rung that fits, or the one that the owner wants.

    Where none fits, it is the lowest that this machine has: an error in a run says more than a refusal.
    """
    if wanted != "auto":
        return BY_KEY[wanted]
    usable = _usable(machine, sizes)
    return next((rung for rung in usable if _fits(rung, machine, sizes)), usable[-1])


def below(rung: Rung, machine: Hardware, sizes: Sizes) -> Rung | None:
    """Return the next lower rung that this machine has the main memory for, None where there is none."""
    lower = [each for each in _usable(machine, sizes) if LADDER.index(each) > LADDER.index(rung)]
    return next((each for each in lower if each.main(sizes) <= machine.memory), None)


def _usable(machine: Hardware, sizes: Sizes) -> list[Rung]:
    """Return the rungs of this kind of machine, best first."""
    rungs = [rung for rung in LADDER if machine.kind in rung.kinds and (rung.key != "cpu" or machine.kind == "cpu")]
    if machine.fixed:
        return rungs[:1]
    if sizes.quantised:  # GGUF has few bits already, and its blocks neither stream nor take turns
        return [rung for rung in rungs if rung.key in ("gpu", "text", "tiles", "mps", "cpu")]
    return [rung for rung in rungs if machine.quantises or not rung.eight_bits]


def _fits(rung: Rung, machine: Hardware, sizes: Sizes) -> bool:
    return rung.card(sizes) <= machine.free and rung.main(sizes) <= machine.memory
