"""What a model's tokens cost: the recipe's price, else that of a maintained table that needs no network."""

from __future__ import annotations

from tasks.recipe import Endpoint, Price

MILLION = 1_000_000


def price_of(endpoint: Endpoint, url: str) -> Price | None:
    """What its calls cost, asked as the recipe says: batched ones a share of the live price. None where that is not
    known."""
    live, share = live_price(endpoint, url), endpoint.batch.price if endpoint.batch else 1
    return Price(input=live.input * share, output=live.output * share) if live else None


def live_price(endpoint: Endpoint, url: str) -> Price | None:
    """US dollars for a million tokens; None where neither the recipe nor the table knows the model at this address.

    The table goes by the address too: a model that somebody serves themselves has no price.
    """
    if endpoint.price or not endpoint.model:
        return endpoint.price
    from genai_prices import Usage, calc_price

    usage = Usage(input_tokens=MILLION // 1000, output_tokens=MILLION // 1000)
    try:
        found = calc_price(usage, model_ref=endpoint.model, provider_api_url=url)
    except LookupError:
        return None
    return Price(input=float(found.input_price) * 1000, output=float(found.output_price) * 1000)
