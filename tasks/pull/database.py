"""Rows of a database: a table, or a query that is one SELECT, through a server-side cursor in a transaction that can
only read.

The window is asked of the database where the time column is one of dates and times; another one (text, numbers, and
all of SQLite, which has no such type) is read whole, and the caller looks at each row's time itself.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator
from datetime import UTC, datetime

from sqlalchemy import (
    Connection,
    FromClause,
    Select,
    and_,
    bindparam,
    column,
    false,
    inspect,
    or_,
    select,
    table,
    text,
)

from tasks.pull.cells import Columns
from tasks.pull.cells import column as column_of
from tasks.pull.connect import connected
from tasks.pull.lines import Line
from tasks.pull.window import Window
from tasks.recipe import Mapping, RecipeError, Source


def rows(source: Source, window: Window) -> Iterator[Line]:
    """The rows of a table or query, at least those in the window, in the order of their time and id. Raises
    RecipeError, Unreachable where another try may succeed."""
    with connected(source) as connection:
        asked = relation(source, connection)
        names = list(connection.execute(select(text("*")).select_from(asked).where(false())).keys())
        present(source.mapping, names, source.table or "the query")
        columns = Columns.of(names, source.mapping)
        query = within(select(text("*")).select_from(asked), source.mapping.time, names, window, connection)
        order = [column(c) for c in (source.mapping.time, source.mapping.id) if c in names]
        for row in connection.execute(query.order_by(*order)):
            yield columns.line(dict(row._mapping), source.table or "query", 0)


def relation(source: Source, connection: Connection) -> FromClause:
    """What is read. Raises RecipeError where there is no such table, with the nearest."""
    if source.query:
        query = source.query.strip().rstrip(";").replace(":", r"\:")  # a colon is no parameter
        return text(query + "\n").columns().subquery("logs")  # its last line may end in a comment
    given = source.table or ""
    schema, _, name = given.rpartition(".")
    tables = inspect(connection)
    if tables.has_table(given):
        return table(given)
    if schema and tables.has_table(name, schema):
        return table(name, schema=schema)
    there = [*tables.get_table_names(), *tables.get_view_names()]
    near = difflib.get_close_matches(given, there, 1)
    hint = f"did you mean {near[0]}" if near else f"there are {', '.join(sorted(there)[:10]) or 'none'}"
    raise RecipeError(f"there is no table {given} in {source.uri}", "sources.table", hint)


def present(mapping: Mapping, names: Collection[str], what: str) -> None:
    """Raises RecipeError where a column is missing: that of the turns, or of a time or id that the recipe names."""
    usual = Mapping()
    wanted = {f: getattr(mapping, f) for f in ("messages", "time", "id")}
    for field, path in wanted.items():
        if not column_of(path, names) and (field == "messages" or path != getattr(usual, field)):
            hint = f"say which column it is in mapping.{field}; there are {', '.join(names)}"
            raise RecipeError(f"{what} has no column {path} for the {field}", f"sources.mapping.{field}", hint)


def within(
    query: Select[tuple[str]], time: str, names: Collection[str], window: Window, connection: Connection
) -> Select[tuple[str]]:
    """The query with the window, where the time column is one that can be asked for it. A row with no time is as old
    as can be, which for the caller to judge."""
    if time not in names or window == Window():
        return query
    when = column(time)
    one = connection.execute(query.with_only_columns(when).where(when.is_not(None)).limit(1)).scalar()
    if not isinstance(one, datetime):
        return query
    bounds = []
    if window.since:
        bounds.append(when >= bindparam("since", like(one, window.since)))
    if window.until:
        bounds.append(when < bindparam("until", like(one, window.until)))
    return query.where(or_(when.is_(None), and_(*bounds)))


def like(column_value: datetime, moment: datetime) -> datetime:
    """A moment as the column has it: with a zone, or without, which is UTC."""
    return moment if column_value.tzinfo else moment.astimezone(UTC).replace(tzinfo=None)
