"""A provider: an account at a service that makes images, apart from the backends that run on it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from core.messages import Message


@dataclass(frozen=True)
class Price:
    """US dollars an image. `live` says that the provider's price list gave it, and not its documents."""

    dollars: float
    live: bool = False


@dataclass(frozen=True)
class Webhook:
    """Where a provider may report that a task has ended.

    Attributes:
        path: of this app, with its slash.
        accept: takes a call's headers in lower case, its body, and seconds since the epoch; returns whether it is the
            provider's. What a call says is not taken over; it only shortens the wait.
    """

    path: str
    accept: Callable[[Mapping[str, str], bytes, float], bool]


class Provider(ABC):
    """An account: a key, an address, money. One provider may serve several backends with one key.

    Attributes:
        name: for people.
        key_env: the environment variable of the owner's key; it stands in the specs of the provider's backends.
        base_url: where its API is, without a slash at the end.
        webhook: where it may report the end of tasks, None where it cannot.
    """

    name: str
    key_env: str
    base_url: str
    webhook: Webhook | None = None

    @abstractmethod
    def ready(self, key: str | None = None) -> Message | None:
        """Return None if there is a key, the owner's or this one, else the reason and what to do."""

    @abstractmethod
    async def price(self, model: str, documented: float) -> Price:
        """Return what an image of a model costs now.

        Args:
            model: the provider's name of it.
            documented: US dollars, which stand where the provider's price list does not say.
        """

    @abstractmethod
    async def balance(self, key: str | None = None) -> float:
        """Return the US dollars left on the account of a key, None for the owner's.

        Raises:
            StudioError: the provider refuses the key, or does not answer.
        """

    async def close(self) -> None:
        """Let go of connections; called once, when the app ends."""
        return None
