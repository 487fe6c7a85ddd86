"""The staged rows as a flat frame, one line for each: the columns that a suite's rules may name.

Most columns are read or counted for every suite. Those of `DEAR` take a look at each text, so they are made only
for a suite that names them, and those of `NEW` for new rows alone: the run that added the others looked at them, and
a dataset that grows for ever must not cost more each week. A value that is null in the files is null here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from tasks.gate.rows import checks
from tasks.gate.rows.row import row_of
from tasks.gate.student import Reader
from tasks.personal import find
from tasks.record import identity, message, spoken
from tasks.text import key, units

Row = dict[str, Any]
SAME = ("row_id", "prompt_id", "language", "task_type", "subtype", "domain", "teacher")
MADE = ("messages", "prompt", "response", "judge", "split", "prompt_units", "response_units", "new")
FREQUENT = 20  # rows with one answer, from which its share is looked at
STUDENT = ("student_tokens", "renders")
CHECKS = checks(0.0, 0.5)
ROW_GATES = sorted(CHECKS.keys() - {"low_score"})  # the score stands in `judge`


def frame(
    files: Sequence[Path], wanted: str = "", reader: Reader | None = None, old: Collection[str] = ()
) -> pd.DataFrame:
    """`wanted` is a text that names the dear columns to make; `old` are the row ids that the parent has."""
    dear = [c for c in DEAR if c in wanted]
    parts = []
    for file in files:
        rows = pq.read_table(file).to_pylist()
        flat = pd.DataFrame([flattened(r, file.name.partition("-")[0], old) for r in rows], columns=[*SAME, *MADE])
        for column in dear:
            known = old if column in NEW else ()
            looked = iter(DEAR[column]([r for r in rows if r["row_id"] not in known]))
            flat[column] = [next(looked) if r["row_id"] not in known else None for r in rows]
        if reader and any(c in wanted for c in STUDENT):
            lengths = reader.lengths([r | {"messages": r["messages"] or []} for r in rows])
            flat["student_tokens"] = [n.tokens for n in lengths]
            flat["renders"] = [int(n.tokens is not None) for n in lengths]
        parts.append(flat)
    made = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=[*SAME, *MADE, *dear])
    if "answer_share" in wanted:
        made["answer_share"] = answer_shares(made["response"])
    return made


def flattened(row: Row, side: str, old: Collection[str]) -> Row:
    said = row["messages"]
    prompt = "\n".join(m["content"] or "" for m in said[:-1]) if said else None
    response = spoken(message(said[-1] | {"content": said[-1]["content"] or ""})) if said else None
    return {k: row[k] for k in SAME} | {
        "messages": len(said) if said is not None else None,
        "prompt": prompt,
        "response": response,
        "judge": row["judge_score"],
        "split": side,
        "prompt_units": units(prompt or ""),
        "response_units": units(response or ""),
        "new": int(row["row_id"] not in old),
    }


def prompt_keys(rows: Sequence[Row]) -> list[str | None]:
    """A name for what is asked, in the folded form that prompts are compared in; null for a further answer."""
    return [prompt_key(r) if r["messages"] and not further(r) else None for r in rows]


def further(row: Row) -> bool:
    """Whether a technique made it of the very prompt that it answers: it is meant to stand beside another answer."""
    return any(row["prompt_id"] in stamp["parents"] for stamp in row["lineage"] or ())


def prompt_key(row: Row) -> str:
    asked = [[m["role"], key(m["content"] or "")] for m in row["messages"][:-1]]
    return identity("k", asked, key(row["input"] or ""), key(row["tools"] or ""))


def personal_asked(rows: Sequence[Row]) -> list[int]:
    """Pieces of personal data in what is asked, which the scrubbing should have taken."""
    return [sum(len(find(m["content"] or "", r["language"])) for m in (r["messages"] or [])[:-1]) for r in rows]


def broken(rule: str) -> Callable[[Sequence[Row]], list[int | None]]:
    """1 for rows that break a row gate, which should have dropped them; null for rows that it cannot read."""

    def column(rows: Sequence[Row]) -> list[int | None]:
        return [int(bool(CHECKS[rule](row_of(r)))) if r["messages"] and r["scores"] is not None else None for r in rows]

    return column


def answer_shares(responses: pd.Series[Any]) -> pd.Series[Any]:
    """Of all rows, the share that has this one's answer; 0 where fewer than FREQUENT have it."""
    keys = responses.fillna("").map(key)
    counts = keys.map(keys.value_counts())
    return (counts / max(1, len(keys))).where(counts >= FREQUENT, 0.0)


DEAR: dict[str, Callable[[Sequence[Row]], list[Any]]] = {
    "prompt_key": prompt_keys,
    "personal_asked": personal_asked,
    **{rule: broken(rule) for rule in ROW_GATES},
}
NEW = DEAR.keys() - {"prompt_key"}
COLUMNS = (*SAME, *MADE, *DEAR, *STUDENT, "answer_share")
