"""Settings from the environment. Names are listed once, here; the README's table is tested against it."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr

from core.errors import StartError
from core.job import Allowance
from core.limits import Caps

SRPO_BASE = "black-forest-labs/FLUX.1-dev"
SRPO_TRANSFORMER = "tencent/SRPO"

API_MODELS = {"flux/srpo/image-to-image": "local", "wavespeed-ai/flux-srpo/image-to-image": "local"}
"""Names under which the API offers a backend, where the owner's setting says nothing else."""

DEVICES = ("auto", "cpu", "cuda", "mps")
DOWNLOADS = ("embed", "mark", "none")
"""What a download holds: see `core.recipe_files.embed.Embed`."""
MEMORY = ("auto", "gpu", "fp8", "text", "tiles", "offload", "stream")
"""What STUDIO_LOCAL_MEMORY may say: the rungs of the local backend's memory ladder."""

NAMES = (
    "STUDIO_DATA_DIR",
    "STUDIO_LOCAL_MODEL",
    "STUDIO_LOCAL_TRANSFORMER",
    "STUDIO_LOCAL_DEVICE",
    "STUDIO_LOCAL_MEMORY",
    "STUDIO_PRELOAD",
    "STUDIO_SAFETY_MODEL",
    "STUDIO_LICENSE_READ",
    "STUDIO_QUEUE_SIZE",
    "STUDIO_RERUN",
    "STUDIO_MAX_UPLOAD_MB",
    "STUDIO_MAX_MEGAPIXELS",
    "STUDIO_REFERENCE_MEGAPIXELS",
    "STUDIO_UPLOAD_MB_PER_HOUR",
    "STUDIO_RUNS_PER_MINUTE",
    "STUDIO_RUNS_PER_DAY",
    "STUDIO_DAILY_BUDGET",
    "STUDIO_DISK_QUOTA_GB",
    "STUDIO_ARCHIVE_MB",
    "STUDIO_DOWNLOADS",
    "STUDIO_CACHE_HOURS",
    "STUDIO_EXPERIMENT_CELLS",
    "STUDIO_EXPERIMENT_ASK_RUNS",
    "STUDIO_EXPERIMENT_ASK_DOLLARS",
    "STUDIO_TRUSTED_PROXIES",
    "STUDIO_METRICS_TOKEN",
    "STUDIO_MCP",
    "STUDIO_API_KEY",
    "STUDIO_API_MODELS",
    "STUDIO_API_SPENDS",
    "STUDIO_API_RUNS_PER_MINUTE",
    "STUDIO_API_RUNS_PER_DAY",
    "STUDIO_WEBHOOK_ORIGINS",
    "AIMLAPI_KEY",
    "AIMLAPI_BASE_URL",
    "WAVESPEED_API_KEY",
    "WAVESPEED_BASE_URL",
    "WAVESPEED_WEBHOOK_SECRET",
    "STUDIO_PUBLIC_URL",
    "HF_TOKEN",
    "GRADIO_SERVER_NAME",
    "GRADIO_SERVER_PORT",
    "GRADIO_ROOT_PATH",
    "SPACE_ID",
    "SPACE_HOST",
    "SPACES_ZERO_GPU",
    "OAUTH_CLIENT_ID",
)
"""Every environment variable that `Settings.from_env` reads."""


