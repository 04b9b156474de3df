"""A model is trained again when it is old or no longer right, and when there is something new to learn."""

import pytest

from leadlift.exceptions import ConfigError
from leadlift.lifecycle.retraining.rule import RetrainRule
from leadlift.terms import Finding, Severity


def finding(code, severity=Severity.WARNING):
    return Finding(code, severity, "title", "message")


PROMISE, DRIFT, BROKEN_FEED = finding("LL232"), finding("LL230"), finding("LL200", Severity.FATAL)
ALIEN = finding("LL220")


def test_age_alone_is_a_reason_from_the_limit_on():
    rule = RetrainRule(max_age_days=90)
    assert not rule.decide(age_days=89.9).needed
    assert rule.decide(age_days=90.0).reasons == ("the champion is 90 days old, 90 allowed",)
    assert not RetrainRule(max_age_days=None).decide(age_days=9999.0).needed
    assert not rule.decide(age_days=None).needed


@pytest.mark.parametrize(
    ("settings", "found", "needed"),
    [
        ({}, PROMISE, True),
        ({"on_broken_promise": False}, PROMISE, False),
        ({}, DRIFT, True),
        ({"on_drift": False}, DRIFT, False),
        ({"on_drift": False}, PROMISE, True),
        # What no learning mends, and what is only good to know.
        ({}, ALIEN, False),
        ({}, finding("LL230", Severity.INFO), False),
    ],
)
def test_alarms_are_reasons_as_asked(settings, found, needed):
    assert RetrainRule(**settings).decide(findings=[found]).needed is needed


def test_reasons_are_told_with_code_and_message():
    assert RetrainRule().decide(findings=[DRIFT]).reasons == ("LL230 title: message",)


def test_a_broken_feed_is_mended_before_anything_is_learnt_from_it():
    decision = RetrainRule().decide(age_days=999.0, findings=[DRIFT, BROKEN_FEED], n_new_labels=10_000)
    assert (decision.needed, decision.is_blocked) == (False, True)
    assert decision.reasons == ("LL200 title: message",)


def test_a_reason_waits_for_new_outcomes():
    rule = RetrainRule(max_age_days=90, min_new_labels=200)
    waiting = rule.decide(age_days=100.0, n_new_labels=199)
    assert not waiting.needed
    assert waiting.reasons == (
        "199 new outcomes, 200 are waited for",
        "waiting: the champion is 100 days old, 90 allowed",
    )
    assert rule.decide(age_days=100.0, n_new_labels=200).needed
    assert rule.decide(age_days=100.0, n_new_labels=None).needed
    assert not rule.decide(age_days=1.0, n_new_labels=10_000).needed


@pytest.mark.parametrize(("name", "value"), [("max_age_days", 0), ("min_new_labels", 0)])
def test_impossible_rules_are_refused(name, value):
    with pytest.raises(ConfigError, match=name):
        RetrainRule(**{name: value})
