"""What is recorded of the model that was really loaded: the hub's commit, or a fingerprint of its files."""

from __future__ import annotations

from pathlib import Path

import pytest

from backends.local.choice import MINI_FOLDER, ModelChoice
from backends.local.revision import WHOLE, fingerprint, recorded
from core.settings import SRPO_BASE, SRPO_TRANSFORMER

MINI = ModelChoice(None, None, "cpu", None)


def model_in(folder: Path, weights: bytes = b"weights") -> Path:
    (folder / "transformer").mkdir(parents=True)
    (folder / "transformer" / "model.safetensors").write_bytes(weights)
    (folder / "model_index.json").write_text("{}")
    return folder


def test_the_model_that_comes_with_the_app_has_the_same_revision_each_time() -> None:
    first, second = (recorded(MINI, MINI_FOLDER, None) for _ in range(2))
    assert first == second
    assert first.id == "mini"
    assert first.revision is not None
    assert len(first.revision) == 16


def test_other_weights_or_names_are_another_revision(tmp_path: Path) -> None:
    one, same, other = (model_in(tmp_path / name, data) for name, data in (("a", b"x"), ("b", b"x"), ("c", b"y")))
    revisions = [recorded(MINI, folder, None).revision for folder in (one, same, other)]
    assert revisions[0] == revisions[1] != revisions[2]
    (same / "transformer" / "model.safetensors").rename(same / "transformer" / "renamed.safetensors")
    assert recorded(MINI, same, None).revision != revisions[0]


def test_what_does_not_decide_the_picture_does_not_count(tmp_path: Path) -> None:
    folder = model_in(tmp_path / "a")
    before = recorded(MINI, folder, None).revision
    (folder / "README.md").write_text("another word")
    assert recorded(MINI, folder, None).revision == before


def test_files_of_the_hub_are_known_by_their_commits(tmp_path: Path) -> None:
    base = model_in(tmp_path / "models--black-forest-labs--FLUX.1-dev" / "snapshots" / "c0ffee")
    srpo = tmp_path / "models--tencent--SRPO" / "snapshots" / "5eed" / "diffusion_pytorch_model.safetensors"
    srpo.parent.mkdir(parents=True)
    srpo.write_bytes(b"x")
    made = recorded(ModelChoice(SRPO_BASE, SRPO_TRANSFORMER, "cuda", None), base, srpo)
    assert (made.id, made.revision) == (f"{SRPO_BASE}+{SRPO_TRANSFORMER}", "c0ffee+5eed")


@pytest.mark.parametrize("name", ["/srv/secret/place/my-model", "./place/my-model", "my-model"])
def test_of_a_path_only_the_last_part_is_recorded(name: str) -> None:
    assert ModelChoice(name, None, "cpu", None).id == "my-model"


@pytest.mark.parametrize("place", [0, WHOLE // 2 - 5000, WHOLE + 4999])
def test_a_large_file_is_told_from_another_by_parts_of_it(tmp_path: Path, place: int) -> None:
    for name in ("a", "b"):
        with (tmp_path / name).open("wb") as file:
            file.truncate(WHOLE + 5000)
    with (tmp_path / "b").open("r+b") as file:
        file.seek(place)
        file.write(b"x")
    assert fingerprint([("m", tmp_path / "a")]) != fingerprint([("m", tmp_path / "b")])
