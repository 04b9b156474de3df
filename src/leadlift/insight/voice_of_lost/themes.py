"""What texts are about: a few themes, each a handful of words that go together."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from leadlift.exceptions import InputError
from leadlift.insight.groups import Groups
from leadlift.insight.voice_of_lost.crossed import compare_segments, segment_groups, share_columns
from leadlift.insight.voice_of_lost.texts import (
    LANGUAGE,
    MAX_TEXTS,
    NEGATIONS,
    TOKEN,
    distinct_texts,
    filler_words,
    words_only,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

    from leadlift.insight.voice_of_lost.text_column import Texts
    from leadlift.insight.voice_of_lost.texts import DistinctTexts

N_THEMES = 6
TERMS_SHOWN = 5
_LEADS_A_THEME = 2
_OTHER = "no theme"
_MOST_TERMS = 2000


@dataclass(frozen=True)
class Themes:
    """Themes of the texts of leads.

    Parameters
    ----------
    table : pyarrow.Table
        ``theme`` (string; its words, the strongest first), ``n`` (int64), ``share``, ``low``, ``high``
        (float64; of the leads whose text was read, exact interval), ``too_few`` (bool). Largest first; empty
        where there is too little text.
    by_segment : pyarrow.Table
        ``column``, ``segment``, ``theme`` (string), ``n_segment``, ``n`` (int64), ``share``, ``low``,
        ``high`` (float64), ``too_few`` (bool), ``share_elsewhere``, ``ratio``, ``ratio_low``, ``ratio_high``,
        ``q_value`` (float64) and ``differs`` (bool), as :func:`.loss_reasons.loss_reasons_by_segment` has
        it of reasons; without rows where no segments were given.
    note : str
        What the themes rest on, or why there are none.
    """

    table: pa.Table
    by_segment: pa.Table
    note: str


def themes(
    texts: Texts,
    *,
    segments: object | None = None,
    n_themes: int = N_THEMES,
    language: str = LANGUAGE,
    confidence: float = 0.95,
    false_discovery_rate: float = 0.05,
    least_leads: int = 30,
    max_texts: int = MAX_TEXTS,
    random_state: int = 0,
) -> Themes:
    """Find what texts are about.

    Texts become weighted words (TF-IDF), and their matrix the product of two non-negative ones: how much of
    each theme is in a text, and how strong each word is in a theme. A lead belongs to the strongest theme of
    its text. Personal data are masked first; a word counts only if `least_leads` leads used it. Themes are a
    help to read by, not a measurement: another number of them cuts the same texts otherwise.

    Source: Lee and Seung 1999, doi:10.1038/44565, by scikit-learn's NMF from its deterministic start
    (Boutsidis and Gallopoulos 2008, doi:10.1016/j.patcog.2007.09.010). A text that many leads wrote weighs as
    many times.

    Parameters
    ----------
    texts : pyarrow array or iterable of str, length n_rows
        One text a lead; null where there is none.
    segments : table with n_rows rows, optional
        Columns by which to split the leads.
    n_themes : int, default=6
        At most so many, at least 2; fewer where there are not twice `least_leads` leads for each.
    language : str, default="en"
        Of the texts; for English, words that say nothing are left out.
    confidence, false_discovery_rate : float
        As in :func:`.loss_reasons.loss_reasons_by_segment`.
    least_leads : int, default=30
    max_texts : int, default=10,000
        Distinct texts read, drawn at random where there are more.
    random_state : int, default=0

    Returns
    -------
    Themes

    Raises
    ------
    InputError
        `n_themes` is below 2, or `segments` has not a row for each lead.

    Examples
    --------
    >>> found = themes(["price too high"] * 70 + ["missing integration"] * 60, n_themes=2)
    >>> found.table.select(["theme", "n"]).to_pylist()
    [{'theme': 'high, price', 'n': 70}, {'theme': 'integration, missing', 'n': 60}]
    """
    if n_themes < 2:
        msg = f"n_themes must be at least 2, got {n_themes}"
        raise InputError(msg)
    found = distinct_texts(texts, max_texts=max_texts, random_state=random_state)
    read = found.is_read
    split = [] if segments is None else [of.of(read) for of in segment_groups(segments, len(read))]
    kinds, note = _theme_of_each_lead(found, n_themes, language, least_leads, random_state)
    n_read = np.full(len(kinds.names), len(kinds.codes))
    table = pa.table(
        {
            "theme": pa.array(kinds.names, pa.string()),
            **share_columns(kinds.sizes, n_read, least_leads=least_leads, confidence=confidence),
        }
    )
    by_segment = compare_segments(
        kinds,
        split if kinds.names else [],
        confidence=confidence,
        false_discovery_rate=false_discovery_rate,
        least_leads=least_leads,
    )
    return Themes(table, by_segment.rename_columns({"kind": "theme"}), note)


def _theme_of_each_lead(
    found: DistinctTexts, n_themes: int, language: str, least_leads: int, random_state: int
) -> tuple[Groups, str]:
    """Themes by size and the theme of each lead whose text is read, and what is to be said of them."""
    leads = found.leads(found.is_read)
    n_read = int(leads.sum())
    words, weights = _weighted_words(found.texts, leads, language, least_leads)
    n_possible = min(n_themes, n_read // (_LEADS_A_THEME * max(least_leads, 1)), len(words))
    if n_possible < 2:
        needed = 2 * _LEADS_A_THEME * least_leads
        note = f"Too little text for themes: {n_read:,} leads wrote something, and {needed:,} are needed"
        note += f" with at least two words that {least_leads:,} of them use."
        return Groups("theme", (), np.zeros(0, dtype=np.int64)), note
    of_text, of_word = _factors(weights, leads, n_possible, random_state)
    strongest = np.where(of_text.max(axis=1) > 0, of_text.argmax(axis=1), n_possible)
    names = [*(_theme_name(words, row) for row in of_word), _OTHER]
    note = f"{n_read:,} of the {found.n_with_text:,} leads with a text were read."
    return _by_size(names, strongest[found.codes[found.is_read]]), note


def _weighted_words(
    texts: tuple[str, ...], leads: NDArray[np.float64], language: str, least_leads: int
) -> tuple[NDArray[np.object_], csr_matrix | None]:
    """Words that enough leads use, the most common ones, and their TF-IDF weights in each text."""
    from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer

    fillers = filler_words(language)
    # A negation alone is no theme: what was missing is.
    ignored = sorted(fillers | NEGATIONS) if fillers else None
    counter = CountVectorizer(preprocessor=words_only, token_pattern=TOKEN, stop_words=ignored)
    analyse = counter.build_analyzer()
    if not any(analyse(text) for text in texts):
        return np.array([], dtype=object), None
    counts = counter.fit_transform(texts)
    n_with = leads @ (counts > 0)
    common = np.argsort(-n_with, kind="stable")[:_MOST_TERMS]
    kept = np.sort(common[n_with[common] >= max(least_leads, 1)])
    weights = TfidfTransformer(sublinear_tf=True).fit_transform(counts[:, kept]) if len(kept) else None
    return counter.get_feature_names_out()[kept], weights


def _factors(
    weights: csr_matrix, leads: NDArray[np.float64], n_themes: int, random_state: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Themes of texts and words of themes; a text that k leads wrote stands for k rows."""
    from scipy.sparse import diags_array
    from sklearn.decomposition import NMF
    from sklearn.exceptions import ConvergenceWarning

    model = NMF(n_themes, init="nndsvd", max_iter=200, tol=1e-3, random_state=random_state)
    scale = np.sqrt(leads)
    with warnings.catch_warnings():
        # Themes are read by their strongest words, which are settled long before the last digit is.
        warnings.simplefilter("ignore", ConvergenceWarning)
        of_text = model.fit_transform(diags_array(scale) @ weights)
    return of_text, model.components_


def _theme_name(words: NDArray[np.object_], strength: NDArray[np.float64]) -> str:
    strongest = np.argsort(-strength, kind="stable")[:TERMS_SHOWN]
    return ", ".join(words[i] for i in strongest if strength[i] > 0.1 * strength.max())


def _by_size(names: list[str], codes: NDArray[np.int64]) -> Groups:
    """The themes that have leads, largest first, those without a theme last."""
    sizes = np.bincount(codes, minlength=len(names))
    is_other = np.arange(len(names)) == len(names) - 1
    order = [i for i in np.lexsort((names, -sizes, is_other)) if sizes[i]]
    place = np.zeros(len(names), dtype=np.int64)
    place[order] = np.arange(len(order))
    return Groups("theme", tuple(names[i] for i in order), place[codes])
