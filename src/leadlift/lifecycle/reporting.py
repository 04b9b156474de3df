"""The report on a model: every section from the public functions that its blocks name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leadlift.insight.report.blocks import Report
from leadlift.insight.report.page import write_report
from leadlift.insight.scorecard.exports import write_scorecard
from leadlift.lifecycle import business_sections as business
from leadlift.lifecycle import model_sections as model
from leadlift.lifecycle import trust_sections as trust
from leadlift.lifecycle.looking_back import Hindsight, look_back
from leadlift.serving.bundle import ModelBundle

if TYPE_CHECKING:
    from leadlift.config import LeadliftConfig

PARTS = (
    model.data_part,
    model.quality_part,
    model.cutoffs_part,
    model.drivers_part,
    *business.PARTS,
    *trust.PARTS,
    model.provenance_part,
)


@dataclass(frozen=True)
class ModelReport:
    """A report that was written.

    Parameters
    ----------
    report : Report
    files : tuple of Path
        The page first.
    """

    report: Report
    files: tuple[Path, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        sections = [{"key": s.key, "title": s.title, "summary": s.summary} for s in self.report.sections]
        return {"files": [str(path) for path in self.files], "sections": sections}


def report_on(hindsight: Hindsight) -> Report:
    """Make the report on a model from leads whose outcome is known.

    Parameters
    ----------
    hindsight : Hindsight
        From :func:`leadlift.lifecycle.looking_back.look_back`.

    Returns
    -------
    Report
        Sections that the leads or the configuration have nothing for are left out.
    """
    parts = [part(hindsight) for part in PARTS]
    bundle = hindsight.bundle
    leads = f"{hindsight.problem.n_leads:,} leads"
    return Report(
        title="Which leads convert, and why",
        subtitle=f"{leads}, model {bundle.version}, tested {hindsight.split.kind}.",
        sections=tuple(part for part in parts if part is not None),
    )


def write_model_report(
    config: LeadliftConfig,
    bundle: ModelBundle | str | Path,
    out: str | Path,
    *,
    scorecards: Sequence[str | Path] = (),
    on_step: Callable[[str], None] | None = None,
) -> ModelReport:
    """Read the leads, look at them through a model, and write the page.

    Parameters
    ----------
    config : LeadliftConfig
    bundle : ModelBundle or path of one
    out : path
        ``.html``; appears only when complete.
    scorecards : sequence of path
        Files of the points table to write too, ``.csv``, ``.md`` or ``.json``.
    on_step : callable, optional
        Called with the name of each step as it begins.

    Returns
    -------
    ModelReport

    Raises
    ------
    BundleError
        The bundle is damaged.
    InputError
        The leads cannot be read, hold none that the model has not seen, or the page cannot be written.
    SchemaError, ConfigError, ImmatureLabelsError
        As for :func:`leadlift.lifecycle.looking_back.look_back`.
    """
    step = on_step or (lambda _: None)
    if not isinstance(bundle, ModelBundle):
        bundle = ModelBundle.load(bundle)
    step("Reading the leads")
    hindsight = look_back(config, bundle)
    step("Making the report")
    report = report_on(hindsight)
    page = write_report(report, out)
    cards = (write_scorecard(hindsight.scorecard, path) for path in scorecards)
    return ModelReport(report, (page, *cards))


def keep_report(hindsight: Hindsight, folder: Path, step: Callable[[str], None]) -> Path:
    """Write the report as ``report.html`` into a folder."""
    step("Writing the report")
    return write_report(report_on(hindsight), folder / "report.html")
