"""The sections on data, quality, cut-offs, drivers and the model card say what the tables say."""

import re
from dataclasses import replace
from operator import attrgetter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import leadlift as ll
from contracts.policy_contract import simulate
from leadlift.exceptions import InputError
from leadlift.insight.report import sections
from leadlift.insight.report.blocks import FactsBlock, FigureBlock, Report, TableBlock
from leadlift.insight.report.page import report_html
from leadlift.insight.report.sections.cutoffs import cutoffs_section
from leadlift.insight.report.sections.data import data_section
from leadlift.insight.report.sections.drivers import drivers_section
from leadlift.insight.report.sections.provenance import provenance_section
from leadlift.insight.report.sections.quality import quality_section
from leadlift.learning.cutoff import FixedThreshold
from leadlift.learning.cutoff.agreement import agreement_sheet
from leadlift.learning.cutoff.grades import grade_promises
from leadlift.learning.leak_report import Suspect
from leadlift.learning.metrics import gains, quality_table, reliability
from leadlift.terms import FeatureSpec, Finding, Interval, Kind, Severity

SECTIONS = sorted(path for path in Path(sections.__file__).parent.glob("*.py") if path.stem != "__init__")
RNG = np.random.default_rng(0)
SCORE = 1 / (1 + np.exp(-RNG.normal(-1.5, 1.2, 1000)))
WON = RNG.random(1000) < SCORE
EVIDENCE = simulate()
CUTOFFS = {"MQL": FixedThreshold(0.2).choose(EVIDENCE), "SQL": FixedThreshold(0.5).choose(EVIDENCE)}
GRADES = grade_promises({"A": 0.4, "B": 0.2}, {"A": (200, 90), "B": (30, 9), "C": (800, 40)})
DRIVERS = pa.table(
    {
        "column": ["visits", "source", "region"],
        "family": ["engagement", "source", "fit"],
        "mean_abs_points": [4.0, 2.0, 2.0],
        "share": [0.5, 0.25, 0.25],
    }
)
FINDINGS = (
    Finding("LL134", Severity.INFO, "open leads", "247 leads are open", count=247),
    Finding("LL120", Severity.WARNING, "suspect", "'deal' looks late", "It was left out.", column="deal"),
)
PROVENANCE = {
    "data_sha256": "c0c0",
    "config": {"schema": {"allow_protected": []}, "model": {"folds": 8, "trials": None}},
    "random_state": 0,
    "versions": {"leadlift": "0.1.0"},
    "n_leads": 19706,
    "n_rows": 18684,
    "as_of_range": ["2024-01-01T03:37:47", "2026-04-19T22:16:53"],
    "test": "forward in time",
    "n_test": 3737,
}
SPECS = (
    FeatureSpec("visits", Kind.NUMERIC, description="visits so far"),
    FeatureSpec("source", Kind.CATEGORICAL),
)
SUSPECT = Suspect("deal", ("exists only where there is a deal",), 2.0, 0.99, 0.77, 0.99, 3.0, 8.0)


def of_data(**changed):
    facts = {"n_leads": 19706, "n_rows": 18684, "base_rate": 0.12, "findings": FINDINGS}
    return data_section(**facts | changed)


def of_quality(scores=None, **changed):
    scores = {"leadlift": SCORE, "base rate": np.full(1000, 0.2)} if scores is None else scores
    told = {"score": SCORE, "won": WON, "thresholds": {"MQL": 0.3}, "test_kind": "forward in time"}
    tables = quality_table(WON, scores), reliability(WON, SCORE), gains(WON, SCORE)
    return quality_section(*tables, n_test=1000, **told | changed)


def of_cutoffs(**changed):
    told = {"agreement": agreement_sheet(EVIDENCE), "kept": Interval(0.31, 0.28, 0.34, 0.95)}
    return cutoffs_section(CUTOFFS, GRADES, **told | changed)


