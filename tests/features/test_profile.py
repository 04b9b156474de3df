"""Profile: what a lead is, as known at as_of, and nothing that must not be an input."""

import json
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from leadlift.data.history import history_from
from leadlift.exceptions import ConfigError
from leadlift.features.builder import FeatureBuilder
from leadlift.terms import Family, FeatureSpec, Kind

AS_OF = datetime(2026, 3, 10, tzinfo=UTC)


def observed(**columns):
    """One observation a lead, with the columns of the leads beside it."""
    n = len(next(iter(columns.values())))
    as_of = pa.array([AS_OF] * n, pa.timestamp("us", "UTC"))
    ids = [f"L{i}" for i in range(n)]
    return pa.table({"lead_id": ids, "as_of": as_of, **columns})


def log(**values):
    """A log in which each field became each of its values, lead by lead, two days before as_of."""
    rows = [(f"L{i}", "2026-03-08", field, v) for field, vs in values.items() for i, v in enumerate(vs)]
    names = ("lead_id", "changed_at", "field", "value")
    return history_from(pa.table(list(map(list, zip(*rows, strict=True))), names=names))


def built(leads, columns=(), history=None, **settings):
    builder = FeatureBuilder(groups=["profile"], **settings)
    return builder, builder.fit_transform(leads, leads=leads, columns=columns, history=history)


def test_columns_pass_under_their_own_specs():
    spec = FeatureSpec("Company Size", Kind.NUMERIC, Family.FIT, unit="people", description="staff")
    builder, table = built(observed(**{"Company Size": [5.0, None]}), [spec])
    assert table.to_pydict() == {"Company Size": [5.0, None]}
    (made,) = builder.specs_
    assert (made.family, made.unit, made.description, made.group) == (
        Family.FIT,
        "people",
        "staff",
        "profile",
    )


@pytest.mark.parametrize(
    ("column", "kind", "expected"),
    [
        (pa.array([1, None], pa.int16()), Kind.NUMERIC, [1.0, None]),
        (pa.array([1, None], pa.int16()), Kind.CATEGORICAL, ["1", None]),
        (pa.array([2.5, float("nan")]), Kind.NUMERIC, [2.5, None]),
        (pa.array([True, None]), Kind.CATEGORICAL, ["true", None]),
        (pa.array([True, None]), Kind.NUMERIC, [1.0, None]),
        (pa.array(["x", None], pa.large_string()), Kind.CATEGORICAL, ["x", None]),
        (pa.array(["x", None]).dictionary_encode(), Kind.CATEGORICAL, ["x", None]),
        (pa.array(["7", "soon"]), Kind.NUMERIC, [7.0, None]),
        (pa.nulls(2), Kind.CATEGORICAL, [None, None]),
    ],
)
def test_any_arrow_type_gives_numbers_or_text(column, kind, expected):
    _, table = built(observed(size=column), [FeatureSpec("size", kind)])
    assert table["size"].to_pylist() == expected
    assert table["size"].type == (pa.float64() if kind is Kind.NUMERIC else pa.string())


def test_columns_of_text_are_left_to_another_group():
    columns = [FeatureSpec("note", Kind.CATEGORICAL), FeatureSpec("size", Kind.NUMERIC)]
    _, table = built(observed(note=["hello", "bye"], size=[1.0, 2.0]), columns, text=["note"])
    assert table.column_names == ["size"]


def test_text_in_the_log_is_no_level():
    columns = [FeatureSpec("note", Kind.CATEGORICAL)]
    _, table = built(observed(note=["hello", "bye"]), columns, log(note=["hello", "bye"]), text=["note"])
    assert table.column_names == []


def test_a_field_of_the_log_is_numeric_if_all_its_values_are_numbers():
    history = log(seats=["5", "1e3"], postcode=["01067", "80331"], stage=["demo", "7"])
    builder, table = built(observed(size=[1.0, 2.0]), history=history)
    kinds = {spec.name: spec.kind.value for spec in builder.specs_}
    assert (kinds["seats"], kinds["postcode"], kinds["stage"]) == ("numeric", "categorical", "categorical")
    assert table["seats"].to_pylist() == [5.0, 1000.0]
    assert table["postcode"].to_pylist() == ["01067", "80331"]


