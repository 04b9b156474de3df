"""What every engine must keep. A test class subclasses the contract and gives two fixtures."""

import tempfile

import numpy as np
import pyarrow as pa
import pytest
from sklearn.base import clone

from leadlift.engines import ENGINES, get_engine

ACTS = pa.schema(
    [("lead", pa.int32()), ("moment", pa.int64()), ("is_fitted", pa.bool_()), ("stage", pa.string())]
)
ROWS = [
    {"lead": 1, "moment": 2**63 - 1, "is_fitted": True, "stage": "démo 李"},
    {"lead": 1, "moment": -(2**63), "is_fitted": False, "stage": ""},
    {"lead": -(2**31), "moment": 2**53 + 1, "is_fitted": None, "stage": None},
    {"lead": None, "moment": None, "is_fitted": True, "stage": "it's"},
]
NULL_LEADS_LAST = [("lead", "ascending"), ("moment", "ascending")]


def acts(rows=ROWS):
    return pa.RecordBatch.from_pylist(list(rows), schema=ACTS)


def in_order(table):
    return table.sort_by(NULL_LEADS_LAST).to_pylist()


class EngineContract:
    @pytest.fixture
    def make_engine(self):
        """A function that makes a new engine; the subclass gives it."""
        raise NotImplementedError

    @pytest.fixture
    def statement_error(self):
        """The error that the engine's own library raises for a wrong statement; the subclass gives it."""
        raise NotImplementedError

    @pytest.fixture
    def temporary(self, tmp_path, monkeypatch):
        """Where the engine writes what it does not hold in memory."""
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
        return tmp_path

    @pytest.fixture
    def engine(self, make_engine):
        with make_engine() as engine:
            yield engine

    def test_it_is_registered_under_its_name(self, make_engine):
        engine = make_engine()
        assert type(get_engine(engine.name)) is type(engine)
        assert engine.name in ENGINES
        assert get_engine(engine) is engine

    def test_a_clone_of_what_uses_it_runs_on_the_same_engine(self, engine):
        assert clone(engine) is engine

    # Rows in, rows out

    def test_every_value_and_type_comes_back_as_it_was(self, engine):
        engine.load("acts", ACTS, [acts()])
        table = engine.query("SELECT * FROM acts")
        assert table.schema.equals(ACTS)
        assert in_order(table) == in_order(pa.Table.from_batches([acts()]))

    def test_batches_are_read_once_and_as_they_come(self, engine):
        seen = iter([acts(), acts([]), acts(ROWS[:1]), acts()])
        engine.load("acts", ACTS, seen)
        assert next(seen, None) is None
        assert engine.query("SELECT * FROM acts").num_rows == 9

    def test_many_rows_in_many_batches_are_one_table(self, engine):
        n, n_batches = 3_000, 40
        schema = pa.schema([("place", pa.int64())])
        places = np.arange(n * n_batches)
        engine.load(
            "places", schema, (pa.record_batch([part], schema=schema) for part in np.split(places, n_batches))
        )
        table = engine.query("SELECT place FROM places WHERE place >= 10")
        assert np.array_equal(np.sort(table["place"].to_numpy()), places[10:])

    @pytest.mark.parametrize("batches", [[], [acts([])]], ids=["no batches", "a batch of no rows"])
    def test_a_table_without_rows_has_columns(self, engine, batches):
        engine.load("acts", ACTS, batches)
        assert engine.query("SELECT * FROM acts").equals(ACTS.empty_table())
        assert engine.query("SELECT count(*) AS n, max(moment) AS last FROM acts").to_pylist() == [
            {"n": 0, "last": None}
        ]

    # Tables made of others

    def test_rows_kept_later_stand_behind_those_kept_before(self, engine):
        engine.load("acts", ACTS, [acts()])
        engine.keep("kept", "SELECT lead, moment FROM acts WHERE moment < 0")
        engine.keep("kept", "SELECT lead, moment FROM acts WHERE moment > 0 AND lead = 1")
        rows = in_order(engine.query("SELECT * FROM kept"))
        assert rows == [{"lead": 1, "moment": -(2**63)}, {"lead": 1, "moment": 2**63 - 1}]

    def test_rows_are_kept_behind_those_loaded_and_behind_their_own(self, engine):
        engine.load("acts", ACTS, [acts(ROWS[:1])])
        for n_rows in (2, 4):
            engine.keep("acts", "SELECT * FROM acts")
            table = engine.query("SELECT * FROM acts")
            assert table.equals(pa.Table.from_batches([acts(ROWS[:1])] * n_rows))

    def test_no_rows_may_be_kept(self, engine):
        engine.load("acts", ACTS, [acts()])
        engine.keep("none", "SELECT lead, moment - 1 AS before FROM acts WHERE lead = 99")
        schema = pa.schema([("lead", pa.int32()), ("before", pa.int64())])
        assert engine.query("SELECT * FROM none").equals(schema.empty_table())
        engine.keep("none", "SELECT lead, moment AS before FROM acts WHERE stage = ''")
        assert engine.query("SELECT * FROM none").to_pylist() == [{"lead": 1, "before": -(2**63)}]

    def test_what_was_kept_outlives_what_it_was_made_of(self, engine):
        engine.load("acts", ACTS, [acts()])
        engine.keep("kept", "SELECT stage FROM acts WHERE lead < 0 OR stage = ''")
        engine.drop("acts")
        stages = engine.query("SELECT stage FROM kept")["stage"].to_pylist()
        assert sorted(stages, key=str) == ["", None]

    def test_a_dropped_table_is_gone_and_its_name_free(self, engine, statement_error):
        engine.load("acts", ACTS, [acts()])
        engine.keep("kept", "SELECT * FROM acts")
        engine.drop("acts")
        engine.drop("kept")
        with pytest.raises(statement_error, match="acts"):
            engine.query("SELECT * FROM acts")
        engine.load("acts", ACTS, [acts(ROWS[:1])])
        engine.keep("kept", "SELECT lead FROM acts")
        assert engine.query("SELECT * FROM kept").to_pylist() == [{"lead": 1}]

    # What statements mean

    def test_types_of_expressions_are_the_same_everywhere(self, engine):
        engine.load("acts", ACTS, [acts()])
        table = engine.query("""
            SELECT count(*) AS n, max(lead) AS lead, max(moment) - 1 AS moment, max(stage) AS stage,
                CAST(sum(lead) AS INTEGER) AS total, min(lead) & 1 AS bit, count(*) > 3 AS is_many,
                CAST(CASE WHEN max(lead) = 1 THEN 1 ELSE 0 END AS INTEGER) AS one
            FROM acts""")
        types = [
            pa.int64(),
            pa.int32(),
            pa.int64(),
            pa.string(),
            pa.int32(),
            pa.int32(),
            pa.bool_(),
            pa.int32(),
        ]
        assert table.schema.types == types
        assert all(field.nullable for field in table.schema)

    def test_latest_takes_the_value_of_the_greatest_place_even_a_null(self, engine):
        schema = pa.schema([("lead", pa.int32()), ("stage", pa.int32()), ("place", pa.int64())])
        rows = {"lead": [1, 1, 2, 2, 3], "stage": [5, None, None, 7, None], "place": [1, 2, 1, 2, 1]}
        engine.load("changes", schema, [pa.record_batch(rows, schema=schema)])
        latest = engine.dialect.latest("stage", "place")
        table = engine.query(f"SELECT lead, {latest} AS stage FROM changes GROUP BY lead")  # noqa: S608
        assert dict(zip(*table.to_pydict().values(), strict=True)) == {1: None, 2: 7, 3: None}

    def test_moments_before_1970_are_ordered_and_counted_like_others(self, engine):
        schema = pa.schema([("moment", pa.int64())])
        moments = pa.record_batch([pa.array([1, -1, 0, -86_400_000_001], pa.int64())], schema=schema)
        engine.load("moments", schema, [moments])
        table = engine.query("SELECT moment, moment - lag(moment) OVER (ORDER BY moment) AS gap FROM moments")
        gaps = dict(zip(*table.to_pydict().values(), strict=True))
        assert gaps == {-86_400_000_001: None, -1: 86_400_000_000, 0: 1, 1: 1}

    @pytest.mark.parametrize("expression", ["moment + moment", "CAST(moment AS INTEGER)"])
    def test_what_does_not_fit_is_an_error_and_not_another_number(self, engine, statement_error, expression):
        engine.load("acts", ACTS, [acts(ROWS[:1])])
        with pytest.raises(statement_error, match=r"(?i)overflow|range"):
            engine.query(f"SELECT {expression} AS n FROM acts")  # noqa: S608

    # Sessions

    def test_two_sessions_at_once_do_not_see_each_other(self, make_engine):
        with make_engine() as first, make_engine() as second:
            first.load("acts", ACTS, [acts(ROWS[:1])])
            second.load("acts", ACTS, [acts(ROWS[:3])])
            first.keep("kept", "SELECT lead FROM acts")
            second.keep("kept", "SELECT lead FROM acts")
            first.drop("acts")
            counts = [engine.query("SELECT * FROM kept").num_rows for engine in (first, second)]
            assert (counts, second.query("SELECT * FROM acts").num_rows) == ([1, 3], 3)

    def test_an_engine_begins_every_session_empty(self, make_engine, statement_error):
        engine = make_engine()
        for _ in range(2):
            with engine:
                with pytest.raises(statement_error, match="acts"):
                    engine.query("SELECT * FROM acts")
                engine.load("acts", ACTS, [acts()])
                engine.keep("kept", "SELECT * FROM acts")
                assert engine.query("SELECT * FROM kept").num_rows == len(ROWS)

    def test_an_error_in_the_session_leaves_nothing_behind(self, make_engine, temporary):
        engine = make_engine()

        def break_off():
            yield acts()
            msg = "the source broke off"
            raise OSError(msg)

        def work():
            with engine:
                engine.load("earlier", ACTS, [acts()])
                engine.keep("kept", "SELECT * FROM earlier")
                engine.load("acts", ACTS, break_off())

        with pytest.raises(OSError, match="broke off"):
            work()
        assert list(temporary.iterdir()) == []
        with engine:
            engine.load("acts", ACTS, [acts()])
        assert list(temporary.iterdir()) == []
