"""What a run leaves in the UI, and that no log's text is in it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from flows.report import Report, failed
from tests.flows.conftest import PROJECT, Done
from tests.flows.test_refresh import SAMPLES, rows

SPENT = {"calls": 2, "hits": 1, "tokens_in": 30, "tokens_out": 40, "usd": 0.25}
NONE = dict.fromkeys(SPENT, 0)
STAGE = {"stage": "distill", "model": "m", "seen": 5, "made": 0, "out": 3, "merged": 0, "pending": 0}
STAGES = [
    STAGE | {"dropped": {"refused": 1, "truncated": 1}, "spent": SPENT},
    STAGE | {"stage": "verdict", "model": "j", "dropped": {}, "spent": SPENT},
    STAGE | {"stage": "rows", "model": "", "dropped": {}, "spent": NONE},
]


def test_a_key_is_the_datasets_own_and_what_prefect_takes() -> None:
    from flows.artifacts import key

    assert key("My.Team_week", "funnel") == "my-team-week-funnel"


def test_the_funnel_names_each_reason() -> None:
    from flows.artifacts import funnel

    assert funnel(Report("published", stages=STAGES))[0]["dropped"] == "1 refused, 1 truncated"


def test_cost_has_a_row_for_each_model_of_a_stage_also_in_the_report_where_names_are_no_markdown() -> None:
    from flows.artifacts import cost, page

    asked = {"hits": 1, "hit_rate": 0.5, "p50": 1.0, "p95": 2.0, "attempts": {"good": 2}, "usd_per_row": 0.125}
    asked |= {"calls": 2, "tokens_in": 30, "tokens_out": 40, "usd": 0.25, "unpriced": False}
    names = (("answer", "a|b"), ("answer", "strong"), ("total", ""))
    report = Report("published", costs=[asked | {"stage": s, "model": m} for s, m in names])
    table = cost(report)
    assert [(r["stage"], r["model"], r["calls"], r["USD"]) for r in table] == [(s, m, "2", "0.2500") for s, m in names]
    text = page(report)
    assert "| answer | a\\|b | 2 | 1 | 50 | 1.00 | 2.00 | 30 | 40 | 0.2500 | 0.125000 | 2 good |" in text
    assert "6 of the calls" not in text
    assert cost(Report("nothing_new", stages=STAGES[2:])) == []
    assert "| stage |" not in page(Report("nothing_new"))


def test_broken_gates_come_first_and_what_was_not_looked_at_before_the_rest() -> None:
    from flows.artifacts import gates

    held = {"rule": "size", "severity": "critical", "passed": True, "observed": "252", "expected": "at least 1"}
    broken = {"rule": "length", "severity": "warning", "passed": False, "expected": "short"}
    broken["observed"] = "2 rows break it"
    unseen = held | {"rule": "fits", "passed": None, "observed": "no student in the recipe"}
    table = gates(Report("published", findings=[held, unseen, broken]))
    assert [(r[""], r["rule"]) for r in table] == [("✗", "length"), ("–", "fits"), ("✓", "size")]


def test_a_report_stays_in_its_cells_and_leaves_out_what_a_teacher_said() -> None:
    from flows.artifacts import page

    hostile = failed("teacher", "http_500: <script>echo of a log</script>", hint="mend it", dataset="week")
    hostile.ledger = {"dropped:a|b<i>": 1, "pending": 2}
    text = page(hostile)
    assert "dropped:a\\|b&lt;i&gt;" in text
    assert "script" not in text
    assert "mend it" in text


def test_a_card_goes_without_its_front_matter_and_the_row_that_it_shows() -> None:
    from flows.artifacts import card

    row = json.dumps([{"role": "user", "content": "a secret\n~~~~\nof a log"}], indent=2)
    text = card(f"---\nlicense: x\n---\n\n# week 1.0.0\n\n~~~~json\n{row}\n~~~~\n\n## Gates\n")
    assert text.lstrip().startswith("# week 1.0.0")
    assert "secret" not in text
    assert "## Gates" in text


async def test_a_run_leaves_five_artifacts_without_a_word_of_the_logs(
    flywheel: Callable[..., Done], tmp_path: Path
) -> None:
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import ArtifactFilter

    told = ("--out", str(tmp_path / "lake"), "--set", "output.name=Artful")
    done = flywheel("refresh", "--recipe", SAMPLES, "--json", *told)
    assert done.code == 0, done.err
    ours = ArtifactFilter.model_validate({"key": {"like_": "artful-"}})
    async with get_client() as client:
        left = {a.key: str(a.data) for a in await client.read_artifacts(artifact_filter=ours)}
    assert left.keys() == {f"artful-{what}" for what in ("report", "funnel", "cost", "gates", "card")}
    assert "recorded" in left["artful-cost"]
    assert "# Artful 1.0.0" in left["artful-card"]
    words = [m["content"] for row in rows(done.json["path"]) for m in row["messages"] if len(m["content"]) > 12]
    words += [json.loads(t)["messages"][-1]["content"] for t in logged() if '"messages"' in t]
    whole = "\n".join(left.values())
    assert not [w for w in words if isinstance(w, str) and len(w) > 12 and w in whole]


def logged() -> list[str]:
    lines = (PROJECT / "data" / "samples" / "logs.jsonl").read_text("utf-8").splitlines()
    return [line for line in lines if line.startswith("{") and line.endswith("}")]
