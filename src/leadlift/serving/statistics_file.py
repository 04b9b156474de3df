"""The target statistics of a model as JSON."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from leadlift.learning.target_statistics import CellStatistics, TargetStatistics

STATISTICS = "statistics.json"


def statistics_text(statistics: TargetStatistics) -> str:
    """Return target statistics as JSON; numbers are written in the fewest digits that give the same bits.

    Parameters
    ----------
    statistics : TargetStatistics

    Returns
    -------
    str
    """
    content = {
        "base": statistics.base,
        "levels": {str(column): levels.tolist() for column, levels in statistics.levels.items()},
        "statistics": [
            {
                "columns": list(learnt.columns),
                "strength": learnt.strength,
                "cells": learnt.cells.tolist(),
                "rates": learnt.rates.tolist(),
                "support": learnt.support.tolist(),
            }
            for learnt in statistics.statistics
        ],
    }
    return json.dumps(content, sort_keys=True, allow_nan=False) + "\n"


def read_statistics(text: str) -> TargetStatistics:
    """Read what :func:`statistics_text` wrote.

    Parameters
    ----------
    text : str

    Returns
    -------
    TargetStatistics

    Raises
    ------
    KeyError, TypeError, ValueError
        The text is not what was written.
    """
    content = json.loads(text)
    return TargetStatistics(
        base=float(content["base"]),
        levels={int(column): np.array(levels, float) for column, levels in content["levels"].items()},
        statistics=tuple(_cell_statistics(part) for part in content["statistics"]),
    )


def _cell_statistics(part: dict[str, Any]) -> CellStatistics:
    return CellStatistics(
        columns=tuple(int(column) for column in part["columns"]),
        strength=float(part["strength"]),
        cells=np.array(part["cells"], dtype=np.int64),
        rates=np.array(part["rates"], dtype=np.float64),
        support=np.array(part["support"], dtype=np.float64),
    )
