"""How the scores of leads went from one scoring to the next, and why."""

from leadlift.serving.history.changes import crossings, latest_changes
from leadlift.serving.history.decay import score_decay
from leadlift.serving.history.lead_history import score_history

__all__ = ["crossings", "latest_changes", "score_decay", "score_history"]
