"""What every store of scored batches must keep. A test class gives the place."""

from datetime import timedelta

import pyarrow as pa
import pytest

from leadlift.exceptions import ConfigError, InputError, SchemaError
from leadlift.serving.drift import DriftCounts
from leadlift.serving.score_store import open_score_store
from leadlift.serving.scored_columns import SCORED_SCHEMA
from scored_tables import NOW, scored_row, scored_table

NIGHT = timedelta(days=1)
MONDAY = scored_table(
    scored_row("a", 0.4, reason_1="Ünïcode 'quoted'"), scored_row("b", 0.1), scored_row("c")
)
TUESDAY = scored_table(scored_row("a", 0.5, as_of=NOW + NIGHT), scored_row("d", 0.2, as_of=NOW + NIGHT))


def counted(n_rows):
    return DriftCounts([n_rows, 0], [n_rows, 0], {"source": [[n_rows], [0]]}, [[n_rows], [0]])


def same_rows(table, *others):
    def in_order(table):
        return sorted(table.to_pylist(), key=lambda row: (row["as_of"], row["model_version"], row["lead_id"]))

    assert in_order(table) == in_order(pa.concat_tables(others))


class ScoreStoreContract:
    @pytest.fixture
    def place(self):
        """Where no store is yet; the subclass gives it."""
        raise NotImplementedError

    @pytest.fixture
    def store(self, place):
        return open_score_store(place)

    def test_rows_come_back_as_they_were_added_by_moment(self, store, place):
        store.add(TUESDAY)
        store.add(MONDAY)
        found = open_score_store(place).scored()
        assert found.schema == SCORED_SCHEMA
        assert found["as_of"].to_pylist() == sorted(found["as_of"].to_pylist())
        same_rows(found, MONDAY, TUESDAY)

    def test_a_job_that_is_added_again_changes_nothing(self, store):
        for _ in range(3):
            store.add(MONDAY, counted(3), source="new_leads.csv")
        same_rows(store.scored(), MONDAY)
        assert store.counts().rows == [3, 0]

    def test_a_corrected_batch_replaces_its_leads(self, store):
        store.add(MONDAY)
        again = scored_table(scored_row("a", 0.9), scored_row("b", 0.8))
        store.add(again)
        same_rows(store.scored(), again, MONDAY.slice(2))

    def test_two_jobs_of_one_moment_share_a_batch(self, store):
        store.add(MONDAY, counted(3), source="north.csv")
        store.add(scored_table(scored_row("n", 0.3)), counted(1), source="south.csv")
        assert store.batches().to_pylist() == [{"as_of": NOW, "model_version": "m1", "n_rows": 4}]
        assert store.counts().rows == [4, 0]

    def test_a_table_of_many_batches_is_parted(self, store):
        other_model = scored_table(scored_row("a", 0.3, model_version="m2"))
        store.add(pa.concat_tables([TUESDAY, MONDAY, other_model]))
        batches = [tuple(row.values()) for row in store.batches().to_pylist()]
        assert batches == [(NOW, "m1", 3), (NOW, "m2", 1), (NOW + NIGHT, "m1", 2)]

    def test_rows_are_found_by_moment_model_lead_and_column(self, store):
        store.add(pa.concat_tables([MONDAY, TUESDAY, scored_table(scored_row("a", 0.3, model_version="m2"))]))
        same_rows(store.scored(since=NOW + NIGHT), TUESDAY)
        same_rows(store.scored(until=NOW + NIGHT, model_version="m1"), MONDAY)
        scores = store.scored(lead_id="a", columns=["score", "model_version"])
        assert scores.to_pylist() == [
            {"score": 0.4, "model_version": "m1"},
            {"score": 0.3, "model_version": "m2"},
            {"score": 0.5, "model_version": "m1"},
        ]
        assert store.scored(lead_id="a' OR 1 = 1 --").num_rows == 0

    def test_counts_add_up_over_the_batches_of_one_model(self, store):
        store.add(MONDAY, counted(3))
        store.add(TUESDAY, counted(2))
        assert store.counts() == counted(5)
        assert store.counts(since=NOW + NIGHT) == counted(2)
        assert store.counts(until=NOW) == DriftCounts()
        store.add(scored_table(scored_row("a", 0.3, model_version="m2")), counted(1))
        with pytest.raises(ConfigError, match=r"counts of 2 models .* 'm1', 'm2'\. Give model_version"):
            store.counts()
        assert store.counts(model_version="m2") == counted(1)

    def test_rows_of_no_lead_are_left_out(self, store):
        rows = [scored_row("a", 0.4), scored_row(None, status="missing_id")]
        store.add(scored_table(*rows, scored_row("a", status="duplicate_id")))
        same_rows(store.scored(), scored_table(rows[0]))

    def test_what_fails_leaves_the_batch_as_it_was(self, store):
        store.add(MONDAY)
        twice = scored_table(scored_row("n", 0.3), scored_row("n", 0.4))
        with pytest.raises(InputError, match=r"1 lead\(s\) stand twice in the batch .*'n'"):
            store.add(twice)
        same_rows(store.scored(), MONDAY)

    def test_a_batch_may_come_in_pieces_and_be_empty(self, store):
        with store.open_batch(NOW, "m1") as batch:
            for i in range(MONDAY.num_rows):
                batch.write(MONDAY.slice(i, 1))
        with store.open_batch(NOW + NIGHT, "m1"):
            pass
        same_rows(store.scored(), MONDAY)

    def test_rows_of_another_batch_are_refused(self, store):
        with (
            pytest.raises(InputError, match=r"expected rows of .* and model 'm1', got rows of .*'m2'"),
            store.open_batch(NOW, "m1") as batch,
        ):
            batch.write(scored_table(scored_row("a", 0.4, model_version="m2")))

    def test_rows_need_a_moment_and_a_model(self, store):
        with pytest.raises(ConfigError, match=r"needs as_of, a moment with a time zone, got None"):
            store.add(scored_table(scored_row("a", 0.4, as_of=None)))
        with pytest.raises(ConfigError, match=r"needs the version of the model, .* got '\.\./x'"):
            store.add(scored_table(scored_row("a", 0.4, model_version="../x")))
        with pytest.raises(SchemaError, match=r"(?s)1 column\(s\) needed are not there:.*'model_stage'"):
            store.add(MONDAY.drop_columns("model_stage"))
        with pytest.raises(ConfigError, match=r"counts are those of one batch, but the scored table has 2"):
            store.add(pa.concat_tables([MONDAY, TUESDAY]), counted(5))

    def test_a_store_that_is_not_there_is_said_to_be_missing(self, store):
        with pytest.raises(InputError, match=r"there is no store of scores|cannot be read"):
            store.scored()
