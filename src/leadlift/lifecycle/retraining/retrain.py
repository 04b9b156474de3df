"""retrain(): learn a challenger, hold it against the champion on the same later leads, promote it or not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np

from leadlift.data.reading import read_leads
from leadlift.exceptions import ConfigError, SchemaError
from leadlift.lifecycle.modelling import make_model
from leadlift.lifecycle.observing import observe
from leadlift.lifecycle.registry import Registry
from leadlift.lifecycle.retraining.contract import PromotionContract
from leadlift.lifecycle.retraining.evidence import gather
from leadlift.lifecycle.retraining.outcome import Judgement, RetrainOutcome, RetrainResult, outcome_finding
from leadlift.lifecycle.retraining.window import changed_settings, require_same_label, too_few, window_of
from leadlift.serving.bundle import ModelBundle
from leadlift.terms import Finding, Severity

if TYPE_CHECKING:
    from datetime import datetime

    from leadlift.config import LeadliftConfig
    from leadlift.lifecycle.modelling import SavedModel, Step
    from leadlift.lifecycle.monitoring.monitor import MonitorResult
    from leadlift.lifecycle.retraining.rule import RetrainDecision, RetrainRule


def retrain(
    config: LeadliftConfig,
    *,
    by: str,
    at: datetime,
    why: str = "",
    dry_run: bool = False,
    force_reason: str = "",
    rule: RetrainRule | None = None,
    monitored: MonitorResult | None = None,
    on_step: Step | None = None,
    on_trial: Callable[[int], None] | None = None,
) -> RetrainResult:
    """Train a challenger on the leads of now and promote it if every clause of the contract holds.

    Both models are compared on the leads that the challenger holds back and of which the champion has seen
    nothing. The challenger leaves out columns that look written after the outcome; new ones are a clause.

    Parameters
    ----------
    config : LeadliftConfig
        Of the challenger; `[retrain.contract]` holds the margins.
    by : str
        Who does it, for the audit log.
    at : datetime with time zone
        When, for the age of the champion and for the audit log.
    why : str
        For the audit log.
    dry_run : bool, default=False
        Change nothing; only the verdict is written.
    force_reason : str
        Promote whatever the contract says, for this reason, which the audit log keeps.
    rule : RetrainRule, optional
        Retrain only if it says so.
    monitored : MonitorResult, optional
        What the rule looks at.
    on_step : callable, optional
        Called with the name of each step as it begins.
    on_trial : callable, optional
        Called with the number of search trials finished.

    Returns
    -------
    RetrainResult

    Raises
    ------
    ConfigError
        A dry run is forced, or `at` has no time zone.
    RegistryError, BundleError
        There is no champion, it cannot be read, or the registry does not answer; the champion serves on.
    SchemaError
        The challenger would learn another label.
    InputError, LeakageError, NoCutoffError
        As for :func:`leadlift.train`; the champion serves on.
    """
    if dry_run and force_reason:
        msg = "a dry run promotes nothing, so there is nothing to force; leave one of both out"
        raise ConfigError(msg)
    registry = Registry(config.models, config.tracking_uri)
    champion = ModelBundle.load(registry.folder("champion"))
    require_same_label(config, champion)
    decision = None
    if rule is not None:
        decision = decide(config, champion, rule, at=at, monitored=monitored, latest=_latest(registry))
        if not decision.needed:
            idle = RetrainOutcome.BLOCKED if decision.is_blocked else RetrainOutcome.NOT_NEEDED
            return RetrainResult(idle, champion.version, decision)
    challenger, judgement = _challenge(config, champion, on_step or (lambda _: None), on_trial)
    path, digest = judgement.write(config.models)
    outcome = _outcome(judgement, dry_run=dry_run, force_reason=force_reason)
    if not dry_run and not judgement.is_unchanged:
        reasons = () if decision is None else decision.reasons
        asked = "; ".join(filter(None, (why, *reasons)))
        registry.register(challenger, by=by, at=at, why=asked)
        is_forced = outcome is RetrainOutcome.FORCED
        if outcome is not RetrainOutcome.REFUSED:
            registry.promote(
                challenger.version,
                by=by,
                at=at,
                why=force_reason if is_forced else asked,
                action="force" if is_forced else "promote",
                expected_champion=champion.version,
                verdict_sha256=digest,
            )
    findings = (*judgement.findings, *outcome_finding(outcome, judgement, force_reason))
    return RetrainResult(outcome, champion.version, decision, judgement, path, findings)


def decide(
    config: LeadliftConfig,
    champion: ModelBundle,
    rule: RetrainRule,
    *,
    at: datetime,
    monitored: MonitorResult | None = None,
    latest: ModelBundle | None = None,
) -> RetrainDecision:
    """Ask a rule whether to retrain.

    Parameters
    ----------
    config : LeadliftConfig
    champion : ModelBundle
    rule : RetrainRule
    at : datetime with time zone
    monitored : MonitorResult, optional
    latest : ModelBundle, optional
        Learnt last, and refused; outcomes are new if it does not know them. None takes the champion.

    Returns
    -------
    RetrainDecision

    Raises
    ------
    ConfigError
        `at` has no time zone.
    InputError
        The leads cannot be read, where new labels are to be counted.
    """
    known, known_last = _latest_known(champion), _latest_known(latest or champion)
    n_new = None if rule.min_new_labels is None or known_last is None else _new_labels(config, known_last)
    return rule.decide(
        age_days=None if known is None else _days_between(known, at),
        findings=() if monitored is None else monitored.findings,
        n_new_labels=n_new,
    )


def judge(champion: ModelBundle, challenger: SavedModel, config: LeadliftConfig) -> Judgement:
    """Judge a challenger by the contract of a configuration.

    Parameters
    ----------
    champion : ModelBundle
    challenger : SavedModel
    config : LeadliftConfig

    Returns
    -------
    Judgement
        Without verdict where no leads are new to both models, or the champion cannot score them.
    """
    told = Judgement(champion.version, challenger.bundle.version)
    if told.is_unchanged:
        return replace(told, findings=(_unchanged(),))
    changed = changed_settings(config, champion)
    findings = () if changed is None else (changed,)
    rows = window_of(champion, challenger)
    nothing = too_few(challenger.problem, rows)
    if nothing is not None:
        return replace(told, findings=(*findings, nothing))
    contract = PromotionContract(**config.retrain.contract.model_dump())
    try:
        comparison, facts = gather(champion, challenger, rows, config, confidence=contract.confidence)
    except SchemaError as error:
        return replace(told, findings=(*findings, _not_comparable(error)))
    return replace(told, comparison=comparison, verdict=contract.judge(comparison, facts), findings=findings)


def _challenge(
    config: LeadliftConfig,
    champion: ModelBundle,
    step: Step,
    on_trial: Callable[[int], None] | None,
) -> tuple[ModelBundle, Judgement]:
    """Learn a challenger where it stands in nobody's way, and judge it."""
    with TemporaryDirectory(prefix="leadlift-challenger-") as folder:
        elsewhere = config.model_copy(update={"models": folder})
        made = make_model(
            elsewhere, name="challenger", leave_out_suspects=True, on_step=step, on_trial=on_trial
        )
    step("Comparing challenger and champion")
    return made.bundle, judge(champion, made, config)


