"""The levers behind the levels: 8-bit twins of the transformer, and what a machine is taken to be able to."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from backends.local.acceleration import doubles
from backends.local.hardware import GIB, Hardware, look
from backends.local.memory_plan import BY_KEY, Sizes
from backends.local.quantise import LARGE, MODULATION, eight_bits, twin
from tests.backends.local.runs import tiny_model, velocity

pytestmark = pytest.mark.integration

PLAIN = Hardware("cpu", 8 * GIB, 8 * GIB, quantises=True)
ADA = Hardware("cuda", 24 * GIB, 64 * GIB, capability=(8, 9), quantises=True, compiles=True)


@pytest.fixture(scope="module")
def flow(tiny: Path) -> Any:
    return tiny_model(tiny).pipe.transformer


def changed(first: Any, other: Any) -> set[str]:
    """Return the names of the weights that two transformers do not share, without `.weight`."""
    ours, theirs = (dict((*each.named_parameters(), *each.named_buffers())) for each in (first, other))
    assert ours.keys() == theirs.keys()
    return {name.removesuffix(".weight") for name in ours if ours[name] is not theirs[name]}


def named(flow: Any, *patterns: str) -> dict[str, Any]:
    return {name: part for name, part in flow.named_modules() if any(re.fullmatch(each, name) for each in patterns)}


def size(flow: Any) -> int:
    """Return the bytes of a transformer's weights as they lie in memory."""
    parts = (
        part for each in flow.parameters() for part in ((each.qdata, each.scale) if hasattr(each, "qdata") else (each,))
    )
    return sum(part.numel() * part.element_size() for part in parts)


@pytest.mark.parametrize(("modulation", "patterns"), [(False, (LARGE,)), (True, (LARGE, MODULATION))])
def test_a_twin_differs_in_the_meant_matrices_and_shares_the_rest(
    flow: Any, modulation: bool, patterns: tuple[str, ...]
) -> None:
    import torch

    other = twin(flow, eight_bits(PLAIN, modulation=modulation))
    assert changed(flow, other) == set(named(flow, *patterns))
    assert {part.weight.qdata.dtype for part in named(other, *patterns).values()} == {torch.float8_e4m3fn}


def test_the_first_of_twins_is_untouched(flow: Any) -> None:
    import torch

    before, said = {name: (weight, weight.clone()) for name, weight in flow.named_parameters()}, velocity(flow)
    twin(flow, eight_bits(PLAIN, modulation=True))
    for name, weight in flow.named_parameters():
        assert weight is before[name][0]
        assert weight.dtype == torch.bfloat16
        assert torch.equal(weight, before[name][1])
    assert torch.equal(velocity(flow), said)


@pytest.mark.parametrize("modulation", [False, True])
def test_a_twin_says_nearly_the_same_and_takes_less_memory(flow: Any, modulation: bool) -> None:
    other = twin(flow, eight_bits(PLAIN, modulation=modulation))
    exact, near = velocity(flow), velocity(other)
    apart = float((near - exact).norm() / exact.norm())
    print(f"relative error {apart:.4f}, {size(other)} of {size(flow)} bytes")
    assert 0 < apart < 0.05
    halved = sum(part.weight.numel() for part in named(flow, LARGE, *([MODULATION] if modulation else [])).values())
    assert size(other) < size(flow) - 0.9 * halved  # a scale a row on top


def test_a_twin_of_compiled_blocks_starts_uncompiled(flow: Any) -> None:
    flow.compile_repeated_blocks(backend="eager")
    try:
        other = twin(flow, eight_bits(PLAIN))
        assert all(part._compiled_call_impl is None for part in other.modules())
    finally:
        for part in flow.modules():
            part._compiled_call_impl = None


def test_activations_become_eight_bits_only_where_the_card_multiplies_them() -> None:
    def kinds(machine: Hardware, modulation: bool) -> list[str]:
        return [type(each).__name__ for each in eight_bits(machine, modulation=modulation).fqn_to_config.values()]

    kept, multiplied = "Float8WeightOnlyConfig", "Float8DynamicActivationFloat8WeightConfig"
    assert kinds(PLAIN, modulation=False) == [kept]
    assert kinds(ADA, modulation=False) == [multiplied]
    assert kinds(ADA, modulation=True) == [multiplied, kept]


