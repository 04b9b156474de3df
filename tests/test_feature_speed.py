"""What features cost, in CPU time beside a query by hand, in one process and in turns; never in seconds."""

import time
from pathlib import Path

import pyarrow as pa
import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
N_EVENTS = 100_000
ROUNDS = 5


@pytest.fixture(scope="module")
def contenders():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        import feature_contenders

        yield feature_contenders


@pytest.fixture(scope="module")
def log(contenders, tmp_path_factory) -> Path:
    from event_log import write_log

    folder = tmp_path_factory.mktemp("log")
    write_log(folder, N_EVENTS, (2, 16))
    return folder


def cpu_ratio(first, second, rounds=ROUNDS) -> float:
    """CPU time of one call over that of another: least of several, since noise only adds."""
    spent = [(cpu_seconds(first), cpu_seconds(second)) for _ in range(rounds)]
    return min(a for a, _ in spent) / min(b for _, b in spent)


def cpu_seconds(call) -> float:
    start = time.process_time()
    call()
    return time.process_time() - start


def test_the_queries_by_hand_and_pandas_make_the_same_columns(contenders, log):
    import features

    made = contenders.with_leadlift(log, 2)
    for name in (contenders.PLAIN, contenders.BANDED, contenders.PACKED, contenders.PANDAS):
        by_hand = contenders.CONTENDERS[name](log, 2)
        features.compare(made, by_hand)
        outside = set(made.column_names) - set(by_hand.column_names)
        assert {column.rpartition("_")[0] for column in outside} == {"n_other", "n_by_other"}
        assert by_hand.num_columns == 117


def test_the_comparison_notices_a_number_that_differs(contenders):
    import features

    with pytest.raises(AssertionError, match="n_7d"):
        features.compare(pa.table({"n_7d": [1, 2]}), pa.table({"n_7d": [1, 3]}))


@pytest.mark.slow
def test_activity_costs_no_more_than_half_as_much_again_as_a_query_by_hand(contenders, log):
    by_hand = contenders.CONTENDERS[contenders.PLAIN]
    ratio = cpu_ratio(lambda: contenders.with_leadlift(log, 2), lambda: by_hand(log, 2))
    # About 0.75 at this size and at ten times it.
    assert ratio <= 1.5


@pytest.mark.slow
def test_sixteen_moments_cost_less_than_eight_times_two(contenders, log):
    ratio = cpu_ratio(
        lambda: contenders.with_leadlift(log, 16), lambda: contenders.with_leadlift(log, 2), rounds=3
    )
    assert ratio <= 8
