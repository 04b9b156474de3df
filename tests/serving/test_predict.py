"""One row out for every row in: scored, or with the reason why not."""

import csv
import json
from collections import Counter
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from leadlift.exceptions import BundleError, ConfigError, InputError, SchemaError
from leadlift.serving.batch import grades
from leadlift.serving.predict import predict, score_table
from leadlift.serving.scored_columns import SCORED_SCHEMA
from leadlift.terms import SCORED_COLUMNS, Family, Kind, Status
from small_shards import cut

AS_OF = datetime(2026, 11, 22, 6, tzinfo=UTC)
# Of a sum of up to 30 contributions below 1.
ROUNDING = 1e-12


@pytest.fixture(scope="module")
def frame(workspace):
    """The new leads as text, as a CSV holds them."""
    return pd.read_csv(workspace.new_leads, dtype=str, keep_default_na=False)


@pytest.fixture(scope="module")
def scored(bundle, frame):
    return score_table(bundle, frame, as_of=AS_OF)


def to_csv(frame, path):
    frame.to_csv(path, index=False)
    return path


def run(bundle, leads, out, **keywords):
    """Predict into a file and read it back."""
    summary = predict(bundle, leads, out=out, as_of=AS_OF, **keywords)
    return (pq.read_table(out) if out.suffix == ".parquet" else read_csv(out)), summary


def read_csv(path):
    types = {field.name: field.type for field in SCORED_SCHEMA}
    options = pyarrow.csv.ConvertOptions(column_types=types, strings_can_be_null=True)
    return pyarrow.csv.read_csv(path, convert_options=options)


def numeric_input(bundle):
    return next(spec.name for spec in bundle.schema.features if spec.kind is Kind.NUMERIC)


def with_cells(frame, column, cells):
    changed = frame.copy()
    changed.loc[list(cells), column] = list(cells.values())
    return changed


def test_the_columns_are_those_promised_to_the_crm(scored):
    assert tuple(scored.column_names) == SCORED_COLUMNS
    assert scored.schema == SCORED_SCHEMA


def test_one_row_comes_out_for_every_row_in_the_same_order(scored, frame):
    assert scored["lead_id"].to_pylist() == frame["lead_id"].tolist()
    assert set(scored["status"].to_pylist()) == {Status.SCORED}
    assert set(scored["as_of"].to_pylist()) == {AS_OF}


def test_a_score_is_that_of_the_scorer(scored, frame, bundle):
    from leadlift.data.new_leads import prepare_batch

    inputs = pa.table(prepare_batch(frame, bundle.schema)).select(list(bundle.schema.feature_names))
    np.testing.assert_array_equal(scored["score"].to_numpy(), bundle.scorer.predict_proba(inputs)[:, 1])


def test_csv_and_parquet_give_the_same_table_in_and_out(bundle, workspace, frame, tmp_path, scored):
    parquet_in = tmp_path / "new.parquet"
    pq.write_table(pyarrow.csv.read_csv(workspace.new_leads), parquet_in)
    for leads in (workspace.new_leads, parquet_in):
        for ending in ("csv", "parquet"):
            table, summary = run(bundle, leads, tmp_path / f"out.{ending}")
            assert table.equals(scored)
            assert summary.rows_in == len(frame)


@pytest.mark.parametrize(
    "convert", [pa.Table.from_pandas, pl.from_pandas, lambda frame: frame.sample(frac=1)[:]]
)
def test_any_kind_of_table_gives_the_same_scores(bundle, frame, scored, convert):
    table = score_table(bundle, convert(frame), as_of=AS_OF)
    assert table.sort_by("lead_id").equals(scored.sort_by("lead_id"))


