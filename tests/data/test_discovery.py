"""What `leadlift init` finds out about a file, and that what it writes can be read back."""

from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlift.config import parse_config
from leadlift.data.date_formats import date_formats_of
from leadlift.data.dialect import detect_dialect, detect_encoding
from leadlift.data.discovery import discover, suggest_horizon, suggest_target
from leadlift.data.label_guess import ending_of
from leadlift.data.number_marks import NumberMarks, detect_marks
from leadlift.data.profiling import number_sentinels, profile_columns
from leadlift.data.reading import read_leads
from leadlift.data.toml_draft import quote
from leadlift.exceptions import InputError
from leadlift.terms import Outcome

CRM = """Lead ID;Created;Closed;Stage;Source;Budget;Days since contact;Alter;Lost Reason
L1;01.02.2026;15.02.2026;Closed Won;Ads;1.200,50;999;31;
L2;13.02.2026;;Negotiation;Web;800,00;3;44;
L3;14.02.2026;20.03.2026;Closed Lost;Select;90,25;14;52;price
L4;15.02.2026;20.03.2026;Closed Lost;Web;90,25;27;28;price
L5;16.02.2026;25.02.2026;Closed Won;Ads;;999;30;
"""


def write(folder: Path, text: str, encoding: str = "utf-8", name: str = "leads.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def table_of(rows: list[dict[str, str]], path: Path) -> Path:
    lines = [",".join(rows[0]), *(",".join(row.values()) for row in rows)]
    return write(path, "\n".join(lines) + "\n")


def roundtrip(path: Path, **named: str):
    return parse_config(discover(path, **named).to_toml(folder=path.parent), folder=path.parent)


def test_a_german_crm_export_is_read_as_it_is_written(tmp_path):
    found = discover(write(tmp_path, CRM, "cp1252"))
    assert (found.data.delimiter, found.data.decimal, found.data.thousands) == (";", ",", ".")
    assert found.data.missing_values == ("Select",)
    assert found.data.missing_numbers == {"Days since contact": (999.0,)}
    roles = found.roles
    assert (roles.lead_id, roles.outcome) == ("Lead ID", "Stage")
    assert (roles.won, roles.lost, roles.open) == (("Closed Won",), ("Closed Lost",), ("Negotiation",))
    assert (roles.created_at, roles.closed_at, roles.date_format) == ("Created", "Closed", "%d.%m.%Y")
    assert found.protected == {"Alter": "age"}
    assert list(found.suspects) == ["Lost Reason"]


def test_the_file_written_says_what_was_found_and_why(tmp_path):
    text = discover(write(tmp_path, CRM)).to_toml(folder=tmp_path)
    for line in (
        'leads = "leads.csv"  # relative to the folder of this file',
        'lead_id = "Lead ID"  # 5 of 5 values distinct',
        'won = ["Closed Won"]  # 2 rows',
        'date_format = "%d.%m.%Y"  # reads every date',
        "# horizon_days = 30  # only 2 won leads with both dates, too few to suggest a horizon",
        "  # \"Lost Reason\",  # suspect: the name ('lost reason') says why the lead ended",
        '  # "Alter",  # age',
        '"Days since contact" = [999]  # 2 of 5 rows, far from all other values; check this',
        'policy = "precision_guarantee"  # the share of won leads among the qualified is promised',
    ):
        assert line in text.splitlines()


def test_events_add_sections_and_change_no_line_about_the_leads(tmp_path):
    path = write(tmp_path, CRM)
    events = write(
        tmp_path, "Lead ID;When;Type\nL1;02.02.2026;visit\nL2;14.02.2026;form\n", name="events.csv"
    )
    before = [line for line in discover(path).to_toml(folder=tmp_path).splitlines() if line]
    after = [line for line in discover(path, events=events).to_toml(folder=tmp_path).splitlines() if line]
    added = [line for line in after if line not in before]
    assert [line for line in after if line in before] == before
    assert added[0] == 'events = "events.csv"  # what leads did, and when'
    assert {"[observations]", "[schema.events]", "[features]"} <= {line.split("  #")[0] for line in added}


def test_the_file_written_reads_the_leads(tmp_path):
    leads = read_leads(roundtrip(write(tmp_path, CRM)))
    assert leads.table["outcome"].to_pylist() == ["won", "open", "lost", "lost", "won"]
    assert leads.table["Budget"].to_pylist() == [1200.5, 800.0, 90.25, 90.25, None]
    assert leads.table["Days since contact"].to_pylist() == [None, 3.0, 14.0, 27.0, None]
    assert leads.table["Source"].to_pylist() == ["Ads", "Web", None, "Web", "Ads"]


def test_parquet_and_csv_of_one_table_are_found_the_same(tmp_path):
    columns = {"id": ["a", "b", "c", "d"], "visits": [1, 2, 3, 4], "converted": [True, False, True, False]}
    start = datetime(2026, 1, 1)  # noqa: DTZ001 - a file may hold moments without a zone
    columns["created_at"] = [start + timedelta(days=days) for days in range(4)]
    pq.write_table(pa.table(columns), tmp_path / "leads.parquet")
    text = "id,visits,converted,created_at\n" + "".join(
        f"{i},{v},{str(c).lower()},{t}\n" for i, v, c, t in zip(*columns.values(), strict=True)
    )
    from_parquet = discover(tmp_path / "leads.parquet")
    from_csv = discover(write(tmp_path, text))
    assert from_parquet.roles == from_csv.roles
    assert from_parquet.families == from_csv.families
    assert read_leads(roundtrip(tmp_path / "leads.parquet")).table.num_rows == 4


def test_a_table_without_a_label_names_the_candidates_and_the_remedy(tmp_path):
    path = write(tmp_path, "id,colour,size\n1,red,1\n2,blue,2\n3,red,3\n")
    with pytest.raises(InputError, match=r"these have few values: 'colour'.*--outcome COLUMN"):
        discover(path)


def test_a_label_named_by_the_user_is_taken_and_its_unknown_values_are_marked(tmp_path):
    text = "id,colour\n" + "".join(f"{i},{'red' if i < 3 else 'blue'}\n" for i in range(9))
    found = discover(write(tmp_path, text), outcome="colour")
    assert (found.roles.won, found.roles.lost) == (("red",), ("blue",))
    assert found.notes["won"] == "3 rows; check this"


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ({"outcome": "nowhere"}, "outcome column 'nowhere' is not in the file"),
        ({"lead_id": "nowhere"}, "column 'nowhere' is not in the file"),
        ({"created_at": "Source"}, "column 'Source' holds no dates"),
    ],
)
def test_columns_that_the_user_names_must_exist_and_fit(tmp_path, named, message):
    with pytest.raises(InputError, match=message):
        discover(write(tmp_path, CRM), **named)


