"""The window: leads that neither champion nor challenger was fitted, calibrated or cut on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from leadlift.exceptions import SchemaError
from leadlift.lifecycle.holdout import LEAST_TESTED
from leadlift.lifecycle.keeping import NOT_KEPT
from leadlift.lifecycle.preparing import lead_groups
from leadlift.lifecycle.reproducing import as_trained
from leadlift.terms import Finding, Severity

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leadlift.config import LeadliftConfig
    from leadlift.lifecycle.modelling import SavedModel
    from leadlift.lifecycle.preparing import Problem
    from leadlift.serving.bundle import ModelBundle

# What makes the label: models that differ in one of them answer two questions.
LABEL_ROLES = ("outcome", "won", "lost", "open", "created_at", "closed_at", "qualified_at", "horizon_days")


def window_of(champion: ModelBundle, challenger: SavedModel) -> NDArray[np.int64]:
    """Return the rows that the challenger held back and of whose leads the champion had seen nothing.

    The champion has seen leads observed before the first one that it held back; of a champion that does not
    say which that was, all leads of its training.

    Parameters
    ----------
    champion : ModelBundle
    challenger : SavedModel

    Returns
    -------
    ndarray of int64
        Of the challenger's problem, in the order of their content; empty where time is not known.
    """
    split, problem = challenger.split, challenger.problem
    first = _first_unseen(champion.provenance)
    if first is None or not split.is_forward or problem.observations.time != "dates":
        return split.test[:0]
    lead = lead_groups(problem.observations)
    seen = np.unique(lead[problem.as_of < first])
    return split.test[~np.isin(lead[split.test], seen)]


def too_few(problem: Problem, rows: NDArray[np.int64]) -> Finding | None:
    """Return LL250 where the window cannot tell two models apart.

    Parameters
    ----------
    problem : Problem
    rows : ndarray of int64
        From :func:`window_of`.

    Returns
    -------
    Finding or None
        None where it holds at least 10 won and 10 lost leads.
    """
    won = int(problem.y[rows].sum())
    if min(won, len(rows) - won) >= LEAST_TESTED:
        return None
    return Finding(
        code="LL250",
        severity=Severity.WARNING,
        title="nothing to judge the challenger on",
        message=(
            f"expected at least {LEAST_TESTED} won and {LEAST_TESTED} lost leads that neither model was "
            f"fitted, calibrated or cut on, got {won} won and {len(rows) - won} lost"
        ),
        remedy="wait for later outcomes, or promote with --force and a reason",
        count=len(rows),
    )


def require_same_label(config: LeadliftConfig, champion: ModelBundle) -> None:
    """Refuse to compare models of different labels.

    Parameters
    ----------
    config : LeadliftConfig
        Of the challenger.
    champion : ModelBundle

    Raises
    ------
    SchemaError
        Outcome, its values, the dates, the horizon or the moments of observation are others.
    """
    sections = {"schema": LABEL_ROLES, "observations": ("at_days", "every_days", "until_days")}
    before, now = _settings(as_trained(config, champion, models=config.models)), _settings(config)
    names = [f"{section}.{key}" for section, keys in sections.items() for key in keys]
    changed = [f"{name}: {before[name]!r} -> {now[name]!r}" for name in names if before[name] != now[name]]
    if changed:
        msg = (
            "the challenger would learn another label than the champion, so that nothing compares them: "
            f"{'; '.join(changed)}. Put the settings back, or begin anew with `leadlift train`"
        )
        raise SchemaError(msg)


def changed_settings(config: LeadliftConfig, champion: ModelBundle) -> Finding | None:
    """Return LL251 where the challenger is learnt with other settings than the champion was.

    Parameters
    ----------
    config : LeadliftConfig
        Of the challenger.
    champion : ModelBundle

    Returns
    -------
    Finding or None
    """
    before, now = _settings(as_trained(config, champion, models=config.models)), _settings(config)
    names = sorted(before.keys() | now.keys())
    changed = [
        f"{name}: {before.get(name)!r} -> {now.get(name)!r}"
        for name in names
        if before.get(name) != now.get(name)
    ]
    if not changed:
        return None
    return Finding(
        code="LL251",
        severity=Severity.INFO,
        title="settings differ from the champion's",
        message="; ".join(changed),
        count=len(changed),
    )


def _settings(config: LeadliftConfig) -> dict[str, Any]:
    """The settings by their dotted names."""
    return _flat("", config.model_dump(mode="json", by_alias=True, exclude=NOT_KEPT))


def _flat(prefix: str, values: dict[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat |= _flat(f"{prefix}{key}.", value) if isinstance(value, dict) else {prefix + key: value}
    return flat


def _first_unseen(provenance: dict[str, Any]) -> np.datetime64 | None:
    """The first moment of which the champion had seen no lead."""
    if provenance.get("test_from") is not None:
        return np.datetime64(provenance["test_from"])
    known = provenance["as_of_range"]
    return None if known is None else np.datetime64(known[1]) + np.timedelta64(1, "us")
