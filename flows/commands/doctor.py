"""`flywheel doctor`: is all there that a run needs, and does the model answer?"""

from __future__ import annotations

import json

import click

from flows.commands.ending import end, of_recipe
from flows.commands.grid import printable
from flows.commands.looking import DEFAULT
from flows.commands.refresh import told
from flows.doctor.checked import Checked
from flows.report import SCHEMA, teacher
from tasks.recipe import Recipe, RecipeError
from tasks.teacher.budget import Purse

MARKS = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "problem": ("✗", "red")}


@click.command()
@click.option("--recipe", "recipe_file", default=DEFAULT, show_default=True, help="The recipe, a YAML file.")
@click.option("--source", "sources", multiple=True, metavar="URI", help="Logs instead of the recipe's; repeatable.")
@click.option("--mapping", metavar="NAME", help="The shape of the logs: openai, sharegpt, alpaca or own.")
@click.option("--out", metavar="DIR", help="The lake to keep the dataset in.")
@click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", help="Change one field; repeatable.")
@click.option("--call/--no-call", default=True, help="Send one tiny call to each model. Default: send it.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object as the last line of stdout.")
def doctor(
    recipe_file: str,
    sources: tuple[str, ...],
    mapping: str | None,
    out: str | None,
    changes: tuple[str, ...],
    call: bool,
    as_json: bool,
) -> int:
    """Check machine, Prefect, logs, files and model; says what to do about each thing that is found.

    \b
    Sends one tiny call to each model of the recipe, unless --no-call; the dataset is not touched.
    Exit codes: 0 well; 1 something was found; 2 usage or recipe.
    """
    try:
        recipe = told(recipe_file, sources, mapping, out, changes)
        purse = Purse()
        found = looked(recipe, call, purse)
    except RecipeError as fault:
        return end(of_recipe(fault), as_json)
    well = all(c.state == "ok" for c in found)
    spent = {"teacher": teacher(purse.spent)}
    if as_json:
        click.echo(json.dumps({"schema": SCHEMA, "well": well} | spent | {"checks": [c.plain() for c in found]}))
    else:
        click.echo("\n".join(map(line, found)))
        click.echo("\nall is well" if well else f"\n{sum(c.state != 'ok' for c in found)} found")
    return 0 if well else 1


def looked(recipe: Recipe, call: bool, purse: Purse) -> list[Checked]:
    """Every check, in the order in which a run would meet what they look at."""
    from flows.doctor.inputs import inputs
    from flows.doctor.machine import machine
    from flows.doctor.model import model
    from flows.doctor.server import server

    return [*machine(recipe), *server(recipe), *inputs(recipe), *model(recipe, call, purse)]


def line(one: Checked) -> str:
    """One check; colours are for terminals, click takes them out where the output is piped."""
    mark, colour = MARKS[one.state]
    do = f"\n             {click.style(printable(one.do), bold=True)}" if one.do else ""
    return f"{click.style(mark, fg=colour)} {one.check:<10} {printable(one.said)}{do}"
