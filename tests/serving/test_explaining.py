"""Reasons for given leads add up to their scores, and a lead that cannot be explained says why."""

import json
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

import leadlift as ll
from leadlift.data.new_leads import prepare_batch
from leadlift.exceptions import ConfigError, InputError
from leadlift.insight.grouping import grouped_contributions
from leadlift.insight.texts import load_texts
from leadlift.serving.bundle import ModelBundle
from leadlift.serving.explained_text import describe, describe_html, write_reasons
from leadlift.serving.explaining import LEADS_SCHEMA, REASONS_SCHEMA, explain_file, explain_leads
from leadlift.serving.predict import score_table

# Points are hundredths of a probability: sums of some ten terms below 100 in float64.
ROUNDING = 1e-9


@pytest.fixture(scope="module")
def frame(workspace):
    return pd.read_csv(workspace.new_leads, dtype=str, nrows=40)


@pytest.fixture(scope="module")
def explained(bundle, frame):
    return explain_leads(bundle, frame)


def in_language(bundle, texts):
    return replace(bundle, texts=texts)


def test_base_and_points_of_a_lead_are_its_score(explained):
    points = explained.reasons.group_by("lead_id").aggregate([("points", "sum")])
    total = dict(zip(points["lead_id"].to_pylist(), points["points_sum"].to_pylist(), strict=True))
    for lead in explained.leads.to_pylist():
        assert 100 * lead["base"] + total[lead["lead_id"]] == pytest.approx(100 * lead["score"], abs=ROUNDING)


def test_sub_scores_are_the_sums_of_their_families(bundle, frame):
    explained = explain_leads(bundle, frame, most_reasons=1000)
    for lead in explained.leads.to_pylist():
        for family in ("fit", "engagement", "intent", "source"):
            of_family = [
                reason["points"]
                for reason in explained.reasons.to_pylist()
                if (reason["lead_id"], reason["family"]) == (lead["lead_id"], family)
            ]
            # Contributions below a twentieth of a point are in everything else.
            assert sum(of_family) == pytest.approx(100 * lead[family], abs=0.05 * len(bundle.specs))


def test_scores_and_first_reasons_are_those_of_the_batch_job(bundle, frame, explained):
    scored = score_table(bundle, frame)
    for name in ("lead_id", "score", "score_0_100", "grade", "stage", "fit", "intent"):
        assert explained.leads[name].to_pylist() == scored[name].to_pylist()
    for rank in (1, 2, 3):
        ranked = {r["lead_id"]: r["sentence"] for r in explained.reasons.to_pylist() if r["rank"] == rank}
        told = dict(zip(scored["lead_id"].to_pylist(), scored[f"reason_{rank}"].to_pylist(), strict=True))
        assert ranked == {name: reason for name, reason in told.items() if reason is not None}


def test_points_are_the_grouped_contributions(bundle, frame, explained):
    inputs = pa.table(prepare_batch(frame, bundle.schema)).select(bundle.schema.feature_names)
    found = bundle.attributor.explain(bundle.scorer.encoder_.transform(inputs))
    strongest = np.abs(grouped_contributions(bundle.reason_writer.groups, found.contributions)).max(axis=1)
    first = [abs(reason["points"]) for reason in explained.reasons.to_pylist() if reason["rank"] == 1]
    np.testing.assert_allclose(first, 100 * strongest, atol=ROUNDING)


def test_tables_have_their_schemas_and_every_lead_one_rest(explained, frame):
    assert explained.leads.schema == LEADS_SCHEMA
    assert explained.reasons.schema == REASONS_SCHEMA
    assert explained.reasons["rank"].null_count == len(frame)


