"""Free text as a few numbers: weighted terms, and the directions in which texts differ most."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

MIN_TEXTS = 5
"""A term enters the vocabulary, and so the model, only when so many texts hold it."""

MAX_TERMS = 2000
MAX_TOPICS = 8

# Words of letters: numbers, and words with a digit or an underscore in them, are no terms.
_WORD = re.compile(r"\b[^\W\d_]{2,}\b")

# Six decimals say all that a topic can say, and keep the numbers short where they are stored.
_DECIMALS = 6
_LEAST_SHARE = 1e-9


class TextTopics:
    """Latent semantic analysis of short texts.

    A text becomes the weights (1 + ln count) * idf of its terms, words and pairs of words, scaled to length
    1, with idf = ln((1 + n) / (1 + n_with_term)) + 1; topics are its products with the first right singular
    vectors of the matrix of all texts. A vector's sign is such that its greatest loading is positive.

    Terms that stand in fewer than :data:`MIN_TEXTS` texts, e-mail addresses, web addresses, and everything
    with a digit are left out, so that none of them is stored.

    Parameters
    ----------
    terms : sequence of str
        The vocabulary, sorted.
    idf : sequence of float
        Weight of each term.
    loadings : sequence of sequence of float, shape (n_topics, n_terms)

    References
    ----------
    S. Deerwester, S. T. Dumais, G. W. Furnas, T. K. Landauer, R. Harshman (1990), Indexing by latent semantic
    analysis, doi:10.1002/(SICI)1097-4571(199009)41:6<391::AID-ASI1>3.0.CO;2-9.
    """

    def __init__(
        self, terms: Sequence[str], idf: Sequence[float], loadings: Sequence[Sequence[float]]
    ) -> None:
        self.terms = tuple(terms)
        self._idf = np.asarray(idf, dtype=np.float64)
        self._loadings = np.asarray(loadings, dtype=np.float64).reshape(len(loadings), len(self.terms))

    @classmethod
    def learn(cls, texts: Sequence[str], random_state: int = 0) -> Self:
        """Learn vocabulary and topics; the order of the texts does not matter.

        Parameters
        ----------
        texts : sequence of str
            One a lead.
        random_state : int
            Seed of the randomised decomposition.

        Returns
        -------
        TextTopics
            At most :data:`MAX_TOPICS`, none where no term is common enough.
        """
        from scipy.sparse import csr_matrix
        from sklearn.utils.extmath import randomized_svd

        texts = sorted(texts)
        n_with = _common_terms(texts)
        terms = sorted(n_with)
        idf = np.log((1 + len(texts)) / (1 + np.array([n_with[term] for term in terms]))) + 1
        idf = np.round(idf, _DECIMALS)
        if not terms:
            return cls((), (), ())
        weights = csr_matrix(_weights(texts, terms, idf), shape=(len(texts), len(terms)))
        n_topics = min(MAX_TOPICS, *weights.shape)
        _, strength, loadings = randomized_svd(
            weights, n_components=n_topics, n_iter=7, random_state=random_state
        )
        lasting = loadings[strength > _LEAST_SHARE * strength.max()]
        return cls(terms, idf, _with_fixed_sign(np.round(lasting, _DECIMALS)))

    @property
    def n_topics(self) -> int:
        """Number of topics."""
        return len(self._loadings)

    def strongest_terms(self, topic: int, n: int = 3) -> tuple[str, ...]:
        """Return the terms with the greatest loadings on a topic, counted from 0."""
        order = np.argsort(-self._loadings[topic], kind="stable")[:n]
        return tuple(self.terms[i] for i in order if self._loadings[topic, i] > 0)

    def of(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return the topics of texts.

        Parameters
        ----------
        texts : sequence of str

        Returns
        -------
        ndarray of float64, shape (n_texts, n_topics)
            Zeros for a text without a known term. The row of a text depends on that text alone.
        """
        weight, (row, term) = _weights(texts, self.terms, self._idf)
        topics = np.zeros((len(texts), self.n_topics))
        for topic, loadings in enumerate(self._loadings):
            topics[:, topic] = np.bincount(row, weight * loadings[term], len(texts))
        return topics

    def to_dict(self) -> dict[str, Any]:
        """Return what was learnt as JSON values."""
        return {
            "terms": list(self.terms),
            "idf": self._idf.tolist(),
            "loadings": self._loadings.tolist(),
        }

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """Make the topics anew from :meth:`to_dict`."""
        return cls(state["terms"], state["idf"], state["loadings"])


def _common_terms(texts: Sequence[str]) -> dict[str, int]:
    """Terms that enough texts hold, the most common ones, with the number of those texts."""
    counts = Counter(term for text in texts for term in set(_terms_of(text)))
    common = [term for term, n in counts.items() if n >= MIN_TEXTS]
    common.sort(key=lambda term: (-counts[term], term))
    return {term: counts[term] for term in common[:MAX_TERMS]}


class _Weights(NamedTuple):
    """Weights of the terms in texts, by text and then by term, as a sparse matrix is made of them."""

    weight: NDArray[np.float64]
    place: tuple[NDArray[np.int64], NDArray[np.int64]]


def _weights(texts: Sequence[str], terms: Sequence[str], idf: NDArray[np.float64]) -> _Weights:
    """Weigh the terms of each text, scaled to length 1."""
    place_of = {term: place for place, term in enumerate(terms)}
    cells = [
        row * len(terms) + place_of[term]
        for row, text in enumerate(texts)
        for term in _terms_of(text)
        if term in place_of
    ]
    cell, count = np.unique(np.array(cells, dtype=np.int64), return_counts=True)
    row, term = np.divmod(cell, max(len(terms), 1))
    weight = (np.log(count) + 1) * idf[term]
    length = np.sqrt(np.bincount(row, weight**2, len(texts)))
    return _Weights(weight / length[row], (row, term))


def _terms_of(text: str) -> list[str]:
    """Words, and pairs of words that stand side by side."""
    words = _WORD.findall(_without_addresses(text))
    return words + [" ".join(pair) for pair in pairwise(words)]


def _without_addresses(text: str) -> str:
    """The text in lower case without e-mail and web addresses."""
    return " ".join(word for word in text.lower().split() if not _is_address(word))


def _is_address(word: str) -> bool:
    return "@" in word or "://" in word or word.startswith("www.")


def _with_fixed_sign(loadings: NDArray[np.float64]) -> NDArray[np.float64]:
    greatest = np.abs(loadings).argmax(axis=1)
    signs = np.sign(loadings[np.arange(len(loadings)), greatest])
    # Adding zero makes -0.0 a plain zero.
    return loadings * signs[:, None] + 0.0
