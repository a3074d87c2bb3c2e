"""Loading: any FLUX folder, SRPO's single file, the hub's refusals, and what is broken."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file

from backends.local import LocalBackend
from backends.local.choice import ModelChoice
from backends.local.files import WEIGHTS
from backends.local.load_errors import Stopped
from backends.local.loading import STAGES, load
from backends.local.weights import load_transformer
from core.errors import BackendUnavailable, ModelMissing
from core.events import Loading
from core.settings import Settings
from tests.backends.local.runs import drain
from tests.support.fakes import make_request
from tests.support.words import said

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[3]


def ignore(_: Loading) -> None: ...


def choice(base: Path | str | None, transformer: Path | None = None, device: str = "cpu") -> ModelChoice:
    return ModelChoice(str(base) if base else None, str(transformer) if transformer else None, device, None)


@pytest.fixture
def other(tiny: Path, tmp_path: Path) -> Path:
    """A transformer's single file, as tencent/SRPO has it: the same shapes as tiny's, all weights 0.125, float32."""
    weights = load_file(tiny / "transformer" / WEIGHTS)
    path = tmp_path / "srpo.safetensors"
    save_file({name: weight * 0 + 0.125 for name, weight in weights.items()}, path)
    return path


def weights_of(model: Any) -> set[float]:
    return {value for weight in model.parameters() for value in weight.flatten().tolist()}


def test_stages_are_told_in_order() -> None:
    told: list[Loading] = []
    load(choice(None), told.append)
    assert [event.stage for event in told] == list(STAGES)
    assert [(event.done, event.total) for event in told] == [(i, len(STAGES)) for i in range(len(STAGES))]


def test_a_folder_in_the_diffusers_layout_is_loaded_in_bfloat16(tiny: Path) -> None:
    import torch

    model = load(choice(tiny), ignore)
    assert model.pipe.transformer.dtype == model.pipe.text_encoder_2.dtype == model.pipe.vae.dtype == torch.bfloat16


def test_a_single_file_replaces_the_bases_transformer(tiny: Path, other: Path) -> None:
    model = load(choice(tiny, other), ignore)
    assert weights_of(model.pipe.transformer) == {0.125}
    assert weights_of(model.pipe.vae) != {0.125}


def test_a_base_needs_no_weights_of_the_transformer_that_is_replaced(tiny: Path, other: Path) -> None:
    base = other.parent / "base"
    shutil.copytree(tiny, base)
    (base / "transformer" / WEIGHTS).unlink()
    assert weights_of(load(choice(base, other), ignore).pipe.transformer) == {0.125}


@pytest.mark.parametrize("inside", ["", "transformer"])
def test_a_folder_replaces_the_bases_transformer(tiny: Path, other: Path, inside: str) -> None:
    folder = other.parent / "folder"
    (folder / inside).mkdir(parents=True)
    shutil.copy(tiny / "transformer" / "config.json", folder / inside)
    shutil.copy(other, folder / inside / WEIGHTS)
    assert weights_of(load(choice(tiny, folder), ignore).pipe.transformer) == {0.125}


def test_the_weights_become_the_wanted_type_on_the_way(tiny: Path, other: Path) -> None:
    import torch

    assert load_transformer(tiny, other, torch.bfloat16).dtype == torch.bfloat16


def test_a_transformer_that_lacks_weights_is_refused(tiny: Path, other: Path) -> None:
    weights = load_file(other)
    del weights["x_embedder.weight"]
    save_file(weights, other)
    with pytest.raises(ModelMissing, match="lacks 1 of its weights"):
        load(choice(tiny, other), ignore)


@pytest.mark.parametrize("spoil", ["config.json", WEIGHTS])
def test_broken_files_are_named_without_their_paths(tiny: Path, tmp_path: Path, spoil: str) -> None:
    base = tmp_path / "flux"
    shutil.copytree(tiny, base)
    (base / "transformer" / spoil).write_bytes(b"not a model")
    with pytest.raises(ModelMissing, match="The files of flux cannot be read as a FLUX model") as caught:
        load(choice(base), ignore)
    assert str(tmp_path) not in str(caught.value)


def test_a_missing_folder_says_which_setting_to_mend(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match=r"no model folder 'gone'.*STUDIO_LOCAL_MODEL") as caught:
        load(choice(tmp_path / "gone"), ignore)
    assert str(tmp_path) not in str(caught.value)


def test_a_device_that_is_not_there_says_what_to_set() -> None:
    import torch

    absent = "mps" if torch.cuda.is_available() else "cuda"  # no machine has both
    with pytest.raises(BackendUnavailable, match="STUDIO_LOCAL_DEVICE=cpu"):
        load(choice(None, device=absent), ignore)


def test_loading_stops_between_stages() -> None:
    def stop_at_three(event: Loading) -> None:
        if event.done == 3:
            raise Stopped

    with pytest.raises(Stopped):
        load(choice(None), stop_at_three)


async def test_a_failed_load_can_be_tried_again(tiny: Path, tmp_path: Path) -> None:
    base = tmp_path / "flux"
    backend = LocalBackend(Settings(data_dir=tmp_path, local_model=str(base)), cuda=0)
    asked = make_request(backend.spec, num_inference_steps=2)
    with pytest.raises(ModelMissing):
        await drain(backend, asked)
    assert "no model folder" in said(backend.status())[1]
    shutil.copytree(tiny, base)
    _, done = await drain(backend, asked)
    assert len(done.images) == 1
    assert said(backend.status()) == ("Ready", "CPU")


@pytest.fixture(scope="module")
def hub(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A hub's address; it has `me/flux` (tiny), `me/single` (one file of zeros) and `me/empty`."""
    root = tmp_path_factory.mktemp("hub")
    shutil.copytree(tiny, root / "me" / "flux")
    shutil.copytree(tiny, root / "me" / "gated-flux")
    (root / "me" / "single").mkdir()
    weights = load_file(tiny / "transformer" / WEIGHTS)
    save_file({name: weight * 0 for name, weight in weights.items()}, root / "me" / "single" / WEIGHTS)
    (root / "me" / "empty").mkdir()
    (root / "me" / "empty" / "README.md").write_text("nothing here")
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.support.hub", str(root)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    with server:
        yield f"http://127.0.0.1:{server.stdout.readline().strip()}"
        server.terminate()


