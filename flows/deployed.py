"""What stands on a Prefect server: the work pool, the deployments, and the watch over runs that died.

Registering is idempotent: it updates what stands there already.
"""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from flows.embedded import NoServer
from tasks.recipe import PROJECT

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient
    from prefect.events.schemas.automations import AutomationCore

FOLDER = PROJECT / "deployments"
POOL = "flywheel"
WATCH = "Crash flywheel runs that died"
SILENT = timedelta(seconds=90)  # three of the heartbeats that prefect.yaml sets
ALIVE = "prefect.flow-run.heartbeat"


def project() -> dict[str, Any]:
    """A run's pull step: it works in the clone that the worker stands in, wherever that is."""
    return {"directory": str(PROJECT)}


def register() -> None:
    """All of it, on the server that PREFECT_API_URL names. Raises NoServer."""
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        pool(client)
        deployed()
        watch(client)


def pool(client: SyncPrefectClient) -> None:
    """The work pool, of processes on the worker's machine."""
    from prefect.client.schemas.actions import WorkPoolCreate
    from prefect.exceptions import ObjectAlreadyExists

    try:
        client.create_work_pool(WorkPoolCreate(name=POOL, type="process"))
    except ObjectAlreadyExists:
        return


def deployed() -> None:
    """What prefect.yaml says, by the command that it is written for."""
    deploy = [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all"]
    done = subprocess.run(deploy, cwd=FOLDER, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NoServer(f"prefect deploy failed: {' '.join((done.stdout + done.stderr).split())[-500:]}")


def watch(client: SyncPrefectClient) -> None:
    """An automation: a run whose heartbeat stopped without an end counts as crashed."""
    wanted, found = watching(), client.read_automations_by_name(WATCH)
    if not found:
        client.create_automation(wanted)
    elif as_plain(found[0]) != as_plain(wanted):  # an update forgets which runs it is watching
        client.update_automation(found[0].id, wanted)


def as_plain(automation: AutomationCore) -> dict[str, Any]:
    """What an automation does, without what the server adds."""
    plain = automation.model_dump(mode="json", include={"name", "description", "trigger", "actions"})
    trigger = {k: sorted(v) if isinstance(v, list) else v for k, v in plain["trigger"].items() if k != "id"}
    return plain | {"trigger": trigger}


def watching() -> AutomationCore:
    """Started by a heartbeat; the next one, or an end by any of its names, calls it off. Other flows are not ours."""
    from prefect.client.schemas.objects import StateType
    from prefect.events.actions import ChangeFlowRunState
    from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture

    from flows.refresh import COMPLETED, FAILED, refresh

    ends = ("Completed", "Failed", "Cancelled", "Crashed", *COMPLETED.values(), *FAILED.values())
    silence = EventTrigger.model_validate(
        {
            "match": {"prefect.resource.id": "prefect.flow-run.*"},
            "match_related": {"prefect.resource.role": "flow", "prefect.resource.name": refresh.name},
            "after": {ALIVE},
            "expect": {ALIVE, *(f"prefect.flow-run.{end}" for end in ends)},
            "for_each": {"prefect.resource.id"},
            "posture": Posture.Proactive,
            "threshold": 1,
            "within": SILENT,
        }
    )
    said = f"No heartbeat for {SILENT.seconds} s: killed, or its machine is gone. Run it again: it goes on from there."
    crash = ChangeFlowRunState(state=StateType.CRASHED, name="Crashed", message=said, force=False)
    return AutomationCore(name=WATCH, description=said, trigger=silence, actions=[crash])
