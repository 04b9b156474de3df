"""Fixtures that every test may use."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

import laws  # noqa: F401 -- settings of Hypothesis
from browser import browser  # noqa: F401 -- a fixture
from postgresql_session import server  # noqa: F401 -- a fixture
from registry_folders import registry, registry_template, small_bundle  # noqa: F401 -- fixtures
from spark_session import spark  # noqa: F401 -- a fixture

REAL_DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of the public data sets."""
    if not REAL_DATA.is_dir():
        pytest.skip("the public data sets are not beside the repository (../shared/data)")
    return REAL_DATA


@dataclass(frozen=True)
class Workspace:
    """What a user has after the first training: files, configuration, bundle, and what train printed."""

    folder: Path
    printed: dict

    @property
    def leads(self) -> Path:
        return self.folder / "leads.csv"

    @property
    def new_leads(self) -> Path:
        return self.folder / "new_leads.csv"

    @property
    def config(self) -> Path:
        return self.folder / "leadlift.toml"

    @property
    def champion(self) -> Path:
        return self.folder / "models" / "champion"


@pytest.fixture(scope="session")
def workspace(tmp_path_factory) -> Workspace:
    """One simulated CRM and one model of it, made by the command line; nothing in it may be changed."""
    from command_line import run_ok

    folder = tmp_path_factory.mktemp("workspace")
    run_ok("simulate", "--out", folder, "--n", 4000, "--seed", 5)
    config = folder / "leadlift.toml"
    run_ok("init", folder / "leads.csv", "--out", config)
    text = config.read_text().replace("# folds = 8 ", "folds = 2 ").replace("# [cutoff.sql]", "[cutoff.sql]")
    config.write_text(text + 'policy = "fixed_threshold"\nthreshold = 0.3\n')
    trained = run_ok("train", config, "--leave-out-suspects", "--json")
    return Workspace(folder, json.loads(trained.out))


@pytest.fixture(scope="session")
def bundle(workspace):
    """The bundle of the workspace, read from disk once."""
    from leadlift.serving.bundle import ModelBundle

    return ModelBundle.load(workspace.champion)
