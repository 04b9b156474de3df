"""Dynamics 365 Sales: the table of predictive scores, which the lead form shows.

Sources: Microsoft Learn, "Populate predictive scores using custom scoring model" (columns and codes) and
"msdyn_predictivescore table/entity reference". There ``msdyn_scoredon`` holds a day and the form of
``msdyn_scorereasons`` is not documented; columns that begin with ``new_`` are custom ones.
"""

from leadlift.serving.profiles.base import Code, Constant, Key, Moment, Points, Profile, Text, TrendWord
from leadlift.serving.trend import Trend
from leadlift.terms import GRADE, LEAD_ID, REASONS, STAGE

MAX_TEXT_LENGTH = 255
GRADE_CODES = {"A": 0, "B": 1, "C": 2, "D": 3}
TREND_CODES = {Trend.UP.value: 0, Trend.STEADY.value: 1, Trend.DOWN.value: 2, Trend.NEW.value: 3}

DYNAMICS = Profile(
    "dynamics",
    {
        "msdyn_entityid": Key(LEAD_ID),
        "msdyn_entitytype": Constant("lead"),
        "msdyn_score": Points(),
        "msdyn_grade": Code(Text(GRADE), GRADE_CODES),
        "msdyn_scoretrend": Code(TrendWord(), TREND_CODES),
        "new_leadlift_stage": Text(STAGE),
        **{
            f"new_leadlift_reason_{i}": Text(reason, MAX_TEXT_LENGTH)
            for i, reason in enumerate(REASONS, start=1)
        },
        "new_leadlift_scored_at": Moment("%Y-%m-%dT%H:%M:%SZ"),
    },
)
