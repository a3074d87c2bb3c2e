"""SRPO's float32 file is kept once in bfloat16: what the copy holds, when it is made, and when not."""

from __future__ import annotations

import json
import os
import random
import shutil
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from backends.local.choice import ModelChoice
from backends.local.load_errors import Stopped
from backends.local.loading import load
from backends.local.weights import INDEX, SHARD, _shards, bfloat16_copy, load_transformer
from core.events import Loading
from core.messages import Message, message
from tests.backends.local.flows import tinys_weights, written

pytestmark = pytest.mark.integration


def ignore(_: object) -> None: ...


def stop(_: object) -> None:
    raise Stopped


def never(detail: str) -> None:
    pytest.fail(f"made again{detail}")


@pytest.fixture
def source(tiny: Path, tmp_path: Path) -> Path:
    """Tiny's transformer as tencent/SRPO has it: one file of float32."""
    return written(tmp_path / "srpo.safetensors", tinys_weights(tiny))


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """Where copies are kept; not there yet."""
    return tmp_path / "data" / "models"


def state(folder: Path) -> dict[str, tuple[int, int]]:
    """Return which files a folder has, and what changes when one is written again."""
    return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in (folder, *folder.iterdir())}


def test_the_copy_holds_every_weight_rounded_to_bfloat16(tiny: Path, source: Path, cache: Path) -> None:
    import torch
    from safetensors.torch import load_file

    folder = bfloat16_copy(tiny, source, cache, ignore)
    held = {name: weight for shard in folder.glob("*.safetensors") for name, weight in load_file(shard).items()}
    weights = tinys_weights(tiny)
    assert held.keys() == weights.keys()
    assert all(torch.equal(held[name], weight.to(torch.bfloat16)) for name, weight in weights.items())


def test_the_copy_is_a_folder_that_diffusers_reads_by_itself(tiny: Path, source: Path, cache: Path) -> None:
    import torch
    from diffusers import FluxTransformer2DModel

    folder = bfloat16_copy(tiny, source, cache, ignore)
    alone = FluxTransformer2DModel.from_pretrained(folder, dtype=torch.bfloat16).state_dict()
    read = load_transformer(tiny, source, torch.bfloat16).state_dict()
    assert alone.keys() == read.keys()
    assert all(torch.equal(alone[name], read[name]) for name in read)
    index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
    assert index["weight_map"].keys() == read.keys()
    assert index["metadata"]["total_size"] == sum(weight.nbytes for weight in read.values())


def test_the_copy_is_made_once_and_told_once(tiny: Path, source: Path, cache: Path) -> None:
    told: list[Message] = []
    first = bfloat16_copy(tiny, source, cache, told.append)
    before = state(first)
    assert told == [message("stage-converted", done=1, total=1)]
    assert bfloat16_copy(tiny, source, cache, never) == first
    assert state(first) == before
    assert list(cache.iterdir()) == [first]


def test_a_link_to_the_file_finds_the_files_own_copy(tiny: Path, source: Path, cache: Path, tmp_path: Path) -> None:
    first = bfloat16_copy(tiny, source, cache, ignore)
    link = tmp_path / "linked.safetensors"  # as the hub's cache has them
    link.symlink_to(source)
    assert bfloat16_copy(tiny, link, cache, never) == first


@pytest.mark.parametrize("change", ["bytes", "time"])
def test_a_file_that_has_changed_gets_a_copy_of_its_own(tiny: Path, source: Path, cache: Path, change: str) -> None:
    import torch

    first = bfloat16_copy(tiny, source, cache, ignore)
    weights = tinys_weights(tiny)
    if change == "bytes":
        weights = {name: weight * 0 + 0.25 for name, weight in weights.items()}
        written(source, weights)
    os.utime(source, ns=(source.stat().st_atime_ns, source.stat().st_mtime_ns + 1_000_000))
    second = bfloat16_copy(tiny, source, cache, ignore)
    assert second != first
    read = load_transformer(tiny, second, torch.bfloat16).state_dict()
    assert all(torch.equal(read[name], weight.to(torch.bfloat16)) for name, weight in weights.items())


@pytest.mark.parametrize("other", ["all", "one"])
def test_a_file_that_is_not_all_float32_is_used_as_it_is(tiny: Path, source: Path, cache: Path, other: str) -> None:
    import torch

    weights = tinys_weights(tiny)
    halved = weights if other == "all" else {"proj_out.bias": weights["proj_out.bias"]}
    written(source, weights | {name: weight.to(torch.bfloat16) for name, weight in halved.items()})
    assert bfloat16_copy(tiny, source, cache, never) == source
    assert list(cache.iterdir()) == []


