"""Whose model it is: on a public address its owner says first that they have read the licence; and what they set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from backends.local import LocalBackend
from core.errors import BackendUnavailable
from core.messages import in_full
from core.settings import MEMORY, NAMES, SRPO_BASE, SRPO_TRANSFORMER, Settings, SettingsError
from engine.engine import Engine
from storage.async_store import AsyncStore
from storage.sqlite.store import Store
from tests.support.fakes import make_request
from tests.support.words import said

OPEN: tuple[dict[str, str], ...] = (
    {"STUDIO_PUBLIC_URL": "https://studio.example"},
    {"GRADIO_SERVER_NAME": "0.0.0.0"},
    {"GRADIO_SERVER_NAME": "studio.lan"},
    {"SPACE_ID": "me/studio", "SPACE_HOST": "me-studio.hf.space"},
    {"SPACE_ID": "me/studio", "SPACES_ZERO_GPU": "true"},
)
"""Environments in which strangers can come in."""
FLUX: tuple[dict[str, str], ...] = (
    {"STUDIO_LOCAL_MODEL": SRPO_BASE},
    {"STUDIO_LOCAL_TRANSFORMER": SRPO_TRANSFORMER},
    {"STUDIO_LOCAL_MODEL": "/srv/models/flux"},
)
"""What names a model whose licence somebody has to read."""
READ = {"STUDIO_LICENSE_READ": "1"}
NOTICE = "FLUX.1-dev is for non-commercial use, SRPO for academic use only."


def backend(*environments: dict[str, str], cuda: int = 0) -> LocalBackend:
    """Return the backend that an owner with these variables has."""
    environ = {name: text for each in environments for name, text in each.items()}
    return LocalBackend(Settings.from_env(environ), cuda)


@pytest.mark.parametrize("where", OPEN)
@pytest.mark.parametrize("model", FLUX)
def test_flux_waits_on_a_public_address_for_its_owner_to_read_the_licence(
    where: dict[str, str], model: dict[str, str]
) -> None:
    reason = backend(where, model).ready()
    assert reason is not None
    text = in_full(reason)
    assert "STUDIO_LICENSE_READ=1" in text
    assert {"non-commercial", "academic", "filter"} <= set(text.split())
    assert "/srv" not in text
    assert backend(where, model, READ).ready() is None


@pytest.mark.parametrize("where", OPEN)
def test_what_a_machine_with_a_gpu_chooses_by_itself_waits_too(where: dict[str, str]) -> None:
    assert backend(where, cuda=1).ready() is not None
    assert backend(where, READ, cuda=1).ready() is None


@pytest.mark.parametrize("said", ["0", "", "off"])
def test_a_licence_that_was_not_read_stays_unread(said: str) -> None:
    assert backend(OPEN[0], FLUX[0], {"STUDIO_LICENSE_READ": said}).ready() is not None


@pytest.mark.parametrize("where", [*OPEN, {}])
def test_mini_is_ready_everywhere_and_has_no_such_notice(where: dict[str, str]) -> None:
    own = backend(where, {"STUDIO_LOCAL_MODEL": "mini"}, cuda=1)
    assert own.ready() is None
    assert "commercial" not in " ".join(said(own.spec.notices))


@pytest.mark.parametrize("where", [{}, {"GRADIO_SERVER_NAME": "localhost"}, {"GRADIO_SERVER_NAME": "::1"}])
@pytest.mark.parametrize("model", FLUX)
def test_nothing_is_asked_of_the_owner_of_a_personal_machine(where: dict[str, str], model: dict[str, str]) -> None:
    own = backend(where, model)
    assert own.ready() is None
    assert "commercial" not in " ".join(said(own.spec.notices))


@pytest.mark.parametrize("where", OPEN)
@pytest.mark.parametrize("read", [{}, READ])
def test_visitors_are_told_what_the_licences_allow(where: dict[str, str], read: dict[str, str]) -> None:
    notice = " ".join(said(backend(where, FLUX[0], read).spec.notices))
    assert NOTICE in notice
    assert "safety checker" not in notice
    checked = " ".join(said(backend(where, FLUX[0], read, {"STUDIO_SAFETY_MODEL": "me/checker"}).spec.notices))
    assert f"{NOTICE} A safety checker looks at every image." in checked


async def test_the_engine_takes_no_run_before(tmp_path: Path) -> None:
    own = LocalBackend(
        Settings(data_dir=tmp_path, local_model="/srv/models/flux", public_url="https://studio.example"), cuda=0
    )
    engine = Engine({"local": own}, AsyncStore(Store(tmp_path)))
    with pytest.raises(BackendUnavailable, match="STUDIO_LICENSE_READ"):
        await engine.submit("local", make_request(own.spec))
    await engine.close()


# ---- the settings ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text", "attribute", "value"),
    [
        ("STUDIO_LICENSE_READ", "1", "license_read", True),
        ("STUDIO_LICENSE_READ", "yes", "license_read", True),
        ("STUDIO_LICENSE_READ", "0", "license_read", False),
        ("STUDIO_SAFETY_MODEL", " me/checker ", "safety_model", "me/checker"),
        *(("STUDIO_LOCAL_MEMORY", rung, "local_memory", rung) for rung in MEMORY),
        *(("SPACES_ZERO_GPU", word, "zero_gpu", True) for word in ("1", "t", "T", "true", "True")),
        *(("SPACES_ZERO_GPU", word, "zero_gpu", False) for word in ("0", "f", "false", "yes", "on")),
    ],
)
def test_each_variable_is_read(name: str, text: str, attribute: str, value: Any) -> None:
    assert name in NAMES
    assert getattr(Settings.from_env({name: text}), attribute) == value


def test_what_is_not_set_is_off_or_left_to_the_hardware() -> None:
    settings = Settings.from_env({})
    assert (settings.license_read, settings.safety_model, settings.zero_gpu) == (False, None, False)
    assert settings.local_memory == "auto"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("STUDIO_LOCAL_MEMORY", "huge"),
        ("STUDIO_LOCAL_MEMORY", "FP8"),
        ("STUDIO_LOCAL_MEMORY", "cpu"),
        ("STUDIO_LICENSE_READ", "maybe"),
    ],
)
def test_a_wrong_word_is_refused_by_its_variables_name(name: str, text: str) -> None:
    with pytest.raises(SettingsError, match=f"{name} is '{text}'"):
        Settings.from_env({name: text})


def test_every_rung_that_may_be_named_is_a_rung_of_the_ladder() -> None:
    from backends.local.memory_plan import BY_KEY

    assert set(MEMORY) - {"auto"} == {key for key, rung in BY_KEY.items() if "cuda" in rung.kinds and key != "cpu"}
