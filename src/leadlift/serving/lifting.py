"""lift(): a bundle and the inputs of leads -> the nearest change that would lift each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from leadlift.insight.lift import LEAST_GAIN_POINTS, MOST_STEPS, lift_scores

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from leadlift.serving.bundle import ModelBundle


def lift(
    bundle: ModelBundle,
    X: Any,
    *,
    actionable: Sequence[str] | None = None,
    least_gain_points: float = LEAST_GAIN_POINTS,
    most_steps: int = MOST_STEPS,
) -> pa.Table:
    """Find for each lead the nearest single change that would lift its score, as association, not cause.

    Parameters
    ----------
    bundle : ModelBundle
    X : table of shape (n_rows, n_columns)
        The inputs of its model: columns as they stand, or the features that its builder makes.
    actionable : sequence of str, optional
        Columns that somebody can change; those of ``[insight] actionable`` at training, if not given.
    least_gain_points, most_steps
        As for :func:`leadlift.insight.lift.lift_scores`, whose table is returned.

    Returns
    -------
    pyarrow.Table
        :data:`leadlift.insight.lift.LIFT_SCHEMA`, one row a lead.

    Raises
    ------
    ConfigError
        A column in `actionable` is no input, or tells of the past.
    """
    return lift_scores(
        bundle.scorer,
        X,
        specs=bundle.specs,
        profiles=bundle.reference.columns,
        actionable=actionable_at_training(bundle) if actionable is None else actionable,
        least_gain_points=least_gain_points,
        most_steps=most_steps,
        texts=bundle.texts,
    )


def actionable_at_training(bundle: ModelBundle) -> tuple[str, ...]:
    """Return the columns that ``[insight] actionable`` named when the model was trained; none without."""
    config = bundle.provenance.get("config", {})
    return tuple(config.get("insight", {}).get("actionable", ()))
