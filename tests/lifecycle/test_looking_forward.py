"""A training that is asked for a backtest plays it before the test set, keeps it and says what it found."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest
from scipy.special import expit

from leadlift.cli.backtest_table import COLUMNS, backtest_rows, backtest_title
from leadlift.config import parse_config
from leadlift.exceptions import ConfigError
from leadlift.lifecycle import training
from leadlift.lifecycle.holdout import hold_back
from leadlift.lifecycle.preparing import prepare
from leadlift.lifecycle.training import train
from untracked import RUN, untrack

TOML = """
[data]
leads = "leads.csv"
[schema]
lead_id = "id"
outcome = "outcome"
won = ["won"]
lost = ["lost"]
{time}
[model]
folds = 2
{model}
[cutoff.mql]
policy = "precision_guarantee"
target = 0.3
"""


def configure(folder, *, time="rows_in_time_order = true", model="", n=1500):
    rng = np.random.default_rng(4)
    visits, noise = rng.poisson(4, n), rng.normal(size=n)
    won = rng.random(n) < expit(-3 + 0.5 * visits)
    table = {"id": np.arange(n), "outcome": np.where(won, "won", "lost"), "visits": visits, "noise": noise}
    pyarrow.csv.write_csv(pa.table(table), folder / "leads.csv")
    return parse_config(TOML.format(time=time, model=model), folder=folder)


@pytest.fixture(scope="module")
def logged():
    return {}


@pytest.fixture(scope="module")
def trained(tmp_path_factory, logged):
    folder = tmp_path_factory.mktemp("backtest")
    with pytest.MonkeyPatch.context() as patch:
        untrack(patch)
        patch.setattr(training, "log_run", lambda **told: logged.update(told) or RUN)
        config = configure(folder, model='backtest_blocks = 2\nrecency = "choose"')
        return config, train(config)


def test_the_backtest_stays_before_the_test_set(trained):
    config, result = trained
    problem = prepare(config)
    split = hold_back(problem, test_share=0.2, random_state=0)
    assert result.backtest.blocks["end"].to_pylist()[-1] < problem.as_of[split.test].min()


def test_table_and_figure_lie_beside_the_others_and_are_logged(trained, logged):
    _, result = trained
    written = pyarrow.csv.read_csv(result.figures["backtest_csv"])
    assert written["n"].to_pylist() == result.backtest.blocks["n"].to_pylist()
    assert result.figures["backtest"].read_bytes().startswith(b"\x89PNG")
    assert logged["tables"]["backtest"].equals(result.backtest.blocks)
    assert logged["metrics"]["backtest_auc"] == result.backtest.pooled["auc"][0].as_py()
    assert logged["metrics"]["skill_lost_forward"] == result.backtest.gap.skill_lost


def test_what_was_found_about_time_is_among_the_findings(trained):
    _, result = trained
    by_code = {finding.code: finding for finding in result.findings}
    assert "on the same" in by_code["LL161"].message
    assert "recency" in by_code["LL164"].message
    assert json.loads(json.dumps(result.to_dict()))["backtest"]["blocks"][0]["block"] == 1


def test_the_printed_table_has_a_row_a_block(trained):
    played = trained[1].backtest
    rows = backtest_rows(played)
    assert [len(row) for row in rows] == [len(COLUMNS)] * 2
    assert rows[0][0].startswith("row ")
    assert f"AUC {played.pooled['auc'][0].as_py():.3f}" in backtest_title(played)


def test_without_a_backtest_the_test_set_tells_the_gap(tmp_path, monkeypatch):
    untrack(monkeypatch)
    result = train(configure(tmp_path))
    (finding,) = [f for f in result.findings if f.code == "LL161"]
    assert f"on later {result.n_test:,} leads" in finding.message
    assert (result.backtest, result.to_dict()["backtest"]) == (None, None)


def test_a_backtest_without_time_is_refused_before_anything_is_learnt(tmp_path):
    config = configure(tmp_path, time="", model="backtest_blocks = 2")
    with pytest.raises(ConfigError, match="a backtest needs the leads' order in time"):
        train(config)
    assert not (tmp_path / "models").exists()


def test_a_way_of_updating_that_does_not_exist_is_refused(tmp_path):
    config = configure(tmp_path, model='backtest_blocks = 2\nbacktest_update = "pray"')
    with pytest.raises(ConfigError, match="no way of updating a model is called 'pray'"):
        train(config)
