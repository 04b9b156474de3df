"""How friendly or unfriendly texts are, by a maintained library, in all and by segment and period."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pyarrow as pa

from leadlift.exceptions import InputError
from leadlift.insight.groups import Groups
from leadlift.insight.segments.comparison import q_values
from leadlift.insight.segments.inputs import known, moments
from leadlift.insight.share_ratio import ratio_of, share_of
from leadlift.insight.voice_of_lost.crossed import segment_groups
from leadlift.insight.voice_of_lost.periods import NO_PERIOD, PERIOD_DAYS, period_begins, periods_back
from leadlift.insight.voice_of_lost.texts import LANGUAGE, MAX_TEXTS, NO_TEXT, distinct_texts
from leadlift.learning.intervals import share_bounds

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from leadlift.insight.voice_of_lost.text_column import Texts

ALL = "all leads"
PERIOD = "period"
NEGATIVE = -0.05
"""From here down a text is negative, the limit that VADER's authors name."""


class SentimentAnalyser(Protocol):
    """What tells how friendly a text is; pass one's own for a language other than English."""

    def score(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return the sentiment of each text, from -1 (unfriendly) over 0 (neutral) to 1 (friendly)."""
        ...


class EnglishSentiment:
    """VADER, a lexicon with rules for English; other languages come out as neutral, which is wrong.

    It was made for short posts and reads words, not meaning: "no problem with the price" may count as
    negative. Source: Hutto and Gilbert 2014, doi:10.1609/icwsm.v8i1.14550.

    Examples
    --------
    >>> EnglishSentiment().score(["Great product, friendly call.", "Disappointed by the terrible support."])
    array([ 0.8074, -0.5423])
    """

    def score(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return VADER's compound score of each text; see :class:`SentimentAnalyser`."""
        from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

        analyser = SentimentIntensityAnalyzer()
        return np.array([analyser.polarity_scores(text)["compound"] for text in texts], dtype=np.float64)


def sentiment_by(
    texts: Texts,
    *,
    segments: object | None = None,
    closed_at: ArrayLike | None = None,
    period_days: float = PERIOD_DAYS,
    language: str = LANGUAGE,
    analyser: SentimentAnalyser | None = None,
    confidence: float = 0.95,
    false_discovery_rate: float = 0.05,
    least_leads: int = 30,
    max_texts: int = MAX_TEXTS,
    random_state: int = 0,
) -> pa.Table:
    """Average the sentiment of texts: of all leads, by segment and by period.

    Personal data are masked first, and each distinct text is scored once.

    Parameters
    ----------
    texts : pyarrow array or iterable of str, length n_rows
        One text a lead; null where there is none.
    segments : table with n_rows rows, optional
        Columns by which to split the leads.
    closed_at : array or column of dates, length n_rows, optional
        Moments by which to split the leads into periods, counted back from the last.
    period_days : float, default=90
    language : str, default="en"
        Of the texts.
    analyser : SentimentAnalyser, optional
        Without one, English is scored by :class:`EnglishSentiment` and other languages are not scored: their
        sentiment is null.
    confidence : float, default=0.95
        Of the intervals.
    false_discovery_rate : float, default=0.05
        Share of the differences claimed, over all segments and periods, that may be chance.
    least_leads : int, default=30
        Leads that a segment, and the rest, must have to be compared.
    max_texts : int, default=10,000
        Distinct texts scored, drawn at random where there are more.
    random_state : int, default=0

    Returns
    -------
    pyarrow.Table
        ``column`` (string; that of the segment, "all leads" or "period"), ``segment`` (string; of a period,
        the day it begins), ``n`` (int64; leads with a scored text), ``mean``, ``low``, ``high`` (float64, in
        [-1, 1]; Student's interval), ``share_negative``, ``negative_low``, ``negative_high`` (float64; of
        scores of -0.05 or less, exact interval), ``too_few`` (bool), ``difference`` (float64; to the mean of
        all other leads), ``q_value`` (float64; Welch's test, corrected) and ``differs`` (bool).

    Raises
    ------
    InputError
        An analyser's scores are not one number in [-1, 1] for each text, or lengths differ.

    Examples
    --------
    >>> table = sentiment_by(["Great call, thank you."] * 40 + ["Terrible, we hate it."] * 20)
    >>> table.select(["column", "n", "share_negative"]).to_pylist()
    [{'column': 'all leads', 'n': 60, 'share_negative': 0.3333333333333333}]
    """
    found = distinct_texts(texts, max_texts=max_texts, random_state=random_state)
    scores = np.append(_scores(found.texts, language, analyser), np.nan)
    score = scores[np.where(found.codes == NO_TEXT, len(found.texts), found.codes)]
    splits = [Groups(ALL, ("",), np.zeros(len(score), dtype=np.int64))]
    splits += [] if segments is None else segment_groups(segments, len(score))
    splits += [] if closed_at is None else [_periods(moments(closed_at, len(score)), period_days)]
    names = [(split.name, name) for split in splits for name in split.names]
    columns = _columns(splits, score, confidence, false_discovery_rate, least_leads)
    table = pa.table(
        {
            "column": pa.array([column for column, _ in names], pa.string()),
            "segment": pa.array([segment for _, segment in names], pa.string()),
            **columns,
        }
    )
    return table.filter(np.array([column == ALL for column, _ in names]) | (columns["n"] > 0))


def _scores(texts: tuple[str, ...], language: str, analyser: SentimentAnalyser | None) -> NDArray[np.float64]:
    if analyser is None and language != LANGUAGE:
        return np.full(len(texts), np.nan)
    scores = np.asarray((analyser or EnglishSentiment()).score(texts), dtype=np.float64)
    if scores.shape != (len(texts),) or not (np.abs(scores) <= 1).all():
        msg = (
            f"the analyser must return a number in [-1, 1] for each of {len(texts):,} texts, got an array of "
            f"shape {scores.shape} from {scores.min(initial=0):g} to {scores.max(initial=0):g}"
        )
        raise InputError(msg)
    return scores


def _periods(ends: NDArray[np.datetime64], period_days: float) -> Groups:
    """Periods in order of time, each called by its first day; leads without a moment come last."""
    back = periods_back(ends, period_days)
    numbers, codes = np.unique(np.where(back == NO_PERIOD, 1, -back), return_inverse=True)
    begins = period_begins(ends, period_days, -numbers[numbers <= 0])
    names = [f"from {begin:%Y-%m-%d}" for begin in begins.to_pylist()]
    return Groups(PERIOD, (*names, "no date")[: len(numbers)], codes)


def _columns(
    splits: list[Groups],
    score: NDArray[np.float64],
    confidence: float,
    false_discovery_rate: float,
    least_leads: int,
) -> dict[str, Any]:
    from scipy.stats import t

    is_scored = ~np.isnan(score)
    n, total, squares, negative = (
        np.concatenate([_sums(split.of(is_scored), each) for split in splits])
        for each in (
            np.ones(is_scored.sum()),
            score[is_scored],
            score[is_scored] ** 2,
            score[is_scored] <= NEGATIVE,
        )
    )
    mean, variance = _mean_and_its_variance(n, total, squares)
    others = n[0] - n, total[0] - total, squares[0] - squares
    mean_of_others, variance_of_others = _mean_and_its_variance(*others)
    reach = t.ppf((1 + confidence) / 2, np.maximum(n - 1, 1)) * np.sqrt(variance)
    is_look = np.minimum(n, others[0]) >= max(least_leads, 2)
    p = _welch_p_values(mean - mean_of_others, variance, n, variance_of_others, others[0])
    q = q_values(p, is_look)
    negative_low, negative_high = share_bounds(negative, n, confidence)
    return {
        "n": n.astype(np.int64),
        "mean": known(mean),
        "low": known(np.maximum(mean - reach, -1.0)),
        "high": known(np.minimum(mean + reach, 1.0)),
        "share_negative": known(share_of(negative, n)),
        "negative_low": known(negative_low, n > 0),
        "negative_high": known(negative_high, n > 0),
        "too_few": n < least_leads,
        "difference": known(mean - mean_of_others),
        "q_value": known(q),
        "differs": np.nan_to_num(q, nan=1.0) <= false_discovery_rate,
    }


def _sums(split: Groups, each: NDArray) -> NDArray[np.float64]:
    return np.bincount(split.codes, each, minlength=len(split.names))


def _mean_and_its_variance(
    n: NDArray[np.float64], total: NDArray[np.float64], squares: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean, NaN of none, and the variance of that mean, NaN of fewer than two."""
    mean = ratio_of(total, n)
    spread = np.maximum(squares - n * np.nan_to_num(mean) ** 2, 0.0)
    return mean, ratio_of(ratio_of(spread, np.maximum(n - 1, 0)), n)


def _welch_p_values(
    difference: NDArray[np.float64],
    variance: NDArray[np.float64],
    n: NDArray[np.float64],
    variance_of_others: NDArray[np.float64],
    n_others: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Two-sided p-values that two means are the same; Welch 1947, doi:10.1093/biomet/34.1-2.28."""
    from scipy.stats import t

    both = variance + variance_of_others
    freedom = ratio_of(
        both**2,
        ratio_of(variance**2, np.maximum(n - 1, 0))
        + ratio_of(variance_of_others**2, np.maximum(n_others - 1, 0)),
    )
    p = 2 * t.sf(np.abs(ratio_of(difference, np.sqrt(both))), freedom)
    # Without any spread, means are the same or they are not.
    return np.where(both == 0, np.where(difference == 0, 1.0, 0.0), p)
