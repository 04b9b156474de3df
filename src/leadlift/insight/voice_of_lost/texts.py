"""The texts of many leads, each distinct one once: masked, in a fixed order, and how many leads wrote it.

What is costly in a text is then done once, and no result depends on the order of the rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlift.data.values import clean_text
from leadlift.insight.voice_of_lost.masking import MASKS, mask_personal_data
from leadlift.insight.voice_of_lost.text_column import as_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leadlift.insight.voice_of_lost.text_column import Texts

MAX_TEXTS = 10_000
"""Of more distinct texts a sample of this size is read."""

LANGUAGE = "en"
NO_TEXT = -1

# Words of letters: what has a digit or an underscore in it may be a number of somebody.
TOKEN = r"\b[^\W\d_]{2,}\b"  # noqa: S105 -- a pattern, no secret

# scikit-learn counts these words among those that say nothing; in "no budget" and "late call" they do say
# something. The list's faults: Nothman, Qin and Yurchak 2018, doi:10.18653/v1/W18-2502.
NEGATIONS = frozenset({"no", "not", "nor", "never", "none", "nobody", "nothing", "cannot", "without"})
_TELLING = frozenset(
    {"amount", "bill", "call", "detail", "find", "interest", "move", "serious", "show", "system"}
)


@dataclass(frozen=True)
class DistinctTexts:
    """Masked texts, each once.

    Parameters
    ----------
    texts : tuple of str
        Sorted; a sample where there are more than were asked for.
    codes : ndarray of int64, shape (n_rows,)
        Place in `texts` of each lead's text; -1 where it has none or it is not in the sample.
    n_with_text : int
        Leads with a text, in the sample or not.
    """

    texts: tuple[str, ...]
    codes: NDArray[np.int64]
    n_with_text: int

    @property
    def is_read(self) -> NDArray[np.bool_]:
        """Which leads have a text that is read, shape (n_rows,)."""
        return self.codes != NO_TEXT

    def leads(self, rows: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return how many of the leads in `rows` wrote each text, shape (n_texts,)."""
        return np.bincount(self.codes[rows & self.is_read], minlength=len(self.texts)).astype(np.float64)


def distinct_texts(texts: Texts, *, max_texts: int = MAX_TEXTS, random_state: int = 0) -> DistinctTexts:
    """Mask texts and find the distinct ones.

    Parameters
    ----------
    texts : pyarrow array or iterable of str, length n_rows
    max_texts : int
        Distinct texts kept, drawn at random where there are more.
    random_state : int
        Seed of the draw.

    Returns
    -------
    DistinctTexts

    Examples
    --------
    >>> distinct_texts(["Too dear. ", None, "", "ask ann@x.org", "Too dear."]).codes.tolist()
    [0, -1, -1, 1, 0]
    """
    whole = clean_text(as_text(texts)).dictionary_encode()
    sample = _sample(whole.dictionary, max_texts, random_state)
    masked = mask_personal_data(whole.dictionary.take(sample)).dictionary_encode()
    written = np.array(masked.dictionary.to_pylist(), dtype=object)
    order = np.argsort(written, kind="stable")
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    place = np.full(len(whole.dictionary) + 1, NO_TEXT)
    place[sample.to_numpy()] = rank[masked.indices.to_numpy()]
    codes = place[whole.indices.fill_null(len(whole.dictionary)).to_numpy()]
    return DistinctTexts(tuple(written[order]), codes, len(whole) - whole.null_count)


def _sample(texts: pa.Array, most: int, random_state: int) -> pa.Array:
    """Places of some distinct texts, the same texts in whatever order they come."""
    if len(texts) <= most:
        return pa.array(np.arange(len(texts)))
    by_text = pc.sort_indices(texts)
    return by_text.take(np.random.default_rng(random_state).choice(len(texts), most, replace=False))


def words_only(text: str) -> str:
    """Return a masked text in lower case without the masks, ready to be cut into terms.

    Examples
    --------
    >>> words_only("Call [phone] in May")
    'call   in may'
    """
    for mask in MASKS:
        text = text.replace(mask, " ")
    return text.lower()


def filler_words(language: str) -> frozenset[str]:
    """Return words that say nothing by themselves, negations not among them; none but for English.

    Source: scikit-learn's list of English stop words.
    """
    if language != LANGUAGE:
        return frozenset()
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    return ENGLISH_STOP_WORDS - NEGATIONS - _TELLING
