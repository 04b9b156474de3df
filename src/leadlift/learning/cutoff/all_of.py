"""A cut-off that several policies agree to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from leadlift.exceptions import ConfigError, NoCutoffError, shorten
from leadlift.learning.cutoff.base import CutoffPolicy, promise
from leadlift.learning.cutoff.evidence import Evidence, describe, passes
from leadlift.learning.cutoff.guarantee import Guarantee
from leadlift.learning.cutoff.ladder import Ladder, quantile_ladder
from leadlift.learning.cutoff.stages import edge_of
from leadlift.terms import Cutoff

if TYPE_CHECKING:
    from numpy.typing import NDArray


class AllOf(CutoffPolicy):
    """The lowest cut-off that every policy admits: precise enough *and* within capacity, say.

    Policies such as a capacity, a share, a value or a threshold do not look at outcomes; the highest of their
    cut-offs is a threshold like one that was given. A precision guarantee is tested on it and on the
    quantiles above it, so that precision is certified at the very cut-off that is chosen: that of a lower one
    would say nothing about a higher one. A recall guarantee admits every cut-off up to its own. With a
    guarantee of either kind both hold together with at least the sum of their confidences less one
    (Bonferroni).

    Parameters
    ----------
    policies : sequence of CutoffPolicy
        At least two, of different kinds; no `AllOf`, and no `Value` that differs by lead.
    n_rungs : int, default=200
        Candidate thresholds of the guarantees, in place of their own.

    Examples
    --------
    >>> from leadlift.learning.cutoff import Evidence, FixedThreshold, TopShare
    >>> score = np.linspace(0.1, 0.9, 9)
    >>> cutoff = AllOf([FixedThreshold(0.3), TopShare(1 / 3)]).choose(Evidence(score, score, score > 0.5))
    >>> round(cutoff.threshold, 1), cutoff.binding
    (0.7, 'top share 0.333333')
    """

    def __init__(self, policies: Sequence[CutoffPolicy], n_rungs: int = 200) -> None:
        self.policies = policies
        self.n_rungs = n_rungs

    def check(self) -> None:
        """Raise ConfigError unless the policies are possible and can be combined."""
        kinds = [type(policy).__name__ for policy in self.policies]
        if len(kinds) < 2 or len(set(kinds)) < len(kinds):
            msg = f"AllOf needs at least two policies, each of another kind; got {shorten(kinds) or 'none'}"
            raise ConfigError(msg)
        for policy in self.policies:
            if not isinstance(policy, CutoffPolicy) or isinstance(policy, AllOf):
                msg = f"AllOf takes simple policies, got {type(policy).__name__}; list its own"
                raise ConfigError(msg)
            policy.check()

    @property
    def name(self) -> str:
        """The policies' names."""
        return "all of: " + "; ".join(policy.name for policy in self.policies)

    def claim(self, evidence: Evidence, passed: NDArray[np.bool_]) -> str:
        """Say what each policy says."""
        return "; ".join(policy.claim(evidence, passed) for policy in self.policies)

    def _choose(self, evidence: Evidence) -> Cutoff:
        floor, floor_name = self._floor(evidence)
        if not self._guarantees:
            return replace(self._describe(evidence, floor.threshold, floor.tie_break), binding=floor_name)
        ladder = quantile_ladder(evidence, int(self.n_rungs), floor)
        admitted = [policy.admits(evidence, ladder) for policy in self._guarantees]
        rungs = np.flatnonzero(np.all(admitted, axis=0))
        if not rungs.size:
            raise self._no_cutoff(evidence, ladder, admitted, floor_name)
        rung = int(rungs[-1])
        binding = floor_name if rung == len(ladder.n) - 1 else self._refusing(admitted, rung + 1)
        return replace(self._promise(evidence, ladder.edge(rung), self._guarantees), binding=binding)

    def _refusing(self, admitted: list[NDArray[np.bool_]], rung: int) -> str:
        """Return the names of the guarantees that do not admit a rung."""
        refusing = [
            policy.name for policy, mask in zip(self._guarantees, admitted, strict=True) if not mask[rung]
        ]
        return "; ".join(refusing)

    @property
    def _guarantees(self) -> list[Guarantee]:
        return [policy for policy in self.policies if isinstance(policy, Guarantee)]

    def _floor(self, evidence: Evidence) -> tuple[Cutoff | None, str]:
        """Return the highest cut-off of the policies that look at no outcome, and the policy's name."""
        chosen = [
            (policy.choose(evidence), policy.name)
            for policy in self.policies
            if not isinstance(policy, Guarantee)
        ]
        if any(cutoff.per_lead is not None for cutoff, _ in chosen):
            msg = (
                "AllOf sets one threshold for all leads, and a Value by win_value_column sets one for each; "
                "leave win_value_column out or use the Value alone"
            )
            raise ConfigError(msg)
        return max(chosen, key=lambda one: edge_of(one[0]), default=(None, ""))

    def _promise(
        self, evidence: Evidence, edge: tuple[float, float | None], guarantees: list[Guarantee]
    ) -> Cutoff:
        """Write down what the guarantees given and the other policies say at a threshold."""
        threshold, tie_break = edge
        passed = passes(evidence.score, threshold, log_odds=evidence.log_odds, tie_break=tie_break)
        told = [one for one in self.policies if one in guarantees or not isinstance(one, Guarantee)]
        together = sum(policy.confidence for policy in guarantees) - (len(guarantees) - 1)
        claims = [policy.claim(evidence, passed) for policy in told]
        if len(guarantees) > 1:
            claims.append(f"all of this together with at least {together:.0%} confidence")
        cutoff = describe(
            evidence,
            threshold,
            policy=self.name,
            promise=promise(claims, evidence, guaranteed=bool(guarantees)),
            confidence=together if guarantees else 0.95,
            tie_break=tie_break,
        )
        return replace(cutoff, **{policy.promised_field: policy.target for policy in guarantees})

    def _no_cutoff(
        self, evidence: Evidence, ladder: Ladder, admitted: list[NDArray[np.bool_]], floor_name: str
    ) -> NoCutoffError:
        """Say which demand fails, and what the best is without it."""
        limits = [f"{floor_name} admits scores from {ladder.threshold[-1]:.3g} on"] if floor_name else []
        for policy, mask in zip(self._guarantees, admitted, strict=True):
            if not mask.any():
                error = policy.no_cutoff(evidence, ladder)
                msg = "; ".join([f"no cut-off keeps {self.name}", *limits, f"{policy.name} fails"])
                return NoCutoffError(f"{msg}: {error}", error.best)
            scores = ladder.threshold[mask]
            limits.append(f"{policy.name} from {scores.min():.3g} to {scores.max():.3g}")
        best = self._without_the_last(evidence, ladder, admitted)
        msg = (
            f"no cut-off keeps {self.name}: the policies contradict each other ({'; '.join(limits)}). "
            f"Without {self._guarantees[-1].name}: {best.promise}. Lower one of the targets, or bring more "
            "leads with known outcome."
        )
        return NoCutoffError(msg, best)

    def _without_the_last(
        self, evidence: Evidence, ladder: Ladder, admitted: list[NDArray[np.bool_]]
    ) -> Cutoff:
        """Keep every guarantee but the last one, at the rung that comes nearest to it."""
        kept = np.flatnonzero(np.all(admitted[:-1], axis=0))
        rung = kept[-1] if kept[-1] < np.flatnonzero(admitted[-1])[0] else kept[0]
        return self._promise(evidence, ladder.edge(int(rung)), self._guarantees[:-1])
