"""Moments are read strictly, and in UTC."""

from datetime import UTC, date, datetime

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlift.data.dates import looks_like_dates, parse_dates


def parse(cells, date_format=None, missing_values=()):
    moments, is_bad = parse_dates(pa.array(cells), date_format, missing_values)
    return moments.to_pylist(), is_bad.to_pylist()


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("2026-03-01", datetime(2026, 3, 1, tzinfo=UTC)),
        (" 2026-03-01 14:05 ", datetime(2026, 3, 1, 14, 5, tzinfo=UTC)),
        ("2026-03-01T14:05:06.5", datetime(2026, 3, 1, 14, 5, 6, 500_000, tzinfo=UTC)),
        ("2026-03-01T14:05:06Z", datetime(2026, 3, 1, 14, 5, 6, tzinfo=UTC)),
        ("2026-03-01 14:05:06 UTC", datetime(2026, 3, 1, 14, 5, 6, tzinfo=UTC)),
        ("2026-03-01T14:05:06+02:00", datetime(2026, 3, 1, 12, 5, 6, tzinfo=UTC)),
        ("2026-03-01 14:05:06 -0530", datetime(2026, 3, 1, 19, 35, 6, tzinfo=UTC)),
        ("2026-03-01 14:05:06.123456789", datetime(2026, 3, 1, 14, 5, 6, 123_456, tzinfo=UTC)),
    ],
)
def test_iso_8601_is_read_alone_and_in_any_company(cell, expected):
    assert parse([cell])[0] == [expected]
    company = ["2026-01-01", "2026-01-01T00:00:00Z", "soon"]
    assert parse([cell, *company])[0][0] == expected


@pytest.mark.parametrize(
    "cell", ["2026-02-31", "2026-13-01", "01/03/2026", "20260301", "soon", "2026-03-01 25:00"]
)
def test_what_is_no_iso_date_is_bad(cell):
    assert parse([cell, ""]) == ([None, None], [True, False])


def test_a_format_is_kept_to_strictly():
    cells = ["31/01/2026", "31/02/2026", "1/2/2026 10:00", "2026-01-31", "never", "1/2/2026"]
    moments, is_bad = parse(cells, "%d/%m/%Y", ("never",))
    assert moments == [datetime(2026, 1, 31, tzinfo=UTC), *[None] * 4, datetime(2026, 2, 1, tzinfo=UTC)]
    assert is_bad == [False, True, True, True, False, False]


def test_a_format_may_have_microseconds_and_a_zone():
    cells = ["01.02.2026 10:00:00.25 +0100"]
    assert parse(cells, "%d.%m.%Y %H:%M:%S.%f %z")[0] == [datetime(2026, 2, 1, 9, 0, 0, 250_000, tzinfo=UTC)]


def test_typed_dates_are_utc():
    assert parse([date(2026, 1, 2), None])[0] == [datetime(2026, 1, 2, tzinfo=UTC), None]
    zoned = pa.array([0], pa.timestamp("ns", tz="Europe/Berlin"))
    assert parse(zoned)[0] == [datetime(1970, 1, 1, tzinfo=UTC)]


def test_numbers_are_no_dates():
    assert parse([20_260_101, None]) == ([None, None], [True, False])


@given(st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2200, 1, 1)), st.booleans())  # noqa: DTZ001
def test_every_moment_written_as_iso_comes_back(moment, with_company):
    cells = [moment.isoformat(), *(["no date"] if with_company else [])]
    assert parse(cells)[0][0] == moment.replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("cells", "date_format", "expected"),
    [
        (["2026-01-01", ""], None, True),
        (["2026-01-01", "x"], None, False),
        (["31/01/2026"], None, False),
        (["31/01/2026"], "%d/%m/%Y", True),
        (["2026-01-31"], "%d/%m/%Y", True),
        ([""], None, False),
        ([date(2026, 1, 1)], None, True),
        ([1], None, False),
    ],
)
def test_a_column_of_dates_is_known_by_all_its_values(cells, date_format, expected):
    assert looks_like_dates(pa.array(cells), date_format) is expected
