"""What is said of the settings of techniques."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

import pytest
from pydantic import Field, NonNegativeInt, PositiveInt

from tasks.answer.shelf import ANSWER
from tasks.link import Only
from tasks.produce.shelf import PRODUCE
from tasks.setting import TO_BE_GIVEN, Languages, Setting, Temperature, explained, made, settings
from tasks.technique import ONLY

EVERY = [(shelf, name) for shelf in (PRODUCE, ANSWER) for name in shelf.ready]


@pytest.mark.parametrize(("shelf", "name"), EVERY)
def test_every_setting_of_every_technique_is_explained(shelf: Any, name: str) -> None:
    technique = shelf.find(name)
    assert [s.name for s in settings(technique) if len(s.about) < 10] == []


@pytest.mark.parametrize(("shelf", "name"), EVERY)
def test_no_technique_explains_a_setting_that_it_does_not_have(shelf: Any, name: str) -> None:
    technique = shelf.find(name)
    own = re.findall(r"^    `(\w+)`.*?: ", technique.__doc__, re.M)
    assert set(own) <= {s.name for s in settings(technique)}
    assert made(technique)


def test_only_is_explained() -> None:
    assert [s.name for s in settings(Only) if s.name in ONLY and not s.about] == []


@dataclass(frozen=True, slots=True)
class Above:
    """What stands above.

    `rounds`: how often it goes round,
    and round again.
    `few` and `many`: between how many.
    """

    rounds: PositiveInt = 3
    few: NonNegativeInt = 1
    many: Annotated[float, Field(gt=0)] = 2


@dataclass(frozen=True, slots=True)
class Below(Above):
    """Each `thing`, and more of it.

    `rounds`: how often it is tried; 0 of `few`: never.

    What it gives is new.
    """

    files: tuple[str, ...] = field(kw_only=True)
    languages: Languages = ("zh",)
    mode: Literal["one", "two", "three"] = "one"
    depth: Annotated[int, Field(ge=1, le=5)] | None = None
    temperature: Temperature = 0.7
    names: Mapping[str, str] = field(default_factory=dict)
    calls: ClassVar[str] = "none"


def test_a_setting_is_explained_by_its_class_or_the_one_above_or_its_type() -> None:
    known = {s.name: s for s in settings(Below)}
    assert list(known) == ["rounds", "few", "many", "files", "languages", "mode", "depth", "temperature", "names"]
    assert known["rounds"] == Setting("rounds", 3, "1 or more", "How often it is tried; 0 of `few`: never.")
    assert known["few"].about == known["many"].about == "Between how many."
    assert known["temperature"].about.startswith("How freely")
    assert known["names"].about == ""


def test_a_setting_says_what_it_may_be() -> None:
    assert {s.name: s.allowed for s in settings(Below)} == {
        "rounds": "1 or more",
        "few": "0 or more",
        "many": "more than 0",
        "files": "",
        "languages": "each en or zh",
        "mode": "one, two or three",
        "depth": "1 to 5, or null",
        "temperature": "0 to 2",
        "names": "",
    }


def test_defaults_are_plain_data_and_what_has_none_is_to_be_given() -> None:
    known = {s.name: s.default for s in settings(Below)}
    assert (known["files"], known["languages"], known["depth"], known["names"]) == (TO_BE_GIVEN, ["zh"], None, {})


def test_what_a_technique_makes_is_its_docstring_without_its_settings() -> None:
    assert made(Below) == "Each `thing`, and more of it. What it gives is new."
    assert explained(Above)["rounds"] == "How often it goes round, and round again."