def test_the_family_of_a_field_is_that_of_the_leads_or_guessed_from_its_name():
    columns = [FeatureSpec("stage", Kind.CATEGORICAL, Family.INTENT)]
    history = log(stage=["demo", "new"], industry=["steel", "food"])
    builder, _ = built(observed(stage=["demo", "new"]), columns, history)
    families = {spec.name: spec.family for spec in builder.specs_}
    assert families["stage"] is families["days_in_stage"] is families["n_changes_stage"] is Family.INTENT
    assert families["industry"] is Family.FIT


def test_what_is_no_input_does_not_come_back_through_the_log():
    history = log(
        stage=["a", "b"], ignored=["a", "b"], outcome=["won", "lost"], gender=["f", "m"], lost=["a", "b"]
    )
    leads = observed(ignored=["a", "b"], stage=["a", "b"])
    columns = [FeatureSpec("stage", Kind.CATEGORICAL)]
    _, table = built(leads, columns, history, refused=["lost"])
    assert table.column_names == ["stage", "days_in_stage", "n_changes_stage"]


def test_a_refused_field_comes_back_where_the_user_names_it():
    leads = observed(ignored=["x", "y"])
    history = log(ignored=["a", "b"], gender=["f", "m"], stage=["a", "b"])
    _, table = built(leads, (), history, refused=["ignored"], fields=["ignored"])
    assert table["ignored"].to_pylist() == ["a", "b"]
    assert table.column_names == ["ignored", "days_in_ignored", "n_changes_ignored"]


def test_an_input_has_the_value_of_the_day_even_if_its_field_is_refused():
    leads = observed(stage=["export", "export"])
    history = log(stage=["demo"])
    _, table = built(leads, [FeatureSpec("stage", Kind.CATEGORICAL)], history, refused=["stage"])
    assert table.to_pydict() == {"stage": ["demo", None]}


def test_a_field_that_the_log_has_not_is_refused_with_what_it_has():
    with pytest.raises(ConfigError, match="no field 'stagee'; it has 'owner', 'stage'"):
        built(observed(size=[1.0]), (), log(stage=["a"], owner=["b"]), fields=["stagee"])


def test_fields_that_change_only_later_make_no_columns():
    leads = observed(size=[1.0, 2.0])
    rows = {"lead_id": ["L0"], "changed_at": ["2026-03-10"], "field": ["stage"], "value": ["demo"]}
    _, table = built(leads, [FeatureSpec("size", Kind.NUMERIC)], history_from(pa.table(rows)))
    assert table.column_names == ["size"]


def test_not_to_know_is_a_level_of_bant():
    columns = [FeatureSpec("budget", Kind.CATEGORICAL), FeatureSpec("decision_maker", Kind.NUMERIC)]
    leads = observed(budget=["yes", None], decision_maker=[1.0, None])
    builder, table = built(leads, columns, log(timeline=["soon"]))
    assert table["budget"].to_pylist() == ["yes", "unknown"]
    assert table["decision_maker"].to_pylist() == [1.0, None]
    assert table["timeline"].to_pylist() == ["soon", "unknown"]
    missing = {spec.name: spec.missing_means for spec in builder.specs_}
    assert missing["budget"] == missing["timeline"] == "never missing" != missing["decision_maker"]


def test_what_missing_means_follows_the_log():
    columns = [FeatureSpec("stage", Kind.CATEGORICAL), FeatureSpec("size", Kind.NUMERIC)]
    builder, _ = built(observed(stage=["a", "b"], size=[1.0, 2.0]), columns, log(stage=["a"]))
    missing = {spec.name: spec.missing_means for spec in builder.specs_}
    assert missing["stage"].startswith("no change logged yet")
    assert missing["size"] == "not recorded"


def test_a_profile_read_back_makes_the_same_columns():
    columns = [FeatureSpec("budget", Kind.CATEGORICAL), FeatureSpec("size", Kind.NUMERIC)]
    leads = observed(budget=["yes", None], size=[1.0, None])
    history = log(stage=["demo", "new"], seats=["5", None], size=["3"])
    builder, table = built(leads, columns, history)
    again = FeatureBuilder.from_dict(json.loads(json.dumps(builder.to_dict())))
    assert again.specs_ == builder.specs_
    assert again.transform(leads, leads=leads, history=history).equals(table)
