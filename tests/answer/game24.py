"""The game of 24: an exact checker, and a teacher who plays it with so much luck at every step and no more.

The teacher goes the right way with a set probability whenever it takes a step, whether it is asked for an answer at
once or for next steps only, and judges a position rightly with another. What it says depends on the seed, the question
and how often that was asked, never on the order of the calls.
"""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import permutations
from random import Random

from tasks.teacher.protocol import asked_schema, texts
from tests.faults import Body, same
from tests.rows import spoken

Held = tuple[Fraction, ...]
SIGNS: dict[str, Callable[[Fraction, Fraction], Fraction]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
}
NODES = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
STEP = re.compile(r"(\S+) ([-+*/]) (\S+) = (\S+); left: (.*)")
WORDS = {"en": ("sure", "likely", "impossible"), "zh": ("一定", "可能", "不可能")}


def moves(held: Held) -> Iterator[tuple[str, Held]]:
    """Every step from a position: its text and what is held after it."""
    for i, j in permutations(range(len(held)), 2):
        rest = [x for k, x in enumerate(held) if k not in (i, j)]
        for sign, apply in SIGNS.items():
            if (sign in "+*" and i > j) or (sign == "/" and not held[j]):
                continue
            then = (apply(held[i], held[j]), *rest)
            yield f"{held[i]} {sign} {held[j]} = {then[0]}; left: {', '.join(map(str, then))}", then


def solvable(held: Held) -> bool:
    return held == (24,) if len(held) == 1 else any(solvable(then) for _, then in moves(held))


def right(answer: str, numbers: Sequence[int]) -> bool:
    """Whether an answer's expression gives 24 and uses each number once; exact, and nothing is executed."""
    said = answer.partition("=")[0].strip()
    try:
        tree = ast.parse(said, mode="eval").body
        return value(tree) == 24 and sorted(leaves(tree)) == sorted(numbers)
    except (SyntaxError, ValueError, ZeroDivisionError):
        return False


def value(node: ast.AST) -> Fraction:
    if isinstance(node, ast.BinOp) and type(node.op) in NODES:
        return SIGNS[NODES[type(node.op)]](value(node.left), value(node.right))
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return Fraction(node.value)
    raise ValueError(ast.dump(node))


def leaves(tree: ast.AST) -> list[int]:
    return [n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, int)]


class Player:
    """Answers as a teacher does; `luck` at each step, `sight` at each judgement."""

    def __init__(self, luck: float, sight: float, seed: int = 7) -> None:
        self.luck, self.sight, self.seed = luck, sight, seed
        self.often: Counter[str] = Counter()

    def __call__(self, body: Body) -> str:
        question, last = same(body), texts(body)[-1]
        dice = Random(f"{self.seed} {question} {self.often[question]}")
        self.often[question] += 1
        start = tuple(Fraction(n) for n in re.findall(r"\d+", puzzle(last))[:4])
        taken = steps(last)
        held = after(taken, start)
        match asked_schema(body):
            case "proposed":
                return json.dumps({"steps": [self.step(held, dice) for _ in range(5)]})
            case "valued":
                return json.dumps({"reason": "tried", "value": self.verdict(held, dice, WORDS[spoken(puzzle(last))])})
        return self.answer(start, taken, dice)

    def step(self, held: Held, dice: Random) -> dict[str, object]:
        """A step, good with the probability of luck where there is a good one."""
        known = [(text, then, solvable(then)) for text, then in moves(held)]
        lucky = dice.random() < self.luck
        of_kind = [k for k in known if k[2] == lucky] or known
        text, then, _ = dice.choice(of_kind)
        return {"step": text, "done": len(then) == 1}

    def verdict(self, held: Held, dice: Random, words: tuple[str, str, str]) -> str:
        sure, likely, impossible = words
        truth = solvable(held)
        return (sure if truth else impossible) if dice.random() < self.sight else (likely if not truth else impossible)

    def answer(self, start: Held, taken: list[str], dice: Random) -> str:
        """The expression of the steps; without any, of steps that are taken now."""
        held = after(taken, start)
        while len(held) > 1:
            taken = [*taken, str(self.step(held, dice)["step"])]
            held = after(taken, start)
        return expression(start, taken) + " = 24"


def after(taken: list[str], start: Held) -> Held:
    """What is held after some steps."""
    found = STEP.match(taken[-1]) if taken else None
    return tuple(map(Fraction, found[5].split(", "))) if found else start


def expression(start: Held, taken: list[str]) -> str:
    """Steps as one expression with brackets."""
    held = [(n, str(n)) for n in start]
    for one in taken:
        left, sign, other, result = STEP.match(one).groups()[:4]  # pyright: ignore[reportOptionalMemberAccess]
        a = held.pop(next(i for i, (n, _) in enumerate(held) if n == Fraction(left)))
        b = held.pop(next(i for i, (n, _) in enumerate(held) if n == Fraction(other)))
        held.insert(0, (Fraction(result), f"({a[1]} {sign} {b[1]})"))
    return held[0][1]


def puzzle(said: str) -> str:
    """What is asked: the conversation between its marks, or the whole message."""
    found = re.search(r"<user \w{8}>\n(.*?)\n</user", said, re.DOTALL)
    return found[1] if found else said


def steps(said: str) -> list[str]:
    """The steps between their marks."""
    found = re.search(r"<steps (\w{8})>\n(.*?)\n</steps \1>", said, re.DOTALL)
    return [line.partition(". ")[2] for line in found[2].splitlines() if line] if found else []
