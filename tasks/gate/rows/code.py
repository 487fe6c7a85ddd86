"""Code in an answer, parsed by its language's parser (document 004: code can be checked). Nothing is run.

What is no whole program is not judged: a block that leaves something out, that is shown as output, as pseudo-code
or as an example of a mistake, that is a difference between files, or that quotes the question.
"""

from __future__ import annotations

import re

from tasks.fences import Block, blocks
from tasks.gate.rows.parsers import PARSERS, Fault, bounded
from tasks.gate.rows.row import Row

LEFT_OUT = re.compile(
    r"\.\.\.|…|\{\{|<%|\[(?:your|insert|value|column|table)\b|<(?:your|insert|some)\b|<[a-z]+(?:[-_ ][a-z]+)+>"
    r"|(?:#|//|--|/\*)[^\n]*(?:\byour\b|\brest of\b|\bexisting\b|\bgoes here\b|你的|此处|这里|其余|省略)",
    re.I,
)
NOT_MEANT = re.compile(
    r"output|result|pseudo|traceback|error|wrong|incorrect|invalid|broken|\bbad\b|don['’]t|instead of|syntax|template"
    r"|输出|结果|伪代码|报错|错误|不正确|不要|语法|模板|格式",
    re.I,
)
DIFFERENCE = re.compile(r"^(?:[-+] |@@ |--- |\+\+\+ )", re.M)


def broken_code(row: Row) -> str:
    """The first block that its parser refuses: language, line and what the parser says."""
    for block in blocks(row.response):
        parser = PARSERS.get(block.language)
        if parser and bounded(block.text) and (fault := parser(block.text)) and meant(block, row.ask):
            return said(block.language, fault)
    return ""


def meant(block: Block, ask: str) -> bool:
    """Whether a block that cannot be parsed was meant to be whole."""
    excused = LEFT_OUT.search(block.text) or NOT_MEANT.search(block.before) or DIFFERENCE.search(block.text)
    return not excused and block.text.strip() not in ask


def said(language: str, fault: Fault) -> str:
    return f"{language}, line {fault.line}: {fault.said}"[:200]
