"""Random trees of any shape, written as LightGBM writes its models, so that LightGBM itself can read them."""

from dataclasses import dataclass

import numpy as np

MISSING_TYPES = {"none": 0, "zero": 1, "nan": 2}
_DEFAULT_LEFT = 2


@dataclass
class Shape:
    """What random trees look like.

    `spread` of a tree's leaves: "bushy" splits a leaf drawn at random, "chain" always the newest one.
    """

    n_leaves: int
    n_features: int
    spread: str = "bushy"
    largest_threshold: float = 3.0
    largest_cover: int = 50


def model_text(shape, n_trees, missing, seed):
    """Write a model; `missing` names what each feature's splits take for missing."""
    rng = np.random.default_rng(seed)
    trees = [_tree_text(number, shape, missing, rng) for number in range(n_trees)]
    names = " ".join(f"x{j}" for j in range(shape.n_features))
    header = [
        "tree",
        "version=v4",
        "num_class=1",
        "num_tree_per_iteration=1",
        "label_index=0",
        f"max_feature_idx={shape.n_features - 1}",
        "objective=binary sigmoid:1",
        f"feature_names={names}",
        "feature_infos=" + " ".join(["[-inf:inf]"] * shape.n_features),
        "tree_sizes=" + " ".join(str(len(tree)) for tree in trees),
        "",
        "",
    ]
    return "\n".join(header) + "".join(trees) + "end of trees\n\nparameters:\nend of parameters\n"


def _tree_text(number, shape, missing, rng):
    left, right = _links(shape, rng)
    n_splits = shape.n_leaves - 1
    leaf_cover = rng.integers(1, shape.largest_cover, size=shape.n_leaves, endpoint=True)
    feature = rng.integers(shape.n_features, size=n_splits)
    default_left = rng.integers(2, size=n_splits) * _DEFAULT_LEFT
    lines = {
        "num_leaves": [shape.n_leaves],
        "num_cat": [0],
        "split_feature": feature,
        "split_gain": np.ones(n_splits, int),
        "threshold": _thresholds(shape, n_splits, rng),
        "decision_type": [
            d + 4 * MISSING_TYPES[missing[f]] for d, f in zip(default_left, feature, strict=True)
        ],
        "left_child": left,
        "right_child": right,
        "leaf_value": rng.normal(size=shape.n_leaves),
        "leaf_weight": leaf_cover,
        "leaf_count": leaf_cover,
        "internal_value": np.zeros(n_splits, int),
        "internal_weight": np.zeros(n_splits, int),
        "internal_count": _split_covers(left, right, leaf_cover),
        "is_linear": [0],
        "shrinkage": [1],
    }
    text = "".join(f"{key}={' '.join(str(value) for value in values)}\n" for key, values in lines.items())
    return f"Tree={number}\n{text}\n\n"


def _links(shape, rng):
    """Grow the tree by splitting leaf after leaf; split k makes leaf k + 1."""
    left, right = [~0], [~1]
    if shape.n_leaves == 1:
        return [], []
    for split in range(1, shape.n_leaves - 1):
        leaf = split if shape.spread == "chain" else rng.integers(split + 1)
        side = left if ~leaf in left else right
        side[side.index(~leaf)] = split
        left.append(~leaf)
        right.append(~(split + 1))
    return left, right


def _thresholds(shape, n_splits, rng):
    """Numbers, some drawn twice, among them zeros, LightGBM's edge of zero and the largest."""
    edge = float(np.float32(1e-35))
    special = [0.0, edge, -edge, 1e-300, shape.largest_threshold, -shape.largest_threshold]
    drawn = rng.normal(size=4).tolist() + special
    return [float(value) for value in rng.choice(drawn, size=n_splits)]


def _split_covers(left, right, leaf_cover):
    covers = np.zeros(len(left), int)
    for split in reversed(range(len(left))):
        covers[split] = sum(covers[c] if c >= 0 else leaf_cover[~c] for c in (left[split], right[split]))
    return covers


def rows_around(thresholds, n_features, n_rows, seed):
    """Rows made of given thresholds, their neighbours, NaN, zeros and infinities."""
    exact = np.array([0.0, *thresholds])
    edge = float(np.float32(1e-35))
    special = [np.nan, 0.0, -0.0, np.inf, -np.inf, edge, -edge, 2e-35, -2e-35, 1e-300]
    pool = np.concatenate([exact, np.nextafter(exact, np.inf), np.nextafter(exact, -np.inf), special])
    return np.random.default_rng(seed).choice(pool, size=(n_rows, n_features))
