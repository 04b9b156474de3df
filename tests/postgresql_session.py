"""One PostgreSQL server for all tests that need one."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote
from uuid import uuid4

import psycopg
import pytest

import postgresql_server
from services import require


@dataclass(frozen=True)
class Server:
    """Where the test's server is and how to talk to it.

    `place` is host:port/database, with the options of the connection behind it.
    """

    place: str

    @property
    def address(self) -> str:
        password = quote(postgresql_server.PASSWORD, safe="")
        return f"postgresql://{postgresql_server.USER}:{password}@{self.place}"

    def run(self, statement: str, rows: list | None = None) -> None:
        with psycopg.connect(self.address) as connection, connection.cursor() as cursor:
            if rows is None:
                cursor.execute(statement)
            else:
                cursor.executemany(statement, rows)

    def with_schema(self) -> "Server":
        """The same server, with an empty schema of its own in which tables are made and looked for."""
        schema = f"test_{uuid4().hex}"
        self.run(f"CREATE SCHEMA {schema}")
        return Server(f"{self.place}?options=-csearch_path%3D{schema}")


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    folder = postgresql_server.programs()
    require(folder, "no PostgreSQL server on this machine (Debian: apt-get install postgresql)")
    with postgresql_server.running_server(folder) as place:
        yield Server(place)
