"""The feature table of a configuration: what `leadlift features` writes and lists."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from leadlift.data.inputs import input_columns
from leadlift.data.reading import read_leads
from leadlift.lifecycle.inputs import feature_job
from leadlift.lifecycle.observing import observe
from leadlift.serving.writing import open_output

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from leadlift.config import LeadliftConfig
    from leadlift.terms import FeatureSpec, Finding


@dataclass(frozen=True)
class FeatureTable:
    """What was built.

    Parameters
    ----------
    n_rows : int
        Observations.
    specs : tuple of FeatureSpec
        What each feature means.
    findings : tuple of Finding
        About events and the change log.
    """

    n_rows: int
    specs: tuple[FeatureSpec, ...]
    findings: tuple[Finding, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        return {
            "n_rows": self.n_rows,
            "features": [asdict(spec) for spec in self.specs],
            "findings": [asdict(finding) for finding in self.findings],
        }


def build_feature_table(config: LeadliftConfig, out: str | Path | None = None) -> FeatureTable:
    """Build the features of all observations, and write them beside their labels.

    Parameters
    ----------
    config : LeadliftConfig
    out : path, optional
        ``.parquet`` or ``.csv`` of ``lead_id, as_of, converted, label_known_at, weight`` and the features,
        one row an observation; appears only when complete. Without it, nothing is written.

    Returns
    -------
    FeatureTable

    Raises
    ------
    InputError
        A file cannot be read or written.
    ImmatureLabelsError
        No lead has a known outcome within the horizon.
    """
    leads = read_leads(config)
    columns = input_columns(leads, config.roles, config.families)
    observations = observe(leads, config)
    job = feature_job(leads, observations, columns, config)
    batches = job.builder.fit_transform_batches(**job.arguments)
    if out is None:
        for _ in batches:
            pass
    else:
        _write(batches, observations.rows, out)
    return FeatureTable(observations.rows.num_rows, job.builder.specs_, job.findings())


def _write(batches: Iterator[tuple[NDArray[np.int64], pa.Table]], rows: pa.Table, out: str | Path) -> None:
    """Write parts as they come, in the order of the leads' first rows."""
    tables = (_beside(rows.take(pa.array(places)), features) for places, features in batches)
    first = next(tables)
    with open_output(out, first.schema) as write:
        for table in chain([first], tables):
            write(table)


def _beside(rows: pa.Table, features: pa.Table) -> pa.Table:
    for name in features.column_names:
        rows = rows.append_column(name, features[name])
    return rows
