"""`flywheel techniques`: what there is to make prompts and answers with."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import click

from flows.commands.ending import end, of_recipe
from tasks.answer.shelf import ANSWER
from tasks.link import Only
from tasks.produce.shelf import PRODUCE
from tasks.recipe import RecipeError, read
from tasks.setting import TO_BE_GIVEN, made, settings
from tasks.technique import ONLY, Shelf, about, parts

SHELVES = (PRODUCE, ANSWER)
WIDTH = 100  # columns of a line
Named = tuple[Shelf, str]  # a technique by its name, and the shelf of the stage that it works in


@click.command()
@click.argument("name", required=False)
@click.option("--recipe", "recipe_file", metavar="FILE", help="Those that a recipe names, a team's own among them.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def techniques(name: str | None, recipe_file: str | None, as_json: bool) -> int:
    """The techniques that a recipe can chain: what each takes and gives, its settings, and how many calls it makes.

    NAME is one of them, or a team's own: path.py:Class or package.module:Class.
    """
    try:
        found = [card(*one) for one in wanted(name, recipe_file)]
    except RecipeError as fault:
        return end(of_recipe(fault), as_json)
    if as_json:
        click.echo(json.dumps({"techniques": found, "only": only()}, ensure_ascii=False))
    elif name:
        click.echo("\n\n".join("\n".join(page(one)) for one in found))
    else:
        listed(found)
    return 0


def wanted(name: str | None, recipe_file: str | None) -> list[Named]:
    """The techniques that are asked for. Raises RecipeError where there is none."""
    there = of_recipe_file(recipe_file) if recipe_file else [(shelf, one) for shelf in SHELVES for one in shelf.ready]
    if name is None:
        return there
    if named := [(shelf, one) for shelf, one in there if name in (one, one.rpartition(":")[2])]:
        return named
    if recipe_file and ":" not in name:
        near = difflib.get_close_matches(name, [one for _, one in there], 1)
        hint = f"did you mean {near[0]}" if near else f"it names {', '.join(one for _, one in there) or 'none'}"
        raise RecipeError(f"{recipe_file} names no technique {name}", hint=hint)
    technique = PRODUCE.find(name, "NAME")
    answers = technique.gives == "rows" and getattr(technique, "takes", None) in ("prompts", "rows")
    return [(ANSWER if answers else PRODUCE, name)]


def of_recipe_file(file: str) -> list[Named]:
    """What a recipe's chains name, each once, in their order. Raises RecipeError."""
    recipe = read(file)
    named = [(PRODUCE, parts(e, f"{PRODUCE.field}.{i}")[0]) for i, e in enumerate(recipe.produce)]
    named += [(ANSWER, parts(e, f"{ANSWER.field}.{i}")[0]) for i, e in enumerate(recipe.answer.chain)]
    named += [(ANSWER, "distill")]  # which answers what no other does
    return list({(shelf.field, name): (shelf, name) for shelf, name in named}.values())


def listed(found: list[dict[str, Any]]) -> None:
    """A line for each, under the field of a recipe that lists them."""
    for field in (shelf.field for shelf in SHELVES):
        click.echo(click.style(f"\n{field}", bold=True))
        for one in (f for f in found if f["field"] == field):
            click.echo(f"  {one['name']:<22} {one['takes']:>8} -> {one['gives']:<8}  {one['about']}")
    click.echo("\nflywheel techniques NAME shows its settings; flywheel try NAME --text … runs it once.")


def card(shelf: Shelf, name: str) -> dict[str, Any]:
    """All that is to be said of a technique."""
    technique = shelf.find(name)
    return {
        "name": name,
        "field": shelf.field,
        "about": about(technique),
        "made": made(technique),
        "takes": getattr(technique, "takes", None) or "nothing",
        "gives": technique.gives,
        "starts": getattr(technique, "takes", None) is None or getattr(technique, "starts", False),
        "calls": getattr(technique, "calls", "1 a record" if getattr(technique, "role", None) else "none"),
        "settings": [asdict(setting) for setting in settings(technique)],
    }


def only() -> list[dict[str, Any]]:
    """The settings of `only`, which every technique has."""
    return [asdict(setting) for setting in settings(Only) if setting.name in ONLY]


def page(one: dict[str, Any]) -> Iterator[str]:
    """A technique with its settings."""
    yield click.style(one["name"], bold=True)
    yield wrapped(one["about"], 2)
    yield from ("", f"  takes   {one['takes']}" + (" (and starts with none)" if one["starts"] else ""))
    yield from (f"  gives   {one['gives']}", f"  calls   {one['calls']}", f"  in      {one['field']}")
    yield wrapped(f"makes   {one['made']}", 2, 10)
    if one["settings"]:
        yield click.style("\nsettings", bold=True)
        yield from map(line, one["settings"])
    if one["takes"] != "nothing":
        yield click.style("\nonly", bold=True) + ", among the settings, takes some records and lets all others pass"
        yield from map(line, only())


def line(setting: dict[str, Any]) -> str:
    """A setting as a recipe says it, what it may be, and below that what it does."""
    may_be = f"  ({setting['allowed']})" if setting["allowed"] else ""
    given = setting["default"] == TO_BE_GIVEN
    value = TO_BE_GIVEN if given else json.dumps(setting["default"], ensure_ascii=False)
    said = wrapped(f"{click.style(setting['name'], bold=True)}: {value}{may_be}", 2, 6)
    return f"{said}\n{wrapped(setting['about'], 6)}" if setting["about"] else said


def wrapped(text: str, indent: int, further: int | None = None) -> str:
    """A text in lines, the first and all further ones indented by so many columns."""
    return click.wrap_text(text, WIDTH, " " * indent, " " * (indent if further is None else further))