def of_provenance(**changed):
    return provenance_section(PROVENANCE | changed, version="a5ef", inputs=SPECS, left_out=(SUSPECT,))


def block(section, kind, caption):
    return next(b for b in section.blocks if isinstance(b, kind) and b.caption == caption)


def fact(section, caption, name):
    return dict(block(section, FactsBlock, caption).facts)[name]


def test_all_sections_together_are_a_page():
    parts = (of_data(), of_quality(), of_cutoffs(), drivers_section(DRIVERS), of_provenance())
    page = report_html(Report("Leads", "2026", parts))
    assert all(f'id="{part.key}"' in page for part in parts)


@pytest.mark.parametrize("path", SECTIONS, ids=lambda path: path.stem)
def test_every_call_that_is_said_to_make_numbers_is_public(path):
    called = set(re.findall(r"\bll\.([A-Za-z_.]*[A-Za-z_])", path.read_text(encoding="utf-8")))
    assert called
    for name in called:
        assert attrgetter(name)(ll).__doc__, name


# Data


def test_leads_are_counted_and_findings_are_listed_with_the_gravest_first():
    section = of_data(as_of_range=PROVENANCE["as_of_range"], horizon_days=60.0)
    assert section.title == "19,706 leads were read; 12% of those with a known outcome were won"
    assert section.summary == (
        "The checks made 2 remarks: 1 that cost quality or hide a fault, 1 that say what was done."
    )
    assert fact(section, "What was learnt from", "First and last moment") == "2024-01-01 to 2026-04-19"
    assert fact(section, "What was learnt from", "Won means").startswith("won within 60 days")
    findings = block(section, TableBlock, "What the checks found").table
    assert findings["code"].to_pylist() == ["LL120", "LL134"]
    assert findings["text"][0].as_py() == "'deal' looks late. It was left out."


def test_leads_without_dates_or_findings_say_so():
    section = of_data(findings=())
    assert section.summary == "The checks found nothing to remark."
    assert fact(section, "What was learnt from", "First and last moment").startswith("not known")


# Quality


def test_how_the_test_leads_were_taken_is_said_aloud():
    assert "the 1,000 latest leads, which came after all that was learnt from" in of_quality().summary
    at_random = of_quality(test_kind="random, time order unknown")
    assert "drawn at random, because the order in time is not known: expect worse" in at_random.summary


def test_the_title_is_what_the_best_fifth_holds():
    fifth = gains(WON, SCORE)["share_of_wins"][3].as_py()
    assert of_quality().title == f"The best-scored 20% of the leads hold {100 * fifth:.3g}% of the wins"


def test_a_simpler_method_that_does_no_worse_is_named():
    said = of_quality({"leadlift": SCORE, "logistic regression": SCORE}).summary
    assert "On these leads logistic regression did no worse" in said
    assert "The best of the simpler methods, base rate, reached 50%." in of_quality().summary


def test_scores_without_error_beyond_chance_are_not_said_to_be_off_by_nothing():
    quality = quality_table(WON, {"leadlift": SCORE})
    told = {"score": SCORE, "won": WON, "thresholds": {}, "test_kind": "forward in time", "n_test": 1000}
    for error, said in ((0.0, "meant what they said"), (0.02, "off by 2.00 percentage points")):
        place = quality.column_names.index("calibration_error")
        table = quality.set_column(place, "calibration_error", [[error]])
        assert said in quality_section(table, reliability(WON, SCORE), gains(WON, SCORE), **told).summary


def test_a_second_label_has_a_table_of_its_own():
    section = of_quality(second=quality_table(WON, {"leadlift": SCORE}))
    assert block(section, TableBlock, "The scores of becoming SQL").table["model"].to_pylist() == ["leadlift"]


def test_the_tenths_are_those_of_the_curve():
    tenths = block(of_quality(), TableBlock, "What is in the best-scored tenths").table
    assert tenths["share_of_leads"].to_pylist() == pytest.approx(np.arange(1, 11) / 10)


