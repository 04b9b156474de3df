"""The section about retraining: when it is needed, and what a challenger must show to be promoted."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from leadlift.config.base import Section

Share = Annotated[float, Field(ge=0, le=1)]


class ContractConfig(Section):
    """Margins and limits of the promotion contract; see :class:`leadlift.PromotionContract`.

    Parameters
    ----------
    log_loss_margin : float
        Largest rise of the log loss, as a share of the champion's.
    wins_margin : float
        Largest loss of captured wins, as a share of the champion's.
    calibration_margin : float
        Wins may be ``1 + calibration_margin`` times off what the scores add up to.
    volume_factor : float
        The MQL line may pass so many times more or fewer leads.
    rank_churn_limit : float
        Largest share of qualified leads that would be others at equal volume.
    moved_two_grades_limit : float
        Largest share of leads that move by two grades or more.
    reason_similarity : float
        Least cosine between the mean contributions by column.
    allow_new_inputs : bool
        Whether columns may be read that the champion does not read.
    confidence : float
        Of each one-sided bound.
    """

    log_loss_margin: Annotated[float, Field(ge=0)] = 0.02
    wins_margin: Share = 0.1
    calibration_margin: Annotated[float, Field(ge=0)] = 0.25
    volume_factor: Annotated[float, Field(ge=1)] = 2.0
    rank_churn_limit: Share = 0.5
    moved_two_grades_limit: Share = 0.1
    reason_similarity: Share = 0.8
    allow_new_inputs: bool = False
    confidence: Annotated[float, Field(gt=0.5, lt=1)] = 0.95


class RetrainConfig(Section):
    """When `leadlift retrain --if-needed` retrains, and what the challenger must show.

    Parameters
    ----------
    max_age_days : float or None
        Days since the latest lead that the champion learnt from or was tested on; None sets no age.
    on_drift : bool
        Whether drift of inputs, scores, base rate or calibration is a reason.
    on_broken_promise : bool
        Whether a broken or void promise of a cut-off is a reason.
    min_new_labels : int or None
        A reason waits until so many outcomes have become known since the latest model was learnt.
    contract : ContractConfig
    """

    max_age_days: Annotated[float, Field(gt=0, lt=36500)] | None = 180.0
    on_drift: bool = True
    on_broken_promise: bool = True
    min_new_labels: Annotated[int, Field(ge=1)] | None = 200
    contract: ContractConfig = Field(default_factory=ContractConfig)
