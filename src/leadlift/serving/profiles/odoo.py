"""Odoo: custom fields of ``crm.lead``, updated by External ID.

Sources: Odoo documentation, "Export and import data" (rows with a known External ID update it), and Odoo's
``ir_fields.py`` (moments as ``2012-12-31 23:59:59``, in the time zone of the user who imports).
"""

from leadlift.serving.profiles.base import Key, Moment, Points, Profile, Text, TrendWord
from leadlift.terms import GRADE, LEAD_ID, REASONS, STAGE

ODOO = Profile(
    "odoo",
    {
        "id": Key(LEAD_ID),
        "x_leadlift_score": Points(),
        "x_leadlift_grade": Text(GRADE),
        "x_leadlift_stage": Text(STAGE),
        "x_leadlift_trend": TrendWord(),
        **{f"x_leadlift_reason_{i}": Text(reason) for i, reason in enumerate(REASONS, start=1)},
        "x_leadlift_scored_at": Moment("%Y-%m-%d %H:%M:%S"),
    },
)
