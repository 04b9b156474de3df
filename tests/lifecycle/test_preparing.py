"""From a configuration to the rows of the learning problem, with all findings."""

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest

from configs import make_config
from leadlift.config import CutoffConfig, PolicyConfig, StagesConfig
from leadlift.exceptions import ConfigError, InputError, LeakageError, SchemaError
from leadlift.lifecycle.preparing import find_all, prepare, raise_if_fatal
from leadlift.terms import Finding, Kind, Severity

N = 400


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    visits = rng.poisson(3, N)
    won = rng.random(N) < 1 / (1 + np.exp(2 - visits / 2))
    return {
        "id": [f"L{i}" for i in range(N)],
        "visits": visits,
        "source": rng.choice(["ads", "fair", "web"], N),
        "gender": rng.choice(["female", "male"], N),
        "contract value": np.where(won, rng.integers(100, 900, N).astype(str), ""),
        "stage": np.where(won, "Won", "Lost"),
    }


@pytest.fixture
def config(tmp_path, table):
    def make(changes=None, **keywords):
        path = tmp_path / "leads.csv"
        pyarrow.csv.write_csv(pa.table(table | (changes or {})), path)
        return make_config(path, lead_id="id", **keywords)

    return make


def codes(findings):
    return {finding.code for finding in findings}


def test_inputs_are_what_is_known_of_a_lead_and_allowed(config):
    problem = prepare(config(ignore=("contract value",)))
    assert problem.schema.feature_names == ("visits", "source")
    assert problem.inputs.column_names == ["visits", "source"]
    assert [spec.kind for spec in problem.schema.features] == [Kind.NUMERIC, Kind.CATEGORICAL]
    assert len(problem.y) == problem.inputs.num_rows == problem.n_leads == N
    assert problem.as_of is None
    assert problem.label_known_at is None
    assert problem.groups is None


def test_a_protected_attribute_is_an_input_only_where_allowed_by_name(config):
    assert "gender" not in prepare(config()).schema.feature_names
    assert "gender" in prepare(config(allow_protected=("gender",))).schema.feature_names


def test_a_suspect_is_found_with_its_price_and_nothing_is_raised_yet(config):
    problem = prepare(config())
    assert [suspect.column for suspect in problem.leakage.suspects] == ["contract value"]
    with pytest.raises(
        LeakageError, match=r"(?s)'contract value'.*price: AUC.*ignore = \[\"contract value\"\]"
    ):
        problem.leakage.raise_if_blocked()


def test_suspects_are_left_out_on_request_and_the_findings_say_so(config):
    problem = prepare(config(), leave_out_suspects=True)
    problem.leakage.raise_if_blocked()
    assert "contract value" not in problem.schema.feature_names
    assert "contract value" not in problem.inputs.column_names
    finding = next(f for f in problem.findings if f.code == "LL120")
    assert finding.severity is Severity.WARNING
    assert "left out of this run" in finding.remedy


def test_a_confirmed_column_stays(config):
    problem = prepare(config(known_at_creation=("contract value",)), leave_out_suspects=True)
    assert "contract value" in problem.schema.feature_names
    problem.leakage.raise_if_blocked()


def test_where_every_input_is_suspect_nothing_is_left_to_learn_from(config):
    only = config(ignore=("visits", "source", "gender"))
    with pytest.raises(InputError, match="every input column looks written after the outcome"):
        prepare(only, leave_out_suspects=True)


def test_without_any_input_the_message_says_why(config):
    with pytest.raises(InputError, match="LL118 None of 0 columns without a role can be an input"):
        prepare(config(ignore=("visits", "source", "gender", "contract value")))


def test_checking_tells_fatal_findings_where_training_stops(config):
    few = config({"stage": np.where(np.arange(N) < 10, "Won", "Lost")})
    found = find_all(few)
    assert any(finding.severity is Severity.FATAL for finding in found.findings)
    assert found.advice == "Mend what is fatal first; leaks are looked for after that."
    assert "LL120" not in codes(found.findings)
    with pytest.raises(InputError, match=r"(?s)leads.csv cannot be learnt from:\n  LL\d+ .*10 "):
        prepare(few)


def test_checking_repeats_the_gates_advice(config):
    found = find_all(config())
    assert "LL120" in codes(found.findings)
    assert 'ignore = ["contract value"]' in found.advice
    clean = find_all(config(ignore=("contract value",)))
    assert clean.advice == "Nothing stands in the way of training."


def test_checking_refuses_demands_that_no_leads_could_meet(config):
    rules = StagesConfig(hand_raise="nonsense")
    with pytest.raises(ConfigError, match="hand_raise names 'nonsense', which is no input"):
        find_all(config(ignore=("contract value",)).model_copy(update={"stages": rules}))
    policy = CutoffConfig(mql=PolicyConfig(policy="capacity", per_week=0))
    with pytest.raises(ConfigError, match="per_week > 0, got 0"):
        find_all(config().model_copy(update={"cutoff": policy}))


def test_checking_an_unreadable_file_is_an_error_like_in_training(config):
    with pytest.raises(SchemaError, match="'Stage'"):
        find_all(config(outcome="Stage"))


def test_the_schema_names_the_file_but_no_folder(config):
    assert prepare(config()).schema.data.leads == "leads.csv"


def test_repeated_leads_are_groups_and_leads_without_an_id_are_their_own(config):
    ids = [f"L{max(i // 2, i - 100)}" for i in range(N)]
    ids[0] = ids[1] = ""
    groups = prepare(config({"id": ids}), leave_out_suspects=True).groups
    assert groups is not None
    assert groups[0] != groups[1]
    assert groups[2] == groups[3]


def test_only_fatal_findings_stop():
    warning = Finding("LL101", Severity.WARNING, "t", "warned")
    raise_if_fatal([warning])
    fatal = Finding("LL110", Severity.FATAL, "t", "one class", "add lost leads")
    with pytest.raises(InputError, match=r"learnt from:\n  LL110 One class. Add lost leads.$"):
        raise_if_fatal([warning, fatal])
