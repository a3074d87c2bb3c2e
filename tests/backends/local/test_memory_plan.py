"""The memory ladder: which rung each card gets, how one steps down, and that the documented figures are its own."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest

from backends.local.choice import MINI_FOLDER
from backends.local.hardware import GIB, Hardware
from backends.local.memory_plan import BY_KEY, LADDER, Rung, Sizes, below, choose_rung
from backends.local.weights import weigh
from core.settings import MEMORY
from tests.backends.local.cards import FLUX, GGUF, GGUF_FILE, cuda

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "performance.md").read_text(encoding="utf-8")


def walked(rung: Rung, machine: Hardware, sizes: Sizes) -> list[str]:
    """Return the rungs below one, in the order in which they are stepped onto."""
    keys: list[str] = []
    step: Rung | None = rung
    while (step := below(step, machine, sizes)) is not None:
        keys.append(step.key)
    return keys


@pytest.mark.parametrize(
    ("name", "free", "memory", "rung"),
    [
        ("H200", 139.8, 128, "gpu"),
        ("A100 80 GB", 78.7, 64, "gpu"),
        ("A6000 48 GB", 47.2, 64, "gpu"),
        ("A100 40 GB", 39.4, 64, "gpu"),
        ("32 GB", 31.0, 64, "fp8"),
        ("24 GB", 23.3, 32, "text"),
        ("20 GB", 19.2, 32, "tiles"),
        ("16 GB", 15.5, 32, "offload"),
        ("12 GB", 11.6, 64, "stream"),
        ("8 GB", 7.6, 64, "stream"),
    ],
)
def test_each_card_gets_the_best_rung_that_fits_flux(name: str, free: float, memory: float, rung: str) -> None:
    assert choose_rung(cuda(free, memory, name=name), FLUX).key == rung


def test_a_rung_is_taken_up_to_its_last_byte_of_either_memory() -> None:
    text = BY_KEY["text"]
    card, main = int(text.card(FLUX)) + 1, int(text.main(FLUX)) + 1
    assert choose_rung(Hardware("cuda", card, main, quantises=True), FLUX) is text
    assert choose_rung(Hardware("cuda", card - 2, main, quantises=True), FLUX).key == "tiles"
    assert choose_rung(Hardware("cuda", card, main - 2, quantises=True), FLUX).key == "stream"  # none fits


def test_where_nothing_fits_the_lowest_rung_is_tried() -> None:
    assert choose_rung(cuda(7.6, memory=16), FLUX).key == "stream"
    assert choose_rung(cuda(1.0, memory=2), FLUX).key == "stream"
    assert choose_rung(cuda(1.0, memory=2), GGUF).key == "tiles"


@pytest.mark.parametrize("free", [139.8, 47.2, 39.4, 31.0, 23.3, 19.2, 15.5, 11.6, 7.6])
def test_a_card_without_torchao_gets_no_rung_of_8_bits(free: float) -> None:
    machine = cuda(free, quantises=False)
    rung = choose_rung(machine, FLUX)
    assert rung.key == ("gpu" if free > 36 else "stream")
    assert walked(BY_KEY["gpu"], machine, FLUX) == ["stream"]


@pytest.mark.parametrize("quantises", [True, False])
@pytest.mark.parametrize(
    ("free", "rung"), [(47.2, "gpu"), (24.0, "gpu"), (19.0, "text"), (12.0, "text"), (11.0, "tiles"), (10.0, "tiles")]
)
def test_a_gguf_transformer_stays_on_the_card_with_or_without_torchao(free: float, rung: str, quantises: bool) -> None:
    assert choose_rung(cuda(free, memory=32, quantises=quantises), GGUF).key == rung


def test_a_gguf_transformer_neither_streams_nor_takes_turns() -> None:
    assert walked(BY_KEY["gpu"], cuda(24), GGUF) == ["text", "tiles"]


@pytest.mark.parametrize("kind", ["mps", "cpu"])
@pytest.mark.parametrize("gib", [96.0, 8.0])
def test_apple_gpus_and_cpus_have_one_rung_each(kind: str, gib: float) -> None:
    machine = Hardware(kind, int(gib * GIB), int(gib * GIB), quantises=True)  # they share main memory
    for sizes in (FLUX, weigh(MINI_FOLDER, None, 4)):
        assert choose_rung(machine, sizes).key == kind
        assert below(BY_KEY[kind], machine, sizes) is None


@pytest.mark.parametrize("kind", ["mps", "cpu"])
def test_a_gguf_transformer_runs_on_apple_gpus_and_cpus_too(kind: str) -> None:
    machine = Hardware(kind, 32 * GIB, 32 * GIB)
    assert choose_rung(machine, GGUF).key == kind
    assert below(BY_KEY[kind], machine, GGUF) is None


@pytest.mark.parametrize("key", [key for key in MEMORY if key != "auto"])
def test_the_owners_wish_wins(key: str) -> None:
    assert choose_rung(cuda(139.8), FLUX, key).key == key
    assert choose_rung(cuda(2.0, memory=4), FLUX, key).key == key


def test_the_owner_may_wish_for_every_rung_of_a_card() -> None:
    assert ("auto", *(rung.key for rung in LADDER if rung.kinds == ("cuda",))) == MEMORY


@pytest.mark.parametrize("sizes", [FLUX, GGUF])
@pytest.mark.parametrize("free", [70.0, 20.0])
def test_zero_gpu_has_one_rung_all_on_the_card(sizes: Sizes, free: float) -> None:
    machine = cuda(free, fixed=True)
    assert choose_rung(machine, sizes).key == "gpu"
    assert below(BY_KEY["gpu"], machine, sizes) is None


def test_minis_parts_all_fit_on_any_card() -> None:
    assert choose_rung(cuda(5.0, memory=1), weigh(MINI_FOLDER, None, 4)).key == "gpu"


def test_stepping_down_takes_every_rung_once_and_ends() -> None:
    machine = cuda(139.8)
    assert walked(BY_KEY["gpu"], machine, FLUX) == ["fp8", "text", "tiles", "offload", "stream"]
    for rung in LADDER[:6]:
        assert walked(rung, machine, FLUX) == [each.key for each in LADDER[LADDER.index(rung) + 1 : 6]]


@pytest.mark.parametrize(
    ("memory", "left"),
    [
        (64, ["fp8", "text", "tiles", "offload", "stream"]),
        (30, ["fp8", "text", "tiles", "offload"]),
        (16, ["fp8", "text", "tiles"]),
        (8, ["fp8"]),
    ],
)
def test_stepping_down_skips_rungs_that_main_memory_forbids(memory: float, left: list[str]) -> None:
    assert walked(BY_KEY["gpu"], cuda(139.8, memory), FLUX) == left


@pytest.mark.parametrize("sizes", [FLUX, GGUF])
def test_each_rung_needs_less_of_the_card_than_the_one_above(sizes: Sizes) -> None:
    below_first = [BY_KEY[key] for key in walked(BY_KEY["gpu"], cuda(139.8), sizes)]
    peaks = [rung.card(sizes) for rung in (BY_KEY["gpu"], *below_first)]
    assert all(lower < higher for higher, lower in pairwise(peaks))


def test_the_ladders_page_states_the_figures_that_are_computed() -> None:
    row = re.compile(r"^\| `(\w+)` \| [^|]+ \| ([\d.]+) GiB \| ([\d.]+) GiB \| [^|]+ \|$", re.MULTILINE)
    computed = [
        (rung.key, f"{rung.card(FLUX) / GIB:.1f}", f"{rung.main(FLUX) / GIB:.1f}")
        for rung in LADDER
        if rung.kinds == ("cuda",)
    ]
    assert row.findall(PAGE) == computed


def test_the_ladders_page_states_the_figures_of_a_gguf_transformer() -> None:
    said = re.search(
        r"Its rungs are `(\w+)`, `(\w+)` and `(\w+)`: with ([\d.]+) GB\s+\(Q4\) ([\d.]+), ([\d.]+) and ([\d.]+) GiB",
        PAGE,
    )
    assert said is not None
    *keys, file, one, two, three = said.groups()
    assert float(file) == GGUF_FILE / 1e9
    assert [f"{BY_KEY[key].card(GGUF) / GIB:.1f}" for key in keys] == [one, two, three]
    assert walked(BY_KEY[keys[0]], cuda(24), GGUF) == keys[1:]


def test_the_ladders_page_states_what_the_whole_model_takes() -> None:
    said = re.search(r"the whole model lies there, about (\d+) GiB for FLUX.1-dev", PAGE)
    assert said is not None
    assert round(BY_KEY["mps"].main(FLUX) / GIB) == int(said[1])
