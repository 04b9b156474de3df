"""Scored leads and what became of them, with a truth that the test knows."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.optimize import brentq
from scipy.special import expit, logit

from leadlift.config import SchemaConfig
from leadlift.learning.cutoff import Evidence, FixedThreshold, PrecisionGuarantee

# A Monday on which a window of 28 days begins.
START = datetime(2026, 1, 19, tzinfo=UTC)
HORIZON_DAYS = 30


def scores(n, rng, base_rate=0.1, spread=1.2):
    """Probabilities whose mean is about the base rate."""
    z = rng.normal(0, spread, 20_000)
    shift = brentq(lambda s: expit(z + s).mean() - base_rate, -12, 4)
    return expit(rng.normal(shift, spread, n))


def evidence_of(n, rng, base_rate=0.1):
    score = scores(n, rng, base_rate)
    won = rng.random(n) < score
    days = np.datetime64("2025-06-01", "us") + np.sort(rng.integers(0, 150, n)).astype("timedelta64[D]")
    return Evidence(score, logit(score), won, days)


def stub_bundle(evidence, policy=None, horizon_days=HORIZON_DAYS, sql_threshold=None):
    """As much of a bundle as the checks against outcomes look at."""
    sql = None if sql_threshold is None else FixedThreshold(sql_threshold).choose(evidence)
    roles = SchemaConfig(
        lead_id="lead_id",
        outcome="outcome",
        won=("won",),
        lost=("lost",),
        open=("open",),
        created_at="created_at",
        closed_at="closed_at",
        horizon_days=horizon_days,
    )
    return SimpleNamespace(
        mql_cutoff=(policy or PrecisionGuarantee(0.25)).choose(evidence),
        sql_cutoff=sql,
        became_sql=None,
        sql_scorer=None,
        scorer=SimpleNamespace(evidence_=evidence),
        schema=SimpleNamespace(roles=roles),
        builder=None,
        version="",
    )


def future(score, won, rng, days=28, start=START, horizon_days=HORIZON_DAYS, lead_ids=None):
    """Tables of leads scored evenly over some days, and of their outcomes; losses and wins have a date."""
    n = len(score)
    ids = pa.array([f"L{i:06d}" for i in range(n)] if lead_ids is None else lead_ids)
    as_of = np.datetime64(start.replace(tzinfo=None), "us") + in_us(np.sort(rng.uniform(0, days, n)))
    closed = as_of + in_us(rng.uniform(0.1, horizon_days - 0.1, n))
    scored = pa.table({"lead_id": ids, "as_of": utc(as_of), "score": score})
    outcome = np.where(won, "won", "lost")
    return scored, pa.table({"lead_id": ids, "outcome": outcome, "closed_at": utc(closed)})


def in_us(days):
    return (np.asarray(days) * 86_400e6).astype("timedelta64[us]")


def utc(moments):
    return pc.assume_timezone(pa.array(moments.astype("datetime64[us]")), "UTC")


def with_base_rate(p, ratio):
    """Probabilities moved on the log-odds until their mean is so many times what it was."""
    target = ratio * p.mean()
    shift = brentq(lambda d: expit(logit(p) + d).mean() - target, -8, 8)
    return expit(logit(p) + shift)


def end_of(days):
    """The moment by which all leads of a future that takes some days have matured."""
    return START + timedelta(days=days + HORIZON_DAYS)
