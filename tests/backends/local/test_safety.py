"""The safety checker by itself: whose labels it understands, what it says of pictures, and what it refuses to be."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from PIL import Image

from backends.local.choice import MINI_FOLDER
from backends.local.safety import SafetyChecker
from core.errors import ModelMissing
from tests.backends.local.classifier import by_brightness, certain


def ignore(_: str) -> None: ...


def checker(folder: Path | str) -> SafetyChecker:
    return SafetyChecker(str(folder), None, "cpu", ignore)


def withholds(folder: Path, chances: Mapping[str, float]) -> bool:
    """Return what a classifier that always gives its labels these chances does to a picture."""
    (verdict,) = checker(certain(folder / "checker", chances)).unsafe([Image.new("RGB", (40, 30))])
    return verdict


@pytest.mark.integration
def test_each_picture_of_a_list_has_a_verdict_of_its_own(tmp_path: Path) -> None:
    shades = [(0, (64, 64)), (255, (640, 20)), (120, (3, 3)), (135, (32, 32)), (127, (7, 300)), (129, (1, 1))]
    pictures = [Image.new("RGB", size, (shade, shade, shade)) for shade, size in shades]
    assert checker(by_brightness(tmp_path / "checker", 0.5)).unsafe(pictures) == [
        False,
        True,
        False,
        True,
        False,
        True,
    ]


@pytest.mark.parametrize(
    "label",
    ["nsfw", "NSFW", "Porn", "hentai", "sexy", "sexual_content", "nude", "explicit", "unsafe", "gore", "Violence"],
)
def test_labels_of_unsafe_kinds_count(tmp_path: Path, label: str) -> None:
    assert withholds(tmp_path, {"neutral": 0.1, label: 0.9})


@pytest.mark.parametrize("label", ["not_nsfw", "NOT NSFW", "no-porn", "non_nude", "NonViolent", "not_unsafe", "safe"])
def test_labels_that_deny_an_unsafe_kind_do_not_count(tmp_path: Path, label: str) -> None:
    assert not withholds(tmp_path, {label: 0.9, "nsfw": 0.1})


@pytest.mark.parametrize("label", ["nonconsensual_nudity", "underage_sexual", "unclothed_nudity"])
def test_labels_that_only_begin_as_a_denial_does_count(tmp_path: Path, label: str) -> None:
    assert withholds(tmp_path, {"neutral": 0.06, label: 0.9, "gore": 0.04})


@pytest.mark.parametrize(("neutral", "withheld"), [(0.45, True), (0.55, False)])
def test_chances_of_several_unsafe_labels_add_up(tmp_path: Path, neutral: float, withheld: bool) -> None:
    rest = (1 - neutral) / 3
    assert withholds(tmp_path, {"hentai": rest, "neutral": neutral, "porn": rest, "sexy": rest}) is withheld


@pytest.mark.parametrize(
    "labels", [("cat", "dog"), ("LABEL_0", "LABEL_1"), ("normal", "not_nsfw"), ("porn", "hentai", "sexy")]
)
def test_a_classifier_whose_labels_tell_nothing_apart_is_refused(tmp_path: Path, labels: tuple[str, ...]) -> None:
    with pytest.raises(ModelMissing, match=r"ends.*does not say which images are unsafe.*STUDIO_SAFETY_MODEL") as told:
        checker(certain(tmp_path / "ends", dict.fromkeys(labels, 1 / len(labels))))
    assert ", ".join(labels) in told.value.what
    assert str(tmp_path) not in str(told.value)


def test_a_missing_folder_is_named_without_its_path(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="'gone'") as told:
        checker(tmp_path / "gone")
    assert str(tmp_path) not in str(told.value)


def test_a_missing_folder_says_which_setting_to_mend(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing) as told:
        checker(tmp_path / "gone")
    assert "STUDIO_SAFETY_MODEL" in told.value.todo
    assert "STUDIO_LOCAL_MODEL" not in told.value.todo


def test_a_hub_that_does_not_answer_says_which_setting_to_mend() -> None:
    with pytest.raises(ModelMissing, match="me/nsfw-checker is not on this machine yet") as told:
        checker("me/nsfw-checker")
    assert "STUDIO_SAFETY_MODEL" in told.value.todo
    assert "STUDIO_LOCAL_MODEL" not in told.value.todo


@pytest.mark.parametrize("spoil", ["config.json", "preprocessor_config.json", "model.safetensors"])
@pytest.mark.parametrize("data", [b"not a model", None], ids=["broken", "missing"])
def test_broken_and_missing_files_are_explained_without_their_paths(
    tmp_path: Path, spoil: str, data: bytes | None
) -> None:
    folder = certain(tmp_path / "broken", {"normal": 0.5, "nsfw": 0.5})
    (folder / spoil).unlink()
    if data is not None:
        (folder / spoil).write_bytes(data)
    with pytest.raises(ModelMissing, match=r"broken cannot be read as an image classifier.*STUDIO_SAFETY") as told:
        checker(folder)
    assert str(tmp_path) not in str(told.value)


def test_a_classifier_that_lacks_weights_is_refused(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = certain(tmp_path / "headless", {"normal": 0.5, "nsfw": 0.5})
    weights = load_file(folder / "model.safetensors")
    for name in ("classifier.weight", "classifier.bias"):
        del weights[name]
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(ModelMissing, match="STUDIO_SAFETY_MODEL"):
        checker(folder)


def test_weights_that_are_a_pickle_are_not_read(tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file

    folder = certain(tmp_path / "pickled", {"normal": 0.5, "nsfw": 0.5})
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelMissing, match="pickled cannot be read as an image classifier"):
        checker(folder)


def test_a_model_of_another_kind_is_refused() -> None:
    with pytest.raises(ModelMissing, match="text_encoder cannot be read as an image classifier"):
        checker(MINI_FOLDER / "text_encoder")
