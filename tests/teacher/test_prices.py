import socket

import pytest

from tasks.recipe import Endpoint, Price
from tasks.teacher.prices import price_of

OPENAI = "https://api.openai.com/v1"


def test_the_recipes_price_comes_first() -> None:
    own = Price(input=7, output=9)
    assert price_of(Endpoint(model="gpt-4o-mini", price=own), OPENAI) == own


def test_a_public_price_is_known_without_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("it went to the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert price_of(Endpoint(model="gpt-4o-mini"), OPENAI) == Price(input=0.15, output=0.6)


@pytest.mark.parametrize(
    ("model", "url"),
    [
        ("our-own-finetune", OPENAI),
        ("gpt-4o-mini", "http://localhost:8000/v1"),  # served by somebody else, whatever its name says
        ("gpt-4o-mini", "https://llm.example.com/v1"),
        (None, OPENAI),
    ],
)
def test_a_model_that_is_not_known_at_its_address_has_no_price(model: str | None, url: str) -> None:
    assert price_of(Endpoint(model=model), url) is None