def test_only_leads_asked_for_are_told_and_an_id_without_a_row_says_so(bundle, frame):
    ids = frame["lead_id"].tolist()
    explained = explain_leads(bundle, frame, lead_ids=[ids[3], "nobody", ids[1]])
    assert explained.leads["lead_id"].to_pylist() == [ids[1], ids[3], "nobody"]
    assert explained.not_explained.to_pylist() == [
        {"lead_id": "nobody", "status": "not_found", "status_detail": "no row of the leads has this id"}
    ]
    assert describe(explained, "nobody") == "Lead nobody cannot be explained: no row of the leads has this id"


def test_leads_that_cannot_be_scored_are_counted_with_why(bundle, frame):
    broken = frame.head(6).copy()
    broken.loc[1, "lead_id"] = None
    broken.loc[2, "lead_id"] = broken.loc[0, "lead_id"]
    broken.loc[3, "employees"] = "many"
    broken.loc[4, list(set(bundle.schema.feature_names) & set(broken.columns))] = None
    explained = explain_leads(bundle, broken)
    assert explained.n_by_status == {
        "scored": 2, "missing_id": 1, "duplicate_id": 1, "invalid_value": 1, "missing_required": 1,
    }  # fmt: skip
    assert set(explained.reasons["lead_id"].to_pylist()) == {
        broken.loc[0, "lead_id"],
        broken.loc[5, "lead_id"],
    }
    told = describe(explained, broken.loc[3, "lead_id"])
    assert told == f"Lead {broken.loc[3, 'lead_id']} cannot be explained: unreadable or infinite: employees"
    assert explained.leads["lift"].null_count == explained.leads["base"].null_count == 4


def test_nothing_asked_for_nothing_told(bundle, frame):
    explained = explain_leads(bundle, frame.head(0), lead_ids=["a"])
    assert explained.n_by_status == {"not_found": 1}
    assert explained.reasons.num_rows == 0


def test_a_file_gives_what_a_table_gives(bundle, workspace, frame):
    ids = frame["lead_id"].tolist()[5:8]
    from_file = explain_file(bundle, workspace.new_leads, lead_ids=ids)
    in_memory = explain_leads(bundle, frame, lead_ids=ids)
    assert from_file.leads.equals(in_memory.leads)
    assert from_file.reasons.equals(in_memory.reasons)


def test_without_ids_the_first_ten_of_a_file_are_told(bundle, workspace, frame):
    explained = explain_file(workspace.champion, workspace.new_leads)
    assert explained.leads["lead_id"].to_pylist() == frame["lead_id"].tolist()[:10]
    assert explained.leads.equals(explain_leads(bundle, frame.head(10)).leads)


def test_a_lead_is_described_in_lines(explained):
    lead = explained.leads.to_pylist()[0]
    lines = describe(explained, lead["lead_id"]).splitlines()
    assert lines[0] == (
        f"Lead {lead['lead_id']}: {lead['score_0_100']} of 100, grade {lead['grade']}, stage {lead['stage']}"
    )
    assert lines[1].startswith("  Every lead starts at ")
    assert lines[-3].startswith("  Everything else: ")
    assert lines[-2].startswith("  Of which fit ")
    assert lines[-1] == f"  {lead['lift']}"


def test_the_bundle_decides_on_the_language(bundle, frame):
    german = in_language(bundle, load_texts("de", {"fields": {"employees": "Beschäftigte"}}))
    explained = explain_leads(german, frame.head(3))
    first = explained.leads["lead_id"][0].as_py()
    assert " von 100, Stufe " in describe(explained, first)
    assert "Alles Übrige: " in describe(explained, first)


def test_language_and_words_travel_with_the_bundle(bundle, frame, tmp_path):
    texts = load_texts("de", {"fields": {"industry": "Wirtschaftszweig"}})
    in_language(bundle, texts).save(tmp_path / "german")
    again = ModelBundle.load(tmp_path / "german")
    assert again.texts == texts
    reasons = score_table(again, frame)["reason_1"].to_pylist()
    assert any(reason.startswith("Wirtschaftszweig: ") for reason in reasons)
    assert all(reason.endswith((" Punkte", " Punkt")) for reason in reasons)


