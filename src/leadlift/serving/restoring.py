"""The fitted estimators anew, from what they learnt and the files of a bundle."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from leadlift.exceptions import BundleError
from leadlift.learning.binned_logistic import BinnedLogistic
from leadlift.learning.blending import BlendedLearner
from leadlift.learning.calibration import Calibrator
from leadlift.learning.candidates import BaggedTrees
from leadlift.learning.encoding import TableEncoder
from leadlift.learning.scorer import LeadScorer
from leadlift.learning.segment_models import SegmentedLearner, SegmentModel
from leadlift.serving.evidence_file import read_evidence

if TYPE_CHECKING:
    from collections.abc import Mapping

    from leadlift.learning.fitted.blend import Blend
    from leadlift.learning.fitted.forest import Forest
    from leadlift.learning.fitted.logistic import LogisticTables
    from leadlift.learning.fitted.model import FittedModel
    from leadlift.learning.fitted.vocabulary import EncodedColumn
    from leadlift.terms import Cutoff


def restored_scorer(
    files: Mapping[str, str], fitted: FittedModel, cutoffs: Mapping[str, Cutoff | None]
) -> LeadScorer:
    """Return a fitted scorer.

    Parameters
    ----------
    files : mapping of str to str
        Of its label, for the calibrator and the evidence.
    fitted : FittedModel
        Read from them.
    cutoffs : mapping of str to Cutoff or None
        ``"mql"`` and ``"sql"``.

    Returns
    -------
    LeadScorer
        Without `evidence_` where the bundle is of before evidence was kept.

    Raises
    ------
    BundleError
        A file cannot be understood.
    """
    scorer = LeadScorer()
    scorer.classes_ = np.array([0, 1])
    scorer.encoder_ = _encoder(fitted.columns)
    scorer.n_features_in_ = scorer.encoder_.n_features_in_
    scorer.feature_names_in_ = scorer.encoder_.feature_names_in_
    scorer.learner_ = restored_learner(fitted.blend, scorer.n_features_in_)
    scorer.cutoff_, scorer.sql_cutoff_ = cutoffs["mql"], cutoffs["sql"]
    try:
        scorer.calibrator_ = Calibrator.from_dict(json.loads(files["calibrator.json"]))
        evidence = read_evidence(files)
    except (KeyError, TypeError, ValueError) as error:
        msg = f"the bundle's files match their hashes but cannot be understood: {error}"
        raise BundleError(msg) from error
    if evidence is not None:
        scorer.evidence_ = evidence
    return scorer


def restored_learner(blend: Blend, n_columns: int) -> BlendedLearner:
    """Return a fitted learner.

    Parameters
    ----------
    blend : Blend
    n_columns : int
        Columns of the matrix.

    Returns
    -------
    BlendedLearner
        A :class:`SegmentedLearner` where segments have models of their own.
    """
    learner = BlendedLearner()
    if blend.segments:
        learner = SegmentedLearner(segment=blend.segment_column)
        learner.segments_ = tuple(
            SegmentModel(each.code, each.weight, restored_learner(each.blend, n_columns))
            for each in blend.segments
        )
    learner.trees_, learner.logistic_ = _trees(blend.forest), _logistic(blend.logistic)
    learner.weight_ = blend.weight
    for part in (learner, learner.trees_, learner.logistic_):
        part.n_features_in_, part.classes_ = n_columns, np.array([0, 1])
    return learner


def _trees(forest: Forest) -> BaggedTrees:
    trees = BaggedTrees()
    trees.model_texts_, trees.statistics_ = forest.model_texts, forest.statistics
    return trees


def _logistic(tables: LogisticTables) -> BinnedLogistic:
    logistic = BinnedLogistic()
    logistic.edges_, logistic.tables_, logistic.intercept_ = tables.edges, tables.tables, tables.intercept
    logistic.fold_tables_, logistic.fold_intercepts_ = tables.fold_tables, tables.fold_intercepts
    return logistic


def _encoder(columns: tuple[EncodedColumn, ...]) -> TableEncoder:
    encoder = TableEncoder()
    encoder.columns_ = columns
    encoder.n_features_in_ = len(columns)
    encoder.feature_names_in_ = np.array([column.name for column in columns], dtype=object)
    return encoder
