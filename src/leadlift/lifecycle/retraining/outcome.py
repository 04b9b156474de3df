"""How a retraining ended, and what it is told by."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leadlift.serving.journal import write_synced
from leadlift.serving.writing import told
from leadlift.terms import Finding, Severity

if TYPE_CHECKING:
    from leadlift.lifecycle.retraining.comparison import Comparison
    from leadlift.lifecycle.retraining.contract import Verdict
    from leadlift.lifecycle.retraining.rule import RetrainDecision

VERDICTS = "verdicts"


class RetrainOutcome(StrEnum):
    """How a retraining ended."""

    NOT_NEEDED = "not needed"
    BLOCKED = "blocked by a broken feed"
    PROMOTED = "promoted"
    FORCED = "promoted by force"
    REFUSED = "refused"
    UNCHANGED = "unchanged"
    WOULD_PROMOTE = "would be promoted"


@dataclass(frozen=True)
class Judgement:
    """What was found about a challenger.

    Parameters
    ----------
    champion, challenger : str
        Versions.
    comparison : Comparison or None
        None where there was nothing to compare on.
    verdict : Verdict or None
        None where there was nothing to judge on.
    findings : tuple of Finding
        LL250 to LL252 and LL255.
    """

    champion: str
    challenger: str
    comparison: Comparison | None = None
    verdict: Verdict | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether the challenger may be promoted."""
        return self.verdict is not None and self.verdict.holds

    @property
    def is_unchanged(self) -> bool:
        """Whether the same data, settings and code gave the same model again."""
        return self.champion == self.challenger

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values, the same for the same models and leads."""
        return {
            "champion": self.champion,
            "challenger": self.challenger,
            "holds": self.holds,
            "verdict": None if self.verdict is None else self.verdict.to_dict(),
            "comparison": None if self.comparison is None else self.comparison.to_dict(),
            "findings": [asdict(finding) for finding in self.findings],
        }

    def write(self, models: str | Path) -> tuple[Path, str]:
        """Write it below ``verdicts`` of the models folder, whole or not, under a name with its hash.

        Parameters
        ----------
        models : str or Path

        Returns
        -------
        path : Path
        sha256 : str
            Of the file, for the audit log.

        Raises
        ------
        InputError
            It cannot be written.
        """
        content = (json.dumps(self.to_dict(), indent=1, ensure_ascii=False) + "\n").encode()
        digest = hashlib.sha256(content).hexdigest()
        path = Path(models) / VERDICTS / f"{self.challenger}-against-{self.champion}-{digest[:12]}.json"
        with told(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_synced(path, content)
        return path, digest


@dataclass(frozen=True)
class RetrainResult:
    """What became of a retraining.

    Parameters
    ----------
    outcome : RetrainOutcome
    champion : str
        Version that was in service when it began.
    decision : RetrainDecision or None
        What the rule said; None where it was not asked.
    judgement : Judgement or None
        None where no challenger was trained.
    verdict_file : Path or None
    findings : tuple of Finding
    """

    outcome: RetrainOutcome
    champion: str
    decision: RetrainDecision | None = None
    judgement: Judgement | None = None
    verdict_file: Path | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def needs_action(self) -> bool:
        """Whether a model was asked for and none may serve."""
        return self.outcome in {RetrainOutcome.BLOCKED, RetrainOutcome.REFUSED, RetrainOutcome.UNCHANGED}

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        judged = {} if self.judgement is None else self.judgement.to_dict()
        return judged | {
            "outcome": self.outcome.value,
            "champion": self.champion,
            "decision": None if self.decision is None else self.decision.to_dict(),
            "verdict_file": None if self.verdict_file is None else str(self.verdict_file),
            "findings": [asdict(finding) for finding in self.findings],
        }


def outcome_finding(outcome: RetrainOutcome, judgement: Judgement, reason: str) -> tuple[Finding, ...]:
    """Return LL253 for a refusal, LL254 for a promotion against the contract; nothing for others.

    Parameters
    ----------
    outcome : RetrainOutcome
    judgement : Judgement
    reason : str
        Of a promotion by force.
    """
    failed = () if judgement.verdict is None else judgement.verdict.failed
    said = f"clauses that do not hold: {', '.join(failed)}" if failed else "the contract could not be judged"
    if outcome is RetrainOutcome.REFUSED:
        return (
            _warning(
                "LL253",
                "the challenger was refused",
                f"challenger {judgement.challenger} is not promoted; {said}",
                "the champion serves as before; mend what the verdict names, or promote with --force and a "
                "reason",
                len(failed),
            ),
        )
    if outcome is RetrainOutcome.FORCED:
        return (
            _warning(
                "LL254",
                "promoted against the contract",
                f"challenger {judgement.challenger} is promoted because {reason!r}; {said}",
                "watch it; `leadlift rollback` brings the champion of before back",
                len(failed),
            ),
        )
    return ()


def _warning(code: str, title: str, message: str, remedy: str, count: int) -> Finding:
    return Finding(code, Severity.WARNING, title, message, remedy, count=count)
