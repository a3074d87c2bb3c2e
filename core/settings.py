"""Settings from the environment. Names are listed once, here; the README's table is tested against it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

SRPO_BASE = "black-forest-labs/FLUX.1-dev"
SRPO_TRANSFORMER = "tencent/SRPO"

DEVICES = ("auto", "cpu", "cuda", "mps")

NAMES = (
    "STUDIO_DATA_DIR",
    "STUDIO_LOCAL_MODEL",
    "STUDIO_LOCAL_TRANSFORMER",
    "STUDIO_LOCAL_DEVICE",
    "STUDIO_QUEUE_SIZE",
    "STUDIO_MCP",
    "AIMLAPI_KEY",
    "AIMLAPI_BASE_URL",
    "WAVESPEED_API_KEY",
    "WAVESPEED_BASE_URL",
    "WAVESPEED_WEBHOOK_SECRET",
    "STUDIO_PUBLIC_URL",
    "HF_TOKEN",
    "GRADIO_SERVER_NAME",
    "GRADIO_SERVER_PORT",
    "SPACE_ID",
    "SPACE_HOST",
)
"""Every environment variable that `Settings.from_env` reads."""


class SettingsError(ValueError):
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
        queue_size: runs that may wait at each backend.
        mcp: whether the API is offered to MCP clients too.
        aimlapi_key, wavespeed_key: the owner's keys at the providers; never printed.
        aimlapi_base_url, wavespeed_base_url: where the providers are; a company's proxy, say.
        wavespeed_webhook_secret: with a public URL, results are told to us instead of asked for; never printed.
        public_url: the app's own address as the internet sees it, without a slash at its end.
        hf_token: the hub token for the gated base model; never printed.
        server_name: the address to bind; a Space (`SPACE_ID` is set) binds all, for its proxy stands outside.
        server_port: the port to bind.
    """

    data_dir: Path = Path("data")
    local_model: str | None = None
    local_transformer: str | None = None
    local_device: str = "auto"
    queue_size: int = 50
    mcp: bool = False
    aimlapi_key: str | None = field(default=None, repr=False)
    aimlapi_base_url: str = "https://api.aimlapi.com"
    wavespeed_key: str | None = field(default=None, repr=False)
    wavespeed_base_url: str = "https://api.wavespeed.ai"
    wavespeed_webhook_secret: str | None = field(default=None, repr=False)
    public_url: str | None = None
    hf_token: str | None = field(default=None, repr=False)
    server_name: str = "127.0.0.1"
    server_port: int = 7860

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        """Read the settings; an empty variable counts as unset.

        Raises:
            SettingsError: naming the variable and what it takes.
        """
        env = {name: environ[name].strip() for name in NAMES if environ.get(name, "").strip()}
        device = env.get("STUDIO_LOCAL_DEVICE", "auto")
        if device not in DEVICES:
            raise SettingsError(f"STUDIO_LOCAL_DEVICE is {device!r}. Set one of {', '.join(DEVICES)}.")
        return cls(
            data_dir=_folder(env, "STUDIO_DATA_DIR", "data"),
            local_model=env.get("STUDIO_LOCAL_MODEL"),
            local_transformer=env.get("STUDIO_LOCAL_TRANSFORMER"),
            local_device=device,
            queue_size=_whole(env, "STUDIO_QUEUE_SIZE", 50, 1, 10_000),
            mcp=_switch(env, "STUDIO_MCP"),
            aimlapi_key=env.get("AIMLAPI_KEY"),
            aimlapi_base_url=_address(env, "AIMLAPI_BASE_URL", cls.aimlapi_base_url),
            wavespeed_key=env.get("WAVESPEED_API_KEY"),
            wavespeed_base_url=_address(env, "WAVESPEED_BASE_URL", cls.wavespeed_base_url),
            wavespeed_webhook_secret=env.get("WAVESPEED_WEBHOOK_SECRET"),
            public_url=_address(env, "STUDIO_PUBLIC_URL", f"https://{env['SPACE_HOST']}" if "SPACE_HOST" in env else "")
            or None,
            hf_token=env.get("HF_TOKEN"),
            server_name=env.get("GRADIO_SERVER_NAME", "0.0.0.0" if "SPACE_ID" in env else "127.0.0.1"),  # noqa: S104 - a Space
            server_port=_whole(env, "GRADIO_SERVER_PORT", 7860, 1, 65_535),
        )

    @property
    def images_dir(self) -> Path:
        """Where references and results are kept."""
        return self.data_dir / "images"


def _folder(env: Mapping[str, str], name: str, default: str) -> Path:
    try:
        return Path(env.get(name, default)).expanduser().absolute()
    except RuntimeError as error:
        raise SettingsError(f"{name} is {env[name]!r}, and that user has no home here. Set a folder's path.") from error


def _address(env: Mapping[str, str], name: str, default: str) -> str:
    text = env.get(name, default)
    if text and not text.startswith(("http://", "https://")):
        raise SettingsError(f"{name} is {text!r}. Set an address that begins with https:// or http://.")
    return text.rstrip("/")


def _whole(env: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = env.get(name, str(default))
    if not text.isascii() or not text.isdigit() or len(text) > 9 or not low <= int(text) <= high:
        raise SettingsError(f"{name} is {text!r}. Set a whole number from {low} to {high}.")
    return int(text)


def _switch(env: Mapping[str, str], name: str) -> bool:
    text = env.get(name, "0").lower()
    if text not in ("0", "1", "false", "true", "no", "yes", "off", "on"):
        raise SettingsError(f"{name} is {text!r}. Set 1 or 0.")
    return text in ("1", "true", "yes", "on")
