"""What follows a publication, from the recipe to the report: a training command, a deployment, and their failures."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.request import urlopen

import yaml

from tests.flows.conftest import PROJECT, Done

Flywheel = Callable[..., Done]
TRAIN = """
import json, os, sys
rows = [json.loads(line) for line in open(sys.argv[1] + "/exports/swift/train.jsonl", encoding="utf-8")]
trained = sum(m.get("loss", False) for row in rows for m in row["messages"])
print(f"trained on {trained} turns of {os.environ['FLYWHEEL_VERSION']}")
print(json.dumps({"base_url": "http://127.0.0.1:9/v1", "model": f"student-{trained}"}))
"""


def recipe(folder: Path, then: object) -> str:
    """The samples, cut to their first forty rows, with something to follow."""
    plain = yaml.safe_load((PROJECT / "deployments" / "recipes" / "samples.yaml").read_text())
    logs = (PROJECT / "data" / "samples" / "logs.jsonl").read_text("utf-8").splitlines()[:40]
    (folder / "logs.jsonl").write_text("\n".join(logs) + "\n", "utf-8")
    plain |= {"sources": [{"uri": str(folder / "logs.jsonl")}], "publish": {"then": then}}
    (folder / "recipe.yaml").write_text(yaml.safe_dump(plain))
    return str(folder / "recipe.yaml")


def test_a_training_command_gets_the_version_and_its_student_is_shown(flywheel: Flywheel, tmp_path: Path) -> None:
    there = ("--recipe", recipe(tmp_path, [sys.executable, "-c", TRAIN, "{path}"]), "--out", str(tmp_path / "lake"))
    done = flywheel("refresh", *there, "--json")
    assert (done.code, done.json["status"], done.json["warnings"]) == (0, "published", [])
    count = done.json["splits"]["train"]
    student = {"base_url": "http://127.0.0.1:9/v1", "model": f"student-{count}"}
    assert done.json["then"]["student"] == student
    assert Path(done.json["then"]["log"]).read_text().startswith(f"trained on {count} turns of 1.0.0")
    assert flywheel("show", *there, "--json").json["student"] == student
    assert f"student-{count} at http://127.0.0.1:9/v1" in flywheel("show", *there).out
    assert flywheel("verify", *there).code == 0
    again = flywheel("refresh", *there, "--json")
    assert (again.json["status"], again.json["then"]) == ("nothing_new", {})


def test_a_command_that_fails_is_a_warning_and_the_version_stands(flywheel: Flywheel, tmp_path: Path) -> None:
    then = [sys.executable, "-c", "print('out of memory'); raise SystemExit(7)"]
    done = flywheel("refresh", "--recipe", recipe(tmp_path, then), "--out", str(tmp_path / "lake"), "--json")
    assert (done.code, done.json["status"], done.json["version"]) == (0, "published", "1.0.0")
    (warning,) = done.json["warnings"]
    assert "1.0.0 is published, but what should follow failed" in warning
    assert "ended with 7" in warning
    assert f"flywheel: warning: {warning}" in done.err
    assert Path(done.json["then"]["log"]).read_text() == "out of memory\n"
    (kept,) = (tmp_path / "lake" / "samples" / "runs").glob("*.json")
    assert json.loads(kept.read_text())["warnings"] == [warning]
    assert flywheel("verify", "--name", "samples", "--out", str(tmp_path / "lake")).code == 0


TRAINING = """
from prefect import flow

@flow(name="train")
def train(path: str, version: str) -> None:
    pass

if __name__ == "__main__":
    train.to_deployment("weekly").apply()
"""


def test_a_deployment_gets_a_run_with_the_version(flywheel: Flywheel, tmp_path: Path, prefect: str) -> None:
    (tmp_path / "training.py").write_text(TRAINING)
    subprocess.run([sys.executable, "training.py"], cwd=tmp_path, check=True)
    then = {"deployment": "train/weekly"}
    done = flywheel("refresh", "--recipe", recipe(tmp_path, then), "--out", str(tmp_path / "lake"), "--json")
    assert (done.code, done.json["warnings"]) == (0, [])
    with urlopen(f"{prefect}/flow_runs/{done.json['then']['flow_run']}", timeout=30) as answer:
        assert json.load(answer)["parameters"] == {"path": done.json["path"], "version": "1.0.0"}


def test_a_deployment_that_is_not_there_is_a_warning(flywheel: Flywheel, tmp_path: Path) -> None:
    there = ("--recipe", recipe(tmp_path, {"deployment": "train/nowhere"}), "--out", str(tmp_path / "lake"))
    done = flywheel("refresh", *there, "--json")
    assert (done.code, done.json["status"]) == (0, "published")
    assert "what should follow failed" in done.json["warnings"][0]


def test_a_shell_line_is_refused_before_anything_is_read(flywheel: Flywheel, tmp_path: Path) -> None:
    done = flywheel("refresh", "--recipe", recipe(tmp_path, "./train.sh {path}"), "--json")
    assert (done.code, "expected a list of arguments" in done.err) == (2, True)