def test_a_bundle_from_before_there_were_texts_speaks_english(bundle):
    assert bundle.texts == load_texts("en")


def test_hostile_values_neither_run_nor_break_lines(bundle, frame, tmp_path):
    hostile = frame.head(4).copy()
    hostile["lead_id"] = ["=1+1", "<script>alert(1)</script>", "\u202eevil", "@SUM(A1)"]
    hostile["industry"] = [
        "<img src=x onerror=alert(1)>",
        "=cmd|' /C calc'!A0",
        "\u202eevil\n\x1b[31m",
        "x" * 999_999,
    ]
    explained = explain_leads(bundle, hostile)
    for lead_id in hostile["lead_id"]:
        page = describe_html(explained, lead_id)
        assert tags(page) <= {"section", "h3", "ul", "li"}
        text = describe(explained, lead_id)
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert len(text) < 3000
    write_reasons(explained, tmp_path / "out.csv")
    written = pyarrow.csv.read_csv(tmp_path / "out.csv")
    assert set(written["lead_id"].to_pylist()) == {
        "'=1+1", "<script>alert(1)</script>", "\u202eevil", "'@SUM(A1)",
    }  # fmt: skip


def tags(page):
    found = set()

    class Reader(HTMLParser):
        def handle_starttag(self, tag, attrs):
            found.add(tag)

    Reader().feed(page)
    return found


def test_reasons_are_written_as_they_are_to_parquet(explained, tmp_path):
    write_reasons(explained, tmp_path / "out.parquet")
    assert pyarrow.parquet.read_table(tmp_path / "out.parquet").equals(explained.reasons)
    with pytest.raises(InputError, match=r"out.xlsx: the output must end in .csv or .parquet"):
        write_reasons(explained, tmp_path / "out.xlsx")


def test_json_holds_each_lead_with_its_reasons(explained):
    told = json.loads(json.dumps(explained.to_dict()))
    assert told["by_status"] == {"scored": 40}
    lead = told["leads"][0]
    assert [reason["rank"] for reason in lead["reasons"]][-1] is None
    assert {"reason", "family", "value", "typical_won", "points", "sentence", "rank"} == set(
        lead["reasons"][0]
    )


def test_a_lead_that_was_not_asked_for_cannot_be_described(explained):
    with pytest.raises(InputError, match=r"lead 'nobody' is not among the explained ones: 'L"):
        describe(explained, "nobody")


def test_what_somebody_can_change_can_be_named(bundle, frame):
    with pytest.raises(ConfigError, match="actionable names 'no such', which are no inputs"):
        explain_leads(bundle, frame, actionable=["no such"])
    explained = explain_leads(bundle, frame, actionable=["contact_me"])
    lifted = [lead for lead in explained.leads.to_pylist() if lead["lift_score"] is not None]
    assert lifted
    assert all("contact me: " in lead["lift"] for lead in lifted)
    assert all(lead["lift_score"] >= lead["score"] + 0.02 for lead in lifted)


def test_what_the_configuration_names_holds_unless_somebody_says_otherwise(bundle, frame):
    named = bundle.provenance | {"config": {"insight": {"actionable": ["contact_me"]}}}
    trained = ModelBundle.from_scorer(bundle.scorer, bundle.schema, bundle.reference, named)
    by_config = explain_leads(trained, frame).leads["lift"].to_pylist()
    assert by_config == explain_leads(bundle, frame, actionable=["contact_me"]).leads["lift"].to_pylist()
    assert explain_leads(trained, frame, actionable=()).leads["lift"].to_pylist() == (
        explain_leads(bundle, frame).leads["lift"].to_pylist()
    )


def test_the_public_way_to_what_lifts_leads_takes_a_bundle(bundle, frame):
    inputs = pa.table(prepare_batch(frame, bundle.schema)).select(bundle.schema.feature_names)
    told = ll.lift(bundle, inputs)["sentence"].to_pylist()
    assert told == explain_leads(bundle, frame).leads["lift"].to_pylist()