def test_a_label_with_one_value_is_an_error(tmp_path):
    with pytest.raises(InputError, match="'converted' that is filled holds 'no'"):
        discover(write(tmp_path, "id,converted\n1,no\n2,no\n"))


def test_a_label_with_very_many_values_is_an_error(tmp_path):
    text = "id,town\n" + "".join(f"{i},town {i}\n" for i in range(40))
    with pytest.raises(InputError, match="has 40 different values; expected at most 30"):
        discover(write(tmp_path, text), outcome="town")


def test_ids_and_free_text_are_ignored_and_said_to_be(tmp_path):
    rows = [
        {
            "Lead ID": f"L{i}",
            "Order Number": str(i),
            "Full name": f"Person {i}",
            "Won": str(i % 2),
            "Income": str(i * 7),
        }
        for i in range(80)
    ]
    found = discover(table_of(rows, tmp_path))
    assert found.roles.ignore == ("Order Number", "Full name")
    assert found.notes["ignore:Full name"] == "80 of 80 values distinct: an id, a name or free text"


def test_a_column_with_a_name_of_the_house_is_ignored(tmp_path):
    path = write(tmp_path, "invalid,won,visits\na,1,3\nb,0,4\na,1,5\n")
    assert discover(path).roles.ignore == ("invalid",)
    assert read_leads(roundtrip(path)).table.num_rows == 3


