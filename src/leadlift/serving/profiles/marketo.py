"""Marketo Engage: people, updated by bulk import with ``lookupField=id``.

Sources: Adobe Experience League, "Bulk Lead Import" (headers are REST API names), "Field Types" (String holds
255 characters, moments are ISO 8601 with the offset) and "Standard Fields" (`leadScore` is what scoring
campaigns add up, so the score has a field of its own).
"""

from leadlift.serving.profiles.base import Key, Moment, Points, Profile, Text, TrendWord
from leadlift.terms import GRADE, LEAD_ID, REASONS, STAGE

MAX_TEXT_LENGTH = 255

MARKETO = Profile(
    "marketo",
    {
        "id": Key(LEAD_ID),
        "leadliftScore": Points(),
        "leadliftGrade": Text(GRADE),
        "leadliftStage": Text(STAGE),
        "leadliftTrend": TrendWord(),
        **{f"leadliftReason{i}": Text(reason, MAX_TEXT_LENGTH) for i, reason in enumerate(REASONS, start=1)},
        "leadliftScoredAt": Moment("%Y-%m-%dT%H:%M:%S+00:00"),
    },
)
