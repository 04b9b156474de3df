"""Two cut-offs of one model, made coherent."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from leadlift.terms import Cutoff


def both_stages(mql: Cutoff, sql: Cutoff) -> tuple[Cutoff, Cutoff]:
    """Make the two cut-offs coherent: who is sales-qualified is marketing-qualified too.

    Parameters
    ----------
    mql, sql : Cutoff

    Returns
    -------
    tuple of Cutoff
        As given, with the SQL cut-off raised to the MQL one where it was lower, and saying so.
    """
    if edge_of(sql) >= edge_of(mql):
        return mql, sql
    note = f"{sql.policy}; raised from {sql.threshold:.4g} to the MQL cut-off"
    return mql, replace(mql, policy=note)


def edge_of(cutoff: Cutoff) -> tuple[float, float]:
    """Least score that passes and, among leads of that score, least log-odds."""
    return cutoff.threshold, -np.inf if cutoff.tie_break is None else cutoff.tie_break
