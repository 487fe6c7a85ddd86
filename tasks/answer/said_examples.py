"""Examples that a question gives in plain words: `f(2) == 4`, f([1]) should return [1], f(2) 应返回 4.

Read are calls on one line whose arguments are literals, and the literal that stands after them. Left out are floats,
which people round; what stands after `if`; and `f(2) returns 5` and arrows, which in a question about a fault tell what
goes wrong. Nothing is evaluated here.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

GIVES = re.compile(r"[`\s]*(?:==|(?:should|must) (?:return|give|be)|应(?:该|当)?(?:返回|得到|等于|是|为))[:：]?[`\s]*")
WORD = re.compile(r"(?:None|True|False|-?\d+)(?=[`\s,;:)，。；：）]|\.(?!\d)|\Z)(?!\s*[-+*/%])")
SUPPOSED = re.compile(r"(?:\b(?:if|elif|while|when|unless|not)|如果|要是|若|当)[\s`(]*\Z", re.I)
LONGEST = 400  # characters of a call, or of its result


def said_examples(text: str, names: Iterable[str]) -> Iterator[str]:
    """Each as an assert. `names` are those whose calls are looked for."""
    known = "|".join(map(re.escape, sorted(names)))
    for found in re.finditer(rf"(?<![\w.])(?:{known})\(", text) if known else ():
        if SUPPOSED.search(text[max(0, found.start() - 20) : found.start()]):
            continue
        line = text[found.start() :].partition("\n")[0]
        call = next((head for head in heads(line, ")") if is_call(head)), "")
        gives = GIVES.match(line, len(call)) if call else None
        if gives and (result := literal(line[gives.end() :])):
            yield f"assert {call} == {result}"


def heads(line: str, closing: str) -> Iterator[str]:
    """The beginnings of a line that end in one of these characters, the shortest first."""
    return (line[: i + 1] for i, c in enumerate(line[:LONGEST]) if c in closing)


def literal(line: str) -> str:
    """The literal that a line begins with; empty where there is none, or a float stands in it."""
    if word := WORD.match(line):
        return word[0]
    whole = (
        next((head for head in heads(line, "])}\"'") if is_literal(parsed(head))), "") if line[:1] in "[({\"'" else ""
    )
    floats = (isinstance(n, ast.Constant) and isinstance(n.value, float) for n in ast.walk(ast.parse(whole)))
    return "" if any(floats) else whole


def is_call(text: str) -> bool:
    """Whether a text is a call with literals alone."""
    call = parsed(text)
    return isinstance(call, ast.Call) and all(map(is_literal, (*call.args, *(k.value for k in call.keywords))))


def parsed(text: str) -> ast.expr | None:
    try:
        return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def is_literal(node: ast.expr | None) -> bool:
    try:
        return node is not None and (ast.literal_eval(node), True)[1]
    except (ValueError, TypeError, RecursionError, MemoryError):
        return False
