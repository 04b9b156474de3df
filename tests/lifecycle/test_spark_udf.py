"""The model in the registry, as a function of Spark's columns."""

import warnings
from datetime import UTC, datetime

import mlflow
import polars as pl
import pytest

from leadlift.lifecycle.tracking import tracking_uri
from leadlift.serving.predict import score_table

pytestmark = pytest.mark.slow

AS_OF = datetime(2026, 11, 22, 6, tzinfo=UTC)


@pytest.fixture
def score(workspace, spark):
    """The champion of the workspace as a function of columns."""
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(tracking_uri(workspace.folder / "models"))
    with warnings.catch_warnings():
        # pandas 3 is new to PySpark 4.3, and says so wherever a function of pandas is made.
        warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
        yield mlflow.pyfunc.spark_udf(
            spark,
            "models:/leadlift@champion",
            env_manager="local",
            result_type="score double, stage string",
            params={"as_of": AS_OF.isoformat()},
        )
    mlflow.set_tracking_uri(before)


def test_a_function_of_sparks_columns_scores_as_the_bundle_does(score, bundle, workspace, spark):
    from pyspark.sql.functions import struct

    leads = pl.read_csv(workspace.new_leads, infer_schema=False)
    table = spark.createDataFrame(leads.to_arrow().cast(leads.to_arrow().schema))
    scored = table.select("lead_id", score(struct(*table.columns)).alias("scored")).toArrow()
    expected = score_table(bundle, leads, as_of=AS_OF).select(["lead_id", "score", "stage"])
    found = [{"lead_id": row["lead_id"], **row["scored"]} for row in scored.to_pylist()]
    assert sorted(found, key=lambda row: row["lead_id"]) == expected.sort_by("lead_id").to_pylist()