def test_ragged_rows_are_pointed_out_and_not_dropped_in_silence(tmp_path):
    path = write(tmp_path, "id,won\n1,yes\n2,no\n3,no,17\n4,yes\n")
    found = discover(path)
    assert found.data.ragged_rows == "error"
    assert '"skip" leaves them out' in found.notes["ragged_rows"]


def test_dates_after_today_are_pointed_out(tmp_path):
    path = write(tmp_path, CRM)
    assert "after today; check this" in discover(path, today=date(2026, 3, 1)).notes["created_at"]
    assert "after today" not in discover(path, today=date(2026, 4, 1)).notes["created_at"]


def test_the_horizon_holds_nine_wins_of_ten(tmp_path):
    start = date(2026, 1, 1)
    rows = [
        {
            "id": str(i),
            "created_at": str(start + timedelta(days=i)),
            "closed_at": str(start + timedelta(days=i + i % 41)),
            "outcome": "won" if i % 3 else "lost",
        }
        for i in range(120)
    ]
    found = discover(table_of(rows, tmp_path))
    assert found.roles.horizon_days == 60
    assert found.notes["horizon_days"] == "90% of 80 wins came within 36 days"


@pytest.mark.parametrize(
    ("raw", "encoding"),
    [
        ("naïve".encode(), "utf-8"),
        (b"plain", "utf-8"),
        ("naïve".encode("utf-8-sig"), "utf-8-sig"),
        ("naïve €".encode("cp1252"), "cp1252"),
        (b"na\xefve \x81", "latin-1"),
    ],
)
def test_the_encoding_is_told_from_the_bytes(tmp_path, raw, encoding):
    path = tmp_path / "text.csv"
    path.write_bytes(raw)
    assert detect_encoding(path)[0] == encoding


def test_utf16_is_refused_with_the_remedy(tmp_path):
    with pytest.raises(InputError, match=r"UTF-16 text.*save it as CSV UTF-8"):
        discover(write(tmp_path, CRM, "utf-16"))


def test_a_file_without_a_header_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"first line holds numbers .*write a header line"):
        discover(write(tmp_path, "1,2,3\n4,5,6\n"))


@settings(max_examples=30)
@given(
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    rows=st.lists(st.lists(st.text("abc ,;|\n", max_size=6), min_size=3, max_size=3), min_size=3, max_size=9),
)
def test_the_delimiter_is_found_whatever_quoted_cells_hold(tmp_path_factory, delimiter, rows):
    quoted = [delimiter.join(f'"{cell}"' for cell in row) for row in [["a", "b", "c"], *rows]]
    path = write(tmp_path_factory.mktemp("csv"), "\n".join(quoted) + "\n")
    assert detect_dialect(path).delimiter == delimiter


@pytest.mark.parametrize(
    ("columns", "marks"),
    [
        ([["1", "2"], ["a", "b"]], NumberMarks(".", "")),
        ([["1.5", "2"]], NumberMarks(".", "")),
        ([["1,5", "2"]], NumberMarks(",", "")),
        ([["1,234", "22,500,000.75"]], NumberMarks(".", ",")),
        ([["1.234,5", "2"], ["3.000.000", "1"]], NumberMarks(",", ".")),
        ([["1 234,5", "2,0"]], NumberMarks(",", " ")),
        ([["1'234.5", "2.0"]], NumberMarks(".", "'")),
        ([], NumberMarks(".", "")),
    ],
)
def test_marks_in_numbers_are_told_apart(columns, marks):
    assert detect_marks(columns) == marks


