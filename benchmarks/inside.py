"""Contenders that run in leadlift's own environment, each with its defaults on one core.

All get the same cells of the same rows. Text is made into what each takes; numbers are left as they are.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import lightgbm as lgb
import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from threadpoolctl import threadpool_limits

from leadlift.learning.scorer import LeadScorer
from odoo_naive_bayes import OdooNaiveBayes
from outside import Answer
from quality_sets import LeadSet, Split

OURS = "leadlift"
UNTOLD = "leadlift, moments not told"
# HistGradientBoosting takes at most 255 categories a column.
MOST_CATEGORIES = 254


def leadlift(leads: LeadSet, split: Split) -> np.ndarray:
    """``LeadScorer()``; told the moments where the split is forward in time."""
    return _fit_and_score(LeadScorer(), leads, split, **moments(leads, split))


def moments(leads: LeadSet, split: Split) -> dict[str, np.ndarray]:
    """Return what is told of time to a learner of the training rows; nothing where the split is random."""
    if split.kind == "random":
        return {}
    told = {"as_of": leads.as_of[split.train]}
    if split.kind == "forward" and leads.label_known_at is not None:
        told["label_known_at"] = leads.label_known_at[split.train]
    return told


def leadlift_untold(leads: LeadSet, split: Split) -> np.ndarray:
    """``LeadScorer()`` that sees what the others see."""
    return _fit_and_score(LeadScorer(), leads, split)


def base_rate(leads: LeadSet, split: Split) -> np.ndarray:
    return np.full(len(split.test), leads.y[split.train].mean())


def logistic_regression(leads: LeadSet, split: Split) -> np.ndarray:
    """One-hot categories, standardised numbers, missing numbers set to the median."""
    text = _text_columns(leads.frame)
    columns = ColumnTransformer(
        [
            ("text", OneHotEncoder(handle_unknown="ignore"), text),
            (
                "numbers",
                make_pipeline(SimpleImputer(strategy="median"), StandardScaler()),
                _others(leads, text),
            ),
        ]
    )
    return _fit_and_score(make_pipeline(columns, LogisticRegression(max_iter=2000)), leads, split)


def default_lightgbm(leads: LeadSet, split: Split) -> np.ndarray:
    """LightGBM as it comes, text as its native categories."""
    text = _text_columns(leads.frame)
    kinds = {
        name: pd.CategoricalDtype(leads.frame[name].iloc[split.train].dropna().unique()) for name in text
    }
    model = lgb.LGBMClassifier(n_jobs=1, verbosity=-1)
    return _fit_and_score(model, LeadSet(leads.frame.astype(kinds), leads.y), split)


def hist_gradient_boosting(leads: LeadSet, split: Split) -> np.ndarray:
    """scikit-learn's gradient boosting as it comes, text as its native categories."""
    text = _text_columns(leads.frame)
    codes = OrdinalEncoder(
        handle_unknown="use_encoded_value",
        unknown_value=np.nan,
        encoded_missing_value=np.nan,
        max_categories=MOST_CATEGORIES,
    )
    columns = ColumnTransformer([("text", codes, text)], remainder="passthrough")
    model = HistGradientBoostingClassifier(categorical_features=range(len(text)), random_state=0)
    return _fit_and_score(make_pipeline(columns, model), leads, split)


def odoo(leads: LeadSet, split: Split) -> np.ndarray:
    return _fit_and_score(OdooNaiveBayes(), leads, split)


INSIDE: dict[str, Callable[[LeadSet, Split], np.ndarray]] = {
    OURS: leadlift,
    UNTOLD: leadlift_untold,
    "base rate": base_rate,
    "logistic regression": logistic_regression,
    "default LightGBM": default_lightgbm,
    "HistGradientBoosting": hist_gradient_boosting,
    "Odoo's naive Bayes": odoo,
}


def names(split: Split) -> list[str]:
    """Return who takes part; at random nobody is told the moments, so one of ours is enough."""
    return [name for name in INSIDE if name != UNTOLD or split.kind != "random"]


def answer(name: str, leads: LeadSet, split: Split) -> Answer:
    """Learn and score, and say what it cost in CPU seconds of all threads.

    Native libraries get one thread each: threads that wait for each other on a busy machine burn CPU time.
    """
    start = time.process_time()
    with threadpool_limits(1):
        score = INSIDE[name](leads, split)
    return Answer(score, time.process_time() - start)


def _fit_and_score(model: object, leads: LeadSet, split: Split, **told: np.ndarray) -> np.ndarray:
    model.fit(leads.frame.iloc[split.train], leads.y[split.train], **told)
    return model.predict_proba(leads.frame.iloc[split.test])[:, 1]


def _text_columns(frame: pd.DataFrame) -> list[str]:
    """Columns of text and of yes and no."""
    return list(frame.select_dtypes(exclude="number").columns)


def _others(leads: LeadSet, text: list[str]) -> list[str]:
    return [name for name in leads.frame.columns if name not in text]
