"""What every database that keyed tables are written into must keep. A test class gives the address."""

from datetime import UTC, datetime

import pyarrow as pa
import pytest

from leadlift.config import DataConfig
from leadlift.data.dates import parse_dates
from leadlift.data.keyed_tables import KeyedTable
from leadlift.data.sources import open_source
from leadlift.data.table_stores import open_store
from leadlift.exceptions import InputError, SchemaError

NOW = datetime(2026, 11, 22, 6, 0, 0, 123_456, tzinfo=UTC)
MOMENT = pa.timestamp("us", tz="UTC")
VISITS = KeyedTable(
    "visits",
    pa.schema(
        [
            ("id", pa.string()),
            ("at", MOMENT),
            ("n", pa.int32()),
            ("long", pa.int64()),
            ("share", pa.float64()),
        ]
    ),
    ("id", "at"),
)


def visits(*rows):
    return pa.Table.from_pylist(
        [dict(zip(VISITS.schema.names, row, strict=True)) for row in rows], VISITS.schema
    )


def stored(address, query):
    """Rows of a query, moments as moments, in one order."""
    source = open_source(address, query, DataConfig(leads="unused"))
    table = pa.Table.from_batches(source.batches(), source.selected_schema(source.columns))
    for i, name in enumerate(table.column_names):
        if name in {"at", "as_of", "stage_since"}:
            table = table.set_column(i, name, parse_dates(table[name])[0])
    return sorted(table.to_pylist(), key=lambda row: [str(value) for value in row.values()])


class StoreContract:
    @pytest.fixture
    def address(self):
        """A database without tables; the subclass gives it."""
        raise NotImplementedError

    @pytest.fixture
    def store(self, address):
        with open_store(address) as store:
            store.open_table(VISITS)
            yield store

    def run(self, address, statement):
        with open_store(address) as store, store.transaction():
            store._execute(statement)

    def test_values_come_back_as_they_were(self, store, address):
        rows = [("Zoë 李; '\"x", NOW, -3, 2**62, 0.1 + 0.2), ("b", NOW, None, None, None)]
        with store.transaction():
            store.upsert(VISITS, visits(*rows))
        store.__exit__()
        assert [tuple(row.values()) for row in stored(address, "visits")] == rows

    def test_a_row_takes_the_place_of_the_one_with_its_key(self, store, address):
        with store.transaction():
            store.upsert(VISITS, visits(("a", NOW, 1, 1, 1.0), ("b", NOW, 1, 1, 1.0)))
        with store.transaction():
            store.upsert(VISITS, visits(("a", NOW, 2, None, 2.0), ("a", NOW.replace(day=23), 3, 3, 3.0)))
        store.__exit__()
        assert [tuple(row.values())[2:] for row in stored(address, "visits")] == [
            (2, None, 2.0),
            (3, 3, 3.0),
            (1, 1, 1.0),
        ]

    def test_what_fails_leaves_nothing(self, store, address):
        def fail():
            with store.transaction():
                store.upsert(VISITS, visits(("a", NOW, 1, 1, 1.0)))
                raise KeyError

        with pytest.raises(KeyError, match=r"^$"):
            fail()
        with store.transaction():
            store.upsert(VISITS, visits(("b", NOW, 1, 1, 1.0)))
        store.__exit__()
        assert [row["id"] for row in stored(address, "visits")] == ["b"]

    def test_rows_are_deleted_by_their_values(self, store, address):
        with store.transaction():
            store.upsert(VISITS, visits(("a", NOW, 1, 1, 1.0), ("a'--", NOW, 1, 1, 1.0)))
            store.delete(VISITS, {"at": NOW, "id": "a'--"})
        store.__exit__()
        assert [row["id"] for row in stored(address, "visits")] == ["a"]

    def test_no_rows_are_no_trouble(self, store, address):
        with store.transaction():
            store.upsert(VISITS, VISITS.schema.empty_table())
        store.__exit__()
        assert stored(address, "visits") == []

    def test_a_table_that_is_there_is_used_with_columns_of_its_own(self, store, address):
        store.__exit__()
        self.run(address, "ALTER TABLE visits ADD COLUMN note text")
        with open_store(address) as again:
            again.open_table(VISITS)
            with again.transaction():
                again.upsert(VISITS, visits(("a", NOW, 1, 1, 1.0)))
        assert [(row["id"], row["note"]) for row in stored(address, "visits")] == [("a", None)]

    def test_a_table_with_other_columns_is_refused_with_a_diff(self, store, address):
        store.__exit__()
        self.run(address, "ALTER TABLE visits DROP COLUMN share")
        self.run(address, "ALTER TABLE visits RENAME COLUMN n TO amount")
        with (
            open_store(address) as again,
            pytest.raises(
                SchemaError, match=r"(?s)2 column\(s\) .* 'n' \(expected .*, found none\).*'share'"
            ),
        ):
            again.open_table(VISITS)

    def test_a_table_that_vanished_is_said_to_be_missing(self, store):
        with store.transaction():
            store._execute("DROP TABLE visits")
        with pytest.raises(InputError, match=r"cannot be written: .*visits"), store.transaction():
            store.upsert(VISITS, visits(("a", NOW, 1, 1, 1.0)))


class PrimaryKeyContract(StoreContract):
    """Of databases whose tables have a primary key."""

    def test_a_table_with_another_key_is_refused(self, store, address):
        store.__exit__()
        other = KeyedTable("visits", VISITS.schema, ("id",))
        with open_store(address) as again, pytest.raises(InputError, match=r"(?i)conflict.* primary key"):
            again.open_table(other)
