"""`datasets` loads each config by name, whole and as a stream, and the default one without a name."""

from __future__ import annotations

import json
import sys

import pyarrow.parquet as pq
from datasets import load_dataset
from published import Report, Version, differences


def check(version: Version, config: str | None, streaming: bool, report: Report) -> None:
    """Splits, rows and their order as in the files; columns as in the files' own schema."""
    kept = version.files(config or "chat")
    sides = load_dataset(str(version.folder), config, streaming=streaming)
    faults = differences("split", sorted(sides), sorted(kept))
    for split, files in kept.items():
        ids = [row["row_id"] for row in sides[split]]
        faults += differences(f"{split} row", ids, [r["row_id"] for r in version.rows(config or "chat", split)])
        faults += differences(f"{split} rows", [len(ids)], [sum(f["rows"] for f in files)])
        columns = pq.read_schema(version.folder / files[0]["path"]).names
        faults += differences(f"{split} column", list(sides[split].features), columns)
        faults += [f"tools are {r['tools']!r}" for r in sides[split] if not text_of_tools(r["tools"])]
    counts = ", ".join(f"{split} {sum(f['rows'] for f in files)}" for split, files in kept.items())
    report.line(f"{config or 'default'}{', streaming' * streaming}", counts, faults)


def text_of_tools(tools: str | None) -> bool:
    """Nothing, or a list as JSON text."""
    return not tools or isinstance(json.loads(tools), list)


if __name__ == "__main__":
    report = Report("datasets")
    there = dict.fromkeys(f["config"] for f in Version(sys.argv[1]).manifest["files"])
    for config in (None, *there):
        for streaming in (False, True):
            with report.trying(config or "default"):
                check(Version(sys.argv[1]), config, streaming, report)
    report.close()
