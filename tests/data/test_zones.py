"""Clock times become moments as Python's own time zones have it, days of clock changes included."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs import make_config, make_schema
from laws import law
from leadlift.data.dates import parse_dates, read_moments
from leadlift.data.reading import leads_from, prepare_batch
from leadlift.data.zones import MOMENT, NAIVE, localise, require_zone
from leadlift.exceptions import ConfigError
from leadlift.terms import Kind

clock = datetime.fromisoformat

# Lord Howe sets its clocks by half an hour; Samoa left out the whole of 30 December 2011.
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kolkata")
CHANGES = {
    "Europe/Berlin": (clock("2026-03-29"), clock("2026-10-25")),
    "America/New_York": (clock("2026-03-08"), clock("2026-11-01")),
    "Australia/Lord_Howe": (clock("2026-04-05"), clock("2026-10-04")),
    "Pacific/Apia": (clock("2011-12-30"),),
    "Asia/Kolkata": (),
}


def by_oracle(shown: datetime, zone: str) -> tuple[datetime, bool, bool]:
    """The moment, whether the clock shows it twice, and whether it is left out, by PEP 495."""
    place = ZoneInfo(zone)
    first, second = (shown.replace(tzinfo=place, fold=fold) for fold in (0, 1))
    moment = first.astimezone(UTC)
    is_skipped = moment.astimezone(place).replace(tzinfo=None) != shown
    is_repeated = not is_skipped and first.utcoffset() != second.utcoffset()
    return moment, is_repeated, is_skipped


def by_leadlift(clocks: list[datetime], zone: str) -> list[tuple]:
    times = localise(pa.array(clocks, NAIVE), zone)
    columns = (times.moments, times.is_repeated, times.is_skipped)
    return list(zip(*(column.to_pylist() for column in columns), strict=True))


@pytest.mark.parametrize("zone", ZONES)
def test_every_five_minutes_around_a_change_of_clocks_are_those_of_python(zone):
    clocks = [
        day + timedelta(minutes=minutes)
        for day in (*CHANGES[zone], clock("2026-06-01"))
        for minutes in range(-60, 25 * 60, 5)
    ]
    assert by_leadlift(clocks, zone) == [by_oracle(shown, zone) for shown in clocks]


@law
@given(
    zone=st.sampled_from(ZONES),
    clocks=st.lists(st.datetimes(clock("1975-01-01"), clock("2035-01-01")), min_size=1, max_size=20),
)
def test_any_clock_time_is_that_of_python_to_the_microsecond(zone, clocks):
    assert by_leadlift(clocks, zone) == [by_oracle(shown, zone) for shown in clocks]


def test_a_time_that_exists_twice_is_the_earlier_and_one_that_does_not_moves_on_by_the_gap():
    clocks = [clock("2026-10-25 02:30"), clock("2026-03-29 02:30")]
    assert by_leadlift(clocks, "Europe/Berlin") == [
        (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), True, False),
        (datetime(2026, 3, 29, 1, 30, tzinfo=UTC), False, True),
    ]


def test_missing_stays_missing_in_one_piece_and_in_several():
    pieces = pa.chunked_array([[None, clock("2026-03-29 02:30")], [None]], NAIVE)
    for times in (localise(pieces, "Europe/Berlin"), localise(pieces.combine_chunks(), "Europe/Berlin")):
        assert times.moments.type == MOMENT
        assert times.moments.is_null().to_pylist() == [True, False, True]
        assert times.is_skipped.to_pylist() == [False, True, False]


@pytest.mark.parametrize("name", ["Middle/Earth", "Berlin", "../etc/passwd", "/usr", "", "Europe"])
def test_what_is_no_zone_is_refused_by_name(name):
    with pytest.raises(ConfigError, match="is not known here; expected an IANA name"):
        require_zone(name)


def test_only_moments_without_a_zone_are_those_of_the_place():
    cells = ["2026-07-01 10:00", "2026-07-01 10:00Z", "2026-07-01T10:00:00.5+05:30", "2026-07-01", "soon", ""]
    read = read_moments(pa.array(cells), time_zone="Europe/Berlin")
    assert read.moments.to_pylist() == [
        datetime(2026, 7, 1, 8, tzinfo=UTC),
        datetime(2026, 7, 1, 10, tzinfo=UTC),
        datetime(2026, 7, 1, 4, 30, 0, 500_000, tzinfo=UTC),
        datetime(2026, 6, 30, 22, tzinfo=UTC),
        None,
        None,
    ]
    assert read.is_naive.to_pylist() == [True, False, False, True, False, False]
    assert read.is_bad.to_pylist() == [False] * 4 + [True, False]


@law
@given(
    clocks=st.lists(st.datetimes(clock("1800-01-01"), clock("2200-01-01")), min_size=1, max_size=8),
    company=st.lists(
        st.sampled_from(["soon", "2026-02-29", "2024-02-29 10:00", "2026-01-01T00:00:00Z"]), max_size=3
    ),
)
def test_a_cell_is_read_alike_alone_and_in_any_company(clocks, company):
    cells = [shown.isoformat(sep=" ") for shown in clocks] + company
    together = read_moments(pa.array(cells), time_zone="America/New_York")
    for row, cell in enumerate(cells):
        alone = read_moments(pa.array([cell]), time_zone="America/New_York")
        for field in ("moments", "is_bad", "is_naive", "is_repeated", "is_skipped"):
            assert getattr(alone, field)[0] == getattr(together, field)[row]


@pytest.mark.parametrize("dtype", [pa.timestamp("s"), pa.timestamp("ms", "UTC"), pa.timestamp("us")])
def test_a_typed_moment_outside_the_calendar_is_bad_and_does_not_wrap_round(dtype):
    cells = pa.array([0, 2**62, -(2**62), None], pa.int64()).cast(dtype)
    moments, is_bad = parse_dates(cells)
    assert moments.to_pylist() == [datetime(1970, 1, 1, tzinfo=UTC), None, None, None]
    assert is_bad.to_pylist() == [False, True, True, False]


def test_a_typed_date_outside_the_calendar_is_bad():
    _, is_bad = parse_dates(pa.array([0, 2**31 - 1], pa.int32()).cast(pa.date32()))
    assert is_bad.to_pylist() == [False, True]


def test_the_dates_of_leads_are_clock_times_of_their_zone_in_training_and_in_scoring():
    columns = {"made": ["2026-07-01 10:00", "2026-01-01 10:00Z"], "stage": ["Won", "Lost"], "visits": [1, 2]}
    config = make_config(created_at="made", time_zone="Europe/Berlin")
    table = leads_from(pa.table(columns), config).table
    new = prepare_batch(pa.table(columns), make_schema(config, {"visits": Kind.NUMERIC}))
    expected = [datetime(2026, 7, 1, 8, tzinfo=UTC), datetime(2026, 1, 1, 10, tzinfo=UTC)]
    assert table["created_at"].to_pylist() == new["created_at"].to_pylist() == expected
