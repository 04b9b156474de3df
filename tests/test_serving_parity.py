"""Training and scoring see the same features of the same leads, from any form of the same files."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from command_line import run_ok
from leadlift.config import DataConfig, read_config
from leadlift.data.events import events_from, open_events
from leadlift.data.history import history_from
from leadlift.data.new_leads import prepare_batch
from leadlift.data.reading import read_leads
from leadlift.exceptions import ConfigError, InputError
from leadlift.lifecycle.preparing import Problem, prepare
from leadlift.serving.bundle import ModelBundle
from leadlift.serving.inputs import bundle_events, bundle_history, open_inputs
from leadlift.serving.predict import predict, score_table
from leadlift.serving.spark_job import spark_predict

pytestmark = pytest.mark.slow

N_LEADS = 1_500
N_SINGLE = 12


@dataclass(frozen=True)
class Trained:
    """A simulated CRM, the learning problem that was posed of it, and the bundle that was saved."""

    folder: Path
    problem: Problem
    bundle: ModelBundle
    version: str

    @property
    def sources(self):
        """Events and change log as a scoring job opens them."""
        return {
            "events": bundle_events(self.bundle, self.folder / "events.parquet"),
            "history": bundle_history(self.bundle, self.folder / "history.parquet"),
        }

    def raw_leads(self, ids=None):
        """Rows of the file of leads, as text."""
        table = pl.read_csv(self.folder / "leads.csv", infer_schema=False)
        return table if ids is None else table.filter(pl.col("lead_id").is_in(ids))


def trained_in(folder: Path) -> str:
    """Train on what is in a folder; the version of the bundle."""
    return json.loads(run_ok("train", folder / "leadlift.toml", "--leave-out-suspects", "--json").out)[
        "model_version"
    ]


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Trained:
    folder = tmp_path_factory.mktemp("crm")
    config = folder / "leadlift.toml"
    run_ok("simulate", "--out", folder, "--n", N_LEADS, "--seed", 5)
    behaviour = ("--events", folder / "events.parquet", "--history", folder / "history.parquet")
    run_ok("init", folder / "leads.csv", *behaviour, "--out", config)
    text = config.read_text().replace("# folds = 8 ", "folds = 2 ")
    text = text.replace("at_days = [0, 7, 14, 30]", "at_days = [0, 14]")
    text = text[: text.index("[cutoff.mql]")]
    config.write_text(text + '[cutoff.mql]\npolicy = "fixed_threshold"\nthreshold = 0.1\n')
    version = trained_in(folder)
    problem = prepare(read_config(config), leave_out_suspects=True)
    return Trained(folder, problem, ModelBundle.load(folder / "models" / "champion"), version)


def served(trained, raw, as_of):
    """The inputs that scoring makes of raw leads at a moment."""
    batch = prepare_batch(raw, trained.bundle.schema)
    with open_inputs(trained.bundle, batch["lead_id"], as_of=as_of, **trained.sources) as inputs:
        return inputs.of(pa.table(batch))


def sampled(trained):
    """Some observations of training: lead, moment, inputs."""
    rows = trained.problem.observations.rows
    for place in np.linspace(0, len(rows) - 1, N_SINGLE).astype(int).tolist():
        row = rows.slice(place, 1).to_pylist()[0]
        yield row["lead_id"], row["as_of"], trained.problem.inputs.slice(place, 1)


def test_a_lead_is_served_the_very_features_it_was_trained_on(trained):
    for lead, as_of, inputs in sampled(trained):
        assert served(trained, trained.raw_leads([lead]), as_of).equals(inputs)


def test_a_lead_is_served_the_score_of_its_training_row(trained):
    scorer = trained.bundle.scorer
    for lead, as_of, inputs in sampled(trained):
        scored = score_table(trained.bundle, trained.raw_leads([lead]), as_of=as_of, **trained.sources)
        assert scored["score"].to_pylist() == scorer.predict_proba(inputs)[:, 1].tolist()


def test_all_leads_of_a_moment_are_served_what_the_builder_of_training_makes(trained):
    as_of = datetime(2026, 3, 3, 12, tzinfo=UTC)
    leads = read_leads(read_config(trained.folder / "leadlift.toml"))
    moments = pa.array([as_of] * len(leads.table), pa.timestamp("us", "UTC"))
    observations = pa.table({"lead_id": leads.table["lead_id"], "as_of": moments})
    made = trained.problem.builder.transform(observations, leads=leads, **trained.sources)
    assert served(trained, trained.raw_leads(), as_of).equals(made)


def predicted(trained, leads, *options):
    """What ``leadlift predict`` writes."""
    folder, out = trained.folder, trained.folder / "scored.parquet"
    sources = ("--events", folder / "events.parquet", "--history", folder / "history.parquet")
    run_ok("predict", leads, "--bundle", folder / "models" / "champion", *sources, *options, "--out", out)
    return pq.read_table(out)


def test_no_new_lead_is_a_table_without_rows(trained):
    none = trained.folder / "none.parquet"
    pq.write_table(trained.raw_leads().head(0).to_arrow(), none)
    assert len(predicted(trained, none)) == 0


def test_the_command_line_scores_as_the_function_does(trained):
    as_of = datetime(2026, 5, 5, tzinfo=UTC)
    out = predicted(trained, trained.folder / "leads.csv", "--as-of", as_of.isoformat(), "--allow-past")
    expected = score_table(trained.bundle, trained.raw_leads(), as_of=as_of, **trained.sources)
    assert out.equals(expected)
    assert set(expected["status"].to_pylist()) == {"scored", "too_early"}


def test_events_after_the_last_moment_of_a_lead_leave_the_bundle_as_it_is(trained, tmp_path):
    rows = trained.problem.observations.rows.group_by("lead_id").aggregate([("as_of", "max")])
    last = dict(zip(rows["lead_id"].to_pylist(), rows["as_of_max"].to_pylist(), strict=True))
    events = pq.read_table(trained.folder / "events.parquet")
    pairs = zip(events["lead_id"].to_pylist(), events["occurred_at"].to_pylist(), strict=True)
    known = [lead in last and moment < last[lead] for lead, moment in pairs]
    assert sum(known) < len(known)
    for name in ("leads.csv", "history.parquet", "leadlift.toml"):
        (tmp_path / name).write_bytes((trained.folder / name).read_bytes())
    pq.write_table(events.filter(pa.array(known)), tmp_path / "events.parquet")
    assert trained_in(tmp_path) == trained.version


@pytest.fixture(scope="module")
def forms(trained, tmp_path_factory):
    """The same events in many forms."""
    folder = tmp_path_factory.mktemp("forms")
    table = pq.read_table(trained.folder / "events.parquet")
    roles, data = trained.bundle.schema.roles.events, DataConfig(leads="leads.csv")

    def opened(source):
        return open_events(str(source), roles=roles, data=data)

    pa.csv.write_csv(table, folder / "events.csv")
    for name, thirds in (("parts", (0, 1, 2)), ("parts_turned", (2, 0, 1))):
        (folder / name).mkdir()
        for place, third in enumerate(thirds):
            size = len(table) // 3 + 1
            pq.write_table(table.slice(third * size, size), folder / name / f"{place}.parquet")
    return {
        "csv": opened(folder / "events.csv"),
        "folder": opened(folder / "parts"),
        "files in another order": opened(folder / "parts_turned"),
        "glob": opened(folder / "parts" / "*.parquet"),
        "arrow": events_from(table, roles),
        "pandas": events_from(table.to_pandas(), roles),
        "polars": events_from(pl.from_arrow(table), roles),
    }


def test_the_form_of_the_events_does_not_matter(trained, forms):
    arguments = {
        "leads": read_leads(read_config(trained.folder / "leadlift.toml")),
        "history": history_from(pq.read_table(trained.folder / "history.parquet")),
    }
    for form, events in forms.items():
        made = trained.problem.builder.transform(trained.problem.observations, events=events, **arguments)
        assert made.equals(trained.problem.inputs), form


def scored_by(trained, out, **more):
    arguments = {
        "events": trained.folder / "events.parquet",
        "history": trained.folder / "history.parquet",
        "as_of": datetime(2026, 3, 3, tzinfo=UTC),
        "allow_past": True,
    }
    summary = predict(trained.bundle, trained.folder / "leads.csv", out=out, **(arguments | more))
    return summary, pq.read_table(out)


def test_spark_scores_as_duckdb_does(trained, tmp_path, spark):
    _, here = scored_by(trained, tmp_path / "duckdb.parquet")
    _, there = scored_by(trained, tmp_path / "spark.parquet", feature_engine="spark")
    assert there.equals(here)


def test_a_job_on_spark_builds_and_scores_as_one_process_does(trained, tmp_path, spark):
    summary, here = scored_by(trained, tmp_path / "here.parquet")
    done = spark_predict(
        trained.folder / "models" / "champion",
        trained.folder / "leads.csv",
        tmp_path / "there",
        events=trained.folder / "events.parquet",
        history=trained.folder / "history.parquet",
        as_of=datetime(2026, 3, 3, tzinfo=UTC),
        allow_past=True,
        session=spark,
    )
    (part,) = (tmp_path / "there").glob("*/*.parquet")
    assert pq.read_table(part).equals(here)
    assert done.events == summary.events


def test_a_job_says_how_many_events_it_read_and_of_whom(trained, tmp_path):
    events = pq.read_table(trained.folder / "events.parquet")
    of_nobody = events.slice(0, 7).set_column(0, "lead_id", pa.array(["nobody"] * 7))
    pq.write_table(pa.concat_tables([events, events.slice(0, 3), of_nobody]), tmp_path / "events.parquet")
    known = pc.is_in(events["lead_id"], trained.raw_leads().to_arrow()["lead_id"].cast(pa.string()))
    n_elsewhere = events.num_rows - pc.sum(known).as_py() + 7
    n_copied = pc.sum(known.slice(0, 3)).as_py()
    summary, _ = scored_by(trained, tmp_path / "scored.parquet", events=tmp_path / "events.parquet")
    read = {"read": events.num_rows + 10, "of_other_leads": n_elsewhere, "copies": n_copied}
    # The generator itself makes next to no copies; those it makes are in both.
    assert summary.events | {"copies": n_copied} == read
    assert summary.events["copies"] >= n_copied


def test_events_that_cannot_be_read_stop_a_job_instead_of_scoring_leads_that_did_nothing(trained, tmp_path):
    events = pl.read_parquet(trained.folder / "events.parquet")
    events.with_columns(occurred_at=pl.lit("yesterday")).write_csv(tmp_path / "events.csv")
    with pytest.raises(InputError, match=r"(?s)events\.csv cannot be scored with:.*LL171"):
        scored_by(trained, tmp_path / "scored.parquet", events=tmp_path / "events.csv")
    assert not (tmp_path / "scored.parquet").exists()


@pytest.mark.parametrize("missing", ["events", "history", "as_of"])
def test_a_bundle_of_behaviour_asks_for_what_it_was_trained_with(trained, tmp_path, missing):
    with pytest.raises(ConfigError, match=f"give {missing}"):
        scored_by(trained, tmp_path / "scored.parquet", **{missing: None})


def test_a_bundle_without_behaviour_takes_none(bundle, workspace, tmp_path):
    with pytest.raises(ConfigError, match="trained without events and change log"):
        predict(
            bundle, workspace.new_leads, out=tmp_path / "s.csv", events=workspace.folder / "events.parquet"
        )


def test_the_model_in_the_registry_scores_as_the_bundle_does(trained):
    import mlflow

    before = mlflow.get_tracking_uri()
    try:
        mlflow.set_tracking_uri(f"sqlite:///{trained.folder / 'models' / 'mlflow.db'}")
        model = mlflow.pyfunc.load_model("models:/leadlift@champion")
    finally:
        mlflow.set_tracking_uri(before)
    as_of = datetime(2026, 3, 3, tzinfo=UTC)
    files = {name: str(trained.folder / f"{name}.parquet") for name in ("events", "history")}
    leads = trained.raw_leads().head(50)
    scored = model.predict(leads.to_pandas(), params={"as_of": as_of.isoformat(), **files})
    expected = score_table(trained.bundle, leads, as_of=as_of, **trained.sources)
    assert scored["score"].tolist() == expected["score"].to_pylist()
