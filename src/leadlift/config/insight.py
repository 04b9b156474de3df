"""The section about insight: the language of reasons, and what the report looks at beside the inputs."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from leadlift.config.base import Name, Section


class InsightConfig(Section):
    """What is told of leads, and in which words; the defaults need no column to be named.

    Parameters
    ----------
    language : str
        Of the reasons: ``"en"``, ``"de"``, or that of the file under `texts`.
    texts : str or None
        TOML file whose texts replace those of the language, relative to the folder of leadlift.toml.
    segments : tuple of str
        Columns of the leads by which results are split; empty takes the categories among the inputs.
    actionable : tuple of str
        Inputs that somebody can change; empty takes the family engagement.
    protected : tuple of str
        Columns of the leads by whose groups the model is audited; they are no inputs for that.
    loss_reason : str or None
        Column of the leads that says why a lead was lost.
    loss_text : tuple of str
        Columns of the leads with what lost leads said, free text.
    loss_language : str
        Of these texts; their sentiment is told for ``"en"`` alone.
    period_days : float
        Length of the latest period that is compared with the one before.
    """

    language: Name = "en"
    texts: Name | None = None
    segments: tuple[str, ...] = ()
    actionable: tuple[str, ...] = ()
    protected: tuple[str, ...] = ()
    loss_reason: Name | None = None
    loss_text: tuple[str, ...] = ()
    loss_language: Name = "en"
    period_days: Annotated[float, Field(gt=0, lt=36500)] = 90.0
