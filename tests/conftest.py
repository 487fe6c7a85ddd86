"""The order of the tests, and a real Postgres for the session, started where a test asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.postgres import Postgres, running


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long begins first: no process then waits at the end for another's half a minute."""
    items.sort(key=lambda item: (item.get_closest_marker("long") is None, "flows" not in item.path.parts))


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
