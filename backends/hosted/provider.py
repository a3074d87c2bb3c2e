"""What the accounts at hosted providers have in common."""

from __future__ import annotations

import re
from abc import abstractmethod

from pydantic import SecretStr

from backends.hosted.price import PriceTag
from backends.http.client import ProviderClient
from core.errors import KeyMissing
from core.messages import Message, message
from core.provider import Price, Provider
from core.secrets import revealed


class HostedProvider(Provider):
    """An account that is reached by HTTP with a key.

    Args:
        name: for people.
        site: where a person gets a key.
        key_env: the environment variable of the owner's key.
        key: the owner's, None where they have none.
        client: talks to the provider.
        code_url: the provider's address in code that is handed out.

    Attributes:
        client, code_url: likewise; without a user and password.
    """

    def __init__(
        self, name: str, site: str, key_env: str, key: SecretStr | None, client: ProviderClient, code_url: str
    ) -> None:
        self.name = name
        self.key_env = key_env
        self.base_url = client.base_url
        self.client = client
        self.code_url = re.sub("//[^/]*@", "//", code_url)
        self._site = site
        self._key = revealed(key)
        self._prices: dict[str, PriceTag] = {}

    def ready(self, key: str | None = None) -> Message | None:
        """Return None with a key, else where to get one."""
        if key or self._key:
            return None
        return message("provider-key-missing", provider=self.name, site=self._site, setting=self.key_env)

    def key(self, given: str | None) -> str:
        """Return the key of a run: the one that was given, or the owner's.

        Raises:
            KeyMissing: there is neither.
        """
        missing = self.ready(given)
        if missing is not None:
            raise KeyMissing(missing)
        return given or self._key or ""

    async def price(self, model: str, documented: float) -> Price:
        """Return the price of the provider's list, read at most once an hour."""
        tag = self._prices.setdefault(model, PriceTag(documented, self.client.clock))
        return await tag.price(lambda: self.listed_price(model))

    @abstractmethod
    async def listed_price(self, model: str) -> float | None:
        """Ask the provider what an image of a model costs; None where its answer does not say.

        Raises:
            StudioError, NotSent, Lost: it could not be asked.
        """

    async def close(self) -> None:
        """Close the connections to the provider."""
        await self.client.close()
