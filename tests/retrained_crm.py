"""A small CRM that is exported twice, in spring and in summer, and how it is read."""

from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc

TOML = """
[data]
leads = "leads.csv"
[schema]
lead_id = "lead_id"
outcome = "outcome"
won = ["won"]
lost = ["lost"]
open = ["open"]
created_at = "created_at"
closed_at = "closed_at"
horizon_days = 60.0
ignore = ["sales_stage", "loss_reason", "loss_note", "deal_amount", "last_activity"]
[model]
folds = 2
[insight]
protected = ["gender"]
[retrain.contract]
wins_margin = 0.3
[cutoff.mql]
policy = "top_share"
share = 0.2
"""
SPRING, SUMMER = datetime(2025, 7, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC)


def as_known(leads, moment):
    """The export of a day: later leads are not there, and what ended later is open."""
    leads = leads.filter(pc.less(leads["created_at"], moment))
    is_open = pc.fill_null(pc.greater(leads["closed_at"], moment), fill_value=False)
    outcome = pc.if_else(is_open, "open", leads["outcome"].cast(pa.string()))
    closed_at = pc.if_else(is_open, pa.scalar(None, leads["closed_at"].type), leads["closed_at"])
    leads = leads.set_column(leads.column_names.index("outcome"), "outcome", outcome)
    return leads.set_column(leads.column_names.index("closed_at"), "closed_at", closed_at)
