"""What a batch says of its questions: a line for each, in the outcome classes of live calls."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tasks.teacher.outcomes import Reply, Verdict, of_body, of_status, sound

if TYPE_CHECKING:
    from openai.types import Batch as Job

Outcome = tuple[Verdict, Reply | None]
TOO_MUCH = "token_limit_exceeded"
SHOWN = 3


def outcomes(content: bytes) -> dict[str, Outcome]:
    """Outcomes by call key, from an output or error file. A line that cannot be read is left out."""
    found: dict[str, Outcome] = {}
    for line in content.split(b"\n"):
        try:
            plain = json.loads(line)
            found[str(plain["custom_id"])] = outcome(plain)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            continue
    return found


def outcome(plain: dict[str, Any]) -> Outcome:
    """A batch has no pace to slow down: being turned away is a fault in passing. Raises what comes up where the line
    has another shape."""
    if not (response := plain.get("response")):
        return of_error(plain["error"]), None
    status, body = int(response["status_code"]), json.dumps(response["body"]).encode()
    if 200 <= status < 300:
        return of_body(body)
    verdict = of_status(status, body, {})
    return (Verdict("retry", verdict.name, verdict.said) if verdict.kind == "throttled" else verdict), None


def of_error(error: dict[str, Any]) -> Verdict:
    """The class of a question that was not asked, such as one that its batch had no time for (`batch_expired`)."""
    verdict = of_status(500, json.dumps({"error": error}).encode(), {})
    code = str(error.get("code") or verdict.name)
    return verdict if verdict.kind == "stop" else Verdict("retry", sound(code.removeprefix("batch_")), verdict.said)


def unanswered(job: Job) -> Outcome:
    """The outcome of a question that stands in neither file."""
    return Verdict("retry", "not_answered" if job.status == "completed" else job.status), None


def refusal(job: Job) -> Verdict:
    """Why a batch failed as a whole: what was wrong with its file, line by line."""
    faults = (job.errors and job.errors.data) or []
    said = [(f"line {f.line}: " if f.line else "") + sound(f.message or f.code or "") for f in faults[:SHOWN]]
    more = [f"and {len(faults) - SHOWN} more"] if len(faults) > SHOWN else []
    codes = {f.code for f in faults}
    name = next((c for c in (TOO_MUCH, "model_not_found", "insufficient_quota") if c in codes), "batch_refused")
    return Verdict("stop", name, "; ".join([*said, *more]))
