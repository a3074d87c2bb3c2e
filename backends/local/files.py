"""Where a model's files are: a folder here, or the hub's, downloaded into its cache at the first time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from backends.local.choice import MINI_FOLDER, ModelChoice, is_path
from core.errors import ModelMissing
from core.messages import Message, message

WEIGHTS = "diffusion_pytorch_model.safetensors"
"""What a hub repository of a single transformer calls its file; tencent/SRPO does."""

Setting = Literal["model", "safety"]
"""Which setting names a folder or a hub repository: of the model, or of the safety checker."""


def find(choice: ModelChoice, tell: Callable[[Message], None], *, offline: bool = False) -> tuple[Path, Path | None]:
    """Return the base's folder, and the folder or file of the transformer that replaces the base's, if any.

    Args:
        choice: what to look for.
        tell: hears how a download goes, and may raise to stop it.
        offline: whether only files on this disk count, and the hub is not asked.

    Raises:
        ModelMissing: a path leads nowhere.
        Exception: whatever huggingface_hub raises; `backends.local.load_errors` explains it.
    """
    if choice.base is None:
        return MINI_FOLDER, None
    parts = ["model_index.json", "scheduler/*", "text_encoder*/*", "tokenizer*/*", "vae/*"]
    parts.append("transformer/config.json" if choice.transformer else "transformer/*")
    base = fetch_folder(choice.base, parts, choice.token, tell, offline=offline)
    return base, _find_transformer(choice, tell, offline) if choice.transformer else None


def fetch_folder(
    name: str,
    parts: list[str],
    token: str | None,
    tell: Callable[[Message], None],
    setting: Setting = "model",
    *,
    offline: bool = False,
) -> Path:
    """Return a model's folder: the one of that path, or the hub's repository of that name, downloaded.

    Args:
        name: a path, or `owner/name` on the hub.
        parts: patterns of the files that are wanted from the hub.
        token: the hub token, None where there is none.
        tell: hears how a download goes, and may raise to stop it.
        setting: which setting names it.
        offline: whether only what was downloaded before counts.

    Raises:
        ModelMissing: the path leads nowhere.
        Exception: whatever huggingface_hub raises; `backends.local.load_errors` explains it.
    """
    from huggingface_hub import snapshot_download

    path = Path(name).expanduser()
    if path.is_dir():
        return path
    if is_path(name):
        raise ModelMissing("model-folder-missing", name=repr(path.name), setting=setting)
    found = snapshot_download(name, allow_patterns=parts, token=token, tqdm_class=_bar(tell), local_files_only=offline)
    return Path(found)


def _find_transformer(choice: ModelChoice, tell: Callable[[Message], None], offline: bool) -> Path:
    """Return the folder or file of the transformer that replaces the base's.

    A setting may name a folder, a `.safetensors` file, a hub repository (its single file, or its
    `transformer` folder) or one file in a repository.
    """
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    name = choice.transformer
    assert name is not None
    path = Path(name).expanduser()
    if path.exists():
        return path / "transformer" if (path / "transformer" / "config.json").is_file() else path
    if is_path(name):
        raise ModelMissing("model-transformer-missing", name=repr(path.name))
    tell(message("stage-first-download"))
    owner_and_repository, file = "/".join(name.split("/")[:2]), "/".join(name.split("/")[2:])
    try:
        return Path(
            hf_hub_download(owner_and_repository, file or WEIGHTS, token=choice.token, local_files_only=offline)
        )
    except LocalEntryNotFoundError:
        raise  # the hub cannot be reached, or is not asked: that says nothing of what it has
    except EntryNotFoundError:
        if file:
            raise
        return fetch_folder(name, ["transformer/*"], choice.token, tell) / "transformer"


def _bar(tell: Callable[[Message], None]) -> Any:
    """Return a progress bar class for huggingface_hub that tells how many bytes have come."""
    from tqdm import tqdm

    class Bar(tqdm):  # type: ignore[misc]  # it has no types
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            self._counts_bytes = kwargs.get("unit") == "B"
            kwargs.pop("name", None)
            super().__init__(*args, **{**kwargs, "disable": False, "file": _Nowhere()})

        def update(self, n: float | None = 1) -> None:
            super().update(n)
            if self._counts_bytes and self.total:
                tell(message("stage-downloaded", done=self.n / 1e9, total=self.total / 1e9))

    return Bar


class _Nowhere:
    """A file that takes a progress bar's drawing and shows it to nobody."""

    def write(self, _: str) -> None: ...

    def flush(self) -> None: ...
