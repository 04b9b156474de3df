"""The leakage gate on public data: what it must catch and what it must spare."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pytest

from leadlift.learning.leakage import LeakageGate

pytestmark = pytest.mark.real_data


def read(path, label, won, *, missing=(), drop=(), delimiter=","):
    """Inputs as float64 or string, and the label."""
    convert = pacsv.ConvertOptions(null_values=["", *missing], strings_can_be_null=True)
    table = pacsv.read_csv(
        path, parse_options=pacsv.ParseOptions(delimiter=delimiter), convert_options=convert
    )
    y = pc.equal(table[label].cast(pa.string()), won).to_numpy().astype(int)
    table = table.drop_columns([label, *drop])
    types = [pa.float64() if _is_number(field.type) else pa.string() for field in table.schema]
    columns = [column.cast(to) for column, to in zip(table.columns, types, strict=True)]
    return pa.table(columns, names=table.column_names), y


def _is_number(type_):
    return pa.types.is_integer(type_) or pa.types.is_floating(type_)


def caught(table, y, **more):
    return {suspect.column for suspect in LeakageGate().examine(table, y, **more).suspects}


def test_x_education(real_data):
    table, y = read(
        real_data / "xeducation" / "Leads.csv",
        "Converted",
        "1",
        missing=["Select"],
        drop=["Prospect ID", "Lead Number"],
    )
    assert caught(table, y) == {"Tags", "Lead Quality", "Lead Profile", "Last Notable Activity"}


@pytest.mark.parametrize("name", ["bank-additional-full", "bank-additional", "bank-full"])
def test_bank_marketing(real_data, name):
    path = real_data / "bank_marketing" / f"{name}.csv"
    table, y = read(path, "y", "yes", missing=["unknown", "999", "-1"], delimiter=";")
    assert caught(table, y) == {"duration"}


def test_online_shoppers(real_data):
    path = real_data / "online_shoppers" / "online_shoppers_intention.csv"
    assert caught(*read(path, "Revenue", "true")) == {"PageValues"}


def test_maven(real_data):
    path = real_data / "maven_crm" / "sales_pipeline.csv"
    table = pacsv.read_csv(path).drop_columns(["opportunity_id"])
    table = table.filter(pc.is_in(table["deal_stage"], pa.array(["Won", "Lost"])))
    y = pc.equal(table["deal_stage"], "Won").to_numpy().astype(int)
    dates = {name: table[name].to_numpy().astype("datetime64[us]") for name in ("engage_date", "close_date")}
    table = table.drop_columns(["deal_stage", *dates])
    table = table.set_column(3, "close_value", table["close_value"].cast(pa.float64()))
    assert caught(table, y, dates=dates) == {"close_value", "close_date"}
    as_text = table.append_column("close_date", pa.array(np.datetime_as_string(dates["close_date"], "D")))
    assert caught(as_text, y) == {"close_value", "close_date"}


def test_caravan_has_no_suspect(real_data):
    assert caught(*read(real_data / "caravan" / "Caravan.csv", "Purchase", "Yes")) == set()


def test_health_insurance_has_no_suspect(real_data):
    path = real_data / "health_insurance_lead" / "train_Df64byy.csv"
    assert caught(*read(path, "Response", "1", drop=["ID"])) == set()


def test_loan_applications(real_data):
    table, y = read(
        real_data / "bpi2012_loans" / "cases.csv",
        "outcome",
        "approved",
        drop=["case_id", "reg_date", "last_event_at", "outcome_at", "converted"],
    )
    assert caught(table, y) == {"n_events"}


def test_columns_of_the_deals_of_olist(real_data):
    folder = real_data / "olist_funnel"
    leads = pacsv.read_csv(folder / "olist_marketing_qualified_leads_dataset.csv")
    deals = pacsv.read_csv(folder / "olist_closed_deals_dataset.csv").drop_columns(["seller_id", "won_date"])
    joined = leads.join(deals.append_column("won", pa.array([1] * len(deals))), "mql_id")
    y = joined["won"].is_valid().to_numpy().astype(int)
    of_deals = set(deals.column_names) - {"mql_id"}
    joined = joined.drop_columns(["mql_id", "won", "first_contact_date"])
    types = [pa.float64() if _is_number(field.type) else pa.string() for field in joined.schema]
    columns = [column.cast(to) for column, to in zip(joined.columns, types, strict=True)]
    found = caught(pa.table(columns, names=joined.column_names), y)
    assert found <= of_deals
    assert {"business_segment", "lead_type", "declared_monthly_revenue", "has_company"} <= found
