"""The words that some leads use more than others do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from leadlift.exceptions import InputError
from leadlift.insight.segments.comparison import q_values
from leadlift.insight.segments.inputs import known, outcomes
from leadlift.insight.share_ratio import share_of
from leadlift.insight.voice_of_lost.texts import (
    LANGUAGE,
    MAX_TEXTS,
    TOKEN,
    distinct_texts,
    filler_words,
    words_only,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from leadlift.insight.voice_of_lost.text_column import Texts
    from leadlift.insight.voice_of_lost.texts import DistinctTexts

PRIOR_WEIGHT = 500.0


def distinguishing_terms(
    texts: Texts,
    group: ArrayLike,
    *,
    language: str = LANGUAGE,
    prior_weight: float = PRIOR_WEIGHT,
    least_leads: int = 30,
    false_discovery_rate: float = 0.05,
    max_texts: int = MAX_TEXTS,
    random_state: int = 0,
) -> pa.Table:
    """Find the words and pairs of words that tell the texts of one group of leads from those of the others.

    Lost against won, a segment against the rest, the latest period against the earlier ones: whatever `group`
    says. Personal data are masked first, and a term is shown only if `least_leads` leads used it.

    With y leads of the group that use a term, n uses of all terms by the group, and a prior in which terms
    are as common as in both groups together, ``alpha = prior_weight * share of the term in all uses``::

        omega = (y + alpha) / (n + prior_weight - y - alpha)
        log_odds_ratio = log omega(group) - log omega(others)                                     (eq. 15-16)
        variance = 1 / (y(group) + alpha) + 1 / (y(others) + alpha)                                  (eq. 20)
        z = log_odds_ratio / sqrt(variance)                                                          (eq. 22)

    A lead counts once for a term, however often it writes it, so that no single text makes a term.

    Source: Monroe, Colaresi, Quinn 2008, doi:10.1093/pan/mpn018.

    Parameters
    ----------
    texts : pyarrow array or iterable of str, length n_rows
        One text a lead; null where there is none.
    group : array of bool, length n_rows
        Leads whose terms are looked for.
    language : str, default="en"
        Of the texts. For English, terms made of filler words ("of the") are left out.
    prior_weight : float, default=500
        Uses that the prior is worth, > 0; the more, the less do rare terms stand out.
    least_leads : int, default=30
        Leads, of both groups together, that must use a term.
    false_discovery_rate : float, default=0.05
    max_texts : int, default=10,000
        Distinct texts read, drawn at random where there are more.
    random_state : int, default=0

    Returns
    -------
    pyarrow.Table
        ``term`` (string); ``n`` and ``n_others`` (int64), leads that use it; ``share`` and ``share_others``
        (float64), of the leads with a text; ``log_odds_ratio``, ``z``, ``q_value`` (float64); ``differs``
        (bool). Most typical of the group first, most typical of the others last.

    Raises
    ------
    InputError
        `group` is not as long as `texts`, or no number is above 0 where one must be.

    Examples
    --------
    >>> texts = ["too expensive"] * 40 + ["nice demo"] * 40
    >>> terms = distinguishing_terms(texts, [True] * 40 + [False] * 40)
    >>> terms["term"].to_pylist()[0], terms["n"].to_pylist()[0]
    ('expensive', 40)
    """
    if prior_weight <= 0:
        msg = f"prior_weight must be above 0, got {prior_weight}"
        raise InputError(msg)
    found = distinct_texts(texts, max_texts=max_texts, random_state=random_state)
    group = outcomes(group, len(found.codes))
    terms, uses, n_texts = _uses_by_group(found, group, language, least_leads)
    log_odds_ratio, z = log_odds_with_prior(uses[0], uses[1], prior_weight)
    order = np.lexsort((terms, -z))
    return _table(terms, uses, n_texts, log_odds_ratio, z, false_discovery_rate).take(order)


def log_odds_with_prior(
    uses: ArrayLike, uses_by_others: ArrayLike, prior_weight: float = PRIOR_WEIGHT
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how much more a group uses each term than the others do, and that in standard errors.

    See :func:`distinguishing_terms` for formula and source.

    Parameters
    ----------
    uses, uses_by_others : array of float, shape (n_terms,)
        Uses of each term.
    prior_weight : float, default=500

    Returns
    -------
    log_odds_ratio, z : ndarray of float64, shape (n_terms,)

    Examples
    --------
    >>> log_odds_ratio, z = log_odds_with_prior([30, 10], [10, 30], prior_weight=20)
    >>> log_odds_ratio.round(3).tolist(), z.round(3).tolist()
    ([1.386, -1.386], [5.062, -5.062])
    """
    y, other = np.asarray(uses, dtype=np.float64), np.asarray(uses_by_others, dtype=np.float64)
    total = max((y + other).sum(), 1.0)
    alpha = prior_weight * (y + other) / total
    odds = (y + alpha) / (y.sum() + prior_weight - y - alpha)
    other_odds = (other + alpha) / (other.sum() + prior_weight - other - alpha)
    log_odds_ratio = np.log(odds) - np.log(other_odds)
    return log_odds_ratio, log_odds_ratio / np.sqrt(1 / (y + alpha) + 1 / (other + alpha))


def _uses_by_group(
    found: DistinctTexts, group: NDArray[np.bool_], language: str, least_leads: int
) -> tuple[NDArray[np.object_], NDArray[np.float64], NDArray[np.int64]]:
    """Terms, leads of the group and of the others that use each, and leads of both with a text."""
    leads = np.array([found.leads(group), found.leads(~group)])
    n_texts = leads.sum(axis=1).astype(np.int64)
    names, holds = _terms_in(found.texts)
    uses = leads @ holds
    fillers = filler_words(language)
    says_something = np.array([not fillers.issuperset(name.split()) for name in names], dtype=bool)
    kept = (uses.sum(axis=0) >= least_leads) & says_something
    return names[kept], uses[:, kept], n_texts


def _terms_in(texts: tuple[str, ...]) -> tuple[NDArray[np.object_], NDArray]:
    """Words and pairs of words, and which text holds which; none where no text holds a word."""
    from sklearn.feature_extraction.text import CountVectorizer

    counter = CountVectorizer(preprocessor=words_only, token_pattern=TOKEN, ngram_range=(1, 2), binary=True)
    analyse = counter.build_analyzer()
    if not any(analyse(text) for text in texts):
        return np.array([], dtype=object), np.zeros((len(texts), 0))
    holds = counter.fit_transform(texts)
    return counter.get_feature_names_out(), holds


def _table(
    terms: NDArray[np.object_],
    uses: NDArray[np.float64],
    n_texts: NDArray[np.int64],
    log_odds_ratio: NDArray[np.float64],
    z: NDArray[np.float64],
    false_discovery_rate: float,
) -> pa.Table:
    from scipy.special import ndtr

    q = q_values(2 * ndtr(-np.abs(z)), np.ones(len(z), dtype=bool))
    share, share_others = (share_of(uses[i], np.full(len(terms), n_texts[i])) for i in (0, 1))
    return pa.table(
        {
            "term": pa.array(terms, pa.string()),
            "n": uses[0].astype(np.int64),
            "n_others": uses[1].astype(np.int64),
            "share": known(share),
            "share_others": known(share_others),
            "log_odds_ratio": log_odds_ratio,
            "z": z,
            "q_value": q,
            "differs": q <= false_discovery_rate,
        }
    )
