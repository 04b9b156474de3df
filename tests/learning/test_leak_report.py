"""A report on two labels holds each column once, under the label by which it was found first."""

from dataclasses import replace

from leadlift.learning.leak_price import Worth
from leadlift.learning.leak_report import LeakageReport, Suspect


def suspect(column, strength=1.0):
    return Suspect(column, ("evidence",), strength, 0.9, 0.7, 0.9, 2.0, 4.0)


REPORT = LeakageReport(
    (suspect("deal_value", 2.0),),
    (suspect("source"),),
    (suspect("notes"),),
    ("owner", "notes"),
    Worth(0.9, 4.0),
    Worth(0.7, 2.0),
    100,
)


def test_what_another_label_adds_is_said_to_come_from_it():
    other = replace(REPORT, suspects=(suspect("deal_value"), suspect("accepted_by")))
    both = REPORT.with_those_of(other, label="became SQL")
    assert [(s.column, s.strength) for s in both.suspects] == [("deal_value", 2.0), ("accepted_by", 1.0)]
    assert both.suspects[0].evidence == ("evidence",)
    assert both.suspects[1].evidence == ("evidence", "found where the label is 'became SQL'")


def test_a_column_that_another_label_confirms_is_told_once():
    other = replace(REPORT, confirmed=(suspect("source"), suspect("visits")))
    both = REPORT.with_those_of(other, label="became SQL")
    assert [s.column for s in both.confirmed] == ["source", "visits"]


def test_a_doubtful_column_that_another_label_blocks_is_a_suspect_only():
    other = replace(REPORT, suspects=(suspect("notes"),), doubtful=())
    both = REPORT.with_those_of(other, label="became SQL")
    assert [s.column for s in both.suspects] == ["deal_value", "notes"]
    assert both.doubtful == ()
    assert both.named_only == ("owner",)


def test_a_label_that_finds_nothing_new_changes_nothing():
    assert REPORT.with_those_of(REPORT, label="became SQL") == REPORT
