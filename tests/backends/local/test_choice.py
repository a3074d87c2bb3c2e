"""Which model is taken on which machine."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from backends.local.choice import choose, cuda_devices
from core.settings import Settings


@pytest.mark.parametrize(
    ("settings", "has_cuda", "name", "device"),
    [
        ({}, False, "mini", "cpu"),
        ({}, True, "FLUX SRPO", "cuda"),
        ({"local_device": "cpu"}, True, "mini", "cpu"),
        ({"local_model": "mini"}, True, "mini", "cpu"),
        ({"local_model": "mini", "local_device": "cuda"}, True, "mini", "cuda"),
        ({"local_transformer": "tencent/SRPO"}, False, "FLUX SRPO", "cpu"),
        ({"local_model": "black-forest-labs/FLUX.1-dev"}, True, "FLUX SRPO", "cuda"),
        ({"local_model": "black-forest-labs/FLUX.1-schnell"}, True, "FLUX.1-schnell", "cuda"),
        ({"local_model": "/srv/models/my-flux"}, False, "my-flux", "cpu"),
    ],
)
def test_model_and_device_follow_settings_then_hardware(
    settings: dict[str, str], has_cuda: bool, name: str, device: str
) -> None:
    choice = choose(Settings(**settings), has_cuda)
    assert (choice.name, choice.device) == (name, device)


def test_flux_dev_takes_srpos_transformer_unless_another_is_set() -> None:
    base = "black-forest-labs/FLUX.1-dev"
    assert choose(Settings(local_model=base), True).transformer == "tencent/SRPO"
    assert choose(Settings(local_model=base, local_transformer="me/mine"), True).transformer == "me/mine"


def test_another_base_keeps_its_own_transformer() -> None:
    assert choose(Settings(local_model="me/flux"), True).transformer is None


def test_counting_gpus_does_not_import_torch() -> None:
    code = (
        "import sys; from backends.local.choice import cuda_devices as n; print(n()); assert 'torch' not in sys.modules"
    )
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert int(done.stdout) == cuda_devices()
