"""The sheet as text: what a person signs says what the table says, with confidence and evidence."""

import re
from dataclasses import replace

import pyarrow.csv
import pytest

from contracts.policy_contract import simulate
from leadlift.exceptions import InputError
from leadlift.insight.agreement_text import (
    agreement_caption,
    agreement_cells,
    agreement_markdown,
    write_agreement,
)
from leadlift.learning.cutoff.agreement import agreement_sheet

SHEET = agreement_sheet(simulate(), n_rows=4, win_value=900, contact_cost=40)


def test_every_row_has_a_cell_under_every_head():
    heads, rows = agreement_cells(SHEET)
    assert heads[:4] == ["score from", "of the leads", "leads a week", "of them won"]
    assert heads[-2:] == ["cost a week", "value a week"]
    assert len(rows) == 4
    assert {len(row) for row in rows} == {len(heads)}


def test_a_cell_is_the_estimate_with_its_interval():
    first, row = SHEET.to_pylist()[0], agreement_cells(SHEET)[1][0]
    numbers = [float(text) for text in re.findall(r"\d+", row[3])]
    said = [first["precision"], first["precision_low"], first["precision_high"]]
    assert numbers == [round(100 * share) for share in said]


def test_what_is_not_known_has_no_column():
    plain = agreement_cells(agreement_sheet(simulate(), n_rows=4))[0]
    assert not [head for head in plain if "cost" in head or "value" in head]
    undated = agreement_cells(agreement_sheet(replace(simulate(), as_of=None), n_rows=4))[0]
    assert undated == ["score from", "of the leads", "of them won", "wins caught", "wins missed"]


def test_a_gap_is_a_dash():
    rows = agreement_cells(agreement_sheet(simulate(), thresholds=[1.0, 0.2]))[1]
    assert rows[0][3] == "-"


def test_the_caption_names_confidence_and_evidence():
    caption = agreement_caption(agreement_sheet(simulate(), confidence=0.9))
    won = simulate().won.sum()
    assert "hold with 90% confidence for all rows at once" in caption
    assert f"on the evidence of 2,000 leads ({won} won; given)" in caption


def test_the_markdown_is_one_table_with_its_caption(tmp_path):
    text = write_agreement(SHEET, tmp_path / "new" / "sheet.md").read_text(encoding="utf-8")
    lines = text.splitlines()
    assert text == agreement_markdown(SHEET)
    assert len({line.count("|") for line in lines[:6]}) == 1
    assert lines[-1] == agreement_caption(SHEET)


def test_the_csv_holds_every_column_to_the_bit(tmp_path):
    path = write_agreement(SHEET, tmp_path / "sheet.csv")
    read = pyarrow.csv.read_csv(path)
    assert read.cast(SHEET.schema).equals(SHEET)


def test_another_ending_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"sheet.xlsx: an agreement sheet is written as .csv or .md"):
        write_agreement(SHEET, tmp_path / "sheet.xlsx")


def test_a_place_that_cannot_be_written_is_an_error(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="cannot be written"):
        write_agreement(SHEET, tmp_path / "file" / "sheet.csv")
