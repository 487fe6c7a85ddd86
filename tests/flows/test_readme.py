"""The README's commands, as written, run in a copy of the repository against a teacher on loopback."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.flows.conftest import PROJECT
from tests.flows.teachers import good, teacher
from tests.flows.test_refresh import logs

BLOCK = re.compile(r"^```bash\n(.*?)^```", re.MULTILINE | re.DOTALL)
SKIPPED = ("export ",)  # the key and the address are the loopback teacher's


def blocks(name: str) -> list[str]:
    found = BLOCK.findall((PROJECT / name).read_text(encoding="utf-8"))
    kept = ["\n".join(line for line in b.splitlines() if not line.startswith(SKIPPED)) for b in found]
    return [b for b in kept if b.strip()]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The tracked files, and the environment that runs these tests."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=PROJECT, capture_output=True, text=True
    )
    for name in filter(None, listed.stdout.splitlines()):
        if (PROJECT / name).is_file():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(PROJECT / name, tmp_path / name)
    for name in ("pyproject.toml", "constraints.txt"):  # older than the environment: make must not install into it
        os.utime(tmp_path / name, (0, 0))
    (tmp_path / ".venv").symlink_to(Path(sys.prefix))
    return tmp_path


def test_both_readmes_have_the_same_commands() -> None:
    assert blocks("README.md")
    assert blocks("README.md") == blocks("README.zh-CN.md")


@pytest.mark.long
def test_the_commands_of_the_readme_run_as_written(copy: Path) -> None:
    if not (Path(sys.prefix) / ".run").exists():
        pytest.fail(
            "run the tests through `make test`: the README's `make run` looks for the environment that it makes"
        )
    logs(copy / "logs.jsonl")
    with teacher(good) as fine:
        env = os.environ | {"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": fine.url, "PYTHONPATH": str(copy)}
        said = ""
        for block in blocks("README.md"):
            done = subprocess.run(
                ["bash", "-ec", block], cwd=copy, env=env, capture_output=True, text=True, timeout=300
            )
            assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
            said += done.stdout
    assert "samples: published" in said
    assert "10 prompts to ask" in said
    assert (copy / "data" / "lake" / "weekly" / "versions" / "1.0.0" / "README.md").is_file()
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    shown = re.search(r"```text\n(samples: published.*?)```", readme, re.DOTALL)
    assert shown is not None
    assert shown[1].strip() in said
