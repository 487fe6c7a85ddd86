"""What follows a publication: the command or the Prefect deployment that the recipe names.

By then the version stands, and the lock is free again. Whatever goes wrong here is a warning on the report.
"""

from __future__ import annotations

from pathlib import Path

import httpx
from prefect.deployments import arun_deployment
from prefect.exceptions import PrefectException

from flows.report import Report
from flows.stages import say
from tasks.history.student import NoStudent, keep
from tasks.publish.task import then
from tasks.publish.then import Unfollowed
from tasks.recipe import Recipe
from tasks.recipe.publishing import Deployment

BROKEN = (Unfollowed, NoStudent, PrefectException, httpx.HTTPError, OSError, ValueError)


async def follow(recipe: Recipe, report: Report, log: Path) -> None:
    """Start what follows, where the report is of a publication; says on it how that went."""
    what, version, path = recipe.publish.then, report.version, report.path
    if what is None or version is None or path is None:
        return
    try:
        if isinstance(what, Deployment):
            report.then = await deployed(what, {"path": path, "version": version})
        else:
            facts = {"path": path, "version": version, "dataset": report.dataset}
            report.then = {"command": what, "log": str(log)}
            say(f"then     {what[0]}, its output in {log}")
            if student := await then(what, facts, log):
                keep(recipe.dataset, version, student)
                report.then["student"] = student.model_dump()
    except BROKEN as fault:
        said = " ".join(str(fault).split())[:300] or type(fault).__name__
        report.warnings.append(f"{version} is published, but what should follow failed: {said}")


async def deployed(what: Deployment, parameters: dict[str, str]) -> dict[str, str]:
    """Start a run of the deployment. Raises Unfollowed where it was waited for and did not complete."""
    timeout = None if what.wait else 0
    run = await arun_deployment(what.deployment, parameters=parameters, timeout=timeout, as_subflow=False)
    if what.wait and not (run.state and run.state.is_completed()):
        raise Unfollowed(f"{what.deployment} ended as {run.state.name if run.state else 'unknown'}")
    say(f"then     {what.deployment} started as {run.name}")
    return {"deployment": what.deployment, "flow_run": str(run.id)}
