"""`flywheel techniques`: what there is to make prompts and answers with."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import click

from tasks.answer.shelf import ANSWER
from tasks.link import Only
from tasks.produce.shelf import PRODUCE
from tasks.setting import TO_BE_GIVEN, made, settings
from tasks.technique import ONLY, Shelf, about

SHELVES = (PRODUCE, ANSWER)
WIDTH = 100  # columns of a line


@click.command()
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def techniques(name: str | None, as_json: bool) -> int:
    """The techniques that a recipe can chain: what each takes and gives, its settings, and how many calls it makes."""
    found = [card(shelf, one) for shelf in SHELVES for one in shelf.ready if name in (None, one)]
    if name and not found:
        SHELVES[0].find(name)
    if as_json:
        click.echo(json.dumps({"techniques": found, "only": only()}, ensure_ascii=False))
    elif name:
        click.echo("\n\n".join("\n".join(page(one)) for one in found))
    else:
        for field in (shelf.field for shelf in SHELVES):
            click.echo(click.style(f"\n{field}", bold=True))
            for one in (f for f in found if f["field"] == field):
                click.echo(f"  {one['name']:<22} {one['takes']:>8} -> {one['gives']:<8}  {one['about']}")
        click.echo("\nflywheel techniques NAME shows its settings; flywheel try NAME --text … runs it once.")
    return 0


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
        "calls": getattr(technique, "calls", "1 a record"),
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
    return f"{said}\n{wrapped(setting['about'], 6)}"


def wrapped(text: str, indent: int, further: int | None = None) -> str:
    """A text in lines, the first and all further ones indented by so many columns."""
    return click.wrap_text(text, WIDTH, " " * indent, " " * (indent if further is None else further))
