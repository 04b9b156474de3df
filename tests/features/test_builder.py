"""The builder takes tables of any kind, and says what is wrong with one."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pyarrow as pa
import pytest

import leadlift as ll
from leadlift.engines import get_engine
from leadlift.exceptions import ConfigError, SchemaError

START = datetime(2026, 3, 1, tzinfo=UTC)
N_LEADS = 40


@pytest.fixture(scope="module")
def tables():
    """Leads, events, changes and observations as Arrow tables in house columns."""
    ids = [f"L{lead}" for lead in range(N_LEADS)]
    leads = pa.table({"lead_id": ids, "industry": ["retail", "software"] * (N_LEADS // 2)})
    events = pa.table(
        {
            "lead_id": [name for name in ids for _ in range(3)],
            "occurred_at": [START + timedelta(hours=5 * i) for i in range(3 * N_LEADS)],
            "event_type": ["visit", "form", "visit"] * N_LEADS,
        }
    )
    history = pa.table(
        {
            "lead_id": ids,
            "changed_at": [START + timedelta(days=lead) for lead in range(N_LEADS)],
            "field": ["stage"] * N_LEADS,
            "value": ["new", "contacted"] * (N_LEADS // 2),
            "old_value": pa.nulls(N_LEADS, pa.string()),
        }
    )
    observations = pa.table({"lead_id": ids, "as_of": [START + timedelta(days=15)] * N_LEADS})
    return {"observations": observations, "leads": leads, "events": events, "history": history}


def built(tables):
    tables = dict(tables)
    return ll.build_features(tables.pop("observations"), **tables)


def test_pandas_and_polars_tables_make_the_features_of_arrow_tables(tables):
    expected = built(tables)
    assert {"n_visit_7d", "stage", "industry"} <= set(expected.column_names)
    assert built({name: table.to_pandas() for name, table in tables.items()}).equals(expected)
    assert built({name: pl.from_arrow(table) for name, table in tables.items()}).equals(expected)


def test_a_feature_with_the_name_of_a_column_of_the_leads_gets_that_of_its_group_before_it(tables):
    leads = tables["leads"].append_column("n_visit_7d", pa.array([1.0, 2.0] * (N_LEADS // 2)))
    features = built(tables | {"leads": leads})
    assert features["n_visit_7d"].to_pylist() == leads["n_visit_7d"].to_pylist()
    assert features["activity_n_visit_7d"].equals(built(tables)["n_visit_7d"])


def test_features_left_out_are_not_made_and_their_columns_not_asked_for(tables):
    given = dict(tables)
    observations = given.pop("observations")
    builder = ll.FeatureBuilder().fit(observations, **given)
    less = builder.without(["industry", "n_visit_7d"])
    made = less.transform(observations, **given | {"leads": given["leads"].drop_columns(["industry"])})
    assert made.equals(builder.transform(observations, **given).drop_columns(["industry", "n_visit_7d"]))


def test_what_has_learnt_nothing_makes_nothing(tables):
    given = dict(tables)
    with pytest.raises(ConfigError, match="has learnt nothing yet; call fit first"):
        ll.FeatureBuilder().transform(given.pop("observations"), **given)


def test_on_another_engine_the_fitted_builder_makes_the_same(tables):
    given = dict(tables)
    observations = given.pop("observations")
    builder = ll.FeatureBuilder().fit(observations, **given)
    elsewhere = builder.on(get_engine("duckdb"))
    assert elsewhere.transform(observations, **given).equals(builder.transform(observations, **given))


def test_what_was_there_at_fit_must_be_there_again(tables):
    given = dict(tables)
    observations = given.pop("observations")
    builder = ll.FeatureBuilder().fit(observations, **given)
    with pytest.raises(
        ConfigError, match="learnt with history; give history, an empty file if there are none"
    ):
        builder.transform(observations, leads=given["leads"], events=given["events"])


def test_observations_that_cannot_be_used_are_told(tables):
    observations = tables["observations"]
    with pytest.raises(SchemaError, match=r"(?s)the observations: 1 column.*as_of"):
        built(tables | {"observations": observations.select(["lead_id"])})
    with pytest.raises(SchemaError, match="39 observations stand beside 40 leads"):
        built(tables | {"observations": observations.slice(1)})
    undated = observations.set_column(1, "as_of", pa.nulls(N_LEADS, pa.timestamp("us", "UTC")))
    with pytest.raises(SchemaError, match="40 of 40 observations have no as_of"):
        built(tables | {"observations": undated})
    texts = observations.set_column(1, "as_of", pa.array(["2026-03-16"] * N_LEADS))
    with pytest.raises(
        SchemaError, match="as_of of the observations should hold moments, and has type string"
    ):
        built(tables | {"observations": texts})


def test_a_group_or_an_engine_that_does_not_exist_is_told(tables):
    given = dict(tables)
    observations = given.pop("observations")
    with pytest.raises(ConfigError, match="no feature group 'weather'; expected some of profile, activity"):
        ll.FeatureBuilder(groups=["weather"]).fit(observations, **given)
    with pytest.raises(ConfigError, match="no engine 'abacus'; expected one of duckdb, spark"):
        ll.FeatureBuilder(engine="abacus").fit(observations, **given)