def ask(hub: str, home: Path, *asked: tuple[str, str | None, str | None]) -> list[dict[str, Any]]:
    environ = {
        **os.environ,
        **{"HF_ENDPOINT": hub, "HF_HOME": str(home), "HF_HUB_OFFLINE": "0", "HF_HUB_DISABLE_XET": "1"},
        **{"HF_HUB_ETAG_TIMEOUT": "120", "HF_HUB_DOWNLOAD_TIMEOUT": "120"},
    }
    lines = [json.dumps(each) for each in asked]
    command = [sys.executable, "-m", "tests.backends.local.ask_hub", *lines]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def downloaded(hub: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]]]:
    """The folder of what was downloaded, and what came of it: whole, with another's file, with a file by its name."""
    home = tmp_path_factory.mktemp("home")
    single = f"me/single/{WEIGHTS}"
    return home, ask(hub, home, *(("me/flux", transformer, None) for transformer in (None, "me/single", single)))


def test_a_hub_repository_and_a_single_file_of_another_are_downloaded_and_loaded(
    downloaded: tuple[Path, list[dict[str, Any]]],
) -> None:
    own, replaced, named = downloaded[1]
    assert any(own["ok"])
    assert any("GB" in stage for stage in own["stages"])
    assert replaced["ok"] == named["ok"] == [0, 0, 0, 0]


def test_what_was_downloaded_is_used_when_the_hub_is_away(downloaded: tuple[Path, list[dict[str, Any]]]) -> None:
    (again,) = ask("http://127.0.0.1:9", downloaded[0], ("me/flux", "me/single", None))
    assert again["ok"] == [0, 0, 0, 0]


def test_each_refusal_of_the_hub_says_what_to_click_or_set(hub: str, tmp_path: Path) -> None:
    gated, let_in, missing, refused, broken, empty = ask(
        hub,
        tmp_path,
        ("me/gated-flux", None, None),
        ("me/gated-flux", None, "hf_may_read"),
        ("me/nothing", None, None),
        ("me/refuses", None, "hf_wrong"),
        ("me/broken", None, None),
        ("me/flux", "me/empty", None),
    )
    assert gated["error"] == "ModelGated"
    assert "huggingface.co/me/gated-flux" in gated["text"]
    assert "HF_TOKEN" in gated["text"]
    assert "ok" in let_in
    assert missing["error"] == "ModelMissing"
    assert "me/nothing" in missing["text"]
    assert refused["error"] in ("ModelGated", "ModelMissing")
    assert "HF_TOKEN" in refused["text"]
    assert "hf_wrong" not in refused["text"]
    assert "the hub does not answer" in broken["text"]
    assert empty["error"] == "ModelMissing"


def test_a_hub_that_does_not_answer_is_said_so(tmp_path: Path) -> None:
    (away,) = ask("http://127.0.0.1:9", tmp_path, ("me/flux", None, None))
    assert away["error"] == "ModelMissing"
    assert "the hub does not answer" in away["text"]
