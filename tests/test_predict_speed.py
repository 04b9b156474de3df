"""What batch scoring costs beside LightGBM, in CPU time, in one process and in turns; never in seconds."""

from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
N_ROWS = 100_000
N_TRAINING = 6_000


@pytest.fixture(scope="module")
def benchmark():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        import predict

        yield predict


@pytest.fixture(scope="module")
def folder(benchmark, tmp_path_factory):
    folder = tmp_path_factory.mktemp("scoring")
    benchmark.predict_data.write_leads(folder, N_ROWS, csv=False)
    return folder


@pytest.fixture(scope="module")
def models(benchmark, folder):
    return benchmark.predict_data.make_models(folder, N_TRAINING)


@pytest.fixture(scope="module")
def matrix(benchmark, models):
    return models.trees.model.encode(
        benchmark.predict_data.leads(20_000, seed=1)[0].drop_columns(["lead_id"])
    )


@pytest.mark.slow
def test_trees_cost_a_tenth_of_lightgbm_and_exact_reasons_a_quarter(benchmark, models, matrix):
    _, raw, reasons = benchmark.tree_part(models, matrix, n_rounds=3)
    # About 0.04 and 0.13.
    assert raw <= 0.10
    assert reasons <= 0.25


@pytest.mark.slow
def test_a_file_is_scored_for_less_than_the_trees_alone_cost_lightgbm(benchmark, models, folder, matrix):
    trees, _ = benchmark.end_to_end(models, folder, matrix, N_ROWS, n_rounds=3, ways=benchmark.WAYS[:2])
    for way, share in zip(benchmark.WAYS[:2], trees, strict=True):
        assert share <= way.most, way.name
