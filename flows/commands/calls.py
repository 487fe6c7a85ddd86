"""`flywheel calls`: what was asked of models, what it cost, and how to forget it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from flows.commands.grid import counts, grid, printable
from flows.commands.looking import Seen, looking
from tasks.history.dataset import Dataset, Unfit
from tasks.teacher.calls import export, figures, forget, latest

SHOWN = 80


@click.command()
@click.option("--list", "many", type=click.IntRange(1), metavar="N", help="Show the newest N calls.")
@click.option("--outcome", default="", metavar="NAME", help="With --list: only these, such as truncated.")
@click.option("--record", default="", metavar="PROMPT_ID", help="With --list or --purge: only for this prompt.")
@click.option("--run", default="", metavar="NUMBER", help="Figures of one run, by its number, instead of all.")
@click.option(
    "--export", "target", type=click.Path(path_type=Path, dir_okay=False), help="Write all to a Parquet file."
)
@click.option("--prune", "days", type=click.IntRange(0), metavar="DAYS", help="Forget answers older than so many days.")
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
    store = dataset.calls
    if not store.is_file():
        raise Unfit(f"no call was made yet for {dataset.folder}")
    if purge and not record:
        raise click.UsageError("--purge needs --record PROMPT_ID")
    if purge or days is not None:
        before = (datetime.now(UTC) - timedelta(days=days or 0)).isoformat(timespec="milliseconds")
        with dataset.held():
            gone = forget(store, before, record if purge else "")
        return Seen({"forgotten": gone}, f"{gone} answers forgotten")
    if target:
        written = export(store, target)
        return Seen({"exported": written, "file": str(target)}, f"{written} calls written to {target}")
    if many:
        found = latest(store, many, outcome, record)
        rows = [(c["at"][:19], c["outcome"], c["model"], f"{c['seconds']:.1f}", short(c["text"])) for c in found]
        return Seen({"calls": found}, grid(("at", "outcome", "model", "seconds", "reply"), rows, [3]))
    plain = figures(store, f"{int(run):05d}" if run.isdecimal() else run)
    rows = [line(stage, model, f) for stage, s in plain["stages"].items() for model, f in s["models"].items()]
    head = ("stage", "model", "tokens in", "out", "USD", "p50 s", "p95 s", "attempts")
    table = grid(head, rows, range(2, 7))
    return Seen(plain, f"{table}\n\n{counts(plain['kept'])} kept, {plain['bytes'] / 2**20:.1f} MiB")


def line(stage: str, model: str, figures: dict[str, Any]) -> tuple[str, ...]:
    """What a stage asked of a model, in cells."""
    seconds = ("–" if figures[p] is None else f"{figures[p]:.3f}" for p in ("p50", "p95"))
    tokens = (f"{figures[t]:,}" for t in ("tokens_in", "tokens_out"))
    return stage, printable(model), *tokens, f"{figures['usd']:.4f}", *seconds, counts(figures["attempts"])


def short(text: str) -> str:
    one = printable(" ".join(text.split()))
    return one if len(one) <= SHOWN else one[: SHOWN - 1] + "…"
