"""Where a lead qualifies: policies that turn evidence into a cut-off, or say that none is honest.

A policy is an object with one method, ``choose(evidence) -> Cutoff``. A lead passes when
``score >= threshold``; that is decided in :func:`leadlift.learning.cutoff.evidence.passes` and nowhere
else.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from leadlift.exceptions import ConfigError

if TYPE_CHECKING:
    from leadlift.learning.cutoff.base import CutoffPolicy

# Where the public names are. They are imported when they are first asked for: a scoring job decides who
# passes, and needs neither a policy nor the statistics behind it.
_HOMES = {
    "AllOf": "all_of",
    "Capacity": "capacity",
    "CutoffPolicy": "base",
    "Evidence": "evidence",
    "FixedThreshold": "fixed",
    "PrecisionGuarantee": "precision",
    "RecallGuarantee": "recall",
    "TopShare": "top_share",
    "Value": "value",
    "both_stages": "stages",
    "describe": "evidence",
    "gather_evidence": "evidence",
    "passes": "evidence",
    "thresholds": "lead_value",
    "value_frontier": "frontier",
}

__all__ = ["POLICIES", "get_policy", "policy_class", *_HOMES]

# Name in leadlift.toml -> "module:Class"; a new policy is one line here and one class anywhere.
POLICIES = {
    "fixed_threshold": "leadlift.learning.cutoff.fixed:FixedThreshold",
    "precision_guarantee": "leadlift.learning.cutoff.precision:PrecisionGuarantee",
    "recall_guarantee": "leadlift.learning.cutoff.recall:RecallGuarantee",
    "capacity": "leadlift.learning.cutoff.capacity:Capacity",
    "top_share": "leadlift.learning.cutoff.top_share:TopShare",
    "value": "leadlift.learning.cutoff.value:Value",
    "all_of": "leadlift.learning.cutoff.all_of:AllOf",
}


def __getattr__(name: str) -> Any:
    """Import the home of a public name and return it."""
    if name not in _HOMES:
        msg = f"module 'leadlift.learning.cutoff' has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(f"leadlift.learning.cutoff.{_HOMES[name]}"), name)


def get_policy(name: str, **parameters: Any) -> CutoffPolicy:
    """Return a policy by its registered name.

    Parameters
    ----------
    name : str
        One of :data:`POLICIES`.
    **parameters
        Of the policy. A list of tables such as ``{"policy": "capacity", "per_week": 20}`` becomes a list of
        policies.

    Returns
    -------
    CutoffPolicy

    Raises
    ------
    ConfigError
        No policy has that name, or it does not take those parameters.

    Examples
    --------
    >>> get_policy("top_share", share=0.2)
    TopShare(share=0.2)
    """
    policy = policy_class(name)
    try:
        chosen = policy(**{key: _with_policies(key, value) for key, value in parameters.items()})
    except TypeError as error:
        takes = ", ".join(policy._get_param_names())
        msg = f"policy {name!r} takes {takes}; got {', '.join(parameters) or 'nothing'}"
        raise ConfigError(msg) from error
    _check(chosen, name)
    return chosen


def policy_class(name: str) -> type[CutoffPolicy]:
    """Return the class of a policy by its registered name.

    Raises
    ------
    ConfigError
        No policy has that name.

    Examples
    --------
    >>> policy_class("capacity").__name__
    'Capacity'
    """
    if name not in POLICIES:
        msg = f"no cut-off policy is called {name!r}; there are {', '.join(POLICIES)}"
        raise ConfigError(msg)
    module, attribute = POLICIES[name].split(":")
    return getattr(import_module(module), attribute)


def _check(policy: CutoffPolicy, name: str) -> None:
    """Raise ConfigError where a parameter is impossible or of the wrong kind."""
    try:
        policy.check()
    except TypeError as error:
        msg = f"policy {name!r} has a parameter of the wrong kind: {policy}"
        raise ConfigError(msg) from error


def _with_policies(key: str, value: Any) -> Any:
    """Make policies of the tables of a list."""
    if not isinstance(value, list | tuple):
        return value
    return [
        _policy_of_table(f"{key}[{place}]", item) if isinstance(item, dict) else item
        for place, item in enumerate(value)
    ]


def _policy_of_table(where: str, table: dict[str, Any]) -> CutoffPolicy:
    parameters = {key: value for key, value in table.items() if key != "policy"}
    if "policy" not in table:
        msg = f"{where} names no policy; write policy = one of {', '.join(POLICIES)}"
        raise ConfigError(msg)
    try:
        return get_policy(table["policy"], **parameters)
    except ConfigError as error:
        msg = f"{where}: {error}"
        raise ConfigError(msg) from error