class SettingsError(StartError):
    """A setting's value cannot be used; the message names the variable."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The owner's choices.

    Attributes:
        data_dir: everything that is kept lies under it.
        local_model: a FLUX directory or hub repository in the diffusers layout; None chooses by the hardware.
        local_transformer: a directory, repository or `.safetensors` file that replaces the model's
            transformer; None keeps the model's own, or takes SRPO's where the model is FLUX.1-dev.
        local_device: `auto`, `cpu`, `cuda` or `mps`.
        local_memory: where the local model's parts live, one of MEMORY.
        preload: whether the local model is loaded once the app answers, if its files are on this disk.
        safety_model: a folder or hub repository of an image classifier that checks the local model's pictures.
        license_read: whether the owner has read the local model's licence; others are let at it only then.
        zero_gpu: whether this is a ZeroGPU Space.
        queue_size: runs that may wait at each backend.
        rerun: whether runs that a restart cut before anything was sent begin again; else they end as interrupted.
        caps: limits on visitors, money and disk.
        trusted_proxies: how many proxies in front of the app tell a visitor's address.
        metrics_token: opens `/metrics`, which is shut without one.
        mcp: whether the API is offered to MCP clients too.
        api_key: one fixed key to the provider-compatible API, beside those that `api.keys` issues.
        api_models: which backend runs what is asked for by a model's name there.
        api_spends: whether that API may spend the owner's keys at the providers.
        api_allowance: runs that each of its keys may start.
        webhook_origins: origins that webhooks may call though they are not on the public internet.
        aimlapi_key, wavespeed_key: the owner's keys at the providers.
        aimlapi_base_url, wavespeed_base_url: where the providers are; a company's proxy, say.
        wavespeed_webhook_secret: with a public URL, results are reported to us instead of asked for.
        public_url: the app's own address as the internet sees it, without a slash at its end.
        downloads: what a downloaded picture holds where nobody says, one of DOWNLOADS.
        sign_in: whether this is a Space that lets visitors sign in: their runs then belong to their account.
        hf_token: the hub token for the gated base model.
        server_name: the address to bind; a Space (`SPACE_ID` is set) binds all, for its proxy stands outside.
        server_port: the port to bind.
        root_path: the path under which a proxy serves the app, such as `/studio`; empty for the root of its host.
    """

    data_dir: Path = Path("data")
    local_model: str | None = None
    local_transformer: str | None = None
    local_device: str = "auto"
    local_memory: str = "auto"
    preload: bool = True
    safety_model: str | None = None
    license_read: bool = False
    zero_gpu: bool = False
    queue_size: int = 50
    rerun: bool = True
    caps: Caps = field(default_factory=Caps)
    trusted_proxies: int = 0
    metrics_token: SecretStr | None = None
    mcp: bool = False
    api_key: SecretStr | None = None
    api_models: Mapping[str, str] = field(default_factory=lambda: dict(API_MODELS))
    api_spends: bool = False
    api_allowance: Allowance = field(default_factory=Allowance)
    webhook_origins: tuple[str, ...] = ()
    aimlapi_key: SecretStr | None = None
    aimlapi_base_url: str = "https://api.aimlapi.com"
    wavespeed_key: SecretStr | None = None
    wavespeed_base_url: str = "https://api.wavespeed.ai"
    wavespeed_webhook_secret: SecretStr | None = None
    public_url: str | None = None
    downloads: str = DOWNLOADS[0]
    sign_in: bool = False
    hf_token: SecretStr | None = None
    server_name: str = "127.0.0.1"
    server_port: int = 7860
    root_path: str = ""

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        """Read the settings; an empty variable counts as unset.

        Raises:
            SettingsError: naming the variable and what it takes.
        """
        env = {name: environ[name].strip() for name in NAMES if environ.get(name, "").strip()}
        server_name = env.get("GRADIO_SERVER_NAME", "0.0.0.0" if "SPACE_ID" in env else "127.0.0.1")  # noqa: S104 - a Space
        server_name = re.sub(r"^\[(.*)\]$", r"\1", server_name)  # an IPv6 address as it stands in a URL
        public_url = _address(env, "STUDIO_PUBLIC_URL", f"https://{env['SPACE_HOST']}" if "SPACE_HOST" in env else "")
        root_path = _root_path(env, public_url)
        if public_url and root_path and not urlsplit(public_url).path:
            public_url += root_path
        public = bool(public_url) or not _is_loopback(server_name)
        return cls(
            data_dir=_folder(env, "STUDIO_DATA_DIR", "data"),
            local_model=env.get("STUDIO_LOCAL_MODEL"),
            local_transformer=env.get("STUDIO_LOCAL_TRANSFORMER"),
            local_device=_one_of(env, "STUDIO_LOCAL_DEVICE", DEVICES),
            local_memory=_one_of(env, "STUDIO_LOCAL_MEMORY", MEMORY),
            preload=_switch(env, "STUDIO_PRELOAD", "1"),
            safety_model=env.get("STUDIO_SAFETY_MODEL"),
            license_read=_switch(env, "STUDIO_LICENSE_READ"),
            zero_gpu=env.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true"),  # as the `spaces` package reads it
            queue_size=_whole(env, "STUDIO_QUEUE_SIZE", 50, 1, 10_000),
            rerun=_switch(env, "STUDIO_RERUN", "1"),
            caps=_caps(env, public),
            trusted_proxies=_whole(env, "STUDIO_TRUSTED_PROXIES", 1 if "SPACE_ID" in env else 0, 0, 10),
            metrics_token=_secret(env, "STUDIO_METRICS_TOKEN"),
            mcp=_switch(env, "STUDIO_MCP"),
            api_key=_secret(env, "STUDIO_API_KEY"),
            api_models=_models(env, "STUDIO_API_MODELS"),
            api_spends=_switch(env, "STUDIO_API_SPENDS"),
            api_allowance=Allowance(
                _whole(env, "STUDIO_API_RUNS_PER_MINUTE", 60, 0, 100_000) or None,
                _whole(env, "STUDIO_API_RUNS_PER_DAY", 2000, 0, 10_000_000) or None,
            ),
            webhook_origins=tuple(_list(env, "STUDIO_WEBHOOK_ORIGINS")),
            aimlapi_key=_secret(env, "AIMLAPI_KEY"),
            aimlapi_base_url=_address(env, "AIMLAPI_BASE_URL", cls.aimlapi_base_url),
            wavespeed_key=_secret(env, "WAVESPEED_API_KEY"),
            wavespeed_base_url=_address(env, "WAVESPEED_BASE_URL", cls.wavespeed_base_url),
            wavespeed_webhook_secret=_secret(env, "WAVESPEED_WEBHOOK_SECRET"),
            public_url=public_url or None,
            downloads=_one_of(env, "STUDIO_DOWNLOADS", DOWNLOADS),
            sign_in="OAUTH_CLIENT_ID" in env,
            hf_token=_secret(env, "HF_TOKEN"),
            server_name=server_name,
            server_port=_whole(env, "GRADIO_SERVER_PORT", 7860, 1, 65_535),
            root_path=root_path,
        )

    @property
    def public(self) -> bool:
        """Whether strangers can come in: each browser then has its own pictures, and limits hold."""
        return self.public_url is not None or not _is_loopback(self.server_name)

    @property
    def secrets(self) -> tuple[SecretStr, ...]:
        """Every secret that is set."""
        found = (getattr(self, each.name) for each in fields(self))
        return tuple(each for each in found if isinstance(each, SecretStr))


