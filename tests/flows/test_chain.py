"""One recipe with many techniques: what it publishes traces back to its roots."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from tasks.teacher.protocol import asked_schema, completion, texts
from tests.flows.conftest import PROJECT, Done
from tests.flows.teachers import teacher
from tests.flows.test_evolving import evolving
from tests.flows.test_forms import reply as rewording
from tests.flows.test_growing import grows
from tests.flows.test_producing import ASKED, logs, rows

Flywheel = Callable[..., Done]
GROWING = {"instructions", "tested", "outputfirst", "inputfirst", "items"}
SOLVED = {q["question"]: q["answer"] for q in map(json.loads, (PROJECT / "data/datasets/maths.jsonl").open())}


def everything(body: dict[str, Any]) -> web.StreamResponse:
    """A teacher of every technique in the chain."""
    last, schema = texts(body)[-1], asked_schema(body)
    if schema in GROWING:
        return grows(body)
    if schema in ("reworded", "sametask"):
        return rewording(body)
    if schema == "picked":
        return web.json_response(completion(json.dumps({"reason": "clearer", "best": 1}), "canned", last))
    if schema == "labelled" and any(q in last for q in ASKED):
        said = {"task_type": "reasoning/multi_step", "domain": "science"}
        return web.json_response(completion(json.dumps(said), "canned", last))
    if not schema and (known := next((a for q, a in SOLVED.items() if q in last), "")):
        number = re.sub(r"\W", "", body["model"])
        return web.json_response(completion(f"By way {number}, the answer is {known}.", "canned", last))
    return evolving(body)


def test_rows_of_a_long_chain_trace_to_logs_seeds_and_datasets(flywheel: Flywheel, tmp_path: Path) -> None:
    told = str(PROJECT / "deployments/recipes/chain.yaml")
    with teacher(everything) as at:
        changes = [
            *("teacher.model=m-1", f"teacher.base_url={at.url}"),
            *("tiers.second.model=m-2", f"tiers.second.base_url={at.url}"),
            *("produce.1.self_instruct.target=4", "produce.2.self_instruct.target=4"),
            *("produce.3.evol_instruct.only.share=1", "produce.4.rewrite_forms.only.share=1"),
            *("split.test=0", "split.validation=0", "gates.rows.loose_punctuation=1"),
        ]
        sets = [part for change in changes for part in ("--set", change)]
        source = logs(tmp_path, *ASKED)["uri"]
        command = ("refresh", "--recipe", told, "--source", source, "--out", "lake", *sets, "--json")
        done = flywheel(*command, OPENAI_API_KEY="k")
        assert done.code == 0, done.err
        asked = len(at.asked)
        again = flywheel(*command, OPENAI_API_KEY="k")
        assert (again.json["status"], len(at.asked)) == ("nothing_new", asked), again.err
    assert done.json["ledger"] == {"published": 2}
    published = rows(done.json["path"])
    makers = Counter(first(r, ("datasets", "self_instruct", "evol_instruct", "rewrite_forms")) for r in published)
    assert makers["datasets"] >= 20
    assert makers["self_instruct"] >= 4
    assert makers["evol_instruct"] >= 4
    assert makers["rewrite_forms"] >= 2
    assert makers[""] == 2
    users = {i for r in published if first(r, ("self_instruct", "datasets", "evol_instruct")) == "" for i in r["roots"]}
    evolved = [r for r in published if first(r, ("evol_instruct",)) and r["derived_from"]]
    assert evolved
    assert all(set(r["derived_from"]) <= users for r in evolved)
    for row in (evolved[0], next(r for r in published if first(r, ("datasets",)))):
        traced = flywheel("trace", row["row_id"], "--name", "chain", "--out", "lake", "--json")
        assert traced.code == 0, traced.err
        assert {one["state"] for one in traced.json["logs"]} <= {"published", "merged"}
    grown = next(
        r for r in published if first(r, ("self_instruct", "evol_instruct", "rewrite_forms")) == "self_instruct"
    )
    traced = flywheel("trace", grown["row_id"], "--name", "chain", "--out", "lake", "--json")
    assert any(call["step"] == "self_instruct/instructions" for call in traced.json["calls"])
    checked = [r for r in published if first(r, ("datasets",))]
    assert all(r["reference"] for r in checked)
    assert flywheel("verify", "--name", "chain", "--out", "lake").code == 0


def first(row: dict[str, Any], steps: tuple[str, ...]) -> str:
    """The last of these techniques in a row's lineage; empty where none of them was at it."""
    made = [s["step"].split("/")[0] for s in row["lineage"]]
    return next((s for s in reversed(made) if s in steps), "")
