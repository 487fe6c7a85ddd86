"""Objects of frozen dataclasses, made in less time.

A frozen dataclass sets each of its fields through `object.__setattr__`. A record has many, and a run that finds its
answers in the store makes two or three records for each. So one is filled as an object of a twin that is not
frozen, whose slots are the same, and is then what it was meant to be. For where objects are made by the ten thousand.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field, fields, make_dataclass
from typing import Any, ParamSpec, TypeVar, cast

Given = ParamSpec("Given")
Made = TypeVar("Made")


def poured(kind: Callable[Given, Made]) -> Callable[Given, Made]:
    """What makes objects of a frozen dataclass with slots, from what the class itself takes. Raises TypeError for one
    that does more than keep its fields."""
    plain = cast(Any, kind)
    if hasattr(plain, "__post_init__"):
        raise TypeError(f"{plain.__name__} has a __post_init__, which would not be run")
    kept = [(f.name, f.type, field(default=f.default, default_factory=f.default_factory)) for f in fields(plain)]
    twin: Any = make_dataclass(plain.__name__, kept, slots=True)

    def make(*values: Given.args, **named: Given.kwargs) -> Made:
        made = twin(*values, **named)
        made.__class__ = kind
        return made

    return make
