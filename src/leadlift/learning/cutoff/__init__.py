"""Where a lead qualifies: policies that turn evidence into a cut-off, or say that none is honest.

A policy is an object with one method, ``choose(evidence) -> Cutoff``. A lead passes when
``score >= threshold``; that is decided in :func:`leadlift.learning.cutoff.evidence.passes` and nowhere
else.
"""

from __future__ import annotations

from importlib import import_module

from leadlift.exceptions import ConfigError
from leadlift.learning.cutoff.base import CutoffPolicy
from leadlift.learning.cutoff.capacity import Capacity
from leadlift.learning.cutoff.evidence import Evidence, describe, gather_evidence, passes
from leadlift.learning.cutoff.fixed import FixedThreshold
from leadlift.learning.cutoff.precision import PrecisionGuarantee
from leadlift.learning.cutoff.stages import both_stages
from leadlift.learning.cutoff.value import Value

__all__ = [
    "POLICIES",
    "Capacity",
    "CutoffPolicy",
    "Evidence",
    "FixedThreshold",
    "PrecisionGuarantee",
    "Value",
    "both_stages",
    "describe",
    "gather_evidence",
    "get_policy",
    "passes",
]

# Name in leadlift.toml -> "module:Class"; a new policy is one line here and one class anywhere.
POLICIES = {
    "fixed_threshold": "leadlift.learning.cutoff.fixed:FixedThreshold",
    "precision_guarantee": "leadlift.learning.cutoff.precision:PrecisionGuarantee",
    "capacity": "leadlift.learning.cutoff.capacity:Capacity",
    "value": "leadlift.learning.cutoff.value:Value",
}


def get_policy(name: str, **parameters: float) -> CutoffPolicy:
    """Return a policy by its registered name.

    Raises
    ------
    ConfigError
        No policy has that name, or it does not take those parameters.
    """
    if name not in POLICIES:
        msg = f"no cut-off policy is called {name!r}; there are {', '.join(POLICIES)}"
        raise ConfigError(msg)
    module, attribute = POLICIES[name].split(":")
    policy = getattr(import_module(module), attribute)
    try:
        chosen = policy(**parameters)
    except TypeError as error:
        takes = ", ".join(policy._get_param_names())
        msg = f"policy {name!r} takes {takes}; got {', '.join(parameters) or 'nothing'}"
        raise ConfigError(msg) from error
    chosen.check()
    return chosen
