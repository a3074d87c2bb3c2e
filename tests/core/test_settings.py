"""Settings from the environment: each name is read, each bad value is named, no secret is printed."""

from __future__ import annotations

import operator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from core.settings import NAMES, Settings, SettingsError


def test_an_empty_environment_gives_the_defaults() -> None:
    settings = Settings.from_env({})
    assert settings.data_dir == Path("data").absolute()
    assert (settings.server_name, settings.server_port) == ("127.0.0.1", 7860)
    assert settings.local_model is settings.hf_token is None


@pytest.mark.parametrize(
    ("name", "text", "attribute", "value"),
    [
        ("STUDIO_DATA_DIR", "/srv/studio", "data_dir", Path("/srv/studio")),
        ("STUDIO_LOCAL_MODEL", " me/flux ", "local_model", "me/flux"),
        ("STUDIO_LOCAL_TRANSFORMER", "me/srpo", "local_transformer", "me/srpo"),
        ("STUDIO_LOCAL_DEVICE", "cpu", "local_device", "cpu"),
        ("STUDIO_QUEUE_SIZE", "7", "queue_size", 7),
        ("STUDIO_RERUN", "off", "rerun", False),
        ("STUDIO_DOWNLOADS", "mark", "downloads", "mark"),
        ("STUDIO_MAX_UPLOAD_MB", "5", "caps.max_bytes", 5_000_000),
        ("STUDIO_MAX_MEGAPIXELS", "8", "caps.max_pixels", 8_000_000),
        ("STUDIO_REFERENCE_MEGAPIXELS", "8", "caps.reference_pixels", 8_000_000),
        ("STUDIO_UPLOAD_MB_PER_HOUR", "7", "caps.uploads_per_hour", 7_000_000),
        ("STUDIO_UPLOAD_MB_PER_HOUR", "0", "caps.uploads_per_hour", None),
        ("STUDIO_RUNS_PER_MINUTE", "3", "caps.per_minute", 3),
        ("STUDIO_RUNS_PER_DAY", "0", "caps.per_day", None),
        ("STUDIO_DAILY_BUDGET", "$1.50", "caps.budget", 1.5),
        ("STUDIO_DISK_QUOTA_GB", "2", "caps.quota", 2_000_000_000),
        ("STUDIO_CACHE_HOURS", "2", "caps.cache_age", 7200.0),
        ("STUDIO_TRUSTED_PROXIES", "2", "trusted_proxies", 2),
        ("SPACE_ID", "me/space", "trusted_proxies", 1),
        ("STUDIO_METRICS_TOKEN", "t", "metrics_token", SecretStr("t")),
        ("STUDIO_MCP", "on", "mcp", True),
        ("STUDIO_MCP", "0", "mcp", False),
        ("HF_TOKEN", "hf_x", "hf_token", SecretStr("hf_x")),
        ("AIMLAPI_KEY", "k", "aimlapi_key", SecretStr("k")),
        ("AIMLAPI_BASE_URL", "http://127.0.0.1:9/", "aimlapi_base_url", "http://127.0.0.1:9"),
        ("WAVESPEED_API_KEY", "k", "wavespeed_key", SecretStr("k")),
        ("WAVESPEED_BASE_URL", "https://proxy.example/ws", "wavespeed_base_url", "https://proxy.example/ws"),
        ("WAVESPEED_WEBHOOK_SECRET", "whsec_x", "wavespeed_webhook_secret", SecretStr("whsec_x")),
        ("STUDIO_PUBLIC_URL", "https://studio.example/", "public_url", "https://studio.example"),
        ("SPACE_HOST", "me-space.hf.space", "public_url", "https://me-space.hf.space"),
        ("GRADIO_SERVER_NAME", "0.0.0.0", "server_name", "0.0.0.0"),
        ("GRADIO_SERVER_PORT", "80", "server_port", 80),
        ("SPACE_ID", "me/space", "server_name", "0.0.0.0"),
        ("OAUTH_CLIENT_ID", "c0ffee", "sign_in", True),
    ],
)
def test_each_variable_is_read(name: str, text: str, attribute: str, value: Any) -> None:
    assert name in NAMES
    assert operator.attrgetter(attribute)(Settings.from_env({name: text})) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("STUDIO_LOCAL_DEVICE", "gpu"),
        ("STUDIO_QUEUE_SIZE", "0"),
        ("STUDIO_QUEUE_SIZE", "many"),
        ("STUDIO_QUEUE_SIZE", "1" * 5000),
        ("STUDIO_QUEUE_SIZE", "²"),
        ("STUDIO_MCP", "maybe"),
        ("STUDIO_DAILY_BUDGET", "much"),
        ("STUDIO_DAILY_BUDGET", "-1"),
        ("STUDIO_DAILY_BUDGET", "1e9"),
        ("AIMLAPI_BASE_URL", "api.aimlapi.com"),
        ("WAVESPEED_BASE_URL", "ftp://x"),
        ("STUDIO_PUBLIC_URL", "studio.example"),
        ("GRADIO_SERVER_PORT", "65536"),
        ("GRADIO_SERVER_PORT", "-1"),
        ("STUDIO_DATA_DIR", "~nobody-of-that-name/x"),
    ],
)
def test_a_bad_value_names_its_variable(name: str, text: str) -> None:
    with pytest.raises(SettingsError, match=name):
        Settings.from_env({name: text})


def test_an_empty_variable_counts_as_unset() -> None:
    assert Settings.from_env(dict.fromkeys(NAMES, "  ")) == Settings.from_env({})


def test_no_secret_is_ever_printed() -> None:
    names = ("HF_TOKEN", "AIMLAPI_KEY", "WAVESPEED_API_KEY", "WAVESPEED_WEBHOOK_SECRET")
    assert "canary" not in repr(Settings.from_env(dict.fromkeys(names, "canary-1234")))


@pytest.mark.parametrize(
    ("environment", "public"),
    [
        ({}, False),
        ({"GRADIO_SERVER_NAME": "localhost"}, False),
        ({"GRADIO_SERVER_NAME": "::1"}, False),
        ({"GRADIO_SERVER_NAME": "0.0.0.0"}, True),
        ({"GRADIO_SERVER_NAME": "studio.lan"}, True),
        ({"STUDIO_PUBLIC_URL": "https://studio.example"}, True),
        ({"SPACE_ID": "me/space", "SPACE_HOST": "me-space.hf.space"}, True),
    ],
)
def test_limits_on_runs_and_money_hold_where_strangers_can_come_in(environment: dict[str, str], public: bool) -> None:
    settings = Settings.from_env(environment)
    assert settings.public is public
    caps = settings.caps
    assert (caps.per_minute, caps.per_day, caps.budget) == ((10, 200, 2.0) if public else (None, None, None))


def test_secrets_are_in_no_print_of_the_settings() -> None:
    names = ("AIMLAPI_KEY", "WAVESPEED_API_KEY", "WAVESPEED_WEBHOOK_SECRET", "HF_TOKEN", "STUDIO_METRICS_TOKEN")
    settings = Settings.from_env({name: f"canary-{name}" for name in names})
    assert "canary" not in f"{settings} {settings!r}"
    assert sorted(each.get_secret_value() for each in settings.secrets) == sorted(f"canary-{name}" for name in names)
