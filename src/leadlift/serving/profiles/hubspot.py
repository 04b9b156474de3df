"""HubSpot: contacts, updated by their Record ID.

Sources: knowledge.hubspot.com, "Set up import files" (headers are names of properties; moments as Unix
milliseconds) and "Property field types in HubSpot" (text holds 65,536 characters).
"""

from leadlift.serving.profiles.base import EpochMilliseconds, Key, Points, Profile, Text, TrendWord
from leadlift.terms import GRADE, LEAD_ID, REASONS, STAGE

MAX_TEXT_LENGTH = 65_536

HUBSPOT = Profile(
    "hubspot",
    {
        "Record ID": Key(LEAD_ID),
        "Leadlift Score": Points(),
        "Leadlift Grade": Text(GRADE),
        "Leadlift Stage": Text(STAGE),
        "Leadlift Trend": TrendWord(),
        **{
            f"Leadlift Reason {i}": Text(reason, MAX_TEXT_LENGTH) for i, reason in enumerate(REASONS, start=1)
        },
        "Leadlift Scored At": EpochMilliseconds(),
    },
)