def _caps(env: Mapping[str, str], public: bool) -> Caps:
    """Return the limits. A personal machine has none on runs and money: its owner is the one who clicks."""
    return Caps(
        max_bytes=_whole(env, "STUDIO_MAX_UPLOAD_MB", 60, 1, 500) * 10**6,
        max_pixels=_whole(env, "STUDIO_MAX_MEGAPIXELS", 120, 1, 500) * 10**6,
        reference_pixels=_whole(env, "STUDIO_REFERENCE_MEGAPIXELS", 24, 1, 100) * 10**6,
        per_minute=_whole(env, "STUDIO_RUNS_PER_MINUTE", 10 if public else 0, 0, 10_000) or None,
        per_day=_whole(env, "STUDIO_RUNS_PER_DAY", 200 if public else 0, 0, 1_000_000) or None,
        budget=_dollars(env, "STUDIO_DAILY_BUDGET", 2.0 if public else None),
        uploads_per_hour=_whole(env, "STUDIO_UPLOAD_MB_PER_HOUR", 500 if public else 0, 0, 1_000_000) * 10**6 or None,
        quota=_whole(env, "STUDIO_DISK_QUOTA_GB", 20, 1, 100_000) * 10**9,
        archive=_whole(env, "STUDIO_ARCHIVE_MB", 2000, 1, 1_000_000) * 10**6,
        cache_age=_whole(env, "STUDIO_CACHE_HOURS", 24, 1, 10_000) * 3600.0,
        cells=_whole(env, "STUDIO_EXPERIMENT_CELLS", 400, 1, 10_000),
        ask_runs=_whole(env, "STUDIO_EXPERIMENT_ASK_RUNS", 64, 0, 10_000),
        ask_dollars=_dollars(env, "STUDIO_EXPERIMENT_ASK_DOLLARS", 1.0) or 0.0,
    )


