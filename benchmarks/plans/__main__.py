"""What `--plan` says beside what a run then sends (`python -m benchmarks.plans [RECIPE …]`), one recipe after another.

Each recipe of deployments/recipes runs as it comes, but for smaller targets, on a store that knows nothing, with the
scripted teachers of tests/flows: these do what they are asked and say it in few words, so calls and the tokens that are
sent can be compared, and the tokens that come back cannot. Prints a table in Markdown.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from flows.embedded import prefect_server
from tasks.recipe import PROJECT, Recipe, checked, read
from tasks.teacher.tokens import prompt_tokens
from tests.flows.teachers import teacher

if TYPE_CHECKING:
    from benchmarks.plans.cases import Case

FILE = "logs.jsonl"
STAGES, NONE = ("produce", "label", "answer", "judge"), {"calls": 0}
HEAD = (
    "| recipe | calls planned | real | | tokens in planned | real | | by stage, planned/real | guessed | ended |",
    "|---|--:|--:|--:|--:|--:|--:|---|--:|---|",
)


def told(case: Case, url: str, folder: Path) -> Recipe:
    """The recipe for this teacher, in a lake of its own."""
    plain = read(PROJECT / "deployments" / "recipes" / f"{case.recipe}.yaml", case.changes).model_dump()
    plain["teacher"] |= {"recorded": None, "model": "canned", "base_url": url}
    if plain["judge"]:
        plain["judge"] |= {"base_url": url}
    for tier in plain["tiers"].values():
        tier |= {"model": "canned-2", "base_url": url}
    plain["output"]["dir"] = str(folder / "lake")
    if case.asked:
        first = plain["sources"][0] if plain["sources"] else {}
        plain["sources"] = [first | {"uri": str(log(case.asked, folder))}]
    return checked(plain)


def log(asked: tuple[str, ...] | Path, folder: Path) -> Path:
    """The questions as a log, or the first lines of a file."""
    if isinstance(asked, Path):
        lines = asked.read_text("utf-8").splitlines()[:24]
    else:
        turns = [[{"role": "user", "content": text}] for text in asked]
        times = [f"2026-03-01T{i // 60:02d}:{i % 60:02d}:00Z" for i in range(len(asked))]
        rows = [{"id": f"q{i}", "created_at": times[i], "messages": turn} for i, turn in enumerate(turns)]
        lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    (folder / FILE).write_text("\n".join(lines) + "\n", "utf-8")
    return folder / FILE


def measured(case: Case) -> str:
    """A line of the table: the calls of each stage and the tokens that are sent, planned and real."""
    from flows.refresh import refresh
    from flows.synthesize import synthesize

    with TemporaryDirectory() as at, teacher(case.reply) as taught:
        recipe = told(case, taught.url, Path(at))
        flow: Any = refresh if recipe.sources else synthesize
        plan, ran = (asyncio.run(ended(flow, recipe, planning)) for planning in (True, False))
        sent = sum(map(prompt_tokens, taught.asked))
    said, real = plan["plan"], Counter[str]()
    for row in ran["costs"]:
        real[row["stage"]] += row["calls"]
    stages = [f"{s} {said['stages'].get(s, NONE)['calls']}/{real[s]}" for s in STAGES if s in real | said["stages"]]
    calls, tokens = apart(said["calls"], real["total"]), apart(said["tokens_in"], sent)
    return f"| {case.recipe} | {calls} | {tokens} | {', '.join(stages)} | {said['guessed']} | {ran['status']} |"


async def ended(flow: Any, recipe: Recipe, planning: bool) -> dict[str, Any]:
    state = await flow(recipe, plan=planning, return_state=True)
    return await state.aresult(raise_on_failure=False)


def apart(planned: int, real: int) -> str:
    return f"{planned} | {real} | {planned / max(1, real) - 1:+.0%}"


def main(wanted: list[str]) -> None:
    os.environ |= {"OPENAI_API_KEY": "none", "PREFECT_LOGGING_LEVEL": "CRITICAL"}
    with TemporaryDirectory() as home:
        os.environ["PREFECT_HOME"] = home
        with prefect_server():
            from benchmarks.plans.cases import cases

            print(*HEAD, sep="\n", flush=True)
            for case in cases():
                if not wanted or case.recipe in wanted:
                    print(measured(case), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
