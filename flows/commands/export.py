"""`flywheel export`: a version's rows in the shapes that trainers read, in a folder of their own."""

from __future__ import annotations

from pathlib import Path

import click

from flows.commands.grid import grid
from flows.commands.looking import Seen, looking, version_of
from tasks.history.dataset import Dataset
from tasks.publish.consumers import dataset_info
from tasks.publish.exports import export as exported
from tasks.publish.shapes import SHAPES
from tasks.recipe import RecipeError
from tasks.shard import write_json


@click.command()
@click.argument("version", required=False)
@click.option("--format", "shapes", multiple=True, type=click.Choice([*SHAPES]), help="Repeatable. Default: all.")
@click.option("--to", "to", required=True, metavar="DIR", help="A folder that is new or empty.")
@looking
def export(dataset: Dataset, version: str | None, shapes: tuple[str, ...], to: str) -> Seen:
    """Write a version (default: the one in force) in shapes that trainers read; the version itself stays as it is."""
    number = version_of(dataset, version)
    folder = Path(to).expanduser().absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise RecipeError(f"{folder} is not empty", "--to", "name a folder that is new or empty")
        made = exported(dataset.standing(number), folder, shapes or [*SHAPES])
        if info := dataset_info(dataset.folder.name, made):
            write_json(info, folder / "dataset_info.json")
    except OSError as fault:
        raise RecipeError(f"cannot write to {folder}: {fault.strerror}", "--to") from None
    files = [(f["path"], f["rows"], f["bytes"]) for kept in made.values() for f in kept["files"]]
    left = [f"{n} rows left out of {s}: {why}" for s, kept in made.items() for why, n in kept["left_out"].items()]
    page = [
        f"{dataset.folder.name} {number} in {folder}",
        "",
        grid(("file", "examples", "bytes"), files, (1, 2)),
        *left,
    ]
    return Seen({"version": number, "to": str(folder), "exports": made}, "\n".join(page))
