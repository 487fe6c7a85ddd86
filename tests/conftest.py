"""A real Postgres for the session, started where a test asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.postgres import Postgres, running


@pytest.fixture(scope="session")
def server() -> Iterator[Path]:
    """Its folder is not among pytest's: another session closes those to the user that the server runs as for root."""
    with TemporaryDirectory(prefix="pg") as place, running(Path(place)) as folder:
        yield folder


@pytest.fixture
def postgres(server: Path) -> Postgres:
    """The database, with nothing in it."""
    database = Postgres(server)
    database.run("DROP SCHEMA public CASCADE", "CREATE SCHEMA public")
    return database
