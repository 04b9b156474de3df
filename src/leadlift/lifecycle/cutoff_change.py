"""Another cut-off for a saved model: decided on the evidence that the bundle keeps, and written down."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from leadlift.exceptions import BundleError
from leadlift.learning.scorer import LeadScorer
from leadlift.learning.two_labels import choose_mql_cutoff
from leadlift.serving.bundle import ModelBundle
from leadlift.terms import Cutoff, Stage

if TYPE_CHECKING:
    from datetime import datetime

    from leadlift.learning.cutoff import CutoffPolicy, Evidence


def evidence_of(bundle: ModelBundle, stage: Stage = Stage.MQL) -> Evidence:
    """Return the evidence on which the cut-off of a stage is decided.

    Parameters
    ----------
    bundle : ModelBundle
    stage : Stage
        MQL or SQL; they differ where a model of its own says which leads become SQL.

    Raises
    ------
    BundleError
        The bundle is of before evidence was kept.
    """
    scorer = _scorer_of(bundle, stage)
    if not hasattr(scorer, "evidence_"):
        msg = "the bundle keeps no evidence on which a cut-off could be decided; train again"
        raise BundleError(msg)
    return scorer.evidence_


def lines_of(bundle: ModelBundle, stage: Stage = Stage.MQL) -> dict[str, Cutoff]:
    """Return the cut-offs that are drawn on the scores of a stage, by the stage's name.

    They are both, unless a model of its own says which leads become SQL.
    """
    if bundle.became_sql is not None and stage is Stage.MQL:
        return {Stage.MQL.value: bundle.mql_cutoff}
    lines = {} if bundle.became_sql is not None else {Stage.MQL.value: bundle.mql_cutoff}
    return lines if bundle.sql_cutoff is None else lines | {Stage.SQL.value: bundle.sql_cutoff}


def change_cutoff(
    bundle: ModelBundle,
    policy: CutoffPolicy,
    *,
    stage: Stage = Stage.MQL,
    changed_at: datetime | None = None,
) -> ModelBundle:
    """Set the cut-off of a stage anew; the scores stay what they are, bit for bit.

    Where one model decides both stages, an SQL cut-off below the MQL one is raised to it.

    Parameters
    ----------
    bundle : ModelBundle
        It is left as it is.
    policy : CutoffPolicy
    stage : Stage, default=Stage.MQL
        MQL or SQL.
    changed_at : datetime, optional
        Moment of the change, for the record.

    Returns
    -------
    ModelBundle
        Not yet saved. Under ``provenance["cutoff_changes"]`` stands the version it was made from, and both
        cut-offs before and after.

    Raises
    ------
    BundleError
        The bundle keeps no evidence.
    ConfigError
        The evidence lacks what the policy needs.
    NoCutoffError
        No cut-off keeps the promise; carries the best that can be promised.
    """
    evidence_of(bundle, stage)
    changed = _with_cutoff(bundle, policy, stage)
    change = {
        "stage": stage.value,
        "previous_version": bundle.version,
        "changed_at": None if changed_at is None else changed_at.isoformat(),
        "before": _told(bundle),
        "after": _told(changed),
    }
    history = [*bundle.provenance.get("cutoff_changes", []), change]
    return replace(changed, provenance=bundle.provenance | {"cutoff_changes": history}, version="")


def _scorer_of(bundle: ModelBundle, stage: Stage) -> LeadScorer:
    """Return the model on whose scores the cut-off of a stage is drawn."""
    return bundle.scorer if stage is Stage.SQL else bundle.sql_scorer or bundle.scorer


def _with_cutoff(bundle: ModelBundle, policy: CutoffPolicy, stage: Stage) -> ModelBundle:
    scorer = copy(_scorer_of(bundle, stage))
    if stage is Stage.MQL and bundle.became_sql is not None:
        choose_mql_cutoff(scorer, policy)
        return bundle.with_scorers(sql_scorer=scorer)
    if stage is Stage.MQL:
        scorer.choose_cutoff(policy)
        return bundle.with_scorers(scorer)
    # With a second label the MQL cut-off is on other scores and binds this one to nothing.
    scorer.choose_cutoff(None if bundle.became_sql is None else policy, sql_policy=policy)
    return bundle.with_scorers(scorer)


def _told(bundle: ModelBundle) -> dict[str, Any]:
    cutoffs = {Stage.MQL: bundle.mql_cutoff, Stage.SQL: bundle.sql_cutoff}
    return {stage.value: None if cutoff is None else _facts(cutoff) for stage, cutoff in cutoffs.items()}


def _facts(cutoff: Cutoff) -> dict[str, Any]:
    return {"threshold": cutoff.threshold, "policy": cutoff.policy, "promise": cutoff.promise}
