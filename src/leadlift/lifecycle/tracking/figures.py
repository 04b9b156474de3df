"""What is logged of a model in numbers: how well it did on its test leads, and where its line is."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from leadlift.serving.bundle import ModelBundle


def model_metrics(bundle: ModelBundle) -> dict[str, float]:
    """Return the figures of a model, as they are logged with its run.

    Parameters
    ----------
    bundle : ModelBundle

    Returns
    -------
    dict of str to float
        ``test_*``: of the model itself in the quality table of its provenance; ``mql_*``: of its MQL cut-off
        in its evidence. Figures that are unknown or not finite are left out.
    """
    ours = next(iter(bundle.provenance.get("quality", ())), {})
    flat = {f"test_{key}": value for key, value in ours.items() if key != "model"}
    cutoff = bundle.mql_cutoff
    flat |= {"mql_threshold": cutoff.threshold, "mql_share": cutoff.share}
    flat |= {"mql_precision": cutoff.precision.estimate, "mql_recall": cutoff.recall.estimate}
    if cutoff.per_week is not None:
        flat["mql_per_week"] = cutoff.per_week.estimate
    return {key: value for key, value in flat.items() if value is not None and isfinite(value)}
