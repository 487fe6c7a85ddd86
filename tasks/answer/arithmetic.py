"""Arithmetic on text, exactly: sums, products, quotients and powers of plain numbers, and nothing else.

The text is a model's, so it is hostile: only digits and signs are taken, the tree is walked by a list of what is
allowed, and no number grows beyond what a person would write. Nothing is evaluated by Python.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable
from fractions import Fraction

LONGEST = 200  # characters
BITS = 4096  # of a numerator or denominator
PLAIN = re.compile(r"[\d.+\-*/()\s]+")
SIGNS = str.maketrans(
    {"×": "*", "✕": "*", "∗": "*", "·": "*", "⋅": "*", "÷": "/", "∕": "/", "⁄": "/", "−": "-", "–": "-"}
)
LEADING = re.compile(r"(?<![\d.])0+(?=\d)")
OPERATORS: dict[type[ast.AST], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def value(expression: str) -> Fraction | None:
    """What an expression comes to; None for one that is no arithmetic, divides by zero or grows too large."""
    plain = expression.translate(SIGNS).replace("^", "**").strip()
    if len(plain) > LONGEST or not PLAIN.fullmatch(plain):
        return None
    try:
        return reckoned(ast.parse(LEADING.sub("", plain), mode="eval").body)
    except (SyntaxError, ValueError, ArithmeticError, RecursionError, MemoryError):
        return None


def reckoned(node: ast.AST) -> Fraction:
    """Raises ValueError for whatever is not on the list."""
    match node:
        case ast.Constant(value=int() | float() as number):
            return Fraction(repr(number))  # a decimal as it is written
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return -reckoned(inner)
        case ast.UnaryOp(op=ast.UAdd(), operand=inner):
            return reckoned(inner)
        case ast.BinOp(op=ast.Pow(), left=left, right=right):
            return power(reckoned(left), reckoned(right))
        case ast.BinOp(op=op, left=left, right=right) if type(op) in OPERATORS:
            return small(OPERATORS[type(op)](reckoned(left), reckoned(right)))
        case _:
            raise ValueError(f"{type(node).__name__} is no arithmetic")


def power(number: Fraction, exponent: Fraction) -> Fraction:
    size = max(number.numerator.bit_length(), number.denominator.bit_length())
    if exponent.denominator != 1 or size * abs(exponent) > BITS:
        raise ValueError("no power that a person would write")
    return number ** int(exponent)


def small(number: Fraction) -> Fraction:
    if max(number.numerator.bit_length(), number.denominator.bit_length()) > BITS:
        raise ValueError("too large")
    return number
