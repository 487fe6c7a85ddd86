"""Row gates: what must hold of each row. The first check that it breaks names its state, `gated:<check>`.

A file for each family of checks; `checks` is the register, in the order in which they are made. Each can be
switched off, and two of them set, under `gates.rows` in the recipe.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Literal

import pyarrow as pa

from tasks.gate.rows.chatter import chatter, tagged
from tasks.gate.rows.chinese import loose_punctuation
from tasks.gate.rows.code import broken_code
from tasks.gate.rows.content import echoed, empty, low_score, personal_data, wrong_language
from tasks.gate.rows.form import constraints_unmet, not_json
from tasks.gate.rows.refused import refused
from tasks.gate.rows.row import Check, Row, row_of
from tasks.gate.rows.tool_calls import bad_tool_call
from tasks.gate.rows.whole import broken_fence, truncated
from tasks.history.ledger import GATED
from tasks.step import Sieved

Chattering = Literal["keep", "tag", "drop"]


@dataclass(frozen=True, slots=True)
class RowGates:
    """Drop rows that break a check.

    `min_score` is on the judge's scale of 0 to 5, `loose_marks` the largest share of a Chinese answer's marks that
    may be half-width or unpaired; `off` are the checks that are not made. Rows that chatter are dropped like others,
    or pass with a tag, or as they are, as `chatter` says.
    """

    min_score: float = 4.5
    loose_marks: float = 0.5
    off: tuple[str, ...] = ()
    chatter: Chattering = "tag"
    shape: ClassVar[Literal["table"]] = "table"

    def __call__(self, table: pa.Table) -> Sieved:
        made = {name: check for name, check in checks(self.min_score, self.loose_marks).items() if self.makes(name)}
        rows = [row_of(row) for row in table.to_pylist()]
        broken = [first(row, made) for row in rows]
        reasons = pa.array([GATED + name if name else None for name, _ in broken], pa.string())
        details = pa.array([said for _, said in broken], pa.string())
        if self.chatter != "tag":
            return Sieved(table, reasons, details)
        chatting = [not name and bool(chatter(row)) for row, (name, _) in zip(rows, broken, strict=True)]
        return Sieved(tagged(table, chatting), reasons, details, {"tagged_chatter": sum(chatting)})

    def makes(self, check: str) -> bool:
        return check not in self.off and (check != "chatter" or self.chatter == "drop")


def first(row: Row, made: dict[str, Check]) -> tuple[str, str]:
    """The first check that the row breaks, and how; two empty strings for one that breaks none."""
    return next(((name, said) for name, check in made.items() if (said := check(row))), ("", ""))


def checks(min_score: float, loose_marks: float) -> dict[str, Check]:
    """All checks by name, in their order."""
    return {
        "empty": empty,
        "refused": refused,
        "echoed": echoed,
        "personal_data": personal_data,
        "wrong_language": wrong_language,
        "broken_fence": broken_fence,
        "truncated": truncated,
        "chatter": chatter,
        "broken_code": broken_code,
        "bad_tool_call": bad_tool_call,
        "not_json": not_json,
        "constraints_unmet": constraints_unmet,
        "loose_punctuation": partial(loose_punctuation, most=loose_marks),
        "low_score": partial(low_score, least=min_score),
    }
