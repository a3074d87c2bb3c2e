"""What can go wrong while a model is loaded, mapped once, by type, to errors that say what to click or set."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from backends.local.choice import ModelChoice, is_path
from backends.local.files import SETTINGS
from core.errors import BackendUnavailable, ModelGated, ModelMissing, OutOfMemory, StudioError

log = logging.getLogger(__name__)

_TOKEN = "Set HF_TOKEN to a token that may read it, and restart."  # noqa: S105 - words about a token, not one


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
def explained(choice: ModelChoice, kind: str = "a FLUX model", settings: str = SETTINGS) -> Iterator[None]:
    """Turn whatever loading raises into an error that says what to click or set.

    Args:
        choice: what is loaded.
        kind: what it should be, for people.
        settings: how to name another, for people.
    """
    from huggingface_hub import errors as hub

    names = " or ".join(name for name in (choice.base, choice.transformer) if name and not is_path(name))
    asked = names or choice.name
    try:
        yield
    except (StudioError, Stopped):
        raise
    except hub.GatedRepoError as error:
        raise ModelGated(
            f"The hub keeps {asked} behind a licence.",
            f"Accept it on huggingface.co/{choice.base}, make a read token, set it as HF_TOKEN, restart and run again.",
        ) from error
    except hub.RepositoryNotFoundError as error:
        raise ModelMissing(f"The hub has no {asked}, or hides it without a token.", f"{settings} {_TOKEN}") from error
    except (hub.LocalEntryNotFoundError, hub.OfflineModeIsEnabled) as error:
        raise ModelMissing(
            f"{asked} is not on this machine yet, and the hub does not answer.",
            f"Check the network and run again. {settings}",
        ) from error
    except hub.EntryNotFoundError as error:
        raise ModelMissing(f"{asked} lacks a file that belongs to {kind}.", settings) from error
    except hub.HfHubHTTPError as error:
        if error.response is not None and error.response.status_code in (401, 403):
            raise ModelGated(f"The hub refuses the token for {asked}.", _TOKEN) from error
        raise BackendUnavailable("The hub does not answer as it should.", "Run again in a few minutes.") from error
    except Exception as error:
        if out_of_memory(error):
            raise OutOfMemory(
                f"{choice.name} does not fit into this machine's memory.",
                "Set STUDIO_LOCAL_MODEL=mini, choose a hosted backend, or use a larger machine.",
            ) from error
        # Broken or foreign files fail in dozens of ways inside three libraries; their words hold paths.
        log.exception("loading %s failed", choice.name)
        raise ModelMissing(f"The files of {choice.name} cannot be read as {kind}.", settings) from error
