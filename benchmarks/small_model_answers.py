"""The small-model trick for answers, shown end to end: `make small-model` (`python -m benchmarks.small_model_answers`).

A tiny transformer (deployments/examples/small_model) learns from a thousand answers of a teacher what customers want,
in English and in Chinese, and answers the other thousand prompts; all of it on this machine's CPU, in a refresh as
anybody runs it. The teacher is scripted, on loopback: it is always right, and keeps to the form seven times in ten, as
document 002 says of real ones. Torch stands in an environment of its own, or where SMALL_MODEL_PYTHON says.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pyarrow.parquet as pq
import yaml
from aiohttp import web

from flows.embedded import free_port
from tasks.recipe import PROJECT
from tasks.teacher.protocol import asked_schema, completion, texts
from tests.flows.teachers import good, teacher

EXAMPLE = PROJECT / "deployments" / "examples" / "small_model"
ENVIRONMENT = PROJECT / ".venv-small-model"
RECIPE = PROJECT / "deployments" / "recipes" / "small_model_answers.yaml"
PROMPTS, ROWS, CHATTY = 2000, 1000, 0.3
SAYS: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("customers.yaml").read_text("utf-8"))
WANTS = [*SAYS["wants"]]


def said(dice: Random, want: str, language: str) -> str:
    """What a customer says: what is wanted, somewhere between asides."""
    asides = [aside(dice, one, language) for one in dice.sample(SAYS["asides"][language], 3)]
    end = "。" if language == "zh" else "."
    parts = [f"{one}{end}" for one in asides]
    parts.insert(dice.randrange(len(parts) + 1), dice.choice(SAYS["wants"][want][language]))
    return ("" if language == "zh" else " ").join(parts)


def aside(dice: Random, form: str, language: str) -> str:
    for _ in range(form.count("{}")):
        words = SAYS[dice.choice(("things", "fillers"))][language]
        form = form.replace("{}", dice.choice((*words, str(dice.randrange(1000)))), 1)
    return form


def logs(folder: Path) -> Path:
    """What customers said in two days."""
    dice, lines = Random(0), list[str]()
    for i in range(PROMPTS):
        want, language = dice.choice(WANTS), ("en", "zh")[i % 2]
        text = SAYS["asks"][language].format((", ", "、")[i % 2].join(WANTS), said(dice, want, language))
        at = f"2026-03-{1 + i // 1440:02d}T{i // 60 % 24:02d}:{i % 60:02d}:00Z"
        turns = [{"role": "user", "content": text}]
        lines.append(json.dumps({"id": str(i), "user_id": f"u{i % 500}", "created_at": at, "messages": turns}))
    (folder / "logs.jsonl").write_text("\n".join(lines), "utf-8")
    return folder / "logs.jsonl"


def right(asked: str) -> str:
    """What the customer wants."""
    return next(want for want, says in SAYS["wants"].items() if any(s in asked for of in says.values() for s in of))


def answer(body: dict[str, Any]) -> web.StreamResponse:
    """The scripted teacher."""
    asked, schema = texts(body)[-1], asked_schema(body)
    if schema and schema != "labelled":
        return good(body)
    text = json.dumps(
        {"task_type": "classification/intent", "domain": "general"} if schema else {"label": right(asked)}
    )
    if not schema and hashlib.sha256(asked.encode()).digest()[0] / 256 < CHATTY:
        text = f"Sure! Here it is:\n{text}"
    return web.json_response(completion(text, "scripted", asked))


def recipe(folder: Path, url: str, python: str, source: Path, seconds: str) -> Path:
    plain = yaml.safe_load(RECIPE.read_text("utf-8"))
    plain["sources"] = [{"uri": str(source)}]
    plain["teacher"] = {"model": "scripted", "base_url": url, "price": {"input": 2.5, "output": 10}}
    small = plain["answer"]["small_model"]
    small |= {"rows": ROWS, "train": [python, str(EXAMPLE / "train.py"), "{train}", "{model}", "--seconds", seconds]}
    small["form"] = {"json_keys": {"label": [*WANTS]}}
    small["agrees"] = 0.5  # what is shown is the way; so small a model learns the form sooner than the customers
    for model, more in ((small, []), (small["before"], ["--untrained"])):
        port = str(free_port())
        model["serve"] = [python, str(EXAMPLE / "serve.py"), "{model}", port, *more]
        model["at"] |= {"base_url": f"http://127.0.0.1:{port}/v1", "max_in_flight": 4, "timeout": 600}
    plain["dedup"] = {
        "max_answer_share": 1,
        "max_answer_rows": PROMPTS,
        "threshold": 1,
        "answer_threshold": 1,
        "close": 1,
    }
    plain["mine"] = {"repeats": {"pasted_share": 1}}
    plain["output"] |= {"dir": str(folder / "lake")}
    (folder / "recipe.yaml").write_text(yaml.safe_dump(plain), "utf-8")
    return folder / "recipe.yaml"


def environment() -> str:
    """A Python with torch, made where there is none."""
    if named := os.environ.get("SMALL_MODEL_PYTHON"):
        return named
    python = ENVIRONMENT / "bin" / "python"
    if not (ENVIRONMENT / ".installed").is_file():
        print(f"Setting up {ENVIRONMENT.name} (once, some minutes) ...", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", ENVIRONMENT], check=True)
        pip = [python, "-m", "pip", "install", "-qq", "--no-cache-dir", "--disable-pip-version-check"]
        subprocess.run([*pip, "-r", EXAMPLE / "requirements.txt"], check=True)
        (ENVIRONMENT / ".installed").touch()
    return str(python)


def report(plain: dict[str, Any], asked: int, seconds: float) -> None:
    noted = next(s["noted"] for s in plain["stages"] if s["stage"] == "small_model_answers")
    rows = pq.read_table(Path(plain["path"]) / "data" / "chat", columns=["messages", "teacher", "language"]).to_pylist()
    own = [row for row in rows if row["teacher"] != "scripted"]
    agree = Counter(r["language"] for r in own if in_row(r))
    print("\n".join(f"{what:28} {n}" for what, n in noted.items()))
    print(f"{'answers of the teacher':28} {asked}")
    print(f"{'rows published':28} {len(rows)}, {len(own)} of them by the small model")
    for language, n in sorted(Counter(r["language"] for r in own).items()):
        print(f"{f'right among those, {language}':28} {agree[language]} of {n}")
    print(f"{'seconds in all':28} {seconds:.0f}")


def in_row(row: dict[str, Any]) -> bool:
    """Whether the row's answer is right."""
    *_, asked, answered = (m["content"] for m in row["messages"])
    return json.loads(answered) == {"label": right(asked)}


def main() -> None:
    told = argparse.ArgumentParser()
    told.add_argument("--seconds", default="600", help="how long the model may learn")
    arguments = told.parse_args()
    python = environment()
    with tempfile.TemporaryDirectory(prefix="small-model-") as made:
        folder = Path(made)
        source = logs(folder)
        with teacher(answer) as at:
            command = [sys.executable, "-c", "from flows.commands import main; main()", "refresh", "--json", "--recipe"]
            env = os.environ | {"OPENAI_API_KEY": "k", "SMALL_MODEL_KEY": "k"}
            began = time.monotonic()
            refresh = [*command, recipe(folder, at.url, python, source, arguments.seconds)]
            done = subprocess.run(refresh, cwd=PROJECT, env=env, stdout=subprocess.PIPE, text=True, check=True)
            seconds = time.monotonic() - began
            plain = json.loads(done.stdout.strip().splitlines()[-1])
            report(plain, sum(not asked_schema(body) for body in at.asked), seconds)


if __name__ == "__main__":
    main()
