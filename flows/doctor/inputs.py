"""Can all be read that a run reads: logs, taxonomy, suite, prompts, examples, the student's files, the hooks."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from flows.doctor.checked import Checked, ok, problem, warning
from flows.embedded import home
from tasks.answer.distill import read_pool
from tasks.gate.student import Reader
from tasks.gate.suite import read as read_suite
from tasks.prompt import lock_faults
from tasks.pull.bounds import printable
from tasks.pull.rows import Unreadable, record_of
from tasks.pull.source import parts
from tasks.pull.window import Window
from tasks.recipe import Notify, Recipe, RecipeError, Source
from tasks.taxonomy import Taxonomy

FIRST = 20


def inputs(recipe: Recipe) -> Iterator[Checked]:
    found, whole = [*files(recipe)], tried("recipe", lambda: links(recipe))
    if whole.said not in {one.said for one in found}:  # what is wrong with a file is said once
        yield whole
    yield from found


def files(recipe: Recipe) -> Iterator[Checked]:
    for source in recipe.sources:
        yield tried("sources", lambda source=source: rows(source))
    yield tried("taxonomy", lambda: f"{len(Taxonomy.read(recipe.label.taxonomy).types)} task types")
    yield tried("gates", lambda: f"{len(read_suite(recipe.gates.suite).rules)} rules on rows")
    yield prompts()
    if recipe.answer.few_shot:
        yield tried("examples", lambda: f"{len(read_pool(recipe.answer.pool))} examples")
    if student := recipe.student:
        yield tried("student", lambda: Reader.of(student).load() or "its tokenizer and chat template read a row")
    yield from hooks(recipe.notify)


def links(recipe: Recipe) -> str:
    """That the recipe's chains, rules and names fit together. Raises RecipeError where they do not."""
    home()  # Prefect is told where it keeps its state before it is imported
    from flows.fitting import fitting

    many = fitting(recipe)
    return f"its {many} {'technique' if many == 1 else 'techniques'} and all that it names fit together"


def tried(check: str, look: Callable[[], Checked | str]) -> Checked:
    """A check that finds a fault of the recipe, or says what it saw."""
    try:
        seen = look()
    except RecipeError as fault:
        where = f"mend {fault.where}" if fault.where else "mend the recipe"
        return problem(check, fault.what, fault.hint or where)
    return seen if isinstance(seen, Checked) else ok(check, seen)


def rows(source: Source) -> Checked:
    """Whether the first rows of a source can be read with its mapping. Raises RecipeError where there is none."""
    bad: list[str] = []
    seen = 0
    for line in islice((line for _, lines in parts(source, Window()) for line in lines), FIRST):
        seen += 1
        try:
            if line.row is None:
                raise Unreadable(line.reason)
            record_of(line.row, source.mapping, source.name)
        except (Unreadable, RecursionError) as why:
            bad.append(f"{line.file!a} line {line.number}: {why if isinstance(why, Unreadable) else 'nested_too_deep'}")
    said = printable(source.uri)
    if not seen:
        return warning("sources", f"{said} with no row in it", "is this the right one?")
    if bad:
        state = problem if len(bad) == seen else warning
        what = f"{said}; {len(bad)} of the first {seen} rows cannot be read, {bad[0]}"
        return state("sources", what, "name the source's mapping (openai, sharegpt, alpaca, own, or field by field)")
    return ok("sources", f"{said}, the first {seen} rows can be read")


def prompts() -> Checked:
    if faults := lock_faults():
        return problem("prompts", faults[0], "python -m tasks.prompt --write, once the version is raised")
    return ok("prompts", "as the lock has them")


def hooks(notify: Notify) -> Iterator[Checked]:
    if notify.command and not shutil.which(notify.command[0]):
        what = f"no program {Path(notify.command[0]).name} that can be run"
        yield problem("notify", what, "mend notify.command: a program and its arguments, as a list")
    if (name := notify.webhook_env) and not notify.webhook and not os.environ.get(name):
        yield problem("notify", f"{name} is not set", f"export {name}=… with the webhook's URL")
