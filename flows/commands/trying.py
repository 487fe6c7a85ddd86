"""`flywheel try`: a technique on one record with all that is said, or on a file of records in several ways."""

from __future__ import annotations

import asyncio
import difflib
import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import click
import yaml

from flows.commands.ending import end, of_recipe
from flows.commands.grid import grid, printable
from flows.commands.techniques import SHELVES
from flows.report import EXITS, failed
from flows.trying import AT_MOST, Exchange, Trial, Tried, Variant, trial
from tasks.language import detect
from tasks.link import Linked
from tasks.prompt import PromptError
from tasks.prompt import read as read_prompt
from tasks.recipe import Recipe, RecipeError, located, read
from tasks.record import NO_TIME, Message, Record, begun, spoken
from tasks.technique import takes
from tasks.text import units

DEFAULT = "deployments/recipes/weekly.yaml"
HEAD = ("way", "records", "out", "made", "dropped", "calls", "tokens in", "tokens out", "USD", "mean length")


@click.command("try")
@click.argument("technique")
@click.option("--text", help="What is asked; the passage, for a technique that takes passages.")
@click.option("--file", "file", metavar="PATH", help="Records instead: JSONL with text (and response, reference, …).")
@click.option("--response", default="", help="The answer that goes with --text, for a technique that takes rows.")
@click.option("--reference", default="", help="The right answer, where a technique checks one.")
@click.option("--task-type", default="", help="The task type of the text.")
@click.option("--with", "settings", multiple=True, metavar="KEY=VALUE", help="A setting of the technique; repeatable.")
@click.option("--prompts", multiple=True, metavar="DIR", help="Other prompt files to compare with ours; repeatable.")
@click.option("--model", "models", multiple=True, metavar="NAME", help="Another teacher to compare; repeatable.")
@click.option(
    "--most", type=click.IntRange(1), default=AT_MOST, show_default=True, help="Records that a growing technique makes."
)
@click.option("--recipe", "recipe_file", default=DEFAULT, show_default=True, help="Where the endpoints stand.")
@click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", help="Change one field of the recipe.")
@click.option("--out", metavar="FILE", help="Write the comparison, record by record, as CSV.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def try_(technique: str, text: str | None, file: str | None, as_json: bool, out: str | None, **told: Any) -> int:
    """Run TECHNIQUE on one record and show every message as sent, every reply, and what was kept or dropped.

    With a file of records and several --prompts or --model it compares them in a table. It asks the real endpoint and
    pays for it; nothing is kept.

    Exit codes: 0 it was tried; 2 usage, recipe or input; 4 budget reached, or 5 teacher unusable, and that for
    every record; 130 interrupted.
    """
    try:
        recipe = read(told["recipe_file"], told["changes"])
        link = found(technique, told["settings"])
        writable(out)
        given = records(link, text, file, told["response"], told["reference"], told["task_type"])
        ways = variants(told["prompts"], told["models"], recipe)
        tried = [asyncio.run(trial(recipe, link, given, way, told["most"])) for way in ways]
    except RecipeError as fault:
        return end(of_recipe(fault), as_json)
    except PromptError as fault:
        return end(failed("error", str(fault), "--prompts"), as_json)
    if out:
        compared(tried).to_csv(located(out), index=False)
    if as_json:
        click.echo(json.dumps({"tried": [plain(t) for t in tried]}, ensure_ascii=False))
        return came_to(tried)
    if len(given) <= 1 and len(ways) == 1:
        click.echo("\n".join(line for t in tried[0].trials for line in page(t)))
    click.echo(grid(HEAD, [row(t) for t in tried], range(5, 10)))
    return came_to(tried)


def came_to(tried: Sequence[Tried]) -> int:
    """The exit code: that of a run whose teacher or budget ended where every record was stopped."""
    by = {t.by for way in tried for t in way.trials}
    if not by or "" in by:
        return 0
    return EXITS["budget" if by == {"budget"} else "teacher"]


def found(technique: str, settings: Sequence[str]) -> Linked:
    """The technique with its settings, from whichever shelf has it. Raises RecipeError."""
    entry = {technique: dict(map(setting, settings))}
    near = difflib.get_close_matches(technique, [name for shelf in SHELVES for name in shelf.ready], 1)
    shelf = next((s for s in SHELVES if technique in s.ready or (near[:1] and near[0] in s.ready)), SHELVES[0])
    return shelf.link(entry, 0)


def setting(given: str) -> tuple[str, Any]:
    """A setting from the command line. Raises RecipeError where it is none."""
    name, sign, value = given.partition("=")
    try:
        if sign and name:
            return name, yaml.safe_load(value)
    except (yaml.YAMLError, ValueError, RecursionError):
        pass
    raise RecipeError(f"{given} is no setting", "--with", "expected name=value, such as temperature=0.2")


def writable(out: str | None) -> None:
    """Raises RecipeError where the comparison cannot be written, before anything is paid for."""
    if not out:
        return
    file = located(out)
    if file.is_dir() or not os.access(file if file.exists() else file.parent, os.W_OK):
        raise RecipeError(f"{file} cannot be written", "--out", "name a file in a folder that is there")


def records(
    link: Linked, text: str | None, file: str | None, response: str, reference: str, task_type: str
) -> list[Record]:
    """What is to be tried on. Raises RecipeError where the technique needs something and nothing is given."""
    lines = [{"text": text, "response": response, "reference": reference, "task_type": task_type}] if text else []
    if file:
        lines += of_file(located(file))
    if not lines and takes(link) and not getattr(link.step, "starts", False):
        raise RecipeError(f"{link.called} takes {takes(link)}: nothing is given", "", "say --text … or --file …")
    return [record(link, line, number) for number, line in enumerate(lines)]


def of_file(path: Path) -> list[dict[str, Any]]:
    try:
        found = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
    except (OSError, ValueError) as fault:
        hint = "expected JSONL with text on each line"
        raise RecipeError(f"{path} cannot be read: {fault}", "--file", hint) from None
    if bad := next((n for n, one in enumerate(found, 1) if not isinstance(one, dict) or not one.get("text")), None):
        raise RecipeError(f"{path} line {bad} has no text", "--file", 'expected such as {"text": "…"}')
    return found


def record(link: Linked, line: dict[str, Any], number: int) -> Record:
    text = str(line["text"])
    known: dict[str, Any] = {k: str(line.get(k) or "") for k in ("task_type", "reference", "input")}
    language = str(line.get("language") or detect(text))
    if takes(link) == "passages":
        return begun("try", (), language, str(number), passage=text)
    made = Record((f"l-try{number}",), (Message("user", text),), NO_TIME, language=language, **known)
    return made.answering(str(line["response"])) if line.get("response") else made


def variants(prompts: Sequence[str], models: Sequence[str], recipe: Recipe) -> list[Variant]:
    """Each folder of prompts with each model; ours and the recipe's where none is named. A folder is compared with
    ours."""
    folders = [None, *(located(p) for p in prompts)] if prompts else [None]
    for folder in folders:
        if folder and not folder.is_dir():
            hint = "it holds files such as judge/verdict.en.toml"
            raise RecipeError(f"there is no folder {folder}", "--prompts", hint)
        for file in sorted(folder.rglob("*.toml")) if folder else ():
            read_prompt(file.stem, file)  # one that cannot be read is said before anything is paid for
    named = [*models] or [""]
    return [
        Variant(" ".join(filter(None, [m or str(recipe.teacher.model or "recorded"), f.name if f else ""])), f, m)
        for f in folders
        for m in named
    ]


def page(one: Trial) -> Iterable[str]:
    """All that was said, and what came of it."""
    for number, exchange in enumerate(one.exchanges, 1):
        yield from talk(number, exchange)
    for made in one.outcome.out:
        yield click.style("kept", fg="green") + f"     {text_of(made)}"
    for drop in one.outcome.dropped:
        said = printable(text_of(drop.record)) if drop.record else ""
        yield click.style("dropped", fg="red") + f"  {drop.reason}: {printable(drop.detail)} {said}"
    for noted in one.outcome.noted:
        yield f"noted    {noted}"
    if one.stopped:
        yield click.style("stopped", fg="red") + f"  {one.stopped}"
    yield ""


def talk(number: int, exchange: Exchange) -> Iterable[str]:
    yield click.style(f"{number}. to {exchange.model}", bold=True)
    for message in exchange.messages:
        yield click.style(f"   {message['role']}:", dim=True)
        yield indented(message.get("content") or "")
    if exchange.reply:
        said = exchange.reply
        tokens = f"{said.prompt_tokens} tokens in, {said.response_tokens} out, {exchange.seconds:.1f} s"
        yield click.style(f"   reply ({said.finish}; {tokens}):", dim=True)
        yield from (indented(t) for t in (said.reasoning and f"<reasoning> {said.reasoning}", said.text) if t)
        yield from (indented(f"{c['name']}({c['arguments']})") for c in said.tool_calls)
    else:
        yield click.style("   no reply: ", dim=True) + printable(exchange.ended)
    yield ""


def indented(text: str) -> str:
    return "\n".join(f"     {printable(line)}" for line in text.split("\n"))


def text_of(made: Record) -> str:
    """A record as one would read it."""
    turns = [f"{m.role}: {spoken(m)}" for m in made.messages] or [f"passage: {made.passage}"]
    more = [f"{name}: {value}" for name in ("input", "reference", "constraints") if (value := getattr(made, name))]
    return indented("\n".join([*turns, *more])).lstrip()


def row(tried: Tried) -> list[str]:
    """A line of the comparison."""
    dropped = ", ".join(f"{n} {reason}" for reason, n in tried.dropped.most_common()) or "0"
    made, spent = sum(t.outcome.made for t in tried.trials), tried.spent
    lengths = [units(r.response or r.instruction) for r in tried.out]
    usd = "?" if tried.unpriced else f"{spent.usd:.4f}"
    figures = [len(tried.trials), len(tried.out), made, dropped, spent.calls, spent.tokens_in, spent.tokens_out, usd]
    return [tried.variant.name, *map(str, figures), f"{fmean(lengths):.0f}" if lengths else "-"]


def compared(tried: Sequence[Tried]) -> Any:
    """Record by record, what each way made of it: a data frame with a column for each way."""
    import pandas as pd

    names = [(t.record.instruction or t.record.passage) if t.record else "" for t in tried[0].trials]
    ways = {t.variant.name: [ended(one) for one in t.trials] for t in tried}
    return pd.DataFrame({"record": names, **ways})


def ended(one: Trial) -> str:
    kept = [text_of(r) for r in one.outcome.out]
    return "\n---\n".join([*kept, *(f"dropped: {d.reason} {d.detail}" for d in one.outcome.dropped)]) or one.stopped


def plain(tried: Tried) -> dict[str, Any]:
    """JSON-ready."""
    trials = [heard(t) for t in tried.trials]
    return {"way": tried.variant.name, "calls": tried.spent.calls, "dropped": dict(tried.dropped), "trials": trials}


def heard(one: Trial) -> dict[str, Any]:
    """A trial as plain data."""
    spoken = [
        {"model": e.model, "messages": e.messages, "reply": e.reply.text if e.reply else None, "ended": e.ended}
        for e in one.exchanges
    ]
    kept = [{"messages": r.row()["messages"], "input": r.input, "passage": r.passage} for r in one.outcome.out]
    dropped = [{"reason": d.reason, "detail": d.detail} for d in one.outcome.dropped]
    noted, stopped = [*one.outcome.noted], one.stopped
    return {"exchanges": spoken, "out": kept, "dropped": dropped, "noted": noted, "stopped": stopped}
