"""Run what an answer to a code question wrote, with the tests that the question or its dataset gives (document 004:
code can be executed; LeetCode's questions stand for many).

Naming this technique in a recipe is what allows it. Each answer runs in a sandbox (`sandbox.py`). Tests are asserts or
`test_…` functions in the record's `reference`, or in a constraint {"tests": …}, and the doctest examples, assert lines
and examples in words (`said_examples.py`) of the question itself, as far as they use a name that the answer defines.
Python alone, and its standard library alone: an answer in another language, without tests, or in need of a module is
kept as it is and counted.
"""

from __future__ import annotations

import ast
import doctest
import json
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import ClassVar, Literal

from tasks.answer.said_examples import said_examples
from tasks.answer.sandbox import Limits, missing, run
from tasks.fences import blocks
from tasks.recipe import RecipeError
from tasks.record import Kind, Record, Score
from tasks.step import Outcome
from tasks.teacher.ask import Teacher
from tasks.text import prose

PYTHON = ("python", "py", "python3")
GIVES_UP = (SyntaxError, ValueError, RecursionError, MemoryError)
ASSERT = re.compile(r"^[ \t>]*(assert\b[^\n]+)$", re.M)
LIMITS = Limits()
HINT = "take run_code out of the chain, or set its without_sandbox to run: programs can then do what this user can"


@dataclass(frozen=True, slots=True)
class RunCode:
    """Every row as it is, one that passed with the score `tests` 1; those that fail are dropped as `failed_tests`,
    those that are no Python though there are tests for them as `broken_code`.

    `task_types`: the task types whose answers are run; all others go on as they are.
    `limits`: the most that a program may use: seconds of CPU time, MB of memory and of files, processes at once, KB of
    output.
    `without_sandbox`: what to do on a machine that has none: refuse, or run programs that can do what this user can.
    """

    task_types: tuple[str, ...] = ("code",)
    limits: Limits = LIMITS
    without_sandbox: Literal["refuse", "run"] = "refuse"
    takes: ClassVar[Kind] = "rows"
    gives: ClassVar[Kind] = "rows"
    shape: ClassVar[Literal["each"]] = "each"

    def __post_init__(self) -> None:
        if self.without_sandbox == "refuse" and (why := missing()):
            raise RecipeError(f"code cannot be run here: {why}", hint=HINT)

    async def __call__(self, record: Record, teacher: Teacher, dice: Random) -> Outcome:
        kept = Outcome.keeping(record)
        if record.task_type not in self.task_types:
            return kept
        if not (program := code(record.response)):
            return kept.noting("no_python")
        defined = names(program)
        tests, examples = given(record, defined or names_in(program))
        if not tests and not examples:
            return kept.noting("no_tests")
        if defined is None:
            return Outcome().dropping("broken_code", "it has tests, and is no Python")
        confined = self.without_sandbox == "refuse" or not missing()
        ran = await run("\n\n".join([program, *tests]), examples, self.limits, confined)
        if ran.ending == "needs_module":
            return kept.noting("needs_module")
        if ran.ending != "passed":
            return Outcome().dropping("failed_tests", f"{ran.ending}: {ran.said}")
        score = Score("tests", 1.0, "passed" if confined else "passed, without a sandbox")
        return Outcome.keeping(replace(record, scores=(*record.scores, score))).noting("passed")


def code(answer: str) -> str:
    """The Python of an answer: its blocks, but for those that show a session."""
    found = [b.text for b in blocks(answer) if b.language in PYTHON and not b.text.lstrip().startswith(">>>")]
    return "\n\n".join(found)


def tree(text: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except GIVES_UP:
        return None


def names(program: str) -> frozenset[str] | None:
    """What a program defines at its top; None where it is no Python."""
    if (parsed := tree(program)) is None:
        return None
    defined = {n.name for n in parsed.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)}
    assigned = {t.id for n in parsed.body if isinstance(n, ast.Assign) for t in n.targets if isinstance(t, ast.Name)}
    return frozenset(defined | assigned)


def names_in(broken: str) -> frozenset[str]:
    """What a text that is no Python would define."""
    return frozenset(re.findall(r"^(?:async +)?(?:def|class) +(\w+)", broken, re.M))


def given(record: Record, defined: frozenset[str]) -> tuple[list[str], str]:
    """The tests that are there for an answer, as Python and as doctest examples."""
    tests = [text for text in (record.reference, *constrained(record)) if tests_something(text)]
    asked = "\n".join(m.content for m in record.ask if m.role == "user") + f"\n{record.input}"
    tests += [line for line in ASSERT.findall(asked) if uses(line, defined)]
    tests += said_examples(prose(asked), defined)
    return tests, "".join(f">>> {source}{want}" for source, want in examples(asked, defined))


def constrained(record: Record) -> Iterator[str]:
    for constraint in record.constraints:
        told = json.loads(constraint)
        if isinstance(told, dict) and isinstance(told.get("tests"), str):
            yield told["tests"]


def tests_something(text: str) -> bool:
    parsed = tree(text) if text else None
    return parsed is not None and any(isinstance(node, ast.Assert) for node in ast.walk(parsed))


def uses(line: str, defined: frozenset[str]) -> bool:
    parsed = tree(line)
    return parsed is not None and any(isinstance(n, ast.Name) and n.id in defined for n in ast.walk(parsed))


def examples(text: str, defined: frozenset[str]) -> list[tuple[str, str]]:
    """One-line examples with what they are to give. A text whose examples doctest cannot read has none."""
    try:
        found = doctest.DocTestParser().get_examples(text)
    except ValueError:
        return []
    plain = [(e.source, e.want) for e in found if e.source.count("\n") == 1 and e.want]
    return [(source, want.split("```")[0].rstrip() + "\n") for source, want in plain if uses(source, defined)]
