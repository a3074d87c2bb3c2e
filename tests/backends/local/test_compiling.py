"""Compiled blocks: told once, for any size, without a change in the picture, and given up where the compiler fails."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backends.local.acceleration import compile_blocks, run_plain, warm_up
from backends.local.hardware import GIB, Hardware
from backends.local.load_errors import Stopped
from backends.local.memory_plan import BY_KEY
from backends.local.model import Model
from backends.local.quantise import eight_bits, twin
from core.events import Loading, Progress
from tests.backends.local.runs import asked, made, numbers, tiny_model, velocity
from tests.backends.local.tiny import TRANSFORMER
from tests.support.words import said

pytestmark = [
    pytest.mark.integration,
    # Dynamo says so of a version check in diffusers' decoder, whose answer never changes.
    pytest.mark.filterwarnings("ignore:Dynamo detected a call to a `functools.lru_cache`:UserWarning"),
    # What torch's own compiler says of torch's own code when it is imported.
    pytest.mark.filterwarnings("ignore:`torch.jit.script_method` is deprecated:DeprecationWarning"),
]

COMPILING = Hardware("cpu", 8 * GIB, 8 * GIB, compiles=True)


@dataclass
class Graphs:
    """A compiler that counts what it is given and changes nothing."""

    count: int = 0

    def __call__(self, graph: Any, _: Any) -> Any:
        self.count += 1
        return graph.forward


@dataclass
class Compiled:
    """A model with compiled blocks after its first two runs, of one image and of several."""

    model: Model
    graphs: Graphs = field(default_factory=Graphs)
    told: list[list[Loading]] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)


def loadings(model: Model, images: int) -> list[Loading]:
    told: list[Loading | Progress] = []
    made(model, asked(num_images=images), told.append)
    return [event for event in told if isinstance(event, Loading)]


@pytest.fixture(scope="module")
def compiled(tiny: Path) -> Iterator[Compiled]:
    import torch

    it = Compiled(tiny_model(tiny, COMPILING))
    compile_blocks(it.model.pipe, backend=it.graphs)  # type: ignore[arg-type]  # torch takes functions too
    for images in (1, 3):
        it.told.append(loadings(it.model, images))
        it.counts.append(it.graphs.count)
    yield it
    torch._dynamo.reset()


def test_compiling_is_told_once_for_each_kind_of_run(compiled: Compiled) -> None:
    single, several = compiled.told
    assert [str(event.stage) for event in single] == ["compiling for this card, once"]
    assert [str(event.stage) for event in several] == ["compiling for this card, once for several images"]
    assert [loadings(compiled.model, images) for images in (1, 2, 3, 4)] == [[]] * 4
    assert said(compiled.model.status()) == ("compiled",)


def test_each_kind_of_block_is_compiled_a_few_times_for_every_size_and_number_of_images(compiled: Compiled) -> None:
    single, several = compiled.counts
    assert 3 <= single <= 4  # two kinds of block and the decoder; the first single block's input lies otherwise
    assert several - single <= 3  # the decoder works one by one
    for images in (1, 2, 4):
        for width, height in ((32, 16), (48, 64), (64, 64), (128, 64), (96, 160)):
            warm_up(compiled.model.pipe, width, height, images, 128)
    assert compiled.graphs.count == several


@pytest.mark.parametrize("level", ["none", "high"])
@pytest.mark.parametrize("images", [1, 2])
def test_compiled_blocks_change_no_picture(compiled: Compiled, tiny: Path, level: str, images: int) -> None:
    request = asked((80, 48), num_inference_steps=8, num_images=images, acceleration=level)
    assert np.array_equal(numbers(made(compiled.model, request)), numbers(made(tiny_model(tiny), request)))


def test_run_plain_undoes_compiling(tiny: Path) -> None:
    model, graphs = tiny_model(tiny), Graphs()
    before = numbers(made(model, asked()))
    compile_blocks(model.pipe, backend=graphs)  # type: ignore[arg-type]
    run_plain(model.pipe)
    assert np.array_equal(numbers(made(model, asked())), before)
    assert graphs.count == 0


def test_a_machine_that_does_not_compile_is_not_warmed(tiny: Path) -> None:
    model = tiny_model(tiny, replace(COMPILING, compiles=False))
    assert not model.compiled
    assert loadings(model, 1) == loadings(model, 3) == []
    assert model.warm == set()
    assert model.status() == ()


def test_where_the_compiler_fails_the_run_goes_on_uncompiled_and_the_status_says_so(tiny: Path) -> None:
    tried: list[int] = []

    def fails(*_: Any) -> Any:
        tried.append(1)
        raise RuntimeError("no compiler here")

    model = tiny_model(tiny, COMPILING)
    assert said(model.status()) == ("compiled",)
    compile_blocks(model.pipe, backend=fails)  # type: ignore[arg-type]
    request = asked(num_inference_steps=8)
    done = numbers(made(model, request))
    assert tried == [1]
    assert not model.compiled
    assert model.status() == ()
    assert loadings(model, 1) == loadings(model, 3) == []
    assert np.array_equal(done, numbers(made(tiny_model(tiny), request)))


class Roomy(Model):
    """A model whose card has room, as often as it is asked."""

    asked: int = 0

    def _has_room(self) -> bool:
        self.asked += 1
        return True


def test_where_eight_bits_do_not_work_the_faster_levels_run_without(tiny: Path) -> None:
    """Torchao multiplies 8-bit floats on no CPU, whatever it is taken for."""
    import torch

    plain, graphs = tiny_model(tiny, COMPILING), Graphs()
    card = replace(COMPILING, capability=(8, 9), quantises=True)
    model = Roomy(plain.pipe, plain.rgb, card, BY_KEY["gpu"], plain.sizes, plain.details)
    model.pipe.to(torch.bfloat16)
    compile_blocks(model.pipe, backend=graphs)  # type: ignore[arg-type]
    told: list[Loading | Progress] = []
    for _ in range(2):
        made(model, asked(acceleration="high"), told.append)
    stages = [str(event.stage) for event in told if isinstance(event, Loading)]
    assert stages == ["8-bit matrices", "compiling for this card, once"]
    assert (model.asked, said(model.status())) == (1, ("compiled",))


def test_being_out_of_memory_while_warming_is_no_fault_of_the_compiler(tiny: Path) -> None:
    import torch

    def full(*_: Any) -> None:
        raise torch.OutOfMemoryError

    model = tiny_model(tiny, COMPILING)
    handle = model.pipe.transformer.register_forward_pre_hook(full)
    with pytest.raises(torch.OutOfMemoryError):
        model.pipeline("none", 1, lambda _: None)
    handle.remove()
    assert model.compiled
    assert model.warm == set()


def test_a_run_can_be_stopped_before_it_compiles(tiny: Path) -> None:
    def stop(_: Loading) -> None:
        raise Stopped

    model, graphs = tiny_model(tiny, COMPILING), Graphs()
    compile_blocks(model.pipe, backend=graphs)  # type: ignore[arg-type]
    with pytest.raises(Stopped):
        model.pipeline("none", 1, stop)
    assert graphs.count == 0
    assert model.compiled


def test_no_kind_of_run_is_one_too_many_for_the_compiler(compiled: Compiled) -> None:
    """Torch keeps 8 graphs of a function unless it is told otherwise, and then fails.

    All blocks, levels, models and cards of the process share them.
    """
    import torch
    from diffusers import FluxTransformer2DModel

    exact = FluxTransformer2DModel(**{**TRANSFORMER, "num_layers": 0}).to(torch.bfloat16)
    fast = twin(exact, eight_bits(COMPILING))
    for flow in (exact, fast):
        parts = {**compiled.model.pipe.components, "transformer": flow}
        compile_blocks(type(compiled.model.pipe)(**parts), backend=compiled.graphs)  # type: ignore[arg-type]
    for images in (1, 2):
        velocity(fast, images)
    velocity(exact, tokens=1)  # a reference of 16 pixels