@pytest.mark.parametrize(
    ("cells", "sentinels"),
    [
        (["999"] * 5 + ["1", "2", "30"], (999.0,)),
        (["-1"] * 5 + ["1", "200", "30", "0"], (-1.0,)),
        (["-1"] * 5 + ["-2", "1", "2", "3"], ()),
        (["-1", "0", "1"] * 5, ()),
        (["99"] * 5 + ["18", "45", "97"], ()),
        (["9999"] + [str(i) for i in range(300)], ()),
        (["999"] * 5 + ["007", "008", "012"], ()),
        (["red", "999", "blue"], ()),
    ],
)
def test_a_number_means_not_recorded_when_it_stands_apart(cells, sentinels):
    [profile] = profile_columns(pa.table({"x": cells}))
    assert number_sentinels(profile, NumberMarks()) == sentinels


@pytest.mark.parametrize(
    ("cells", "formats"),
    [
        (["2026-01-31"], (None,)),
        (["2026-01-31T10:00:00Z", "2026-02-01T10:00:00+02:00"], (None,)),
        (["31/01/2026", "01/02/2026"], ("%d/%m/%Y",)),
        (["01/31/2026"], ("%m/%d/%Y",)),
        (["01/02/2026"], ("%d/%m/%Y", "%m/%d/%Y")),
        (["31.01.2026 14:05"], ("%d.%m.%Y %H:%M",)),
        (["31-Jan-2026"], ("%d-%b-%Y",)),
        (["1234.56", "20260131", "red"], ()),
        (["12:30:00"], ()),
        ([], ()),
    ],
)
def test_date_formats_are_those_that_read_every_value(cells, formats):
    assert date_formats_of(cells) == formats


@pytest.mark.parametrize(
    ("ending", "values"),
    [
        (
            Outcome.WON,
            ["Won", "closed - won", "6. Closed Won", "ja", "TRUE", "1", "1.0", "Approved", "gewonnen"],
        ),
        (
            Outcome.LOST,
            ["Lost", "Closed Lost", "no", "0", "declined", "not converted", "Unqualified", "perdu"],
        ),
        (Outcome.OPEN, ["Engaging", "Prospecting", "In Progress", "offen", "Negotiation"]),
        (None, ["red", "17", "", "Basic plan"]),
    ],
)
def test_label_values_are_known_by_their_words(ending, values):
    assert {value: ending_of(value) for value in values} == dict.fromkeys(values, ending)


@given(st.floats(0.001, 0.999))
def test_the_suggested_target_lies_between_the_base_rate_and_halfway_to_one(base_rate):
    target = suggest_target(base_rate)
    assert base_rate - 0.0005 <= target <= (1 + base_rate) / 2 + 0.0005
    assert base_rate > 0.7 or target <= 0.8


@given(st.lists(st.floats(0, 300), min_size=20, max_size=60))
def test_the_suggested_horizon_covers_the_quantile(days):
    horizon = suggest_horizon(np.array(days))
    assert np.mean(np.array(days) <= horizon) >= 0.9 - 1 / len(days)


def test_no_horizon_without_enough_wins_or_within_a_year():
    assert suggest_horizon(np.arange(19.0)) is None
    assert suggest_horizon(np.full(50, 400.0)) is None


AWKWARD = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)


@given(AWKWARD)
def test_any_text_is_quoted_so_that_toml_reads_it_back(text):
    import tomllib

    assert tomllib.loads(f"x = {quote(text)}") == {"x": text}


@pytest.mark.parametrize("name", ['say "hi"', "back\\slash", "hash # tag", "Zoë 'x'", "a = b", "[x]"])
def test_awkward_names_survive_in_the_file_written(tmp_path, name):
    cell = '"' + name.replace('"', '""') + '"'
    lines = [f"{cell},id,won", *(f"{i % 4},{i},{i % 2}" for i in range(8))]
    config = roundtrip(write(tmp_path, "\n".join(lines) + "\n"))
    assert config.families.other == (name,)
    assert name in read_leads(config).table.column_names


