"""What the user knows of the columns reaches the trained bundle; few leads are said to be few."""

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest
from scipy.special import expit

from leadlift.config import parse_config
from leadlift.exceptions import ConfigError
from leadlift.lifecycle.training import train
from leadlift.serving.bundle import ModelBundle
from leadlift.serving.predict import score_table
from untracked import untrack

TOML = """
[data]
leads = "leads.csv"
[schema]
lead_id = "id"
outcome = "stage"
won = ["won"]
lost = ["lost"]
[model]
folds = 3
{model}
[cutoff.mql]
policy = "fixed_threshold"
threshold = 0.5
"""


@pytest.fixture(autouse=True)
def untracked(monkeypatch):
    """Logging has its own tests."""
    untrack(monkeypatch)


def simulate(n, seed=0):
    """In the south what speaks for a lead elsewhere speaks against it."""
    rng = np.random.default_rng(seed)
    region, visits, size = rng.choice(["north", "south"], n), rng.normal(size=n), rng.normal(size=n)
    log_odds = np.where(region == "south", -1.5, 1.5) * visits + 0.4 * size
    return pa.table(
        {
            "id": np.arange(n),
            "region": region,
            "visits": visits,
            "size": size,
            "stage": np.where(rng.random(n) < expit(log_odds), "won", "lost"),
        }
    )


def trained(folder, leads, model=""):
    pyarrow.csv.write_csv(leads, folder / "leads.csv")
    return train(parse_config(TOML.format(model=model), folder=folder))


def test_few_leads_are_learnt_without_trees_and_it_is_said(tmp_path):
    result = trained(tmp_path, simulate(200))
    assert "LL165" in [finding.code for finding in result.findings]
    assert not list(result.bundle_folder.glob("trees_*"))
    bundle = ModelBundle.load(result.bundle_folder)
    new = simulate(50, seed=1).drop_columns("stage")
    scored = score_table(bundle, new)
    expected = result.bundle.scorer.predict_proba(new.drop_columns("id"))[:, 1]
    assert scored["score"].to_numpy().tobytes() == expected.tobytes()
    assert (scored["uncertainty"].to_numpy() > 0).all()


def test_segments_and_directions_are_in_the_bundle_and_score_the_same_bits_after_loading(tmp_path):
    result = trained(tmp_path, simulate(1500), 'segment = "region"\nmonotone = {size = "up"}')
    assert "LL165" not in [finding.code for finding in result.findings]
    assert (result.bundle_folder / "segments.json").is_file()
    bundle = ModelBundle.load(result.bundle_folder)
    new = simulate(300, seed=1).drop_columns("stage")
    scored = score_table(bundle, new)
    expected = result.bundle.scorer.predict_proba(new.drop_columns("id"))[:, 1]
    assert scored["score"].to_numpy().tobytes() == expected.tobytes()
    larger = new.set_column(new.column_names.index("size"), "size", pa.array(new["size"].to_numpy() + 1))
    assert (score_table(bundle, larger)["score"].to_numpy() >= expected).all()


def test_a_row_that_is_not_scored_has_no_uncertainty(tmp_path):
    bundle = trained(tmp_path, simulate(300)).bundle
    new = simulate(3, seed=1).drop_columns("stage").to_pandas()
    scored = score_table(bundle, new.assign(id=[1, 1, 2]))
    assert scored["uncertainty"].is_null().to_pylist() == [False, True, False]


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ('segment = "country"', "segment names 'country', which is no categorical input; those are 'region'"),
        ('monotone = {region = "up"}', "are categories, which have no order: 'region'"),
        ('monotone = {visits = "rising"}', "'up' or 'down'"),
    ],
)
def test_a_setting_that_means_nothing_stops_the_run(tmp_path, model, said):
    with pytest.raises(ConfigError, match=said):
        trained(tmp_path, simulate(300), model)
