"""What calls came to by stage and model: attempts by outcome, seconds, tokens and money, from a store's attempts.

Seconds are those of attempts that the endpoint took: one that is turned away for its rate is back in no time, and
would make a busy endpoint look fast.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from tasks.teacher.store import names_models

NAMED = """
create temp view seen as select rowid nr, run, stage, model, key, outcome, latency, tokens_in, tokens_out, usd
from attempts
"""
UNNAMED = """
create temp view seen as select rowid nr, run, stage, '' model, key, outcome, latency, tokens_in, tokens_out, usd
from attempts
"""
SUMS = """
with chosen as (
    select nr, key, latency, tokens_in, tokens_out, usd, outcome <> 'rate_limited' taken,
        case when :by > 0 then stage else '' end stage, case when :by > 1 then model else '' end model
    from seen where :run in (run, '')
), ranked as (
    select *, row_number() over (partition by stage, model, taken order by latency) nth,
        count(*) over (partition by stage, model, taken) of
    from chosen
)
select stage, model, count(distinct key) questions, sum(tokens_in) tokens_in, sum(tokens_out) tokens_out,
    sum(usd) usd, max(case when taken and nth = 1 + of * 50 / 100 then latency end) p50,
    max(case when taken and nth = 1 + of * 95 / 100 then latency end) p95
from ranked group by stage, model order by min(nr)
"""
OUTCOMES = """
select case when :by > 0 then stage else '' end, case when :by > 1 then model else '' end, outcome, count(*)
from seen where :run in (run, '') group by 1, 2, 3 order by 4 desc, 3
"""
ALL, STAGES, MODELS = range(3)  # one row, one for each stage, one for each model of a stage


@dataclass(frozen=True, slots=True)
class Cost:
    """What some calls came to. `questions` is how many different ones were sent, `attempts` their sendings by outcome;
    `p50` and `p95` are seconds, None where no attempt was taken."""

    stage: str
    model: str
    attempts: dict[str, int]
    questions: int
    tokens_in: int
    tokens_out: int
    usd: float
    p50: float | None
    p95: float | None

    @property
    def calls(self) -> int:
        return sum(self.attempts.values())


def costs(link: sqlite3.Connection, by: int, run: str = "") -> list[Cost]:
    """One run's, or all; the stage that asked first comes first. `link` gives rows by name."""
    link.execute("drop view if exists temp.seen")
    link.execute(NAMED if names_models(link) else UNNAMED)
    chosen = {"by": by, "run": run}
    attempts: dict[tuple[str, str], dict[str, int]] = {}
    for stage, model, outcome, n in link.execute(OUTCOMES, chosen):
        attempts.setdefault((stage, model), {})[outcome] = n
    return [Cost(attempts=attempts[row["stage"], row["model"]], **row) for row in map(dict, link.execute(SUMS, chosen))]