REAL = {
    "xeducation/Leads.csv": ("Prospect ID", "Converted", ("1",), ("0",), ()),
    "bank_marketing/bank-additional-full.csv": (None, "y", ("yes",), ("no",), ()),
    "bank_marketing/bank-full.csv": (None, "y", ("yes",), ("no",), ()),
    "online_shoppers/online_shoppers_intention.csv": (None, "Revenue", ("TRUE",), ("FALSE",), ()),
    "caravan/Caravan.csv": (None, "Purchase", ("Yes",), ("No",), ()),
    "maven_crm/sales_pipeline.csv": (
        "opportunity_id",
        "deal_stage",
        ("Won",),
        ("Lost",),
        ("Engaging", "Prospecting"),
    ),
    "health_insurance_lead/train_Df64byy.csv": ("ID", "Response", ("1",), ("0",), ()),
    "bpi2012_loans/cases.csv": ("case_id", "outcome", ("approved",), ("declined", "cancelled"), ("open",)),
}


@pytest.mark.real_data
@pytest.mark.parametrize("name", REAL)
def test_roles_are_found_on_real_files_and_the_leads_can_be_read(real_data, name):
    path = real_data / name
    roles = discover(path).roles
    assert (roles.lead_id, roles.outcome, roles.won, roles.lost, roles.open) == REAL[name]
    assert read_leads(roundtrip(path)).table.num_rows > 5_000


@pytest.mark.real_data
def test_missing_values_are_found_on_real_files(real_data):
    bank, older = (
        discover(real_data / "bank_marketing" / name).data
        for name in ("bank-additional-full.csv", "bank-full.csv")
    )
    assert (bank.missing_values, bank.missing_numbers) == (("unknown",), {"pdays": (999.0,)})
    assert (older.missing_values, older.missing_numbers) == (("unknown",), {"pdays": (-1.0,)})
    assert discover(real_data / "xeducation/Leads.csv").data.missing_values == ("Select", "unknown")


@pytest.mark.real_data
def test_dates_are_found_on_real_files(real_data):
    maven = discover(real_data / "maven_crm/sales_pipeline.csv").roles
    assert (maven.created_at, maven.closed_at, maven.horizon_days) == ("engage_date", "close_date", 180)
    loans = discover(real_data / "bpi2012_loans/cases.csv")
    assert (loans.roles.created_at, loans.roles.closed_at) == ("reg_date", "outcome_at")
    assert loans.dates == ("last_event_at",)


@pytest.mark.real_data
def test_a_real_file_without_a_label_is_an_error(real_data):
    with pytest.raises(InputError, match="join the outcomes to the leads first"):
        discover(real_data / "olist_funnel/olist_marketing_qualified_leads_dataset.csv")


def test_a_code_of_its_own_in_each_row_is_taken_for_the_id_and_to_be_checked(tmp_path):
    path = tmp_path / "leads.csv"
    rows = [f"K{i:04d},{i % 3},{'yes' if i % 4 == 0 else 'no'}" for i in range(60)]
    path.write_text("\n".join(["Vorgang,visits,converted", *rows]))
    found = discover(path)
    assert found.roles.lead_id == "Vorgang"
    assert "check this" in found.notes["lead_id"]


@pytest.mark.parametrize("cell", ["Name{}", "{}.5", "note {} x1"])
def test_words_numbers_and_notes_are_not_taken_for_ids(tmp_path, cell):
    path = tmp_path / "leads.csv"
    letters = "abcdefghijklmnopqrstuvwxyz"
    values = [cell.format(letters[i // 26] + letters[i % 26] if "Name" in cell else i) for i in range(60)]
    rows = [f"{value},{'yes' if i % 4 == 0 else 'no'}" for i, value in enumerate(values)]
    path.write_text("\n".join(["Feld,converted", *rows]))
    assert discover(path).roles.lead_id is None
