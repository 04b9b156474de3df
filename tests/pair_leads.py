"""Simulated leads whose outcome hangs on a pair of columns, with the true log-odds known."""

import numpy as np
from scipy.special import expit


def pair_leads(n=4000, n_regions=40, n_products=6, seed=0, strength=1.5):
    """Region, product, an unrelated number and the outcome; each pair has log-odds of its own."""
    rng = np.random.default_rng(seed)
    region, product = rng.integers(0, n_regions, n), rng.integers(0, n_products, n)
    of_pair = strength * rng.normal(size=(n_regions, n_products))
    X = np.column_stack([region, product, rng.normal(size=n)]).astype(float)
    won = rng.random(n) < expit(-1 + of_pair[region, product])
    return X, won.astype(int)
