"""`flywheel synthesize` and `flywheel specialist`: datasets that need no logs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from flows.commands.running import finished
from tasks.recipe import Recipe, checked, read

OPTIONS = (
    click.option("--out", metavar="DIR", help="The lake to keep the dataset in."),
    click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", help="Change one field; repeatable."),
    click.option("--plan", is_flag=True, help="Say calls, tokens and money for each stage and call nobody."),
    click.option("--json", "as_json", is_flag=True, help="One JSON object as the last line of stdout."),
    click.option("--traceback", is_flag=True, help="Show where an unexpected error came from."),
)
CODES = """

    \b
    Exit codes: 0 published, nothing new, or a plan; 2 usage, recipe or input; 3 blocked by a gate;
    4 budget reached; 5 teacher unusable; 6 another run holds the dataset; 130 interrupted.
    """


def command(name: str, default: str, said: str) -> click.Command:
    """A command that runs the synthesize flow on a recipe."""

    def made(
        recipe_file: str, out: str | None, changes: tuple[str, ...], plan: bool, as_json: bool, traceback: bool
    ) -> int:
        def told() -> Recipe:
            plain = read(recipe_file, changes).model_dump()
            if out:
                plain["output"]["dir"] = str(Path(out).expanduser().absolute())
            return checked(plain, recipe_file)

        def start(recipe: Recipe) -> Any:
            from flows.synthesize import synthesize as flow

            return flow(recipe, plan, return_state=True)

        return finished(told, start, plan, as_json, traceback)

    recipe = click.option(
        "--recipe", "recipe_file", default=default, show_default=True, help="The recipe, a YAML file."
    )
    for option in (*reversed(OPTIONS), recipe):
        made = option(made)
    return click.command(name, help=said + CODES)(made)


synthesize = command(
    "synthesize",
    "deployments/recipes/self_instruct.yaml",
    "Make prompts with the recipe's techniques, answer, judge, gate and publish them as a version.",
)
specialist = command(
    "specialist",
    "deployments/recipes/specialist.yaml",
    "Make specialist data: RAG, tools, long context, complex instructions, multi-turn.",
)
