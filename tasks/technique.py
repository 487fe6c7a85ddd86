"""Techniques as a recipe names them: found by name, given their settings, and checked as a chain.

An entry is a name, or a name with its settings; `only` among these says which records it takes:

    produce: [self_instruct, {evol_instruct: {rounds: 2, only: {task_types: [code], share: 0.1}}}]

A technique is a step (`tasks.step`) that declares what kind of record it `takes` and `gives` (see `Record.kind`), and
whether it `starts` a chain with nothing given. A team's own is `path.py:Class` or `package.module:Class`; where it
writes other names than its own into lineages, it declares them as `stamps`.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from pydantic import TypeAdapter, ValidationError

from tasks.link import Linked, Only
from tasks.plugin import Door, checked, found
from tasks.recipe import RecipeError
from tasks.recipe.fault import placed
from tasks.record import Kind

WRITE = "a frozen dataclass with `takes`, `gives`, `shape` and `async def __call__(self, record, teacher, dice)`"
KINDS: tuple[Kind, ...] = ("passages", "prompts", "rows")
SHAPES = ("each", "grow", "table", "fold")
ONLY = tuple(f.name for f in fields(Only) if f.name != "kind")  # which is that of the technique
Entry = str | Mapping[str, Mapping[str, Any] | None]


@dataclass(frozen=True, slots=True)
class Shelf:
    """The techniques of one stage, by name, each as `module:Class`; `field` is where a recipe lists them."""

    stage: str
    field: str
    ready: Mapping[str, str]

    def door(self, place: str) -> Door:
        return Door(place, place, "technique", WRITE, "a record (or a pool), a teacher and dice", 3)

    def find(self, named: str, place: str = "") -> type[Any]:
        """The class of a technique: one of ours by its name, or a team's own. Raises RecipeError with the nearest."""
        if ":" in named:
            return shaped(named, found(named, self.door(place or self.field)), place or self.field)
        if named not in self.ready:
            near = difflib.get_close_matches(named, self.ready, 1)
            there = f"there are {', '.join(self.ready)}, and a team's own as path.py:Class"
            hint = f"name its class too: {named}:Class" if named.endswith(".py") else there
            hint = f"did you mean {near[0]}" if near else hint
            raise RecipeError(f"there is no technique {named}", place or self.field, hint)
        module, _, wanted = self.ready[named].partition(":")
        return getattr(importlib.import_module(module), wanted)

    def link(self, entry: Entry, number: int) -> Linked:
        """One entry of a recipe as a link. Raises RecipeError for whatever is wrong with it."""
        place = f"{self.field}.{number}"
        named, settings = parts(entry, place)
        only = settings.pop("only", None) or {}
        step = checked(named, self.find(named, place), settings, self.door(place))
        called = named.rpartition(":")[2] if ":" in named else named
        return Linked(step, called, self.stage, chosen(only, getattr(step, "takes", None) or "prompts", place), place)

    def links(self, entries: Iterable[Entry]) -> list[Linked]:
        return [self.link(entry, number) for number, entry in enumerate(entries)]


def shaped(named: str, technique: type[Any], place: str) -> type[Any]:
    """The class. Raises RecipeError where it does not say what it takes and gives, and how it works."""
    wanted: dict[str, tuple[str | None, ...]] = {"gives": KINDS, "takes": (*KINDS, None), "shape": SHAPES}
    for name, known in wanted.items():
        said = getattr(technique, name, None)
        if said not in known:
            one = ", ".join(filter(None, known))
            what = f"what it {name}" if name != "shape" else "its shape"
            what = f"{named} does not say {what}" if said is None else f"{named} has {name} = {said!r}"
            raise RecipeError(f"{what}; `{name}` is one of {one}", place, f"write {WRITE}")
    return technique


def parts(entry: Entry, place: str) -> tuple[str, dict[str, Any]]:
    """An entry's name and its settings."""
    if isinstance(entry, str):
        return entry, {}
    if len(entry) != 1:
        raise RecipeError(
            f"{place} names {len(entry)} techniques", place, "one entry is one technique: start each with -"
        )
    ((named, settings),) = entry.items()
    return named, dict(settings or {})


def chosen(only: Any, takes: Kind, place: str) -> Only:
    hint = f"only takes {', '.join(ONLY[:-1])} and {ONLY[-1]}"
    if not isinstance(only, Mapping):
        raise RecipeError(f"only holds a {type(only).__name__}", f"{place}.only", hint)
    if strange := sorted(map(str, only.keys() - set(ONLY))):
        raise RecipeError(f"only has no setting {strange[0]}", f"{place}.only", hint)
    try:
        return TypeAdapter(Only).validate_python({**only, "kind": takes}, strict=False)
    except ValidationError as faults:
        field, said = placed(faults.errors()[0])
        raise RecipeError(f"only.{field}: {said}", f"{place}.only") from None


def chained(links: Sequence[Linked], given: Iterable[Kind], field: str) -> set[Kind]:
    """The kinds of record that a chain gives. Raises RecipeError for a link that nothing before it feeds, and for
    passages that nothing takes up."""
    there = set(given)
    for number, link in enumerate(links):
        needs = takes(link)
        if needs and needs not in there and not getattr(link.step, "starts", False):
            what = f"{link.called} takes {needs}, and nothing before it gives any"
            raise RecipeError(what, f"{field}.{number}", FEEDS[needs])
        there.add(gives(link))
        if gives(link) == "passages" and not any(takes(later) == "passages" for later in links[number + 1 :]):
            what = f"{link.called} gives passages, and nothing after it takes them"
            raise RecipeError(
                what, f"{field}.{number}", "put self_qa or another technique that takes passages after it"
            )
    return there - {"passages"}


def takes(link: Linked) -> Kind | None:
    """The kind of record that a link takes; None where it takes nothing and begins with files or seeds."""
    return getattr(link.step, "takes", None)


def gives(link: Linked) -> Kind:
    """The kind of record that it makes."""
    made: Kind = link.step.gives  # pyright: ignore[reportAttributeAccessIssue]
    return made


FEEDS: dict[Kind, str] = {
    "passages": "put documents before it",
    "prompts": "put logs under sources, or a technique that starts with nothing, such as self_instruct, before it",
    "rows": "put it where answers are there already: after an answering technique",
}


def about(technique: type[Any]) -> str:
    """One line on a technique: how its module's docstring begins."""
    said = inspect.getdoc(inspect.getmodule(technique)) or inspect.getdoc(technique) or ""
    return said.split("\n\n")[0].replace("\n", " ").strip()
