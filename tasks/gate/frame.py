"""The staged rows as a flat table, one line for each: the columns that a suite's rules may name.

Most columns are read or counted for every suite. Those of `TEXTS` and `DEAR` are made only for a suite that names
them: texts are most of a dataset, and the dear ones take a look at each of them. Those of `NEW` are made for new rows
alone: the run that added the others looked at them, and a dataset that grows for ever must not cost more each week. A
value that is null in the files is null here.

Rows are flattened some at a time, and the table may lie on disk: a dataset need not fit into memory.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.gate.rows import checks
from tasks.gate.rows.row import row_of
from tasks.gate.student import Reader
from tasks.history.asked import digest
from tasks.mapped import spooled
from tasks.personal import find
from tasks.record import identity, message, spoken
from tasks.schema import AT_ONCE
from tasks.text import key, units

Row = dict[str, Any]
SAME = ("row_id", "prompt_id", "language", "task_type", "subtype", "domain", "teacher")
MADE = ("messages", "judge", "split", "prompt_units", "response_units", "new")
TEXTS = ("prompt", "response")
READ = (*SAME, "messages", "judge_score", "scores", "input", "tools", "lineage", "constraints")
FREQUENT = 20  # rows with one answer, from which its share is looked at
STUDENT = ("student_tokens", "renders")
SHARE = "answer_share"
CHECKS = checks(0.0, 0.5)
ROW_GATES = sorted(CHECKS.keys() - {"low_score"})  # the score stands in `judge`


def frame(
    files: Sequence[Path],
    wanted: str = "",
    reader: Reader | None = None,
    old: Collection[str] = (),
    folder: Path | None = None,
) -> pa.Table:
    """`wanted` is a text that names the columns to make that are not always made; `old` are the row ids that the parent
    has. The table lies in `folder`, or in memory."""
    named = [c for c in (*TEXTS, *DEAR, *(STUDENT if reader else ())) if re.search(rf"\b{c}\b", wanted)]
    schema = pa.schema([(c, KINDS.get(c, pa.int64())) for c in (*SAME, *MADE, *named)])
    answers: list[int] = []

    def flat() -> Iterator[pa.Table]:
        for rows, side in some(files):
            if SHARE in wanted:
                answers.extend(digest("answer", key(response(r) or "")) for r in rows)
            yield pa.table(columns(rows, side, schema.names, reader, old), schema)

    table = spooled(flat(), schema, folder)
    return table.append_column(SHARE, answer_shares(answers)) if SHARE in wanted else table


def some(files: Sequence[Path]) -> Iterator[tuple[list[Row], str]]:
    """The rows of staged files, so many at a time, with their side."""
    for file in files:
        with pq.ParquetFile(file) as source:
            known = [c for c in READ if c in source.schema_arrow.names]
            for batch in source.iter_batches(AT_ONCE, columns=known):
                yield batch.to_pylist(), file.name.partition("-")[0]


def columns(
    rows: list[Row], side: str, names: Sequence[str], reader: Reader | None, old: Collection[str]
) -> dict[str, list[Any]]:
    """The columns of these names."""
    made = {c: [r[c] for r in rows] for c in SAME} | flattened(rows, side)
    made["new"] = [int(r["row_id"] not in old) for r in rows]
    fresh = [r for r in rows if r["row_id"] not in old]
    if reader and {*STUDENT} & {*names}:
        lengths = reader.lengths([r | {"messages": r["messages"] or []} for r in rows])
        made["student_tokens"] = [n.tokens for n in lengths]
        made["renders"] = [int(n.tokens is not None) for n in lengths]
    for column in DEAR.keys() & {*names}:
        looked = iter(DEAR[column](fresh if column in NEW else rows))
        made[column] = [next(looked) if column not in NEW or r["row_id"] not in old else None for r in rows]
    return {name: made[name] for name in names}


def flattened(rows: list[Row], side: str) -> dict[str, list[Any]]:
    prompts = ["\n".join(m["content"] or "" for m in r["messages"][:-1]) if r["messages"] else None for r in rows]
    responses = [response(r) for r in rows]
    return {
        "messages": [len(r["messages"]) if r["messages"] is not None else None for r in rows],
        "prompt": prompts,
        "response": responses,
        "judge": [r["judge_score"] for r in rows],
        "split": [side] * len(rows),
        "prompt_units": [units(text or "") for text in prompts],
        "response_units": [units(text or "") for text in responses],
    }


def response(row: Row) -> str | None:
    """What is answered, tool calls included; None where there are no turns."""
    if not (said := row["messages"]):
        return None
    return spoken(message(said[-1] | {"content": said[-1]["content"] or ""}))


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


def answer_shares(answers: Sequence[int]) -> pa.Array:
    """Of all rows, the share that has this one's answer; 0 where fewer than FREQUENT have it."""
    counts = Counter(answers)
    shares = {answer: n / len(answers) if n >= FREQUENT else 0.0 for answer, n in counts.items()}
    return pa.array([shares[answer] for answer in answers], pa.float64())


DEAR: dict[str, Callable[[Sequence[Row]], list[Any]]] = {
    "prompt_key": prompt_keys,
    "personal_asked": personal_asked,
    **{rule: broken(rule) for rule in ROW_GATES},
}
NEW = DEAR.keys() - {"prompt_key"}
COLUMNS = (*SAME, *MADE, *TEXTS, *DEAR, *STUDENT, SHARE)
KINDS = {"judge": pa.float64(), **dict.fromkeys((*SAME, *TEXTS, "split", "prompt_key"), pa.large_string())}