def test_a_making_that_is_stopped_leaves_nothing_behind(tiny: Path, source: Path, cache: Path) -> None:
    with pytest.raises(Stopped):
        bfloat16_copy(tiny, source, cache, stop)
    assert list(cache.iterdir()) == []


def test_a_making_that_breaks_at_its_end_leaves_nothing_behind(tiny: Path, source: Path, cache: Path) -> None:
    base = cache.parent / "base"
    base.mkdir(parents=True)  # without a transformer's config
    with pytest.raises(FileNotFoundError):
        bfloat16_copy(base, source, cache, ignore)
    assert list(cache.iterdir()) == []
    bfloat16_copy(tiny, source, cache, ignore)


def test_two_makings_of_one_copy_at_a_time_both_end_with_it(tiny: Path, source: Path, cache: Path) -> None:
    """Two workers of two GPUs load at the same time, or two processes share a folder of data."""
    others: list[Path] = []

    def meanwhile(_: str) -> None:
        others.append(bfloat16_copy(tiny, source, cache, ignore))

    assert bfloat16_copy(tiny, source, cache, meanwhile) == others[0]
    assert list(cache.iterdir()) == others
    assert bfloat16_copy(tiny, source, cache, never) == others[0]


def test_a_file_that_holds_more_than_main_memory_can_be_opened(tiny: Path, cache: Path, tmp_path: Path) -> None:
    count = (psutil.virtual_memory().total + psutil.swap_memory().total) // 4 + 2**28
    head = json.dumps({"x": {"dtype": "F32", "shape": [count], "data_offsets": [0, 4 * count]}}).encode()
    file = tmp_path / "large.safetensors"
    with file.open("wb") as hollow:  # a hole takes no disk
        hollow.write(len(head).to_bytes(8, "little") + head)
        hollow.truncate(8 + len(head) + 4 * count)
    try:
        with suppress(Stopped):  # at its first shard; where the disk lacks room it is not begun
            assert bfloat16_copy(tiny, file, cache, stop) == file
    finally:
        file.unlink()


def test_shards_keep_the_order_and_hold_no_more_than_they_may() -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    for _ in range(50):
        sizes = {str(place): rng.randint(1, SHARD // rng.randint(1, 8)) for place in range(rng.randint(1, 40))}
        shards = _shards(sizes)
        assert [name for shard in shards for name in shard] == list(sizes)
        assert all(shards)
        assert all(sum(sizes[name] for name in shard) <= SHARD for shard in shards)


def test_a_weight_larger_than_a_shard_has_one_of_its_own() -> None:
    assert _shards({"a": 1, "b": 2 * SHARD, "c": 1}) == [["a"], ["b"], ["c"]]


def spoilt(folder: Path) -> None:
    """Replace a copy's weights by others, so that whoever reads it can be told from who reads its source."""
    from safetensors.torch import load_file, save_file

    (shard,) = folder.glob("*.safetensors")
    save_file({name: weight * 0 + 0.5 for name, weight in load_file(shard).items()}, shard)


def test_loading_makes_the_copy_and_reads_it_from_then_on(tiny: Path, source: Path, cache: Path) -> None:
    told: list[Loading] = []
    choice = ModelChoice(str(tiny), str(source), "cpu", None, copies=cache)
    first = load(choice, told.append).pipe.transformer
    assert "finding the files, converted to bfloat16: 1 of 1" in [str(event.stage) for event in told]
    assert first.x_embedder.weight.unique().numel() > 1
    (folder,) = cache.iterdir()
    spoilt(folder)
    again: list[Loading] = []
    assert load(choice, again.append).pipe.transformer.x_embedder.weight.unique().tolist() == [0.5]
    assert not any("converted" in str(event.stage) for event in again)


@pytest.mark.parametrize("way", ["no folder for copies", "a folder in the diffusers layout"])
def test_loading_keeps_no_copy_where_there_is_none_to_keep(
    tiny: Path, source: Path, cache: Path, tmp_path: Path, way: str
) -> None:
    if way == "no folder for copies":
        choice = ModelChoice(str(tiny), str(source), "cpu", None)
    else:
        shutil.copytree(tiny / "transformer", tmp_path / "transformer")
        choice = ModelChoice(str(tiny), str(tmp_path / "transformer"), "cpu", None, copies=cache)
    load(choice, ignore)
    assert not cache.exists()
