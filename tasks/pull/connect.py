"""A connection to a source's database that can only read, and streams what it reads.

What goes wrong is said in one sentence, without the password.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from tasks.encoding import decoded
from tasks.pull.bounds import printable
from tasks.pull.password import password
from tasks.recipe import RecipeError, Source, Unreachable, located

USUAL = {"postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}
PACKAGES = {"psycopg": "'psycopg[binary]'", "MySQLdb": "mysqlclient"}
REFUSED = re.compile("password|authentication|denied|does not exist|unknown database|pg_hba|invalid", re.I)
PASSING = ("08", "40", "53", "57")  # SQLSTATE: connection, rolled back, no resources, operator
SAID = 300
BATCH = 256


@contextmanager
def connected(source: Source) -> Iterator[Connection]:
    """Raises RecipeError for what the recipe can mend, Unreachable where another try may succeed."""
    secret = password(source)
    engine = engine_of(source, secret)
    reached = False
    try:
        with engine.connect() as plain:
            reached = True
            yield plain.execution_options(stream_results=True, yield_per=BATCH, postgresql_readonly=True)
    except DBAPIError as fault:
        raise sentence(fault, engine.url.set(drivername=source.uri.partition("://")[0]), reached, secret) from None
    finally:
        engine.dispose()


def engine_of(source: Source, secret: str) -> Engine:
    """Raises RecipeError where the URL is none, or there is no such database, dialect or driver."""
    try:
        url = make_url(source.uri)
        url = url.set(drivername=USUAL.get(url.drivername, url.drivername), password=secret or None)
        engine = sqlite(url) if url.get_backend_name() == "sqlite" else create_engine(url, poolclass=NullPool)
    except NoSuchModuleError:
        hint = "expected postgresql, mysql, sqlite or another for which an SQLAlchemy dialect is installed"
        raise RecipeError(f"there is no dialect for {source.uri}", "sources.uri", hint) from None
    except ImportError as fault:
        name = fault.name or str(fault)
        hint = f"pip install {PACKAGES.get(name, name)}, or name another driver"
        raise RecipeError(f"{source.uri} needs a driver that is not installed: {name}", "sources.uri", hint) from None
    except (ArgumentError, ValueError) as fault:
        if isinstance(fault, RecipeError):
            raise
        hint = "expected dialect+driver://user@host:port/database"
        raise RecipeError(f"{source.uri} is no SQLAlchemy URL", "sources.uri", hint) from None
    if engine.dialect.is_async:
        hint = "name one that is not, such as postgresql+psycopg or mysql+pymysql"
        raise RecipeError(f"{url.drivername} is an asynchronous driver", "sources.uri", hint)
    return engine


def sqlite(url: URL) -> Engine:
    """A file that is there, and that stays as it is."""
    path = located(url.database or "")
    if not path.is_file():
        raise RecipeError(f"no database at {path}", "sources.uri", "expected sqlite:/// and the path of a file")

    def opened() -> sqlite3.Connection:
        connection = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)
        connection.text_factory = lambda raw: decoded(raw) or raw.decode("utf-8", "replace")
        return connection

    return create_engine(url, creator=opened, poolclass=NullPool)


def sentence(fault: DBAPIError, url: URL, reached: bool, secret: str) -> RecipeError:
    """What a database or its driver said, in one line."""
    cause: Any = fault.orig
    said = printable((str(cause).strip().splitlines() or [type(cause).__name__])[0])
    said = said.replace(secret, "***") if secret else said
    what = f"{url.render_as_string(hide_password=True)}: {said[:SAID]}"
    if not reached and REFUSED.search(said):
        hint = "check the user, the database and the password, which comes from the variable that password_env names"
        return RecipeError(what, "sources", hint)
    state = str(getattr(cause, "sqlstate", None) or "")
    if not reached or fault.connection_invalidated or state.startswith(PASSING) or "is locked" in said:
        return Unreachable(what, "sources", "check that the database runs and can be reached from here")
    hint = "check table, query and mapping; a query must be one SELECT that changes nothing"
    return RecipeError(what, "sources", hint)
