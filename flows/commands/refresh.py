"""`flywheel refresh`: one turn of the wheel from the command line."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from flows.commands.running import finished
from tasks.recipe import Recipe, RecipeError, checked, read, utc

DEFAULT = "deployments/recipes/weekly.yaml"


@click.command()
@click.option("--recipe", "recipe_file", default=DEFAULT, show_default=True, help="The recipe, a YAML file.")
@click.option(
    "--source", "sources", multiple=True, metavar="URI", help="Logs to read instead of the recipe's; repeatable."
)
@click.option("--mapping", metavar="NAME", help="The shape of the logs: openai, sharegpt, alpaca or own.")
@click.option("--out", metavar="DIR", help="The lake to keep the dataset in.")
@click.option("--since", metavar="TIME", help="Leave rows before this alone. ISO 8601, UTC where it names no zone.")
@click.option("--until", metavar="TIME", help="Leave rows from this on alone.")
@click.option(
    "--set", "changes", multiple=True, metavar="KEY=VALUE", help="Change one field: teacher.model=…; repeatable."
)
@click.option("--plan", is_flag=True, help="Say calls, tokens and money for each stage and call nobody; needs no key.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object as the last line of stdout.")
@click.option("--traceback", is_flag=True, help="Show where an unexpected error came from.")
def refresh(
    recipe_file: str,
    sources: tuple[str, ...],
    mapping: str | None,
    out: str | None,
    since: str | None,
    until: str | None,
    changes: tuple[str, ...],
    plan: bool,
    as_json: bool,
    traceback: bool,
) -> int:
    """Pull new logs, mine, distil, judge, gate, deduplicate and publish a new version.

    \b
    Exit codes: 0 published, nothing new, or a plan; 2 usage, recipe or input; 3 blocked by a gate;
    4 budget reached; 5 teacher unusable; 6 another run holds the dataset; 130 interrupted.
    """

    def start(recipe: Recipe) -> Any:
        from flows.refresh import refresh as flow

        return flow(recipe, moment("--since", since), moment("--until", until), plan, return_state=True)  # pyright: ignore[reportArgumentType]

    def recipe() -> Recipe:
        window(since, until)  # what is none is said before anything starts
        return told(recipe_file, sources, mapping, out, changes)

    return finished(recipe, start, plan, as_json, traceback)


def told(file: str, sources: tuple[str, ...], mapping: str | None, out: str | None, changes: tuple[str, ...]) -> Recipe:
    """The recipe with what the command line changes."""
    plain = read(file, changes).model_dump()
    if sources:
        first = plain["sources"][0] if plain["sources"] else {}
        how = {key: first[key] for key in ("mapping", "delimiter", "storage", "password_env") if key in first}
        plain["sources"] = [{"uri": uri, **how} for uri in sources]
    if mapping:
        plain["sources"] = [source | {"mapping": mapping} for source in plain["sources"]]
    if out:
        plain["output"]["dir"] = str(Path(out).expanduser().absolute())
    return checked(plain, file)


def window(since: str | None, until: str | None) -> None:
    """Raises RecipeError where a time is none, or nothing lies between both."""
    first, last = moment("--since", since), moment("--until", until)
    if first and last and first >= last:
        raise RecipeError(f"nothing is asked between --since {since} and --until {until}", hint="swap them")


def moment(option: str, given: str | None) -> datetime | None:
    try:
        return utc(datetime.fromisoformat(given)) if given else None
    except ValueError:
        raise RecipeError(
            f"{option} {given}: expected a time in ISO 8601, such as 2026-11-09 or 2026-11-09T08:00:00+08:00"
        ) from None
