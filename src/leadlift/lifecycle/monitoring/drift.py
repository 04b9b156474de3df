"""Whether the inputs of new leads are like those before, without waiting for outcomes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leadlift.lifecycle.monitoring.baseline import Against, Baseline, choose_baseline
from leadlift.lifecycle.monitoring.column_tests import ColumnPair, ColumnTest, column_tests, event_type_test
from leadlift.lifecycle.monitoring.drift_findings import Alarm, input_findings
from leadlift.lifecycle.monitoring.period import Period
from leadlift.lifecycle.monitoring.table import Checked, MonitorVerdict, monitor_row
from leadlift.lifecycle.monitoring.two_samples import holm
from leadlift.serving.scoring import watch_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadlift.lifecycle.monitoring.budget import AlarmBudget
    from leadlift.lifecycle.monitoring.table import MonitorRow
    from leadlift.serving.bundle import ModelBundle
    from leadlift.serving.drift import DriftCounts
    from leadlift.terms import FeatureSpec

UNDATED = Period()


def check_inputs(
    bundle: ModelBundle,
    counts: DriftCounts,
    *,
    window_days: float,
    budget: AlarmBudget,
    earlier: Sequence[DriftCounts] = (),
    against: str = Against.AUTO,
    period: Period = UNDATED,
) -> Checked:
    """Compare the inputs of new leads, column by column, with those of training or of earlier batches.

    Of each column are tested: its spread over the bins of the reference (Pearson's chi-square test of two
    samples; matters from a PSI of 0.10 on), whether more values are missing or more levels new (Fisher's
    exact test; matters from 5 points on), whether it became constant, and whether its unit changed (median
    size times 8 or more, shape kept). Of each event type is tested whether it still occurs. The p-values of
    all columns are adjusted by Holm's procedure, and so are those of all types; each family has half of the
    window's level. A test alarms where its adjusted p-value is at most that and the change matters.

    What no change of leads explains is a broken feed, and fatal: nine of ten values or of the known levels
    gone, another unit, one value in all rows, an event type that does not occur. Columns of what leads have
    done so far are compared with earlier batches only; while there are none, it is tested whether the event
    types of training occur at all, and what does not is a warning, since leads may be too young.

    Parameters
    ----------
    bundle : ModelBundle
    counts : DriftCounts
        Of the new leads.
    window_days : float
        Days from one run of monitoring to the next.
    budget : AlarmBudget
        Of monitoring as a whole; this check spends the part of ``"inputs"``.
    earlier : sequence of DriftCounts
        One for each earlier batch of this model.
    against : str, default="auto"
        One of :class:`Against`.
    period : Period, optional
        Moments of scoring.

    Returns
    -------
    Checked
        Rows ``input_drift`` (observed: PSI), ``missing`` and ``new_levels`` (shares), ``unit`` (factor),
        ``constant`` and ``event_type`` (1 if it is, or if no lead has one), with adjusted p-values;
        ``too_early`` where the column can only be compared with earlier batches and there are none.
        Findings LL200 to LL204, LL210 to LL212 and LL216; a column whose feed is broken has no other.

    Raises
    ------
    InputError
        `against` is ``"earlier"`` and no earlier batch has rows.
    """
    if not sum(counts.counted):
        return Checked()
    baseline = choose_baseline(bundle, earlier, against)
    pairs = _pairs(bundle, counts, baseline)
    families = (_of_columns(pairs, baseline), _of_event_types(pairs, baseline))
    level, n_rows = budget.of("inputs").level(window_days, n_tests=len(families)), sum(counts.rows)
    rows, alarms = [], []
    for tested in families:
        adjusted = holm([test.p_value for _, test in tested])
        for (spec, test), p_value in zip(tested, adjusted, strict=True):
            is_alarm = test.is_material and p_value <= level
            rows.append(_row(spec, test, p_value, is_alarm=is_alarm, n_rows=n_rows, period=period))
            alarms += [Alarm(spec, test)] if is_alarm else []
    rows += [_not_compared(name, n_rows, period) for name in sorted(baseline.unlike)]
    return Checked(rows, input_findings(alarms, n_rows, baseline.words))


def _of_columns(pairs: list[ColumnPair], baseline: Baseline) -> list[tuple[FeatureSpec, ColumnTest]]:
    return [
        (pair.spec, test)
        for pair in pairs
        if pair.spec.name not in baseline.unlike
        for test in column_tests(pair)
    ]


def _of_event_types(pairs: list[ColumnPair], baseline: Baseline) -> list[tuple[FeatureSpec, ColumnTest]]:
    """One test for each type, of that count of its events which was above nought most often."""
    fullest: dict[str, ColumnPair] = {}
    for pair in sorted(pairs, key=lambda pair: -pair.sketch_then.n_sizes if pair.sketch_then else 0):
        if pair.spec.wording == "type.count":
            fullest.setdefault(pair.spec.about[0], pair)
    return [
        (pair.spec, event_type_test(pair, is_alike=pair.spec.name not in baseline.unlike))
        for pair in fullest.values()
    ]


def _pairs(bundle: ModelBundle, counts: DriftCounts, baseline: Baseline) -> list[ColumnPair]:
    """Columns that were counted now and then."""
    observed = watch_of(bundle).observed(counts)
    names = observed.keys() & baseline.spreads.keys()
    return [
        ColumnPair(
            spec,
            observed[spec.name],
            baseline.spreads[spec.name],
            counts.sketch(spec.name) if spec.name in baseline.sketches else None,
            baseline.sketches.get(spec.name),
        )
        for spec in bundle.specs
        if spec.name in names
    ]


def _row(
    spec: FeatureSpec, test: ColumnTest, p_value: float, *, is_alarm: bool, n_rows: int, period: Period
) -> MonitorRow:
    return monitor_row(
        test.check,
        spec.name,
        MonitorVerdict.ALARM if is_alarm else MonitorVerdict.OK,
        n=n_rows,
        observed=test.observed,
        expected=test.expected,
        p_value=p_value,
        limit=test.limit,
        **period.columns(),
    )


def _not_compared(name: str, n_rows: int, period: Period) -> MonitorRow:
    return monitor_row(
        "input_drift",
        name,
        MonitorVerdict.TOO_EARLY,
        n=n_rows,
        **period.columns(),
    )
