"""What stands on a server, and runs by a worker: to their end, to a failure, and cancelled half-way."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from flows.deployed import FOLDER, POOL, SILENT, WATCH, register
from flows.embedded import HEARTBEAT
from flows.tied import tied
from flows.worker import crashed, under_way
from tests.flows.conftest import PROJECT, Done
from tests.flows.teachers import good, teacher
from tests.flows.test_refresh import logs

if TYPE_CHECKING:  # Prefect is imported once the session's server is there
    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.objects import FlowRun

QUICK = {"PREFECT_WORKER_QUERY_SECONDS": "1", "OPENAI_API_KEY": "k"}


@pytest.fixture(scope="module")
def client(prefect: str) -> Iterator[SyncPrefectClient]:
    from prefect.client.orchestration import get_client

    register()
    with get_client(sync_client=True) as ours:
        yield ours


def recipe(folder: Path, url: str, questions: int = 10) -> Path:
    """A recipe's file on logs of its own."""
    source = logs(
        folder / "logs.jsonl", tuple(f"Why is the number {n} not a colour, in {n} words?" for n in range(questions))
    )
    plain = {
        "sources": [{"uri": source}],
        "teacher": {"model": "canned", "base_url": url},
        "output": {"dir": str(folder / "lake"), "name": "asked"},
    }
    file = folder / "recipe.yaml"
    file.write_text(yaml.safe_dump(plain))
    return file


def asked(file: Path, *more: str) -> Done:
    """`prefect deployment run refresh/adhoc`, as the README has it."""
    command = [sys.executable, "-m", "prefect", "deployment", "run", "refresh/adhoc", "-p", f"recipe={file}", *more]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"COLUMNS": "200"}, timeout=240)
    return Done(done.returncode, done.stdout, done.stderr)


def test_registering_twice_leaves_two_deployments_and_one_watch(client: SyncPrefectClient) -> None:
    before = client.read_automations_by_name(WATCH)
    register()
    after = client.read_automations_by_name(WATCH)
    assert [a.id for a in before] == [a.id for a in after]
    assert len(after) == 1
    weekly = client.read_deployment_by_name("refresh/weekly")
    assert weekly.parameters == {"recipe": "deployments/recipes/weekly.yaml"}
    assert [(s.active, s.schedule.timezone) for s in weekly.schedules] == [(True, "UTC")]  # type: ignore[union-attr]
    for name in ("weekly", "adhoc"):
        found = client.read_deployment_by_name(f"refresh/{name}")
        assert found.work_pool_name == POOL
        assert found.global_concurrency_limit is not None
        assert found.global_concurrency_limit.limit == 1
        assert found.concurrency_options is not None
        assert found.concurrency_options.collision_strategy == "ENQUEUE"


def test_a_deployment_names_no_place_of_this_machine(client: SyncPrefectClient) -> None:
    for name in ("weekly", "adhoc"):
        assert str(PROJECT) not in client.read_deployment_by_name(f"refresh/{name}").model_dump_json()


def test_the_form_has_every_field_by_its_own_name_with_what_it_is(client: SyncPrefectClient) -> None:
    schema = client.read_deployment_by_name("refresh/adhoc").parameter_openapi_schema
    assert schema is not None
    parts = {name: part for name, part in schema["definitions"].items() if "properties" in part}
    assert len(parts) >= 15
    for part in parts.values():
        for name, field in part["properties"].items():
            assert field["title"] == name
            same = parts.get(field.get("$ref", "").rpartition("/")[2], {})  # said once where both would say the same
            assert field.get("description") or same.get("description"), name


def test_the_watch_waits_for_three_heartbeats_of_ours_alone(client: SyncPrefectClient) -> None:
    trigger = client.read_automations_by_name(WATCH)[0].trigger.model_dump()
    job = yaml.safe_load((FOLDER / "prefect.yaml").read_text())["definitions"]["process"]["job_variables"]["env"]
    assert job["PREFECT_FLOWS_HEARTBEAT_FREQUENCY"] == HEARTBEAT
    assert trigger["within"] == SILENT
    assert SILENT.seconds >= 3 * int(HEARTBEAT)
    assert {"prefect.flow-run.Published", "prefect.flow-run.Cancelled"} <= trigger["expect"]
    assert "prefect.flow-run.Cancelling" not in trigger["expect"]


@pytest.mark.long
def test_a_worker_runs_what_is_asked_and_the_exit_code_says_how_it_ended(
    client: SyncPrefectClient, tmp_path: Path
) -> None:
    with teacher(good) as fine, tied("flows.worker", [], tmp_path / "worker.log", env=QUICK):
        well = asked(recipe(tmp_path, fine.url), "--watch")
        assert well.code == 0, well.out + well.err
        assert "Published" in well.out
        (tmp_path / "recipe.yaml").write_text("output: {name: asked}\n")
        ill = asked(tmp_path / "recipe.yaml", "--watch")
        assert ill.code == 1, ill.out + ill.err
    assert (tmp_path / "lake" / "asked" / "versions" / "1.0.0").is_dir()


@pytest.mark.long
def test_a_worker_that_ends_cancels_its_run_and_the_next_one_goes_on(client: SyncPrefectClient, tmp_path: Path) -> None:
    def slow(body: dict[str, object]):
        time.sleep(0.1)
        return good(body)

    with teacher(slow) as fine:
        file = recipe(tmp_path, fine.url, 50)
        with tied("flows.worker", [], tmp_path / "worker.log", env=QUICK):
            run = asked_for(client, file)
            stands = tmp_path / "lake" / "asked" / "work" / "task_type"
            until = time.monotonic() + 120
            while not fine.asked and not stands.exists() and time.monotonic() < until:
                time.sleep(0.05)
        ended = client.read_flow_run(run.id).state
        assert ended is not None
        assert (ended.type.value, ended.name) == ("CANCELLED", "Cancelled")
        with tied("flows.worker", [], tmp_path / "worker.log", env=QUICK):
            again = asked(file, "--watch")
            assert again.code == 0, again.out + again.err
        assert len(fine.asked) <= 150 + 50  # three calls for each row, and those that were in flight


def test_a_run_whose_worker_was_killed_does_not_keep_others_waiting(client: SyncPrefectClient, tmp_path: Path) -> None:
    from prefect.states import Running

    run = asked_for(client, tmp_path / "recipe.yaml")
    client.set_flow_run_state(run.id, Running(), force=True)
    assert [r.id for r in under_way(client)] == [run.id]
    crashed(client)
    assert not under_way(client)
    left = client.read_flow_run(run.id).state
    assert left is not None
    assert left.type.value == "CRASHED"


def asked_for(client: SyncPrefectClient, file: Path) -> FlowRun:
    """A run that waits for a worker, as the command asks for one."""
    adhoc = client.read_deployment_by_name("refresh/adhoc")
    return client.create_flow_run_from_deployment(adhoc.id, parameters={"recipe": str(file)})
