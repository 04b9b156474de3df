"""What every export profile must keep. A test class subclasses the contract and gives the profile."""

import pyarrow as pa
import pytest

from leadlift.serving.profiles import PROFILES, get_profile
from leadlift.serving.scored_columns import CODED_SCHEMA, SCORED_SCHEMA
from leadlift.terms import REASONS
from scored_tables import scored_row, scored_table

LONG = "Zoë's visits: " + 50 * "very many, "
ROWS = scored_table(
    scored_row("a", 0.62, stage="MQL", grade="B", previous_score=0.5, reason_1="5 visits", reason_2=LONG),
    scored_row("b"),
    scored_row("c", 0.1, previous_score=0.12, reason_1="no visits"),
    scored_row(None, status="missing_id"),
    scored_row("d", 0.9, stage="SQL", grade="A"),
)


class ProfileContract:
    name = ""
    moment = ""
    """How the moment 2026-11-22 06:00 UTC is written."""
    max_text_length = None

    @pytest.fixture
    def profile(self):
        return get_profile(self.name)

    @pytest.fixture
    def written(self, profile):
        return profile.table(ROWS)

    def test_it_is_registered_under_its_name(self, profile):
        assert profile.name == self.name
        assert self.name in PROFILES

    def test_the_schema_is_known_beforehand(self, profile, written):
        assert written.schema == profile.schema
        assert profile.table(SCORED_SCHEMA.empty_table()).schema == profile.schema

    def test_each_scored_lead_has_one_row_in_the_order_of_the_leads(self, profile, written):
        ids = written.column(0).to_pylist()
        assert ids == (["a", "b", "c", None, "d"] if profile.keeps_unscored else ["a", "c", "d"])

    def test_the_score_is_whole_points_of_a_hundred(self, written):
        assert pa.types.is_integer(written.column(self.place(written, "score")).type)
        assert written.column(self.place(written, "score")).drop_null().to_pylist() == [62, 10, 90]

    def test_the_moment_is_written_as_the_crm_reads_it(self, written):
        assert set(map(str, written.column(self.place(written, "at")).to_pylist())) == {self.moment}

    def test_reasons_fit_into_their_fields(self, written):
        _, second, _ = (written.column(self.place(written, f"{i}")) for i in range(1, len(REASONS) + 1))
        text = second[0].as_py()
        if self.max_text_length is None or len(LONG) <= self.max_text_length:
            assert text == LONG
        else:
            assert text == LONG[: self.max_text_length - 1] + "…"

    def test_coded_texts_are_written_like_plain_ones(self, profile, written):
        assert profile.table(ROWS.cast(CODED_SCHEMA)).equals(written)

    def test_rows_are_written_apart_from_each_other(self, profile, written):
        pieces = [profile.table(ROWS.slice(i, 1)) for i in range(len(ROWS))]
        assert pa.concat_tables(pieces).equals(written)

    def place(self, written, ending):
        """The column whose name ends so, whatever marks the CRM puts behind it."""
        names = [name.removesuffix("__c").removesuffix("_0_100").lower() for name in written.column_names]
        return next(i for i, name in enumerate(names) if name.endswith(ending))
