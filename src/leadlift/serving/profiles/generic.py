"""A file for whatever reads CSV: all rows, with their status."""

from leadlift.serving.profiles.base import Key, Moment, Points, Profile, Text, TrendWord
from leadlift.terms import GRADE, LEAD_ID, REASONS, SCORE_0_100, STAGE, STATUS

GENERIC = Profile(
    "generic",
    {
        LEAD_ID: Key(LEAD_ID),
        SCORE_0_100: Points(),
        GRADE: Text(GRADE),
        STAGE: Text(STAGE),
        "trend": TrendWord(),
        **{reason: Text(reason) for reason in REASONS},
        "scored_at": Moment("%Y-%m-%dT%H:%M:%SZ"),
        STATUS: Text(STATUS),
    },
    keeps_unscored=True,
)
