"""The account at AI/ML API: its key and money."""

from __future__ import annotations

from backends.aimlapi.answers import KEY_ENV, NAME, balance_in, price_in, refusal
from backends.hosted.provider import HostedProvider
from backends.hosted.refusals import not_sent
from backends.http.answer import NotSent
from backends.http.client import ProviderClient
from core.errors import MalformedAnswer
from core.settings import Settings


class AimlapiProvider(HostedProvider):
    """An account at AI/ML API.

    Args:
        settings: the owner's key and base URL.
        client: talks to the provider; None makes one for the settings' base URL.
    """

    def __init__(self, settings: Settings, client: ProviderClient | None = None) -> None:
        client = client or ProviderClient(settings.aimlapi_base_url)
        # A stranger has no use for the address of the owner's proxy, which may tell of their network.
        code_url = Settings.aimlapi_base_url if settings.public else client.base_url
        super().__init__(NAME, "aimlapi.com", KEY_ENV, settings.aimlapi_key, client, code_url)

    async def listed_price(self, model: str) -> float | None:
        """Return the price of the provider's list of models; it takes no key."""
        answer = await self.client.get("/v1/models", None, self.client.clock() + 10, id=model, include="pricing")
        return price_in(answer.body, model)

    async def balance(self, key: str | None = None) -> float:
        """Return the dollars left, from `GET /v2/billing`."""
        key = key or self._key
        try:
            answer = await self.client.get("/v2/billing", key, self.client.clock() + 30)
        except NotSent as error:
            raise not_sent(NAME) from error
        if not answer.ok:
            raise refusal(answer, key)
        left = balance_in(answer.body)
        if left is None:
            raise MalformedAnswer("provider-balance-unknown", provider=NAME)
        return left