def _outcome(judgement: Judgement, *, dry_run: bool, force_reason: str) -> RetrainOutcome:
    if judgement.is_unchanged:
        return RetrainOutcome.UNCHANGED
    if judgement.holds:
        return RetrainOutcome.WOULD_PROMOTE if dry_run else RetrainOutcome.PROMOTED
    return RetrainOutcome.FORCED if force_reason else RetrainOutcome.REFUSED


def _latest(registry: Registry) -> ModelBundle | None:
    """The challenger that was refused last; None where the champion was learnt last."""
    challenger = registry.state().challenger
    return None if challenger is None else ModelBundle.load(registry.folder(challenger))


def _latest_known(champion: ModelBundle) -> np.datetime64 | None:
    """The latest lead that the champion learnt from or was tested on."""
    known = champion.provenance["as_of_range"]
    return None if known is None else np.datetime64(known[1], "us")


def _new_labels(config: LeadliftConfig, latest: np.datetime64) -> int:
    """Observations with a known outcome that came later."""
    as_of = observe(read_leads(config), config).as_of
    return 0 if as_of is None else int((as_of > latest).sum())


def _days_between(latest: np.datetime64, at: datetime) -> float:
    if at.tzinfo is None:
        msg = f"at is a moment with time zone, got {at.isoformat()}"
        raise ConfigError(msg)
    seconds = at.timestamp() - latest.astype("datetime64[us]").astype(np.int64) / 1e6
    return float(seconds / 86_400)


def _unchanged() -> Finding:
    return Finding(
        code="LL255",
        severity=Severity.INFO,
        title="the challenger is the champion",
        message="the same leads, settings and code gave the same model again",
        remedy="retrain once there are new outcomes, or with other settings",
    )


def _not_comparable(error: SchemaError) -> Finding:
    return Finding(
        code="LL252",
        severity=Severity.WARNING,
        title="the champion cannot score these leads",
        message=str(error),
        remedy="bring the columns back, or promote with --force and a reason",
    )
