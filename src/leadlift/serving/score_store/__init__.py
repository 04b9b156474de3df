"""A store of scored batches, so that what was promised and what happened are one join."""

from leadlift.serving.score_store.base import ScoreStore, StoredBatch
from leadlift.serving.score_store.opening import open_score_store

__all__ = ["ScoreStore", "StoredBatch", "open_score_store"]
