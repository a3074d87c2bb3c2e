"""What can go wrong while a model is loaded, mapped once, by type, to errors that say what to click or set."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from backends.local.choice import ModelChoice, is_path
from backends.local.files import Setting
from core.errors import BackendUnavailable, ModelGated, ModelMissing, OutOfMemory, StudioError

log = logging.getLogger(__name__)


class Stopped(Exception):
    """Raised at the next stage or step when nobody wants the run any more."""


def out_of_memory(error: BaseException) -> bool:
    """Return whether an error says that memory ran out, of the device or pinned for it.

    By its words where it must be: cuBLAS, Triton, Apple's backend and pinning have no type of their own for it.
    """
    import torch

    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    words = str(error).lower()
    return isinstance(error, RuntimeError) and ("out of memory" in words or "alloc_failed" in words)


@contextmanager
def explained(choice: ModelChoice, setting: Setting = "model") -> Iterator[None]:
    """Turn whatever loading raises into an error that says what to click or set.

    Args:
        choice: what is loaded.
        setting: which setting names it: of the model, or of the safety checker.
    """
    from huggingface_hub import errors as hub

    names = " or ".join(name for name in (choice.base, choice.transformer) if name and not is_path(name))
    asked = names or choice.name
    try:
        yield
    except (StudioError, Stopped):
        raise
    except hub.GatedRepoError as error:
        raise ModelGated("model-gated", model=asked, base=choice.base or "") from error
    except hub.RepositoryNotFoundError as error:
        raise ModelMissing("model-not-on-hub", model=asked, setting=setting) from error
    except (hub.LocalEntryNotFoundError, hub.OfflineModeIsEnabled) as error:
        raise ModelMissing("model-not-downloaded", model=asked, setting=setting) from error
    except hub.EntryNotFoundError as error:
        raise ModelMissing("model-file-missing", model=asked, setting=setting) from error
    except hub.HfHubHTTPError as error:
        if error.response is not None and error.response.status_code in (401, 403):
            raise ModelGated("model-token-refused", model=asked) from error
        raise BackendUnavailable("model-hub-broken") from error
    except Exception as error:
        if out_of_memory(error):
            raise OutOfMemory("model-too-large", model=choice.name) from error
        # Broken or foreign files fail in dozens of ways inside three libraries; their words hold paths.
        log.exception("loading %s failed", choice.name)
        raise ModelMissing("model-unreadable", model=choice.name, setting=setting) from error
