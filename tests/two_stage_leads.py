"""Leads with two labels and known truth: accepted by sales (SQL), and of those, won."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit

HORIZON_DAYS = 30
START = np.datetime64("2025-01-01", "s")


@dataclass(frozen=True)
class TwoStageLeads:
    """The table of a CRM, and the true probabilities within the horizon of creation."""

    table: pd.DataFrame
    p_sql: np.ndarray
    p_won: np.ndarray

    @property
    def became_sql(self):
        return self.table["qualified_at"].notna().to_numpy()

    @property
    def won(self):
        return (self.table["stage"] == "Won").to_numpy()


def two_stage_leads(n, seed, days=365):
    """Sales accepts by size and visits; of those accepted, nearly all with a budget are won."""
    rng = np.random.default_rng(seed)
    employees, visits, budget = rng.normal(size=n), rng.poisson(3, n), rng.choice(["yes", "no", "unknown"], n)
    p_sql = expit(-2.4 + 0.9 * employees + 0.35 * visits)
    p_won = p_sql * expit(-1.5 + 5.0 * (budget == "yes") + 0.4 * employees)
    is_sql = rng.random(n) < p_sql
    is_won = is_sql & (rng.random(n) < p_won / p_sql)
    created = START + np.sort(rng.integers(0, days * 86_400, n)).astype("timedelta64[s]")
    accepted = created + _within(rng, 1, HORIZON_DAYS / 2, n)
    closed = accepted + _within(rng, 1, HORIZON_DAYS / 2 - 1, n)
    table = pd.DataFrame(
        {
            "lead_id": [f"L{i:05d}" for i in range(n)],
            "created_at": created,
            "qualified_at": np.where(is_sql, accepted, np.datetime64("NaT")),
            "closed_at": closed,
            "stage": np.where(is_won, "Won", "Lost"),
            "company_size": employees.round(3),
            "visits": visits,
            "budget": budget,
            "contact_me": np.where(rng.random(n) < 0.05, "yes", "no"),
        }
    )
    return TwoStageLeads(table, p_sql, p_won)


def _within(rng, low_days, high_days, n):
    return (rng.uniform(low_days, high_days, n) * 86_400).astype(np.int64).astype("timedelta64[s]")


CONFIG = """
[data]
leads = "leads.csv"
[schema]
lead_id = "lead_id"
outcome = "stage"
won = ["Won"]
lost = ["Lost"]
created_at = "created_at"
closed_at = "closed_at"
qualified_at = "qualified_at"
horizon_days = 30
[families]
fit = ["company_size", "budget"]
engagement = ["visits"]
intent = ["contact_me"]
[model]
folds = 2
[cutoff.mql]
policy = "precision_guarantee"
target = 0.5
[cutoff.sql]
policy = "fixed_threshold"
threshold = 0.3
"""
