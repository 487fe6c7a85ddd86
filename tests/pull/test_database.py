"""Databases as sources: the same rows as from files, each once, late ones too, and no more read than need be."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import Engine, event

from tasks.pull.connect import BATCH
from tasks.pull.database import rows
from tasks.pull.source import Pulled, Window, pull
from tasks.recipe import RecipeError, Source, Unreachable
from tests.postgres import PASSWORD, Postgres

DAY = datetime(2026, 3, 1, tzinfo=UTC)
SHANGHAI = timezone(timedelta(hours=8))
TURNS = [
    {"role": "system", "content": "be brief"},
    {"role": "user", "content": "潮汐是怎么形成的？"},
    {"role": "assistant", "content": "月亮"},
]


EMPTIED = "DELETE FROM logs"


def at(day: float) -> datetime:
    return DAY + timedelta(days=day)


def pulled(folder: Path, source: Source, known: Collection[str] = (), **more: Any) -> Pulled:
    window = more.pop("window", Window())
    return pull(source, window, known, folder / "out", more.pop("shard_rows", 1000), **more)


def asked(result: Pulled) -> list[str]:
    return [r.instruction for s in result.shards for r in s.records()]


def ids(result: Pulled) -> list[str]:
    bad = [i for s in result.unreadable for i in s.table().column("log_id").to_pylist()]
    return [r.roots[0] for s in result.shards for r in s.records()] + bad


def written_to(postgres: Postgres, kind: str = "timestamptz", *rows: tuple[Any, ...], more: str = "") -> Source:
    """A table of prompts with their ids and times."""
    postgres.run(f"CREATE TABLE logs (id text, created_at {kind}, messages text {more})")
    postgres.put("logs", rows)
    return Source(uri=postgres.uri(), table="logs")


def sqlite_of(path: Path, *rows: tuple[Any, ...]) -> Source:
    with sqlite3.connect(path) as link:
        link.execute("CREATE TABLE IF NOT EXISTS logs (id, created_at, messages)")
        link.executemany("INSERT INTO logs VALUES (?, ?, ?)", rows)
    link.close()
    return Source(uri=f"sqlite:///{path}", table="logs")


@pytest.fixture
def statements() -> Iterator[list[tuple[str, Any, Any]]]:
    """What was asked of a database: statement, parameters, cursor."""
    found: list[tuple[str, Any, Any]] = []

    def seen(_: Any, cursor: Any, statement: str, parameters: Any, *__: Any) -> None:
        found.append((statement, parameters, cursor))

    event.listen(Engine, "after_cursor_execute", seen)
    yield found
    event.remove(Engine, "after_cursor_execute", seen)


@pytest.mark.parametrize("kind", ["jsonb", "json", "text"])
def test_turns_are_read_from_columns_of_json_and_of_text(postgres: Postgres, tmp_path: Path, kind: str) -> None:
    postgres.run(f"CREATE TABLE logs (id int, created_at timestamptz, messages {kind})")
    postgres.put("logs", [(1, DAY, TURNS)])
    result = pulled(tmp_path, Source(uri=postgres.uri(), table="logs"))
    (record,) = [r for s in result.shards for r in s.records()]
    assert [m.role for m in record.messages] == ["system", "user"]
    assert (record.instruction, record.student_response, record.asked_at) == ("潮汐是怎么形成的？", "月亮", DAY)


def test_paths_lead_into_json_columns_and_a_query_may_name_columns_as_it_likes(
    postgres: Postgres, tmp_path: Path
) -> None:
    postgres.run("CREATE TABLE calls (k int, request jsonb, response text, ts timestamp)")
    postgres.put(
        "calls", [(1, {"messages": TURNS[:2], "user": "u"}, '{"choices": [{"message": {"content": "ok"}}]}', DAY)]
    )
    query = "SELECT k AS id, request, response, ts FROM calls WHERE '12:30' LIKE '1%' AND k::text <> ':k' -- all of it"
    result = pulled(tmp_path, Source(uri=postgres.uri(), query=query, mapping="openai"))  # pyright: ignore
    (record,) = [r for s in result.shards for r in s.records()]
    assert (record.instruction, record.student_response, record.asked_at) == ("潮汐是怎么形成的？", "ok", DAY)
    assert record.user


def test_a_time_without_a_zone_is_utc_and_one_with_a_zone_is_the_same_moment(
    postgres: Postgres, tmp_path: Path
) -> None:
    postgres.run("ALTER ROLE postgres SET timezone = 'Asia/Shanghai'")
    postgres.run("CREATE TABLE logs (id int, created_at timestamptz, naive timestamp, messages text)")
    postgres.put("logs", [(1, DAY.astimezone(SHANGHAI), DAY.replace(tzinfo=None), "q")])
    for column in ("created_at", "naive"):
        source = Source(uri=postgres.uri(), table="logs", mapping={"time": column})  # pyright: ignore
        result = pulled(tmp_path / column, source, window=Window(DAY, DAY + timedelta(seconds=1)))
        assert [r.asked_at for s in result.shards for r in s.records()] == [DAY]
        assert not pulled(tmp_path / column, source, window=Window(until=DAY)).read
    postgres.run("ALTER ROLE postgres RESET timezone")


def test_values_that_json_does_not_have_are_read(postgres: Postgres, tmp_path: Path) -> None:
    kinds = "id uuid, created_at numeric, messages bytea, response varchar, seen date, cost float8, tags text[]"
    postgres.run(f"CREATE TABLE logs ({kinds})")
    name, when = UUID(int=7), Decimal("1772323200.5")
    postgres.run(f"INSERT INTO logs VALUES ('{name}', {when}, '{'é问题'}', 'ok', '2026-03-01', 'NaN', '{{a,b}}')")
    (record,) = [r for s in pulled(tmp_path, Source(uri=postgres.uri(), table="logs")).shards for r in s.records()]
    assert (record.instruction, record.asked_at) == ("é问题", DAY + timedelta(seconds=0.5))
    query = "SELECT 7 AS id, created_at, 'é问题' AS messages FROM logs"
    assert len(ids(pulled(tmp_path, Source(uri=postgres.uri(), query=query)))) == 1


def test_many_rows_come_in_batches_through_a_cursor_of_the_server(
    postgres: Postgres, tmp_path: Path, statements: list[Any]
) -> None:
    postgres.run(
        "CREATE TABLE logs (id int, created_at timestamptz, messages text)",
        "INSERT INTO logs SELECT n, '2026-03-01T00:00:00Z'::timestamptz + n * interval '1 second', 'question ' || n "
        "FROM generate_series(20000, 1, -1) AS n",
    )
    source = Source(uri=postgres.uri(), table="logs")
    lines = rows(source, Window())
    assert [(next(lines).row or {})["id"] for _ in range(3)] == [1, 2, 3], "in the order of their time"
    cursor = statements[-1][2]
    assert isinstance(cursor, psycopg.ServerCursor)
    assert 3 <= (cursor.rownumber or 0) <= BATCH + 1, "no more than a batch has left the server"
    del lines
    result = pulled(tmp_path, source)
    assert (result.read, result.new, [s.rows for s in result.shards]) == (20000, 20000, [1000] * 20)


@pytest.mark.parametrize("make", ["postgres", "sqlite"])
def test_rows_are_taken_once_in_the_order_of_their_time(postgres: Postgres, tmp_path: Path, make: str) -> None:
    given = [("2", at(1).isoformat(), "two"), ("1", at(0).isoformat(), "one"), ("1", at(0).isoformat(), "one again")]
    source = written_to(postgres, "timestamptz", *given) if make == "postgres" else sqlite_of(tmp_path / "l.db", *given)
    first = pulled(tmp_path, source)
    assert (asked(first)[1:], first.seen, first.watermark) == (["two"], 1, at(1).isoformat())
    again = pulled(tmp_path, source, known=ids(first))
    assert (again.new, again.seen, again.read) == (0, 3, 3)


@pytest.mark.parametrize("make", ["postgres", "sqlite"])
def test_rows_without_an_id_are_known_by_their_content(postgres: Postgres, tmp_path: Path, make: str) -> None:
    given = [(None, at(n).isoformat(), text) for n, text in ((0, "one"), (1, "two"), (0, "one"))]
    source = written_to(postgres, "timestamptz", *given) if make == "postgres" else sqlite_of(tmp_path / "l.db", *given)
    first = pulled(tmp_path, source)
    assert (asked(first), first.seen) == (["one", "two"], 1)
    assert pulled(tmp_path, source, known=ids(first)).new == 0


@pytest.mark.parametrize("make", ["postgres", "sqlite"])
def test_a_window_has_its_beginning_and_not_its_end(postgres: Postgres, tmp_path: Path, make: str) -> None:
    given = [(str(n), at(n).isoformat(), f"{n}") for n in range(6)]
    source = written_to(postgres, "timestamptz", *given) if make == "postgres" else sqlite_of(tmp_path / "l.db", *given)
    result = pulled(tmp_path, source, window=Window(at(2), at(4)))
    assert (asked(result), result.read) == (["2", "3"], 2)
    assert result.outside == (0 if make == "postgres" else 4), "only a column of times can be asked for"
    halves = [pulled(tmp_path, source, window=w).read for w in (Window(until=at(3)), Window(at(3)))]
    assert halves == [3, 3]


def test_a_window_is_a_parameter_and_only_what_is_in_it_is_sent(
    postgres: Postgres, tmp_path: Path, statements: list[Any]
) -> None:
    source = written_to(postgres, "timestamp", *[(str(n), at(n).replace(tzinfo=None), f"{n}") for n in range(6)])
    result = pulled(tmp_path, source, resume=at(3))
    assert (asked(result), result.read, result.outside) == (["3", "4", "5"], 3, 0)
    statement, parameters, _ = statements[-1]
    assert "2026" not in statement
    assert list(parameters.values()) == [at(3).replace(tzinfo=None)]


def test_late_rows_come_in_over_the_overlap_and_rows_without_a_time_always(postgres: Postgres, tmp_path: Path) -> None:
    source = written_to(postgres, "timestamptz", ("1", at(0), "one"), ("2", at(9), "two"))
    known = {*ids(pulled(tmp_path / "a", source))}
    late = [("3", at(7), "late"), ("4", at(1), "too late"), ("5", None, "whenever"), ("6", at(10), "new")]
    postgres.put("logs", late)
    second = pulled(tmp_path, source, known=known, resume=at(9) - timedelta(days=3))
    assert (sorted(asked(second)), second.seen) == (["late", "new", "whenever"], 1)
    backfill = pulled(tmp_path / "b", source, known=known | {*ids(second)}, window=Window(at(0), at(3)))
    assert (asked(backfill), backfill.seen) == (["too late"], 1)


@pytest.mark.parametrize("kind", ["text", "bigint"])
def test_a_time_column_that_is_none_is_read_whole(postgres: Postgres, tmp_path: Path, kind: str) -> None:
    when: Callable[[float], Any] = (lambda n: at(n).isoformat()) if kind == "text" else (lambda n: at(n).timestamp())
    source = written_to(postgres, kind, *[(str(n), when(n), f"{n}") for n in range(4)])
    assert len(asked(pulled(tmp_path, source, resume=at(3)))) == 4
    result = pulled(tmp_path, source, window=Window(at(1), at(3)))
    assert (asked(result), result.outside) == (["1", "2"], 2)


def test_a_row_that_cannot_be_used_is_kept_once_wherever_it_stands(postgres: Postgres, tmp_path: Path) -> None:
    source = written_to(postgres, "timestamptz", ("1", at(0), "one"), ("2", at(1), None), ("3", at(2), ""))
    first = pulled(tmp_path, source)
    kept = [r for s in first.unreadable for r in s.table().to_pylist()]
    assert [(r["file"], r["line"], r["reason"]) for r in kept] == [
        ("logs", 0, "no_messages"),
        ("logs", 0, "empty_message"),
    ]
    assert b'"id": "2"' in kept[0]["raw"]
    assert first.read == first.new == 3
    again = pulled(tmp_path, source, known=ids(first), resume=at(1))
    assert (again.seen, again.new) == (2, 0)


def test_rows_of_an_older_encoding_in_sqlite_are_read(tmp_path: Path) -> None:
    path = tmp_path / "logs.db"
    source = sqlite_of(path)
    with sqlite3.connect(path) as link:
        link.execute(
            "INSERT INTO logs VALUES (1, '2026-03-01', CAST(? AS TEXT))", ("潮汐是怎么形成的".encode("gb18030"),)
        )
    link.close()
    assert asked(pulled(tmp_path, source)) == ["潮汐是怎么形成的"]


def test_a_view_and_a_table_of_another_schema_are_read(postgres: Postgres, tmp_path: Path) -> None:
    written_to(postgres, "timestamptz", ("1", DAY, "one"))
    postgres.run('CREATE SCHEMA IF NOT EXISTS "Chat"', 'DROP TABLE IF EXISTS "Chat"."order"')
    postgres.run('CREATE TABLE "Chat"."order" AS SELECT * FROM logs', "CREATE VIEW seen AS SELECT * FROM logs")
    for table in ("seen", "Chat.order"):
        assert asked(pulled(tmp_path, Source(uri=postgres.uri(), table=table))) == ["one"]


@pytest.mark.parametrize(
    ("source", "what", "hint"),
    [
        ({"table": "log"}, "there is no table log in", "did you mean logs"),
        ({"table": "logs; DROP TABLE logs"}, "there is no table", ""),
        ({"query": "SELEKT 1"}, "syntax error at or near", "one SELECT"),
        ({"query": "SELECT nothing FROM logs"}, 'column "nothing" does not exist', "one SELECT"),
        ({"query": "DELETE FROM logs RETURNING *"}, "syntax error", "one SELECT"),
        ({"query": f"SELECT 1) AS l; COMMIT; {EMPTIED}; SELECT * FROM (SELECT 1"}, "multiple commands", "one SELECT"),
        ({"query": "SELECT setval('counter', 7) AS messages"}, "read-only transaction", "changes nothing"),
        ({"query": "SELECT id FROM logs"}, "the query has no column messages", "mapping.messages; there are id"),
        ({"table": "logs", "mapping": {"time": "asked"}}, "logs has no column asked for the time", "created_at"),
    ],
)
def test_what_cannot_be_asked_is_one_sentence_and_changes_nothing(
    postgres: Postgres, tmp_path: Path, source: dict[str, Any], what: str, hint: str
) -> None:
    written_to(postgres, "timestamptz", ("1", DAY, "one"))
    postgres.run("CREATE SEQUENCE counter")
    with pytest.raises(RecipeError) as fault:
        pulled(tmp_path, Source(uri=postgres.uri(), **source))
    assert not isinstance(fault.value, Unreachable)
    assert what in fault.value.what
    assert hint in fault.value.hint
    assert "\n" not in fault.value.what
    assert pulled(tmp_path, Source(uri=postgres.uri(), table="logs")).read == 1
    last = Source(uri=postgres.uri(), query="SELECT is_called::text AS messages FROM counter")
    assert asked(pulled(tmp_path, last)) == ["false"]


def test_a_database_that_is_not_there_is_worth_another_try_and_a_wrong_name_is_not(
    postgres: Postgres, tmp_path: Path
) -> None:
    for uri in ("postgresql://u@127.0.0.1:1/d", f"postgresql://u@/d?host={tmp_path}"):
        with pytest.raises(Unreachable, match="connection") as away:
            pulled(tmp_path, Source(uri=uri, table="logs"))
        assert "\n" not in away.value.what
    with pytest.raises(RecipeError, match='database "nodb" does not exist') as wrong:
        pulled(tmp_path, Source(uri=postgres.uri(name="nodb"), table="logs"))
    assert not isinstance(wrong.value, Unreachable)


def test_the_password_comes_from_the_environment_and_is_never_said(
    postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written_to(postgres, "timestamptz", ("1", DAY, "one"))
    source = Source(uri=postgres.uri("reader"), table="logs", password_env="LOGS_PASSWORD")
    with pytest.raises(RecipeError, match="LOGS_PASSWORD is not set"):
        pulled(tmp_path, source)
    monkeypatch.setenv("LOGS_PASSWORD", PASSWORD)
    assert asked(pulled(tmp_path, source)) == ["one"]
    with pytest.raises(RecipeError) as refused:
        pulled(tmp_path, source.model_copy(update={"query": "SELECT", "table": None, "uri": postgres.uri("nobody")}))
    monkeypatch.setenv("LOGS_PASSWORD", "planted-wrong")
    with pytest.raises(RecipeError, match="password authentication failed") as wrong:
        pulled(tmp_path, source)
    assert "password_env" in wrong.value.hint
    for fault in (refused.value, wrong.value):
        assert "planted" not in f"{fault.what} {fault.hint}"


@pytest.mark.parametrize(
    ("uri", "what", "hint"),
    [
        ("mysql+pymysql://u@h/d", "needs a driver that is not installed: pymysql", "pip install pymysql"),
        ("mysql://u@h/d", "MySQLdb", "pip install mysqlclient"),
        ("postgresql+asyncpg://u@h/d", "asynchronous driver", "postgresql+psycopg"),
        ("nosuch://u@h/d", "there is no dialect for nosuch://u@h/d", "postgresql"),
        ("postgresql://u@h:port/d", "is no SQLAlchemy URL", "dialect+driver://"),
    ],
)
def test_a_url_that_nothing_can_open_says_what_to_do(tmp_path: Path, uri: str, what: str, hint: str) -> None:
    with pytest.raises(RecipeError) as fault:
        pulled(tmp_path, Source(uri=uri, table="logs"))
    assert what in fault.value.what
    assert hint in fault.value.hint


def test_a_sqlite_file_that_is_not_there_is_not_made_and_one_that_is_stays_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="no database at"):
        pulled(tmp_path, Source(uri=f"sqlite:///{tmp_path}/none.db", table="logs"))
    assert not (tmp_path / "none.db").exists()
    path = tmp_path / "a ?#%.db"
    sqlite_of(path, ("1", DAY.isoformat(), "one"))
    before = path.read_bytes()
    source = Source(uri=f"sqlite:///{str(path).replace('?', '%3F').replace('#', '%23')}", table="logs")
    assert source.database
    (tmp_path / "logs.db").write_bytes(before)
    assert asked(pulled(tmp_path, Source(uri=f"sqlite:///{tmp_path}/logs.db", table="logs"))) == ["one"]
    with pytest.raises(RecipeError, match="syntax error"):
        pulled(tmp_path, Source(uri=f"sqlite:///{tmp_path}/logs.db", query="DELETE FROM logs"))
    (tmp_path / "text.db").write_text("not a database, but long enough to look like a file of some kind" * 20)
    with pytest.raises(RecipeError, match="file is not a database"):
        pulled(tmp_path, Source(uri=f"sqlite:///{tmp_path}/text.db", table="logs"))
    assert (tmp_path / "logs.db").read_bytes() == before
