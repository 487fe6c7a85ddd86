"""`flywheel ui` as a user meets it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from tests.flows.conftest import COMMAND, PROJECT, Done


def there(url: str) -> bool:
    try:
        with urlopen(f"{url}/api/health", timeout=5):
            return True
    except (URLError, OSError):
        return False


@pytest.mark.long
def test_the_ui_starts_says_how_to_use_it_and_goes_with_its_parent(afresh: Callable[..., Done], tmp_path: Path) -> None:
    env = os.environ | {"PREFECT_HOME": str(tmp_path / "home"), "PYTHONPATH": str(PROJECT), "PYTHONUNBUFFERED": "1"}
    env.pop("PREFECT_API_URL")
    for ending, code in ((signal.SIGINT, 0), (signal.SIGKILL, -9)):
        ui = subprocess.Popen([*COMMAND, "ui"], env=env, stdout=-1, stderr=-1, text=True)
        assert ui.stdout is not None
        said = ""
        while "refresh/weekly is paused" not in said:
            line = ui.stdout.readline()
            assert line, ui.communicate()
            said += line
        url = re.findall(r"http://127\.0\.0\.1:\d+", said)[0]
        assert f"PREFECT_API_URL={url}/api" in said
        assert there(url)
        second = afresh("ui", PREFECT_HOME=str(tmp_path / "home"))
        assert second.code == 0
        assert f"already runs: {url}" in second.out
        ui.send_signal(ending)
        ui.communicate(timeout=60)
        assert ui.returncode == code
        until = time.monotonic() + 60
        while there(url) and time.monotonic() < until:
            time.sleep(0.05)
        assert not there(url)


def test_a_port_that_is_taken_is_said_so(afresh: Callable[..., Done], prefect: str, tmp_path: Path) -> None:
    port = prefect.split(":")[2].split("/")[0]
    done = afresh("ui", "--port", port, PREFECT_HOME=str(tmp_path / "home"))
    assert done.code == 2
    assert f"port {port} is taken" in done.err


def test_deploying_without_a_server_names_the_variable(afresh: Callable[..., Done]) -> None:
    done = afresh("deploy", PREFECT_API_URL="")
    assert done.code == 2
    assert "PREFECT_API_URL" in done.err
