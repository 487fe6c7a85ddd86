"""The dataset card: what is in a version, how to load it, where it comes from, in the recipe's language."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import yaml

from tasks.prompt import SLOT
from tasks.publish.version import CONFIGS, SIDES
from tasks.recipe import PROJECT

SAMPLED = 200  # rows among which one is looked for that can be shown
TEMPLATES = PROJECT / "data" / "card"
SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


def card(
    manifest: dict[str, Any],
    sides: Mapping[str, pa.Table],
    findings: list[dict[str, Any]],
    language: str,
    difference: Mapping[str, Any],
    sample: str,
) -> str:
    """The card's Markdown, with the front matter that dataset loaders read. `difference` is the one to the parent,
    `sample` a row to show."""
    everything = pa.concat_tables(sides.values())
    values = {
        "name": manifest["name"],
        "version": manifest["version"],
        "rows": str(everything.num_rows),
        "new": str(manifest["counts"]["new"]),
        "teachers": ", ".join(f"`{t}`" for t in manifest["teachers"]),
        "licence": manifest["license"],
        "splits": "\n".join(f"| {side} | {sides[side].num_rows} |" for side in SIDES),
        "languages": counted(everything, "language"),
        "task_types": counted(everything, "task_type"),
        "domains": counted(everything, "domain"),
        "ledger": "\n".join(f"| {state} | {n} |" for state, n in manifest["counts"]["ledger"].items()),
        "gates": "\n".join(gate_line(f) for f in findings),
        "sample": sample,
        "parent": manifest["parent_version"] or "–",
        "difference": "\n".join(difference_line(what, difference[what]) for what in ("added", "removed", "changed")),
        "same": str(difference["same"]),
        "licences": licences(everything),
        "exports": "\n".join(export_line(shape, made) for shape, made in manifest["exports"].items()),
    }
    shapes = [shape for shape, made in manifest["exports"].items() if made["files"]]
    pairs = ["pairs"] * any(f["config"] == "preference" for f in manifest["files"])
    values["loading"] = "\n".join(filled(f"load_{s}", language, values) for s in ("datasets", "trl", *pairs, *shapes))
    return front(manifest, everything.num_rows) + filled("card", language, values)


def filled(template: str, language: str, values: Mapping[str, str]) -> str:
    text = (TEMPLATES / f"{template}.{language}.md").read_text("utf-8")
    return SLOT.sub(lambda m: values[m[2]], text)


def difference_line(what: str, part: Mapping[str, Any]) -> str:
    by = (", ".join(f"{n} {name}" for name, n in part[c].items()) for c in ("language", "task_type", "split"))
    return f"| {what} | {part['rows']} | {' | '.join(by)} |"


def licences(rows: pa.Table) -> str:
    """A line for each teacher and the licence that its rows came with."""
    found = Counter(zip(rows.column("teacher").to_pylist(), rows.column("licence").to_pylist(), strict=True))
    return "\n".join(f"| `{who}` | {licence or '–'} | {n} |" for (who, licence), n in sorted(found.items()))


def export_line(shape: str, made: Mapping[str, Any]) -> str:
    files = ", ".join(f"`{f['path']}` ({f['rows']})" for f in made["files"])
    left = ", ".join(f"{n} {reason}" for reason, n in made["left_out"].items())
    return f"| {shape} | {files} | {left or '–'} |"


def front(manifest: dict[str, Any], rows: int) -> str:
    """The YAML front matter. A split or config without rows is left out: loaders refuse an empty file list.

    `datasets` caches what it loaded by the folder's name and this front matter alone. The hash of the content keeps
    two datasets that both have a version 1.0.0, or one that was made anew, from being taken for each other.
    """
    configs, infos = [], []
    for config in CONFIGS:
        there = [s for s in SIDES if any(f["config"] == config and f["split"] == s for f in manifest["files"])]
        if not there:
            continue
        files = [{"split": s, "path": f"data/{config}/{s}-*.parquet"} for s in there]
        configs.append({"config_name": config, "data_files": files} | ({"default": True} if config == "chat" else {}))
        infos.append(
            {"config_name": config, "description": manifest["content_hash"], "splits": sizes(manifest, config)}
        )
    matter = {
        "pretty_name": manifest["name"],
        "language": manifest["languages"],
        "license": manifest["license"],
        "task_categories": ["text-generation"],
        "size_categories": [next((name for limit, name in SIZES if rows < limit), "n>1M")],
        "configs": configs,
        "dataset_info": infos,
    }
    return "---\n" + yaml.safe_dump(matter, allow_unicode=True, sort_keys=False) + "---\n\n"


def sizes(manifest: dict[str, Any], config: str) -> list[dict[str, Any]]:
    """Rows and bytes of each split of a config; loaders check the rows."""
    found: dict[str, dict[str, Any]] = {}
    for file in manifest["files"]:
        if file["config"] == config:
            size = found.setdefault(file["split"], {"name": file["split"], "num_bytes": 0, "num_examples": 0})
            size["num_bytes"] += file["bytes"]
            size["num_examples"] += file["rows"]
    return list(found.values())


def counted(rows: pa.Table, column: str) -> str:
    found = Counter(rows.column(column).to_pylist())
    return "\n".join(f"| {name} | {n} |" for name, n in sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))


def gate_line(finding: dict[str, Any]) -> str:
    mark = {True: "✓", False: "✗", None: "–"}[finding["passed"]]
    return f"| {mark} | {finding['rule']} | {finding['severity']} | {escaped(finding['observed'])} |"


def sample(rows: pa.Table) -> str:
    """The first row of moderate length, as JSON inside a fence that it cannot close."""
    for row in rows.slice(0, SAMPLED).to_pylist():
        shown = [{"role": m["role"], "content": m["content"], "trained": m["trained"]} for m in row["messages"]]
        text = json.dumps(shown, ensure_ascii=False, indent=2)
        if len(text) < 1200:
            return f"~~~~json\n{text}\n~~~~"
    return ""


def escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
