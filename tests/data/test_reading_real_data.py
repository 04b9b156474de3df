"""The public sets are read whole, and scoring reads in them what training read."""

import pytest

from configs import make_config, make_schema
from leadlift.data.reading import HOUSE_COLUMNS, iter_batches, read_leads

# file: (rows, won, how to read it)
SETS = {
    "xeducation/Leads.csv": (
        9240,
        3561,
        {
            "lead_id": "Prospect ID",
            "outcome": "Converted",
            "won": ("1",),
            "lost": ("0",),
            "missing_values": ("Select",),
        },
    ),
    "bank_marketing/bank-additional-full.csv": (
        41188,
        4640,
        {
            "delimiter": ";",
            "outcome": "y",
            "won": ("yes",),
            "lost": ("no",),
            "missing_values": ("unknown",),
            "missing_numbers": {"pdays": (999,)},
            "rows_in_time_order": True,
        },
    ),
    "bank_marketing/bank-full.csv": (
        45211,
        5289,
        {
            "delimiter": ";",
            "outcome": "y",
            "won": ("yes",),
            "lost": ("no",),
            "missing_numbers": {"pdays": (-1,)},
        },
    ),
    "bank_marketing/bank-additional.csv": (
        4119,
        451,
        {"delimiter": ";", "outcome": "y", "won": ("yes",), "lost": ("no",)},
    ),
    "online_shoppers/online_shoppers_intention.csv": (
        12330,
        1908,
        {"outcome": "Revenue", "won": ("true",), "lost": ("FALSE",)},
    ),
    "caravan/Caravan.csv": (5822, 348, {"outcome": "Purchase", "won": ("Yes",), "lost": ("No",)}),
    "health_insurance_lead/train_Df64byy.csv": (
        50882,
        12209,
        {
            "lead_id": "ID",
            "outcome": "Response",
            "won": ("1",),
            "lost": ("0",),
            "categorical": ("Region_Code",),
        },
    ),
    "maven_crm/sales_pipeline.csv": (
        8800,
        4238,
        {
            "lead_id": "opportunity_id",
            "outcome": "deal_stage",
            "open": ("Engaging", "Prospecting"),
            "created_at": "engage_date",
            "closed_at": "close_date",
        },
    ),
    "bpi2012_loans/cases.csv": (
        13087,
        2246,
        {
            "lead_id": "case_id",
            "outcome": "outcome",
            "won": ("approved",),
            "lost": ("declined", "cancelled"),
            "open": ("open",),
            "created_at": "reg_date",
            "closed_at": "outcome_at",
        },
    ),
}


@pytest.mark.real_data
@pytest.mark.parametrize("name", SETS)
def test_a_public_set_is_read_whole_and_alike_by_training_and_scoring(real_data, name):
    n_rows, n_won, keywords = SETS[name]
    config = make_config(real_data / name, **keywords)
    leads = read_leads(config)
    assert len(leads.table) == n_rows
    assert leads.table["outcome"].to_pylist().count("won") == n_won
    house = [column for column in HOUSE_COLUMNS if column in leads.table.column_names]
    assert {*leads.kinds, *leads.date_columns} == {*leads.table.column_names} - {*house}
    batches = list(iter_batches(real_data / name, make_schema(config, leads.kinds), batch_rows=10_000))
    assert not any(any(batch["invalid"].to_pylist()) for batch in batches)
    for column in ("lead_id", *leads.kinds):
        scored = [value for batch in batches for value in batch[column].to_pylist()]
        assert scored == leads.table[column].to_pylist()
