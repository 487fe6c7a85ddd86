"""`make consumers`: the programs that read what we publish load it, each in an environment of its own.

    python -m tests.consumers.run [--version FOLDER] [consumer ...]

Without `--version`, the samples as `make run` left them; a second dataset that has what the samples lack: tools,
calls, results (`tools/`), refreshed from a real Postgres; and a third, made by a chain of techniques with scripted
teachers, whose rows have rejected answers too. The packages of a consumer stand in `<consumer>.txt`, in Python 3.11 as
they were tried. Exits with 1 where a check failed.
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
from pathlib import Path
from typing import Any

from aiohttp import web

from tasks.teacher.protocol import asked_schema, completion, texts
from tests.flows.teachers import teacher
from tests.flows.test_chain import SOLVED, everything
from tests.postgres import PASSWORD, Postgres, running

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent.parent
ENVIRONMENTS = PROJECT / ".venv-consumers"
CONSUMERS = sorted(f.stem for f in HERE.glob("*.txt"))
FLYWHEEL = [sys.executable, "-c", "from flows.commands import main; main()"]
SHOWN = ("PASS", "FAIL", "      ")
COLUMNS = {
    "id": "text",
    "created_at": "timestamptz",
    **dict.fromkeys(("user_id", "conversation_id", "model", "response", "feedback"), "text"),
    **dict.fromkeys(("messages", "tools"), "jsonb"),
}
OFFLINE = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": "", "PYTHONWARNINGS": "ignore"}


def environment(consumer: str) -> Path:
    """The Python of a consumer's environment, made anew where its requirements changed. Raises CalledProcessError."""
    folder, wanted = ENVIRONMENTS / consumer, HERE / f"{consumer}.txt"
    python, stamp = folder / "bin" / "python", folder / ".installed"
    digest = hashlib.sha256(wanted.read_bytes()).hexdigest()
    if not stamp.is_file() or stamp.read_text() != digest:
        print(f"Setting up {folder.relative_to(PROJECT)} (once) ...", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        pip = [python, "-m", "pip", "install", "-qq", "--no-cache-dir", "--disable-pip-version-check"]
        torch = [line for line in wanted.read_text().splitlines() if line.startswith("torch==")]
        if torch:  # with what it brings, which differs by build; everything else is in the file
            subprocess.run([*pip, *torch], check=True)
        subprocess.run([*pip, "--no-deps", "-r", wanted], check=True)
        stamp.write_text(digest)
    return python


def check(consumer: str, python: Path, version: Path, cache: str) -> bool:
    """Run a consumer's check on a version's folder; its warnings go to a log beside its environment."""
    caches = {"HF_HOME": cache, "MODELSCOPE_CACHE": cache}
    known = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")} | OFFLINE | caches
    log = ENVIRONMENTS / f"{consumer}.log"
    with log.open("a") as errors:
        command = [python, HERE / f"check_{consumer}.py", version]
        ran = subprocess.run(command, env=known, stdout=subprocess.PIPE, stderr=errors, text=True, check=False)
    lines = [line for line in ran.stdout.splitlines() if line.startswith(SHOWN)]
    print("\n".join(lines or [f"FAIL  {consumer} ended with {ran.returncode} and no result; see {log}"]), flush=True)
    return ran.returncode == 0 and bool(lines)


def with_tools(lake: str) -> Path:
    """The second dataset, refreshed afresh from a Postgres by the command itself. Raises CalledProcessError."""
    recipe = ["refresh", "--recipe", HERE / "tools" / "recipe.yaml", "--set", f"output.dir={lake}"]
    with running(Path(tempfile.mkdtemp(prefix="flywheel-postgres-"))) as folder:
        database = Postgres(folder)
        database.run(f"CREATE TABLE logs ({', '.join(f'{name} {kind}' for name, kind in COLUMNS.items())})")
        rows = map(json.loads, (HERE / "tools" / "logs.jsonl").read_text("utf-8").splitlines())
        database.put("logs", (tuple(row.get(name) for name in COLUMNS) for row in rows))
        source = {"uri": database.uri("reader"), "table": "logs", "password_env": "LOGS_PASSWORD"}
        told = [*recipe, "--set", f"sources={json.dumps([source])}"]
        known = os.environ | {"LOGS_PASSWORD": PASSWORD}
        subprocess.run([*FLYWHEEL, *told], cwd=PROJECT, env=known, check=True, capture_output=True)
    return latest(Path(lake) / "consumers")


def second_is_weaker(body: dict[str, Any]) -> web.StreamResponse:
    """The scripted teachers of the chain, one of whom cannot do maths: his answers end up as rejected ones."""
    last = texts(body)[-1]
    if body["model"] == "m-2" and not asked_schema(body) and any(question in last for question in SOLVED):
        return web.json_response(completion("That is as good as nothing, so the answer is 0.", "m-2", last))
    return everything(body)


def chained(lake: str) -> Path:
    """The third dataset: the recipe of a chain as it stands, small. Raises CalledProcessError."""
    with teacher(second_is_weaker) as at:
        changes = [
            *("teacher.model=m-1", f"teacher.base_url={at.url}", f"output.dir={lake}"),
            *("tiers.second.model=m-2", f"tiers.second.base_url={at.url}"),
            *("produce.1.self_instruct.target=4", "produce.2.self_instruct.target=4"),
            *("produce.3.evol_instruct.only.share=1", "split.validation=0.2"),
            "gates.rows.loose_punctuation=1",
        ]
        told = [part for change in changes for part in ("--set", change)]
        command = [*FLYWHEEL, "refresh", "--recipe", PROJECT / "deployments" / "recipes" / "chain.yaml", *told]
        known = os.environ | {"OPENAI_API_KEY": "scripted"}
        subprocess.run(command, cwd=PROJECT, env=known, check=True, capture_output=True)
    return latest(Path(lake) / "chain")


def latest(dataset: Path) -> Path:
    return dataset / "versions" / (dataset / "LATEST").read_text().strip()


def main() -> int:
    parser = argparse.ArgumentParser(description="Load a published version with the programs that read it.")
    parser.add_argument("--version", type=Path, action="append", help="A version's folder; may be given again.")
    parser.add_argument("consumers", nargs="*", choices=[*CONSUMERS, []], metavar="consumer", help=", ".join(CONSUMERS))
    given = parser.parse_args()
    well = True
    with tempfile.TemporaryDirectory() as lake, tempfile.TemporaryDirectory() as cache:
        versions = given.version or [latest(PROJECT / "data" / "lake" / "samples"), with_tools(lake), chained(lake)]
        for consumer in given.consumers or CONSUMERS:
            python = environment(consumer)
            (ENVIRONMENTS / f"{consumer}.log").unlink(missing_ok=True)
            began = time.monotonic()
            for version in versions:
                print(f"\n{consumer} on {version.parent.parent.name} {version.name}", flush=True)
                well &= check(consumer, python, version.resolve(), cache)
            print(f"      {time.monotonic() - began:.0f} s", flush=True)
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
