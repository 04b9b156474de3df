"""The sections about retraining of a leadlift.toml that is drafted."""

from __future__ import annotations

from leadlift.config.retrain import ContractConfig, RetrainConfig
from leadlift.data.toml_text import setting

_RULE_MEANINGS = {
    "max_age_days": "days since the latest lead the champion knows",
    "on_drift": "drift of inputs, scores, base rate or calibration is a reason",
    "on_broken_promise": "a broken promise of a cut-off is a reason",
    "min_new_labels": "a reason waits for so many new outcomes",
}
_CONTRACT_MEANINGS = {
    "log_loss_margin": "largest rise of the log loss, as a share",
    "wins_margin": "largest loss of captured wins, as a share",
    "calibration_margin": "wins may be 1 + this times off what the scores add up to",
    "volume_factor": "the MQL line may pass so many times more or fewer leads",
    "rank_churn_limit": "largest share of qualified leads that would be others",
    "moved_two_grades_limit": "largest share of leads that move by two grades or more",
    "reason_similarity": "least cosine between mean contributions by column",
    "allow_new_inputs": "whether columns may be read that the champion does not read",
    "confidence": "of each one-sided bound",
}


def retrain_section() -> list[str]:
    """Write when to retrain and what a challenger must show, all switched off: the defaults hold.

    Returns
    -------
    list of str
        Lines.
    """
    rule, contract = RetrainConfig(), ContractConfig()
    return [
        "[retrain]  # when `leadlift retrain --if-needed` retrains; see docs/retraining.md",
        *_settings(rule, _RULE_MEANINGS),
        "",
        "[retrain.contract]  # what a challenger must show to be promoted",
        *_settings(contract, _CONTRACT_MEANINGS),
    ]


def _settings(defaults: RetrainConfig | ContractConfig, meanings: dict[str, str]) -> list[str]:
    return [setting(key, getattr(defaults, key), meaning, is_off=True) for key, meaning in meanings.items()]
