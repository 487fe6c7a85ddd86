"""`flywheel techniques`: what there is to make prompts and answers with."""

from __future__ import annotations

import json
from typing import Any

import click

from tasks.answer.shelf import ANSWER
from tasks.produce.shelf import PRODUCE
from tasks.technique import Shelf, about, settings

SHELVES = (PRODUCE, ANSWER)


@click.command()
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def techniques(name: str | None, as_json: bool) -> int:
    """The techniques that a recipe can chain: what each takes and gives, its settings, and how many calls it makes."""
    found = [card(shelf, one) for shelf in SHELVES for one in shelf.ready if name in (None, one)]
    if name and not found:
        SHELVES[0].find(name)
    if as_json:
        click.echo(json.dumps({"techniques": found}, ensure_ascii=False, default=str))
    elif name:
        click.echo("\n\n".join(map(page, found)))
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
        "takes": getattr(technique, "takes", None) or "nothing",
        "gives": technique.gives,
        "starts": getattr(technique, "takes", None) is None or getattr(technique, "starts", False),
        "calls": getattr(technique, "calls", "1 a record"),
        "settings": {k: v if v is not ... else "to be given" for k, v in settings(technique).items()},
    }


def page(one: dict[str, Any]) -> str:
    """A technique with its settings."""
    lines = [click.style(one["name"], bold=True), f"  {one['about']}", ""]
    lines += [f"  takes    {one['takes']}" + (" (and starts with none)" if one["starts"] else "")]
    lines += [f"  gives    {one['gives']}", f"  calls    {one['calls']}", f"  in       {one['field']}"]
    lines += [f"  setting  {name}: {value!r}" for name, value in one["settings"].items()]
    return "\n".join(lines)
