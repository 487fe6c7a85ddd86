"""The wheel on a real Postgres, week after week."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml

from tasks.history.dataset import Dataset
from tests.flows.conftest import Done
from tests.flows.teachers import good, teacher
from tests.postgres import PASSWORD, Postgres

WEEK = datetime(2026, 3, 2, tzinfo=UTC)
QUESTIONS = (
    "What makes the leaves of a maple turn red in October?",
    "怎样给三岁的孩子解释月亮为什么会变圆变缺？",
    "Which knots hold a hammock safely between two trees?",
    "请推荐三种适合北方阳台种的蔬菜，并说明理由。",
)
LATE = "为什么高原上煮鸡蛋不容易熟？"
NEW = "How many litres of water does a bath of 150 by 60 by 40 cm hold?"


def put(postgres: Postgres, questions: Iterable[tuple[str, datetime]]) -> None:
    postgres.put("logs", [(q[:20], at, [{"role": "user", "content": q}]) for q, at in questions])


def test_a_database_is_read_on_from_where_it_was_and_its_password_is_never_written(
    flywheel: Callable[..., Done], postgres: Postgres, tmp_path: Path
) -> None:
    postgres.run("CREATE TABLE logs (id text, created_at timestamptz, messages jsonb)")
    put(postgres, [(q, WEEK + timedelta(hours=n)) for n, q in enumerate(QUESTIONS)])
    source = {"uri": postgres.uri("reader"), "table": "logs", "password_env": "LOGS_PASSWORD", "overlap": "P1D"}
    with teacher(good) as fine:
        recipe = {"sources": [source], "teacher": {"model": "canned", "base_url": fine.url}}
        (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(recipe))
        told = ("refresh", "--recipe", str(tmp_path / "recipe.yaml"), "--out", str(tmp_path / "lake"), "--json")
        env = {"OPENAI_API_KEY": "k", "LOGS_PASSWORD": PASSWORD}
        first, again = flywheel(*told, **env), flywheel(*told, **env)
        late, old = WEEK - timedelta(hours=8), WEEK - timedelta(days=9)
        put(postgres, [(NEW, WEEK + timedelta(days=7)), (LATE, late), ("Is this row too old to be read?", old)])
        third = flywheel(*told, **env)
        fourth = flywheel(*told, **env)
        backfill = flywheel(*told, "--since", "2026-02-01", "--until", "2026-02-27", **env)
        refused = flywheel(*told, **(env | {"LOGS_PASSWORD": "planted-wrong"}))
    assert first.code == 0, first.err
    assert (first.json["status"], first.json["ledger"]) == ("published", {"published": 4})
    assert (again.json["status"], again.json["ledger"]) == ("nothing_new", {"seen": 4})
    assert (third.json["status"], third.json["ledger"]) == ("published", {"published": 2, "seen": 4})
    assert (fourth.json["status"], fourth.json["ledger"]) == ("nothing_new", {"seen": 1}), "from a day before the last"
    assert backfill.json["ledger"] == {"published": 1}
    lake = Dataset(tmp_path / "lake" / "weekly")
    (read,) = lake.entries[-1].sources
    assert lake.watermark(read["stream"]) == WEEK + timedelta(days=7)
    assert (refused.code, refused.json["status"]) == (2, "error")
    assert "password authentication failed" in refused.json["error"]["what"]
    written = "".join(d.out + d.err for d in (first, third, refused)).encode()
    folders = (tmp_path, Path(os.environ["PREFECT_HOME"]))
    written += b"".join(p.read_bytes() for f in folders for p in f.rglob("*") if p.is_file())
    assert PASSWORD.encode() not in written
    assert b"planted" not in written