@pytest.mark.parametrize("batch_rows", [1, 7, 62, 63, 1000])
def test_the_output_does_not_depend_on_the_size_of_the_batches(
    bundle, workspace, tmp_path, scored, batch_rows, monkeypatch
):
    run(bundle, workspace.new_leads, tmp_path / "whole.csv")
    cut(monkeypatch, batch_rows)
    table, _ = run(bundle, workspace.new_leads, tmp_path / "out.parquet")
    assert table.equals(scored)
    run(bundle, workspace.new_leads, tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()


def test_columns_may_stand_in_any_order_with_others_beside_them(bundle, frame, scored):
    shuffled = frame[sorted(frame.columns, reverse=True)].assign(surprise="x", outcome="lost")
    assert score_table(bundle, shuffled, as_of=AS_OF).equals(scored)


def test_missing_columns_are_an_error_with_a_diff(bundle, frame, tmp_path):
    leads = to_csv(
        frame.rename(columns={"industry": "Industry"}).drop(columns="seniority"), tmp_path / "n.csv"
    )
    match = r"(?s)2 column\(s\) needed.*- 'industry' .*did you mean 'Industry'.*- 'seniority'.*\+ 'Industry'"
    with pytest.raises(SchemaError, match=match):
        predict(bundle, leads, out=tmp_path / "out.csv")
    with pytest.raises(SchemaError, match=match):
        score_table(bundle, pd.read_csv(leads))
    assert [path.name for path in tmp_path.iterdir()] == ["n.csv"]


def statuses(table):
    return list(zip(table["status"].to_pylist(), table["status_detail"].to_pylist(), strict=True))


@pytest.mark.parametrize("batch_rows", [1, 4, 1000])
def test_a_lead_that_cannot_be_scored_says_why(bundle, frame, tmp_path, batch_rows, monkeypatch):
    cut(monkeypatch, batch_rows)
    number = numeric_input(bundle)
    bad = frame.iloc[:9].copy()
    bad.loc[1, "lead_id"] = ""
    bad.loc[2, number] = "many"
    bad.loc[3, number] = "inf"
    bad.loc[4, list(bundle.schema.feature_names)] = ""
    bad.loc[7, "lead_id"] = bad.loc[0, "lead_id"]
    bad.loc[8, "lead_id"] = ""
    table, summary = run(bundle, to_csv(bad, tmp_path / "bad.csv"), tmp_path / "out.parquet")
    scored, missing = ("scored", None), ("missing_id", "the id is missing")
    assert statuses(table) == [
        scored,
        missing,
        ("invalid_value", f"unreadable or infinite: {number}"),
        ("invalid_value", f"unreadable or infinite: {number}"),
        ("missing_required", "none of the inputs is recorded"),
        scored,
        scored,
        ("duplicate_id", "the id stood in an earlier row"),
        missing,
    ]
    assert summary.by_status == Counter(row[0] for row in statuses(table))
    assert_null_exactly_where_not_scored(table)


def assert_null_exactly_where_not_scored(table):
    is_scored = np.array(table["status"].to_pylist()) == "scored"
    families = [family.value for family in (Family.FIT, Family.ENGAGEMENT, Family.INTENT)]
    for name in ("score", "score_0_100", "grade", "stage", *families):
        np.testing.assert_array_equal(table[name].is_valid().to_numpy(), is_scored, err_msg=name)
    np.testing.assert_array_equal(table["status_detail"].is_valid().to_numpy(), ~is_scored)
    assert not table["reason_1"].filter(pa.array(~is_scored)).drop_null().length()
    for name in ("as_of", "status", "model_version"):
        assert not table[name].null_count


def test_a_file_without_one_scorable_lead_still_gives_a_row_each(bundle, frame, tmp_path):
    leads = to_csv(frame.iloc[:3].assign(lead_id=""), tmp_path / "bad.csv")
    table, summary = run(bundle, leads, tmp_path / "out.csv")
    assert summary.by_status == {"missing_id": 3}
    assert table["score"].null_count == 3


def test_unseen_levels_are_scored_and_counted(bundle, workspace, frame, tmp_path):
    changed = with_cells(frame, "industry", {0: "asteroid mining", 5: "alchemy"})
    table, summary = run(bundle, to_csv(changed, tmp_path / "new.csv"), tmp_path / "out.csv")
    assert table["status"].to_pylist()[0] == "scored"
    _, unchanged = run(bundle, workspace.new_leads, tmp_path / "unchanged.csv")
    assert summary.unseen["industry"] - unchanged.unseen.get("industry", 0) == 2


def test_the_summary_is_json_and_counts_every_row_once(bundle, workspace, tmp_path):
    _, summary = run(bundle, workspace.new_leads, tmp_path / "out.csv")
    printed = json.loads(json.dumps(summary.to_dict()))
    assert sum(printed["by_status"].values()) == printed["rows_in"]
    assert sum(printed["by_stage"].values()) == printed["by_status"]["scored"]
    assert printed["model_version"] == bundle.version


def test_progress_is_told_after_each_batch(bundle, workspace, tmp_path, frame, monkeypatch):
    cut(monkeypatch, 25)
    told = []
    run(bundle, workspace.new_leads, tmp_path / "out.csv", on_rows=told.append)
    assert told == [*range(0, len(frame), 25), len(frame)]


def test_stages_follow_the_cut_offs(scored, bundle):
    mql, sql = bundle.scorer.cutoff_, bundle.scorer.sql_cutoff_
    assert mql.threshold <= sql.threshold
    for row in scored.to_pylist():
        expected = (
            "SQL" if row["score"] >= sql.threshold else "MQL" if row["score"] >= mql.threshold else "none"
        )
        assert row["stage"] == expected
    assert {"MQL", "none"} <= set(scored["stage"].to_pylist())


def test_grades_follow_their_thresholds(scored, bundle):
    thresholds = bundle.reference.grade_thresholds
    assert thresholds["A"] >= thresholds["B"] >= thresholds["C"]
    for row in scored.to_pylist():
        expected = next((grade for grade in "ABC" if row["score"] >= thresholds[grade]), "D")
        assert row["grade"] == expected
        assert row["score_0_100"] == round(100 * row["score"])


def test_a_grades_edge_belongs_to_the_better_grade():
    assert grades(np.array([0.6, 0.59, 0.2]), {"A": 0.6, "B": 0.6, "C": 0.2}).tolist() == ["A", "C", "C"]


def test_a_tie_at_a_capacity_edge_is_broken_by_the_uncalibrated_score(bundle, frame):
    from dataclasses import replace

    from leadlift.serving.bundle import ModelBundle

    scores = score_table(bundle, frame)["score"].to_numpy()
    tied = replace(bundle.scorer.cutoff_, threshold=float(np.median(scores)), tie_break=np.inf)
    scorer = type(bundle.scorer)()
    scorer.__dict__.update(bundle.scorer.__dict__ | {"cutoff_": tied, "sql_cutoff_": None})
    table = score_table(ModelBundle.from_scorer(scorer, bundle.schema, bundle.reference, {}), frame)
    np.testing.assert_array_equal(np.array(table["stage"].to_pylist()) == "MQL", scores > tied.threshold)


def test_sub_scores_are_the_sums_of_their_columns_contributions(scored, frame, bundle):
    from leadlift.data.new_leads import prepare_batch

    inputs = pa.table(prepare_batch(frame, bundle.schema)).select(list(bundle.schema.feature_names))
    found = bundle.attributor.explain(bundle.scorer.encoder_.transform(inputs))
    for family in (Family.FIT, Family.ENGAGEMENT, Family.INTENT):
        members = [spec.family is family for spec in bundle.schema.features]
        assert any(members)
        expected = found.contributions[:, members].sum(axis=1)
        np.testing.assert_allclose(scored[family.value].to_numpy(), expected, atol=ROUNDING)
    total = found.base + found.contributions.sum(axis=1)
    np.testing.assert_allclose(total, scored["score"].to_numpy(), atol=ROUNDING)


def test_reasons_name_input_columns_and_points(scored, bundle):
    names = tuple({phrase.name for phrase in bundle.reason_writer.phrases})
    for reason in scored["reason_1"].to_pylist():
        assert reason.startswith((*names, "No "))
        assert reason.endswith((" points", " point"))


def test_a_moment_without_a_zone_is_refused(bundle, frame, workspace, tmp_path):
    naive = AS_OF.replace(tzinfo=None)
    with pytest.raises(ConfigError, match=r"as_of needs a time zone, got 2026-11-22T06:00:00; add one"):
        score_table(bundle, frame, as_of=naive)
    with pytest.raises(ConfigError, match="as_of needs a time zone"):
        predict(bundle, workspace.new_leads, out=tmp_path / "out.csv", as_of=naive)
    assert not list(tmp_path.iterdir())


def test_a_moment_of_another_zone_is_written_in_utc(bundle, frame):
    berlin = AS_OF.astimezone(timezone(timedelta(hours=1)))
    assert score_table(bundle, frame, as_of=berlin)["as_of"][0].as_py() == AS_OF


def test_without_a_moment_the_column_is_empty(bundle, frame):
    assert score_table(bundle, frame)["as_of"].null_count == len(frame)


def test_formulas_in_cells_are_defused_in_csv_only(bundle, frame, tmp_path):
    leads = to_csv(with_cells(frame, "lead_id", {0: "=HYPERLINK(1)", 1: "-17"}), tmp_path / "new.csv")
    run(bundle, leads, tmp_path / "out.parquet")
    run(bundle, leads, tmp_path / "out.csv")
    assert pq.read_table(tmp_path / "out.parquet")["lead_id"].to_pylist()[:2] == ["=HYPERLINK(1)", "-17"]
    with (tmp_path / "out.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["lead_id"] for row in rows[:2]] == ["'=HYPERLINK(1)", "-17"]


def test_a_reader_that_fails_midway_leaves_nothing_and_the_older_output(bundle, frame, tmp_path):
    leads = to_csv(pd.concat([frame] * 3), tmp_path / "new.csv")
    with leads.open("a") as file:
        file.write("too,few,cells\n")
    out = tmp_path / "out.parquet"
    out.write_text("older")
    with pytest.raises(InputError, match=r"1 row\(s\) without the header's .* cells: data row '211"):
        predict(bundle, leads, out=out)
    assert out.read_text() == "older"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new.csv", "out.parquet"]


def test_the_leads_that_are_read_are_never_written_over(bundle, workspace, frame, tmp_path):
    leads = to_csv(frame, tmp_path / "new.csv")
    (tmp_path / "link.csv").symlink_to(leads)
    for out in (leads, tmp_path / "link.csv"):
        with pytest.raises(InputError, match="would replace a file that is read; name another file"):
            predict(bundle, leads, out=out)
    assert leads.read_text() == to_csv(frame, tmp_path / "again.csv").read_text()


def test_a_bundle_may_be_given_by_its_folder(workspace, tmp_path, scored):
    table, _ = run(workspace.champion, workspace.new_leads, tmp_path / "out.parquet")
    assert table.equals(scored)
    with pytest.raises(BundleError, match="no model bundle"):
        predict(tmp_path, workspace.new_leads, out=tmp_path / "other.csv")


def test_a_table_without_leads_gives_a_table_without_rows(bundle, frame):
    table = score_table(bundle, frame.iloc[:0])
    assert table.num_rows == 0
    assert table.schema == SCORED_SCHEMA


def test_control_and_direction_marks_in_cells_are_levels_like_any_other(bundle, frame):
    hostile = {0: "<script>alert(1)</script>", 1: "\u202eevil", 2: "\x1b[31mred", 3: "a\nb", 4: "x" * 100_000}
    table = score_table(bundle, with_cells(frame, "industry", hostile))
    assert table["status"].to_pylist()[:5] == ["scored"] * 5
    assert max(len(reason) for reason in table["reason_1"].to_pylist()) < 300
