"""`flywheel calls`: what was asked of models, what it cost, and how to forget it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from flows.commands.grid import counts, grid, printable
from flows.commands.looking import Seen, looking
from tasks.history.dataset import Dataset, Unfit
from tasks.recipe import RecipeError
from tasks.teacher.calls import export, figures, latest
from tasks.teacher.forgetting import asked, forget

SHOWN = 80
OLDEST = 36_500  # days


@click.command()
@click.option("--list", "many", type=click.IntRange(1), metavar="N", help="Show the newest N calls.")
@click.option("--outcome", default="", metavar="NAME", help="With --list: only these, such as truncated.")
@click.option("--record", default="", metavar="PROMPT_ID", help="With --list or --purge: only for this prompt.")
@click.option("--run", default="", metavar="NUMBER", help="Figures of one run, by its number, instead of all.")
@click.option(
    "--export", "target", type=click.Path(path_type=Path, dir_okay=False), help="Write all to a new Parquet file."
)
@click.option(
    "--prune", "days", type=click.IntRange(0, OLDEST), metavar="DAYS", help="Forget answers older than so many days."
)
@click.option("--purge", is_flag=True, help="Forget the answers for --record.")
@looking
def calls(
    dataset: Dataset,
    many: int | None,
    outcome: str,
    record: str,
    run: str,
    target: Path | None,
    days: int | None,
    purge: bool,
) -> Seen:
    """What was asked: attempts by outcome, tokens, money and seconds for each stage; single calls; an export.

    An answer that is forgotten is paid for again if a run needs it.
    """
    fitting(many, outcome, record, run, target, days, purge)
    if not dataset.calls.is_file():
        raise Unfit(f"no call was made yet for {dataset.folder}")
    if purge:
        return purged(dataset, record)
    if days is not None:
        return pruned(dataset, days)
    if target:
        return exported(dataset.calls, target.expanduser().absolute())
    if many:
        return listed(dataset.calls, many, outcome, record)
    return counted(dataset.calls, f"{int(run):05d}" if run.isdecimal() else run)


def fitting(
    many: int | None, outcome: str, record: str, run: str, target: Path | None, days: int | None, purge: bool
) -> None:
    """Raises UsageError where options do not go together: what was not meant is not to be forgotten."""
    acts = {"--list": many, "--export": target, "--prune": days is not None, "--purge": purge, "--run": run}
    told = [option for option, given in acts.items() if given]
    if len(told) > 1:
        raise click.UsageError(f"{' and '.join(told)} are different things: ask for one at a time")
    if purge and not record:
        raise click.UsageError("--purge needs --record PROMPT_ID")
    if record and not (purge or many):
        raise click.UsageError("--record goes with --list or --purge")
    if outcome and not many:
        raise click.UsageError("--outcome goes with --list")


def purged(dataset: Dataset, record: str) -> Seen:
    """Raises RecipeError where nothing was ever asked for the record: its id may be mistyped."""
    with dataset.held():
        if not asked(dataset.calls, record):
            hint = "flywheel trace gives the prompt of a row or log id"
            raise RecipeError(f"nothing was ever asked for the prompt {printable(record)}", "--record", hint)
        return forgotten(forget(dataset.calls, record=record))


def pruned(dataset: Dataset, days: int) -> Seen:
    before = (datetime.now(UTC) - timedelta(days=days)).isoformat(timespec="milliseconds")
    with dataset.held():
        return forgotten(forget(dataset.calls, before))


def forgotten(many: int) -> Seen:
    return Seen({"forgotten": many}, f"{many} answers forgotten")


def exported(store: Path, target: Path) -> Seen:
    """Raises RecipeError where the file is there already, or cannot be written."""
    if target.exists():
        raise RecipeError(f"{target} is there already", "--export", "name a file that is not")
    try:
        written = export(store, target)
    except OSError as fault:
        raise RecipeError(f"cannot write {target}: {fault.strerror or fault}", "--export") from None
    return Seen({"exported": written, "file": str(target)}, f"{written} calls written to {target}")


def listed(store: Path, many: int, outcome: str, record: str) -> Seen:
    found = latest(store, many, outcome, record)
    rows = [(c["at"][:19], c["outcome"], c["model"], f"{c['seconds']:.1f}", short(c["text"])) for c in found]
    return Seen({"calls": found}, grid(("at", "outcome", "model", "seconds", "reply"), rows, [3]))


def counted(store: Path, run: str) -> Seen:
    plain = figures(store, run)
    rows = [line(stage, model, f) for stage, s in plain["stages"].items() for model, f in s["models"].items()]
    head = ("stage", "model", "tokens in", "out", "USD", "p50 s", "p95 s", "attempts")
    table = grid(head, rows, range(2, 7)) if rows or not run else unknown(run, plain["runs"])
    kept = counts(plain["kept"]) or "no answers"
    free = any(free_of_charge(f) for s in plain["stages"].values() for f in s["models"].values())
    table += "\n– USD: no price was known, or none is asked" * free
    page = [table, "", f"{kept} kept, {plain['bytes'] / 2**20:.1f} MiB", *map(handed_in, plain["batches"])]
    return Seen(plain, "\n".join(page))


def handed_in(batch: dict[str, Any]) -> str:
    """A batch that an endpoint still works on, and may charge for."""
    name = batch["batch"] or f"of file {batch['file']}"
    many, model = f"{batch['questions']:,}", printable(batch["model"])
    return f"{many} questions to {model} are in batch {printable(name)}: the next run collects it"


def unknown(run: str, runs: list[str]) -> str:
    return f"run {printable(run)} asked nobody; the runs that did: {', '.join(runs) or 'none'}"


def line(stage: str, model: str, figures: dict[str, Any]) -> tuple[str, ...]:
    """What a stage asked of a model, in cells."""
    seconds = ("–" if figures[p] is None else f"{figures[p]:.3f}" for p in ("p50", "p95"))
    tokens = (f"{figures[t]:,}" for t in ("tokens_in", "tokens_out"))
    usd = "–" if free_of_charge(figures) else f"{figures['usd']:.4f}"
    return stage, printable(model), *tokens, usd, *seconds, counts(figures["attempts"])


def free_of_charge(figures: dict[str, Any]) -> bool:
    """Whether tokens cost nothing that the store knows of."""
    return not figures["usd"] and bool(figures["tokens_in"] or figures["tokens_out"])


def short(text: str) -> str:
    one = printable(" ".join(text.split()))
    return one if len(one) <= SHOWN else one[: SHOWN - 1] + "…"
