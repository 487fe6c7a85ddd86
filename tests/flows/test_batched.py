"""A whole run through the Batch API."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.batches import Batches
from tests.flows.teachers import good, teacher
from tests.flows.test_refresh import Flywheel, logs, own, rows

QUICK = "teacher.batch={quiet: 0.3, poll: 0.05}"


def test_a_run_in_batches_publishes_the_rows_of_a_live_one(flywheel: Flywheel, tmp_path: Path) -> None:
    source, handed_in = logs(tmp_path / "logs.jsonl"), []

    class Counted(Batches):
        async def make(self, request: Any) -> Any:
            made = await super().make(request)
            handed_in.append(len(list(self.batches.values())[-1].lines))
            return made

    with teacher(good, Counted) as fine:
        live = flywheel(*own(source, tmp_path / "live", fine.url), OPENAI_API_KEY="k")
        batched = flywheel(*own(source, tmp_path / "batch", fine.url, "--set", QUICK), OPENAI_API_KEY="k")
    assert batched.code == live.code == 0, batched.err
    assert rows(batched.json["path"]) == rows(live.json["path"])
    assert len(rows(live.json["path"])) == 10
    assert handed_in == [10, 10, 10]  # labels, answers, verdicts
    assert batched.json["teacher"]["calls"] == live.json["teacher"]["calls"] == 30
    assert "batch batch_0 of 10 questions is handed in" in batched.err + batched.out
