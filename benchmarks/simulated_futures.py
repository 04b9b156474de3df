"""Quarters that follow the training of a model: leads come in weekly batches and are scored on arrival."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa

import leadlift as ll
from leadlift.data.datasets import make_leads
from leadlift.serving.bundle import ModelBundle
from leadlift.terms import AS_OF, LEAD_ID

BASE_RATE, HORIZON_DAYS = 0.15, 30
PER_WEEK, TRAINING_WEEKS = 200, 63
TYPE_OF_MOMENTS = pa.timestamp("us", tz="UTC")
# A Monday on which a window of 28 days begins, so that a future of four weeks is one window.
START = datetime(1970, 1, 5, tzinfo=UTC) + timedelta(days=28 * 730)
INPUTS_LATER = ("sales_stage", "last_activity", "loss_reason", "loss_note", "deal_amount")


def trained_bundle(folder: Path, seed: int, *, folds: int = 4) -> ModelBundle:
    """Train on a simulated CRM without drift, as a user would, with fewer folds."""
    folder.mkdir(parents=True)
    make_leads(
        PER_WEEK * TRAINING_WEEKS, seed, start=START - timedelta(weeks=TRAINING_WEEKS),
        history_days=7.0 * TRAINING_WEEKS, horizon_days=HORIZON_DAYS, base_rate=BASE_RATE, drift=1.0,
        with_events=False,
    ).save(folder, new_days=0.0)  # fmt: skip
    text = ll.discover(folder / "leads.csv").to_toml(folder=folder)
    text = text.replace("horizon_days = 60", f"horizon_days = {HORIZON_DAYS}")
    text = text.replace("# folds = 8 ", f"folds = {folds} ").replace("target = 0.35", "target = 0.25")
    (folder / "leadlift.toml").write_text(text)
    return ll.train(ll.read_config(folder / "leadlift.toml"), leave_out_suspects=True).bundle


@dataclass(frozen=True)
class Future:
    """Weekly batches with what became of their leads.

    Parameters
    ----------
    leads : pyarrow.Table
        Inputs, in the order of the batches.
    scored : pyarrow.Table
        One row a lead, of the moment of its batch.
    outcomes : pyarrow.Table
        `lead_id, outcome, closed_at`, the ends of all leads.
    per_week : int
    true_probability : ndarray of float64, shape (n_leads,)
    """

    leads: pa.Table
    scored: pa.Table
    outcomes: pa.Table
    per_week: int
    true_probability: np.ndarray

    def monitor(self, bundle: ModelBundle, n_weeks: int) -> ll.MonitorResult:
        """Monitor on the day of the last of some batches, after it was scored."""
        n = n_weeks * self.per_week
        return ll.monitor(
            bundle,
            self.scored.slice(0, n),
            inputs=self.leads.slice(n - self.per_week, self.per_week),
            outcomes=self.outcomes,
            known_until=batch_moment(n_weeks - 1),
        )


def batch_moment(week: int) -> datetime:
    """Return the moment at which the leads of a week come and are scored."""
    return START + timedelta(days=7 * week, hours=6)


def make_future(
    bundle: ModelBundle,
    seed: int,
    *,
    n_weeks: int,
    per_week: int = PER_WEEK,
    base_rate: float = BASE_RATE,
) -> Future:
    """Draw leads as in training, but for the base rate, and score them."""
    simulated = make_leads(
        n_weeks * per_week, seed, history_days=7.0 * n_weeks, horizon_days=HORIZON_DAYS,
        base_rate=base_rate, drift=1.0, with_events=False,
    )  # fmt: skip
    week = np.repeat(np.arange(n_weeks), per_week)
    came_at = np.datetime64(batch_moment(0).replace(tzinfo=None), "us") + week * np.timedelta64(7, "D")
    lived = simulated.process.closed_after_seconds.astype("timedelta64[s]")
    leads = simulated.leads.drop_columns(["outcome", "closed_at", *INPUTS_LATER])
    scored = ll.score_table(bundle, leads, as_of=batch_moment(0), reasons=False)
    moments = pa.array(came_at).cast(TYPE_OF_MOMENTS)
    return Future(
        leads=leads,
        scored=scored.set_column(scored.schema.get_field_index(AS_OF), AS_OF, moments),
        outcomes=pa.table(
            {
                LEAD_ID: simulated.leads[LEAD_ID],
                "outcome": np.where(simulated.process.won, "won", "lost"),
                "closed_at": pa.array(came_at + lived).cast(TYPE_OF_MOMENTS),
            }
        ),
        per_week=per_week,
        true_probability=simulated.true_probability(),
    )
