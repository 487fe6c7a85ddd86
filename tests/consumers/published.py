"""What a version holds, read from its manifest and its Parquet files alone, for consumers to be compared with.

A check prints a line for each thing it loaded and fails where a consumer saw other rows, or would train on other text.
"""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow.parquet as pq

Plain = dict[str, Any]
IGNORED = -100


class Version:
    """A version's folder."""

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder).resolve()
        self.manifest: Plain = json.loads((self.folder / "manifest.json").read_text("utf-8"))

    def files(self, config: str) -> dict[str, list[Plain]]:
        """Split -> its files in the manifest."""
        found: dict[str, list[Plain]] = {}
        for file in self.manifest["files"]:
            if file["config"] == config:
                found.setdefault(file["split"], []).append(file)
        return found

    def rows(self, config: str, split: str) -> list[Plain]:
        files = [self.folder / f["path"] for f in self.files(config).get(split, [])]
        return [row for file in files for row in pq.read_table(file).to_pylist()]

    def exports(self, shape: str) -> dict[str, Path]:
        """Split -> the file of an export."""
        files = self.manifest["exports"][shape]["files"]
        return {f["split"]: self.folder / f["path"] for f in files}

    def left_out(self, shape: str) -> int:
        return sum(self.manifest["exports"][shape]["left_out"].values())


def taught(row: Plain) -> list[str]:
    """The text of each turn that carries loss, as templates of the Qwen family write it."""
    return [said(turn) for turn in row["messages"] if turn["trained"]]


def said(turn: Plain) -> str:
    """Content, then each call as JSON between <tool_call> marks."""
    calls = [
        {"name": c["function"]["name"], "arguments": json.loads(c["function"]["arguments"])}
        for c in turn["tool_calls"] or []
    ]
    marked = [f"<tool_call>\n{json.dumps(c, ensure_ascii=False)}\n</tool_call>" for c in calls]
    return "\n".join([turn["content"]] * bool(turn["content"]) + marked)


def tool_names(row: Plain) -> list[str]:
    """The tools that a row declares, however they are wrapped."""
    return [t.get("function", t)["name"] for t in json.loads(row["tools"] or "[]")]


def heard(row: Plain) -> list[str]:
    """What the model must be shown of a row: the names of its tools and what is said around the taught turns."""
    return tool_names(row) + [t["content"] for t in row["messages"] if not t["trained"] and t["content"]]


def spans(tokenizer: Any, ids: Sequence[int], labels: Sequence[int], end: str = "<|im_end|>") -> list[str]:
    """The runs of tokens that carry loss, as text; each must end its turn, and does so no more afterwards."""
    runs: list[list[int]] = [[]]
    for token, label in zip(ids, labels, strict=True):
        if label == IGNORED:
            runs += [[]] if runs[-1] else []
        else:
            runs[-1].append(token)
    texts = [tokenizer.decode(run, skip_special_tokens=False).rstrip("\n") for run in runs if run]
    return [t.removesuffix(end) if t.endswith(end) else f"{t} (its turn does not end)" for t in texts]


def shares(labels: Iterable[Sequence[int]]) -> str:
    """How many of all tokens carry loss."""
    every = [label for one in labels for label in one]
    return f"{sum(label != IGNORED for label in every)} of {len(every)} tokens trained"


class Trying:
    """A block in which whatever a consumer raises is what the check is to show: it fails, and the next one goes on."""

    def __init__(self, report: Report, what: str) -> None:
        self.report, self.what = report, what

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> bool:
        if isinstance(fault, Exception):
            traceback.print_exception(fault)
            self.report.line(self.what, "", [f"{type(fault).__name__}: {fault}"])
        return isinstance(fault, Exception)


class Report:
    """The lines of one consumer; `close` ends the process with 1 where something failed."""

    def __init__(self, consumer: str) -> None:
        self.consumer, self.failed, self.out = consumer, 0, sys.stdout
        sys.stdout = sys.stderr  # what a consumer says goes with its warnings

    def trying(self, what: str) -> Trying:
        return Trying(self, what)

    def line(self, what: str, facts: str, faults: Sequence[str] = ()) -> None:
        self.failed += bool(faults)
        print(f"{'FAIL' if faults else 'PASS'}  {self.consumer:<13} {what:<34} {facts}", file=self.out, flush=True)
        for fault in faults[:3]:
            print(f"      {fault[:600]}", file=self.out, flush=True)

    def close(self) -> None:
        sys.exit(1 if self.failed else 0)


def differences(what: str, found: Sequence[Any], expected: Sequence[Any]) -> list[str]:
    """A sentence where two sequences differ, with the first place that does."""
    if len(found) != len(expected):
        return [f"{what}: {len(found)} found, {len(expected)} expected"]
    return [
        f"{what} {i}: {f!r} found, {e!r} expected"
        for i, (f, e) in enumerate(zip(found, expected, strict=True))
        if f != e
    ]


def in_order(expected: Sequence[tuple[Plain, Any]], found: Sequence[Any], spare: int) -> tuple[list[Plain], list[str]]:
    """The row of each thing that was found, in order; `spare` rows at most may have been left out on the way."""
    rows, at = [], 0
    for one in found:
        ahead = next((i for i in range(at, len(expected)) if expected[i][1] == one), None)
        if ahead is None:
            return rows, [f"trained on {one!r}, where {[value for _, value in expected[at : at + 1]]!r} is published"]
        rows.append(expected[ahead][0])
        at = ahead + 1
    missing = len(expected) - len(rows)
    return rows, [f"{missing} rows are missing, at most {spare} are left out"] if missing > spare else []


def unheard(rows: Sequence[Plain], texts: Sequence[str]) -> list[str]:
    """What of its row an example of the same place does not show."""
    pairs = zip(rows, texts, strict=True)
    return [f"the prompt lacks {part!r}" for row, text in pairs for part in heard(row) if part not in text]
