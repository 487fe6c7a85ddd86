"""What a run leaves in the Prefect UI: report, funnel, cost, gates and card, each under a key of its dataset.

The UI keeps the history of a key, so a week stands beside the week before. No text of a log is in them: the row that
a card shows stays in the version's README.md, and what a teacher said stays in the run's own state.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from prefect.artifacts import acreate_markdown_artifact, acreate_table_artifact

from flows.bill import HEAD, NAMES, before, shown
from flows.report import Report, asides
from tasks.gate.finding import Finding

Rows = list[dict[str, Any]]
FRONT = re.compile(r"\A---\n.*?^---\n", re.MULTILINE | re.DOTALL)
SHOWN_ROW = re.compile(r"^~~~~json\n.*?^~~~~$", re.MULTILINE | re.DOTALL)
WITHHELD = "`README.md` in the version's folder shows one."


async def leave(report: Report) -> None:
    """Create the artifacts of a run; what it did not come to has none."""
    await acreate_markdown_artifact(page(report), key=key(report.dataset, "report"), description="How the run ended")
    for what, rows, said in (
        ("funnel", funnel(report), "What went into each stage and what came out"),
        ("cost", cost(report), "Calls, hits, seconds, tokens and money for each stage and model"),
        ("gates", gates(report), "What had to hold before the version was published"),
    ):
        if rows:
            await acreate_table_artifact(rows, key=key(report.dataset, what), description=said)
    if report.path:
        text = card((Path(report.path) / "README.md").read_text("utf-8"))
        await acreate_markdown_artifact(text, key=key(report.dataset, "card"), description=f"Version {report.version}")


def key(dataset: str, what: str) -> str:
    """An artifact's key: small letters, digits and dashes."""
    return f"{re.sub('[^a-z0-9]+', '-', dataset.lower()).strip('-')}-{what}"


def page(report: Report) -> str:
    """The end of a run in a few lines of Markdown."""
    lines = [f"# {plain(report.dataset)}: {report.status.replace('_', ' ')}", ""]
    if report.version:
        lines += [f"Version **{report.version}** with {report.rows_total} rows, {report.rows_new} of them new.", ""]
    if report.error:
        lines += [f"Nothing was published; the run's state says why. To go on: {plain(report.error['hint'])}.", ""]
    lines += [f"- warning: {plain(said)}" for said in report.warnings] + [""] * bool(report.warnings)
    if report.ledger:
        lines += ["| log rows | |", "|---|---:|", *(f"| {plain(s)} | {n} |" for s, n in report.ledger.items()), ""]
    said = [*asides(report.teacher), before(report.costs, report.teacher["calls"])]
    return "\n".join([*lines, *bill(report), *filter(None, said)])


def funnel(report: Report) -> Rows:
    """A row for each stage: seen + made = out + dropped + merged + pending."""
    return [
        {
            "stage": s["stage"],
            "in": s["seen"],
            "made": s["made"],
            "out": s["out"],
            "dropped": ", ".join(f"{n} {reason}" for reason, n in s["dropped"].items()),
            "merged": s["merged"],
            "pending": s["pending"],
        }
        for s in report.stages
    ]


def cost(report: Report) -> Rows:
    """A row for each model of each stage that asked somebody, and their sum. A call from the store costs nothing."""
    return [dict(zip(HEAD, shown(row, str), strict=True)) for row in report.costs]


def bill(report: Report) -> list[str]:
    """The same as a Markdown table."""
    if not report.costs:
        return []
    rule = ["---" if i in NAMES else "---:" for i in range(len(HEAD))]
    rows = [HEAD, rule, *(map(plain, shown(row, str)) for row in report.costs)]
    return ["", *("| " + " | ".join(cells) + " |" for cells in rows), ""]


def gates(report: Report) -> Rows:
    """A row for each rule: those that are broken, then what could not be looked at, then the rest."""
    found = sorted(map(Finding.of, report.findings), key=lambda f: (False, None, True).index(f.passed))
    shown = ("rule", "severity", "observed", "expected")
    return [{"": f.mark} | {k: getattr(f, k) for k in shown} for f in found]


def card(readme: str) -> str:
    """A version's card without its front matter and without the row that it shows."""
    return SHOWN_ROW.sub(WITHHELD, FRONT.sub("", readme))


def plain(text: str) -> str:
    """Text that is no Markdown and no HTML, and stays in its cell."""
    return re.sub(r"([\\`*_|<>\[\]#])", r"\\\1", " ".join(text.split())).replace("\\<", "&lt;").replace("\\>", "&gt;")