def _root_path(env: Mapping[str, str], public_url: str) -> str:
    """Return the path of the public address, or the one that is set for a proxy alone."""
    public = urlsplit(public_url).path
    path = env.get("GRADIO_ROOT_PATH", public).rstrip("/")
    if path and not re.fullmatch(r"(/[\w.~-]+)+", path, re.ASCII):
        raise SettingsError("setting-path", value=repr(path))
    if public not in ("", path):
        raise SettingsError("setting-paths-differ", path=repr(path), public=repr(public))
    return path


def _is_loopback(name: str) -> bool:
    try:
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _list(env: Mapping[str, str], name: str) -> list[str]:
    return [each.strip().rstrip("/") for each in env.get(name, "").split(",") if each.strip()]


def _models(env: Mapping[str, str], name: str) -> dict[str, str]:
    """Return backends by model, as `model=backend, model=backend` says, beside those that are always there."""
    models = dict(API_MODELS)
    for each in _list(env, name):
        model, _, backend = each.partition("=")
        if not re.fullmatch(r"\w[\w.-]*(/\w[\w.-]*){0,5}", model.strip()) or not backend.strip():
            raise SettingsError("setting-models", name=name, value=repr(each))
        models[model.strip()] = backend.strip()
    return models


def _one_of(env: Mapping[str, str], name: str, words: tuple[str, ...]) -> str:
    """Return a setting that is one of a few words, the first by default."""
    word = env.get(name, words[0])
    if word not in words:
        raise SettingsError("setting-choice", name=name, value=repr(word), choices=", ".join(words))
    return word


def _secret(env: Mapping[str, str], name: str) -> SecretStr | None:
    return SecretStr(env[name]) if name in env else None


def _dollars(env: Mapping[str, str], name: str, default: float | None) -> float | None:
    if name not in env:
        return default
    text = env[name].removeprefix("$")
    if not re.fullmatch(r"\d{1,6}(\.\d{1,4})?", text):
        raise SettingsError("setting-dollars", name=name, value=repr(env[name]))
    return float(text)


def _folder(env: Mapping[str, str], name: str, default: str) -> Path:
    try:
        return Path(env.get(name, default)).expanduser().absolute()
    except RuntimeError as error:
        raise SettingsError("setting-home", name=name, value=repr(env[name])) from error


def _address(env: Mapping[str, str], name: str, default: str) -> str:
    text = env.get(name, default)
    if text and not text.startswith(("http://", "https://")):
        raise SettingsError("setting-address", name=name, value=repr(text))
    return text.rstrip("/")


def _whole(env: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = env.get(name, str(default))
    if not text.isascii() or not text.isdigit() or len(text) > 9 or not low <= int(text) <= high:
        raise SettingsError("setting-whole-number", name=name, value=repr(text), minimum=str(low), maximum=str(high))
    return int(text)


def _switch(env: Mapping[str, str], name: str, default: str = "0") -> bool:
    text = env.get(name, default).lower()
    if text not in ("0", "1", "false", "true", "no", "yes", "off", "on"):
        raise SettingsError("setting-switch", name=name, value=repr(text))
    return text in ("1", "true", "yes", "on")