def test_the_patterns_name_the_intended_matrices_of_the_true_size_transformer() -> None:
    import torch
    from diffusers import FluxTransformer2DModel

    with torch.device("meta"):
        flux = FluxTransformer2DModel(guidance_embeds=True)  # the other defaults are FLUX.1-dev's

    def kinds(pattern: str) -> Counter[str]:
        return Counter(re.sub(r"\.\d+", "", name, count=1) for name in named(flux, pattern))

    double, single = "transformer_blocks", "single_transformer_blocks"
    attention = ("to_q", "to_k", "to_v", "to_out.0", "add_q_proj", "add_k_proj", "add_v_proj", "to_add_out")
    forward = ("ff.net.0.proj", "ff.net.2", "ff_context.net.0.proj", "ff_context.net.2")
    doubles_ = [*(f"{double}.attn.{each}" for each in attention), *(f"{double}.{each}" for each in forward)]
    singles = [f"{single}.{each}" for each in ("attn.to_q", "attn.to_k", "attn.to_v", "proj_mlp", "proj_out")]
    assert kinds(LARGE) == Counter({**dict.fromkeys(doubles_, 19), **dict.fromkeys(singles, 38)})
    assert kinds(MODULATION) == {
        f"{double}.norm1.linear": 19,
        f"{double}.norm1_context.linear": 19,
        f"{single}.norm.linear": 38,
    }
    assert (len(named(flux, LARGE)), len(named(flux, MODULATION))) == (418, 76)
    weights = [sum(part.weight.numel() for part in named(flux, each).values()) for each in (LARGE, MODULATION)]
    assert weights == [8606711808, 3227516928]


@pytest.mark.parametrize(
    ("capability", "flash3", "attention"),
    [
        ((0, 0), False, ()),
        ((8, 9), True, ()),
        ((9, 0), False, ("_native_cudnn",)),
        ((9, 0), True, ("_flash_3", "_native_cudnn")),
        ((10, 0), True, ("_native_cudnn",)),
        ((12, 0), False, ("_native_cudnn",)),
    ],
)
def test_the_best_exact_attention_follows_from_the_card_and_the_install(
    capability: tuple[int, int], flash3: bool, attention: tuple[str, ...]
) -> None:
    assert Hardware("cuda", 0, 0, capability=capability, flash3=flash3).attention == attention


@pytest.mark.parametrize(
    ("capability", "quantises", "multiplies"),
    [((0, 0), True, False), ((8, 6), True, False), ((8, 9), True, True), ((8, 9), False, False), ((10, 0), True, True)],
)
def test_eight_bits_are_multiplied_from_ada_on(capability: tuple[int, int], quantises: bool, multiplies: bool) -> None:
    assert Hardware("cuda", 0, 0, capability=capability, quantises=quantises).multiplies_fp8 is multiplies


@pytest.mark.parametrize(
    ("kind", "device", "line"), [("cuda", "cuda:1", True), ("mps", "mps", False), ("cpu", "cpu", False)]
)
def test_a_device_is_named_as_torch_does(kind: str, device: str, line: bool) -> None:
    machine = Hardware(kind, 0, 0, index=1)
    assert (machine.device, machine.asynchronous) == (device, line)


def test_a_look_at_a_cpu_finds_its_main_memory_and_nothing_to_compile_for() -> None:
    found = look("cpu")
    assert found.free == found.memory > 0
    assert (found.device, found.compiles, found.multiplies_fp8, found.attention) == ("cpu", False, False, ())
    assert found.quantises


def test_a_second_set_of_matrices_is_for_the_top_rung_of_a_card_that_multiplies_them(tiny: Path) -> None:
    from diffusers import FluxImg2ImgPipeline

    pipe, sizes, top = tiny_model(tiny).pipe, Sizes(4, 3, 2, 2, 1, 1), BY_KEY["gpu"]
    assert doubles(pipe, top, ADA, sizes)
    assert not doubles(pipe, BY_KEY["fp8"], ADA, sizes)
    assert not doubles(pipe, top, PLAIN, sizes)
    assert not doubles(pipe, top, replace(ADA, fixed=True), sizes)
    assert not doubles(pipe, top, replace(ADA, compiles=False), sizes)
    assert not doubles(pipe, top, ADA, replace(sizes, quantised=True))
    assert not doubles(FluxImg2ImgPipeline.from_pretrained(tiny), top, ADA, sizes)  # in float32