def test_a_backtest_is_drawn_where_there_is_one():
    row = {"block": 1, "begin": 400, "base_rate": 0.2, "mean_score": 0.1, "auc": 0.7, "auc_low": 0.6}
    blocks = pa.Table.from_pylist([row | {"auc_high": 0.8}])
    n_figures = sum(isinstance(b, FigureBlock) for b in of_quality(backtest=blocks).blocks)
    assert n_figures == 1 + sum(isinstance(b, FigureBlock) for b in of_quality().blocks)


# Cut-offs


def test_the_cutoff_is_told_with_its_volume_its_wins_and_whether_it_was_kept():
    mql = CUTOFFS["MQL"]
    assert of_cutoffs().title == (
        f"MQL from a score of 20%: {mql.per_week.estimate:.0f} leads a week, "
        f"{100 * mql.precision.estimate:.3g}% of them won"
    )
    assert "31% of the MQLs were won [28.0, 34.0]" in of_cutoffs().summary
    assert "could not be checked" in of_cutoffs(kept=None).summary


def test_a_cutoff_on_a_label_of_its_own_is_worded_so():
    section = of_cutoffs(outcome="became SQL")
    assert section.title.endswith("of them became SQL")
    assert "of the MQLs became SQL" in section.summary


def test_without_dates_shares_stand_for_leads_a_week():
    undated = {"MQL": replace(CUTOFFS["MQL"], per_week=None, wins_per_week=None)}
    section = cutoffs_section(undated, GRADES)
    assert "% of the leads, " in section.title
    assert report_html(Report("Leads", "", (section,)))


def test_the_sheet_shows_only_what_it_can_say():
    sheet = block(
        of_cutoffs(), TableBlock, "Agreement sheet: every cut-off that marketing and sales could agree on"
    )
    shown = {column.name for column in sheet.columns}
    assert {"threshold", "leads_per_week", "precision", "wins_caught"} <= shown
    assert shown.isdisjoint({"cost_per_week", "value_per_week"})


# Drivers


def test_the_strongest_inputs_and_kinds_of_knowledge_are_named():
    section = drivers_section(DRIVERS)
    assert section.title == "visits, source and region move the score most"
    assert "engagement 50%, fit 25%, source 25%" in section.summary
    assert "need not be its cause" in section.summary
    assert drivers_section(DRIVERS.slice(0, 1)).title == "visits moves the score most"


def test_no_driver_is_an_error():
    with pytest.raises(InputError, match="at least one driver"):
        drivers_section(DRIVERS.slice(0, 0))


# Model card


def test_the_card_says_what_is_needed_to_make_the_model_again():
    section = of_provenance()
    details = dict(block(section, FactsBlock, "Model details").facts)
    assert details["Version"] == "a5ef"
    assert details["Training data"] == "19,706 leads, 18,684 rows"
    assert details["Fingerprint of the data (SHA-256)"] == "c0c0"
    assert details["Seed"] == "0"
    settings = block(section, TableBlock, "Settings it was trained with").table.to_pylist()
    assert settings == [{"setting": "model.folds", "value": "8"}]


def test_what_was_left_out_is_told_with_its_price():
    left_out = block(of_provenance(), TableBlock, "Left out, because they look written after the outcome")
    assert left_out.table["column"].to_pylist() == ["deal"]
    assert "1 column looks written after the outcome and was left out" in of_provenance().summary


def test_protected_attributes_that_were_allowed_are_named():
    assert fact(of_provenance(), "Use and limits", "Protected attributes").startswith("No column known")
    allowed = of_provenance(config={"schema": {"allow_protected": ["gender"]}})
    assert "because the user named them: gender" in fact(allowed, "Use and limits", "Protected attributes")


def test_a_bundle_of_before_something_was_recorded_says_so():
    section = provenance_section({}, version="", inputs=())
    assert section.title.startswith("Model not yet saved")
    assert fact(section, "Model details", "Seed") == "not recorded"
    assert report_html(Report("Leads", "", (section,)))
