"""How a command ends: the page for people, the JSON line for scripts, the exit code for both."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from flows.bill import HEAD, NAMES, before, shown
from flows.commands.grid import grid, printable
from flows.commands.planning import page
from flows.report import EXITS, Report, asides, failed, noted, warnings

if TYPE_CHECKING:
    from tasks.recipe import RecipeError

INTERRUPTED = 130
STATES = {
    "published": "published",
    "merged": "merged into a row (the same question)",
    "seen": "seen in an earlier run",
    "used": "used: what was made of them goes on",
    "unreadable": "unreadable (kept, with file and line)",
    "pending": "pending, go on with the next run",
}


def end(report: Report, as_json: bool, exit_code: int | None = None) -> int:
    """Print the report; gives the exit code."""
    if report.error:
        where = f" ({report.error['where']})" if report.error["where"] else ""
        hint = f" — {report.error['hint']}" if report.error["hint"] else ""
        click.echo(f"flywheel: {report.error['what']}{where}{hint}", err=True)
    for warning in report.warnings:
        click.echo(f"flywheel: warning: {warning}", err=True)
    if as_json:
        click.echo(json.dumps(report.plain(), ensure_ascii=False))
    elif report.status != "error":
        click.echo(summary(report))
    sys.stdout.flush()
    return EXITS[report.status] if exit_code is None else exit_code


def usage(fault: click.ClickException) -> Report:
    return failed("error", fault.format_message().rstrip("."), hint="see flywheel --help")


def of_recipe(fault: RecipeError) -> Report:
    return failed("error", fault.what, fault.where, fault.hint)


def summary(report: Report) -> str:
    """What went in, what came out, why the rest did not, where it is, and what to type next."""
    lines = ["", f"{bold(report.dataset)}: {bold(report.status.replace('_', ' '))}", ""]
    if report.rows_read:
        lines += taken_in(report)
        lines += [f"        {n:>7} {state_line(state)}" for state, n in ordered(report.ledger)]
    if report.made:
        lines.append(f"  made  {sum(report.made.values()):>7} records, by techniques")
        lines += [f"        {n:>7} {state_line(state)}" for state, n in ordered(report.made)]
    if report.status == "plan":
        return "\n".join([*lines, *page(report.plan)])
    splits = ", ".join(f"{n} {side}" for side, n in report.splits.items())
    if report.version:
        lines.append(
            f"  out   {report.rows_new:>7} new rows; version {report.version} has {report.rows_total} ({splits})"
        )
    elif report.rows_total:
        lines.append(f"  out         0 new rows; the dataset stays as it is, with {report.rows_total} ({splits})")
    lines += [f"  {'' if i else 'also':<6}{line}" for i, line in enumerate(noted(report))]
    spent = report.teacher
    if spent["calls"] or spent["cache_hits"]:
        tokens = f"{spent['tokens_in']} tokens in, {spent['tokens_out']} out"
        money = f"USD {spent['usd']:.4f}" + "".join(f" and what {m} costs: set its price" for m in spent["unpriced"])
        calls = f"{spent['calls']:>7} teacher calls, {tokens}, {money}"
        lines.append(f"  paid  {calls}; {spent['cache_hits']} from the store")
    lines += [f"  note  {warning}" for warning in warnings(report)]
    lines += [f"  note  {said}" for said in (*asides(spent), before(report.costs, spent["calls"])) if said]
    lines += bill(report)
    if report.path:
        lines += [
            "",
            f"  where {report.path}",
            "  card  README.md in it",
            *followed(report),
            "",
            "Next:",
            *following(report),
        ]
    return "\n".join(lines)


def taken_in(report: Report) -> list[str]:
    """What the states under it add up to: the rows that were read and, where there are some, those taken up again."""
    waited = sum(report.ledger.values()) - report.rows_read
    aside = f", {report.outside} outside --since and --until left alone" if report.outside else ""
    lines = [f"  in    {report.rows_read:>7} log rows read{aside}"]
    return lines + [f"      + {waited:>7} that waited since an earlier run"] * (waited > 0)


def bill(report: Report) -> list[str]:
    """What each stage asked of each model."""
    if not report.costs:
        return []
    rows = [shown(row, printable) for row in report.costs]
    kept = [i for i in range(len(HEAD)) if i not in NAMES]
    return ["", *(f"  {line}" for line in grid(HEAD, rows, kept).splitlines())]


def followed(report: Report) -> list[str]:
    """What the version set off."""
    what = report.then
    lines = [f"  then  {what['deployment']}, flow run {what['flow_run']}"] if "deployment" in what else []
    lines += [f"  then  {what['command'][0]}, output in {what['log']}"] if "command" in what else []
    return lines + [f"        student {s['model']} at {s['base_url']}" for s in (what.get("student"),) if s]


def following(report: Report) -> list[str]:
    """What to type next; where no logs were read, for a recipe that needs none."""
    look = f"import pandas; print(*pandas.read_parquet('{report.path}/data/chat').messages[0], sep='\\n')"
    wheel = "refresh --source your_logs.jsonl" if report.rows_read else "synthesize --recipe your_recipe.yaml"
    own = f"OPENAI_API_KEY=… .venv/bin/flywheel {wheel} --set teacher.model=…"
    return [f'  .venv/bin/python -c "{look}"', f"  {own}"]


def state_line(state: str) -> str:
    kind, _, reason = state.partition(":")
    return STATES.get(state, f"{kind}: {reason.replace('_', ' ')}")


def ordered(ledger: dict[str, int]) -> list[tuple[str, int]]:
    """Published first, then by number."""
    return sorted(ledger.items(), key=lambda pair: (pair[0] != "published", pair[0] != "merged", -pair[1], pair[0]))


def bold(text: str) -> str:
    """Bold on a terminal; click takes the codes out where the output is piped."""
    return click.style(text, bold=True)
