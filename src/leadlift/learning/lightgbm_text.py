"""Read the trees out of a LightGBM model text, without LightGBM.

The text is what ``Booster.model_to_string()`` returns: a header of ``key=value`` lines, one paragraph of
such lines per tree, then ``end of trees``. Leaf values already hold the shrinkage and the start score.
Only what numeric trees need is read; models that say more than that are refused by name.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from leadlift.exceptions import InputError, LeadliftError, shorten

_CATEGORICAL_BIT = 1
_DEFAULT_LEFT_BIT = 2
_MISSING_TYPE_SHIFT = 2


class UnsupportedForestError(LeadliftError, ValueError):
    """The model is sound, but not of a kind that decision-pattern tables can hold."""


class MissingType(IntEnum):
    """What a split takes for missing, with LightGBM's own numbers.

    ``NONE``: nothing, NaN is read as 0; ``ZERO``: zero and NaN; ``NAN``: NaN.
    """

    NONE = 0
    ZERO = 1
    NAN = 2


@dataclass(frozen=True, eq=False)
class Tree:
    """One numeric decision tree of m splits and m + 1 leaves; split 0 is the root.

    A row goes left where its value is ``<= threshold``, and where it is missing and ``default_left``.

    Parameters
    ----------
    split_feature : ndarray of int64, shape (m,)
        Column of the feature matrix that each split looks at.
    threshold : ndarray of float64, shape (m,)
        In the unit of the column; infinite where everything but a missing value goes left.
    missing_type : ndarray of int64, shape (m,)
        A :class:`MissingType` each.
    default_left : ndarray of bool, shape (m,)
        Whether a missing value goes left.
    left_child, right_child : ndarray of int64, shape (m,)
        Index of a split, or ``~leaf`` (negative) for a leaf.
    split_cover : ndarray of float64, shape (m,)
        Training rows that reached each split.
    leaf_value : ndarray of float64, shape (m + 1,)
        Log-odds (or whatever raw score the model adds up).
    leaf_cover : ndarray of float64, shape (m + 1,)
        Training rows that reached each leaf.
    """

    split_feature: np.ndarray
    threshold: np.ndarray
    missing_type: np.ndarray
    default_left: np.ndarray
    left_child: np.ndarray
    right_child: np.ndarray
    split_cover: np.ndarray
    leaf_value: np.ndarray
    leaf_cover: np.ndarray

    def cover(self, node: int) -> float:
        """Return the training rows that reached a child index: a split, or ``~leaf``."""
        return self.split_cover[node] if node >= 0 else self.leaf_cover[~node]


@dataclass(frozen=True, eq=False)
class TreeModel:
    """The trees of one booster, in boosting order; the raw score is the sum of their leaf values."""

    n_features: int
    trees: tuple[Tree, ...]


def parse_model(text: str) -> TreeModel:
    """Read a LightGBM model text.

    Parameters
    ----------
    text : str
        As written by ``Booster.model_to_string()`` or ``save_model``, format version 4 (or 3).

    Returns
    -------
    TreeModel
        As many trees as the text holds: a text written with ``num_iteration=best_iteration`` ends there.

    Raises
    ------
    InputError
        The text is not a whole LightGBM model.
    UnsupportedForestError
        It has categorical splits, linear leaves, several trees an iteration (multi-class) or an averaged
        output (random forest).

    Examples
    --------
    >>> text = '''tree
    ... num_tree_per_iteration=1
    ... max_feature_idx=3
    ... tree_sizes=1
    ...
    ... Tree=0
    ... num_leaves=1
    ... leaf_value=0.5
    ...
    ... end of trees'''
    >>> model = parse_model(text)
    >>> model.n_features, model.trees[0].leaf_value
    (4, array([0.5]))
    """
    head, *paragraphs = _paragraphs(text)
    header = _fields(head)
    n_announced = len(header.get("tree_sizes", "").split())
    if len(paragraphs) != n_announced:
        msg = f"expected {n_announced} trees, as the model text announces, but it holds {len(paragraphs)}"
        raise InputError(msg)
    _refuse_other_sums(header)
    n_features = int(_numbers(header, "max_feature_idx", 1, np.int64, where="the header")[0]) + 1
    trees = [_tree(_fields(lines), f"tree {number}", n_features) for number, lines in enumerate(paragraphs)]
    return TreeModel(n_features=n_features, trees=tuple(trees))


def _paragraphs(text: str) -> list[str]:
    """Split a whole model text into its header and one paragraph a tree."""
    body, end, _ = text.partition("\nend of trees")
    if not text.startswith("tree\n") or not end:
        msg = (
            "expected a LightGBM model text, from the line 'tree' to the line 'end of trees', but got "
            f"{len(text)} characters that start with {text[:20]!r}; pass Booster.model_to_string()"
        )
        raise InputError(msg)
    return body.split("\nTree=")


def _fields(lines: str) -> dict[str, str]:
    """Return the ``key=value`` lines as a mapping; a line without ``=`` is a key without a value."""
    return dict(line.partition("=")[::2] for line in lines.splitlines())


def _refuse_other_sums(header: dict[str, str]) -> None:
    """Refuse models whose raw score is not the plain sum of their trees."""
    n_sums = _numbers(header, "num_tree_per_iteration", 1, np.int64, where="the header")[0]
    if n_sums != 1:
        msg = f"expected one tree an iteration, but the model has {n_sums} (multi-class); use Booster.predict"
        raise UnsupportedForestError(msg)
    if "average_output" in header:
        msg = "expected boosted trees, whose outputs add up, but the model averages them (boosting='rf')"
        raise UnsupportedForestError(msg)


def _tree(fields: dict[str, str], where: str, n_features: int) -> Tree:
    """Build one tree from its lines."""
    if fields.get("is_linear", "0") != "0":
        msg = f"expected a constant in each leaf, but {where} has linear leaves; train with linear_tree=False"
        raise UnsupportedForestError(msg)
    n_leaves = int(_numbers(fields, "num_leaves", 1, np.int64, where)[0])
    leaf_value = _numbers(fields, "leaf_value", n_leaves, np.float64, where)
    if n_leaves == 1:
        return _constant_tree(leaf_value)
    n_splits = n_leaves - 1
    decision_type = _numbers(fields, "decision_type", n_splits, np.int64, where)
    split_feature = _numbers(fields, "split_feature", n_splits, np.int64, where)
    _refuse_categories(split_feature[(decision_type & _CATEGORICAL_BIT) > 0], where)
    tree = Tree(
        split_feature=split_feature,
        threshold=_numbers(fields, "threshold", n_splits, np.float64, where),
        missing_type=decision_type >> _MISSING_TYPE_SHIFT,
        default_left=(decision_type & _DEFAULT_LEFT_BIT) > 0,
        left_child=_numbers(fields, "left_child", n_splits, np.int64, where),
        right_child=_numbers(fields, "right_child", n_splits, np.int64, where),
        split_cover=_covers(fields, "internal_count", n_splits, where),
        leaf_value=leaf_value,
        leaf_cover=_covers(fields, "leaf_count", n_leaves, where),
    )
    _check_structure(tree, where, n_features)
    return tree


def _constant_tree(leaf_value: np.ndarray) -> Tree:
    """Return a tree of one leaf."""
    whole, real, boolean = np.empty(0, np.int64), np.empty(0), np.empty(0, bool)
    return Tree(whole, real, whole, boolean, whole, whole, real, leaf_value, np.ones(1))


def _numbers(fields: dict[str, str], key: str, size: int, dtype: type, where: str) -> np.ndarray:
    """Return one line of numbers, none of them NaN; a threshold may be infinite (all but missing go left)."""
    words = fields.get(key, "").split()
    try:
        values = np.array(words, dtype=dtype)
    except (ValueError, OverflowError) as error:
        msg = f"expected numbers in line {key!r} of {where}, but: {error}; save the model again"
        raise InputError(msg) from error
    if values.size != size or (dtype is np.float64 and np.isnan(values).any()):
        msg = f"expected {size} numbers in line {key!r} of {where}, but got {shorten(words)}"
        raise InputError(msg)
    return values


def _covers(fields: dict[str, str], key: str, size: int, where: str) -> np.ndarray:
    """Return row counts, which the expectations divide by."""
    counts = _numbers(fields, key, size, np.float64, where)
    if not (counts > 0).all():
        msg = f"expected positive row counts in line {key!r} of {where}: SHAP values divide by them"
        raise UnsupportedForestError(msg)
    return counts


def _refuse_categories(features: np.ndarray, where: str) -> None:
    """Refuse splits on sets of categories."""
    if features.size:
        msg = (
            f"expected numeric splits only, but {where} has {features.size} categorical ones (on feature "
            f"{shorten(np.unique(features))}); code categories as numbers, or use pred_contrib=True"
        )
        raise UnsupportedForestError(msg)


def _check_structure(tree: Tree, where: str, n_features: int) -> None:
    """Refuse links that make no tree, and features that are not in the matrix."""
    # Lists, since NumPy takes longer to begin than a small tree takes in Python.
    n_splits, left, right = tree.split_feature.size, tree.left_child.tolist(), tree.right_child.tolist()
    one_parent_each = sorted(left + right) == [*range(-n_splits - 1, 0), *range(1, n_splits)]
    parents = [*range(n_splits), *range(n_splits)]
    if not one_parent_each or any(0 <= c <= p for c, p in zip(left + right, parents, strict=True)):
        msg = f"expected every split and leaf of {where} to have one earlier parent; save the model again"
        raise InputError(msg)
    if tree.split_feature.min() < 0 or tree.split_feature.max() >= n_features:
        msg = f"expected features 0 to {n_features - 1} in {where}, but got {shorten(tree.split_feature)}"
        raise InputError(msg)
