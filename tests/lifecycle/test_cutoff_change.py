"""A saved model gets another cut-off: decided on its own evidence, written down, and with the same scores."""

import json
import shutil
from copy import copy as shallow_copy
from datetime import UTC, datetime
from pathlib import Path

import pytest

from leadlift.exceptions import BundleError, ConfigError, NoCutoffError
from leadlift.learning.cutoff import Capacity, FixedThreshold, PrecisionGuarantee
from leadlift.lifecycle.cutoff_change import change_cutoff, evidence_of, lines_of
from leadlift.serving.bundle import MANIFEST, ModelBundle
from leadlift.serving.evidence_file import FACTS_FILE, ROWS_FILE
from leadlift.serving.predict import score_table
from leadlift.terms import Stage


@pytest.fixture
def copy(workspace, tmp_path):
    return Path(shutil.copytree(workspace.champion, tmp_path / "champion"))


@pytest.fixture
def old(bundle, tmp_path):
    """A bundle as it was before evidence was kept."""
    scorer = shallow_copy(bundle.scorer)
    del scorer.evidence_
    bundle.with_scorers(scorer).save(tmp_path / "old")
    assert not (tmp_path / "old" / ROWS_FILE).exists()
    return ModelBundle.load(tmp_path / "old")


def scores(bundle, workspace):
    import pandas as pd

    return score_table(bundle, pd.read_csv(workspace.new_leads))


def test_the_policy_decides_as_it_did_at_training(workspace, bundle):
    """The default of `leadlift init` is a guarantee; its target stands in the name of the policy."""
    target = float(bundle.mql_cutoff.policy.split()[2])
    again = change_cutoff(bundle, PrecisionGuarantee(target))
    assert again.mql_cutoff == bundle.mql_cutoff
    assert workspace.printed["mql"]["threshold"] == again.mql_cutoff.threshold


def test_scores_and_reasons_stay_and_stages_follow_the_new_line(bundle, workspace):
    before = scores(bundle, workspace)
    after = scores(change_cutoff(bundle, FixedThreshold(0.05)), workspace)
    for name in ("score", "reason_1", "grade"):
        assert before[name].equals(after[name])
    qualified = sum(stage.as_py() != "none" for stage in after["stage"])
    assert qualified == sum(score.as_py() >= 0.05 for score in after["score"])
    assert qualified > sum(stage.as_py() != "none" for stage in before["stage"])


def test_the_bundle_it_was_made_of_is_left_as_it_is(bundle):
    threshold = bundle.mql_cutoff.threshold
    change_cutoff(bundle, FixedThreshold(0.01))
    assert bundle.mql_cutoff.threshold == threshold
    assert "cutoff_changes" not in bundle.provenance


def test_saved_it_has_another_version_and_says_what_changed(bundle, copy):
    moment = datetime(2026, 11, 22, 6, tzinfo=UTC)
    first = change_cutoff(bundle, Capacity(10), changed_at=moment).save(copy)
    second = change_cutoff(first, FixedThreshold(0.1)).save(copy)
    loaded = ModelBundle.load(copy)
    assert len({bundle.version, first.version, second.version}) == 3
    one, two = loaded.provenance["cutoff_changes"]
    assert (one["previous_version"], two["previous_version"]) == (bundle.version, first.version)
    assert (one["stage"], one["changed_at"], two["changed_at"]) == ("MQL", "2026-11-22T06:00:00+00:00", None)
    assert one["before"]["MQL"]["policy"] == bundle.mql_cutoff.policy
    assert one["after"]["MQL"] == two["before"]["MQL"]
    assert two["after"]["MQL"]["threshold"] == loaded.mql_cutoff.threshold == 0.1


def test_of_one_model_the_sql_line_is_never_below_the_mql_line(bundle):
    low = change_cutoff(bundle, FixedThreshold(0.0), stage=Stage.SQL)
    assert low.mql_cutoff == bundle.mql_cutoff
    assert low.sql_cutoff.threshold == bundle.mql_cutoff.threshold
    assert "raised from 0 to the MQL cut-off" in low.sql_cutoff.policy
    high = change_cutoff(bundle, FixedThreshold(0.9))
    assert (high.mql_cutoff.threshold, high.sql_cutoff.threshold) == (0.9, 0.9)


def test_the_lines_on_the_scores_of_one_model_are_both(bundle):
    assert lines_of(bundle) == {"MQL": bundle.mql_cutoff, "SQL": bundle.sql_cutoff}


def test_with_a_model_of_the_second_label_each_line_is_on_its_own_scores(bundle, tmp_path):
    two = bundle.with_scorers(sql_scorer=shallow_copy(bundle.scorer))
    assert set(lines_of(two, Stage.MQL)) == {"MQL"}
    assert set(lines_of(two, Stage.SQL)) == {"SQL"}
    high = change_cutoff(two, FixedThreshold(0.9), stage=Stage.MQL)
    assert (high.mql_cutoff.threshold, high.sql_cutoff) == (0.9, two.sql_cutoff)
    low = change_cutoff(high, FixedThreshold(0.1), stage=Stage.SQL).save(tmp_path / "two")
    assert (low.mql_cutoff.threshold, low.sql_cutoff.threshold) == (0.9, 0.1)
    loaded = ModelBundle.load(tmp_path / "two")
    for stage in (Stage.MQL, Stage.SQL):
        assert (evidence_of(loaded, stage).score == evidence_of(two, stage).score).all()


def test_a_promise_that_cannot_be_kept_leaves_everything_and_names_the_best(bundle):
    with pytest.raises(NoCutoffError, match="what can be promised") as caught:
        change_cutoff(bundle, PrecisionGuarantee(0.97))
    assert caught.value.best.n_evidence == len(evidence_of(bundle).score)


def test_a_bundle_of_before_evidence_was_kept_scores_as_ever_but_asks_for_a_training(old, bundle, workspace):
    assert scores(old, workspace)["score"].equals(scores(bundle, workspace)["score"])
    with pytest.raises(BundleError, match=r"keeps no evidence on which .* train again"):
        change_cutoff(old, Capacity(10))
    with pytest.raises(ConfigError, match="keeps no evidence; train again, or give X and y"):
        old.scorer.choose_cutoff(Capacity(10))


def test_the_evidence_is_listed_with_its_hash(workspace):
    listed = json.loads((workspace.champion / MANIFEST).read_text())["sha256"]
    assert {ROWS_FILE, FACTS_FILE} <= set(listed)


def test_the_evidence_holds_no_id(workspace):
    ids = {line.split(",")[0] for line in workspace.leads.read_text().splitlines()[1:]}
    told = (workspace.champion / ROWS_FILE).read_text().replace("\n", ",").split(",")
    assert len(ids) > 1000
    assert not ids & set(told)
