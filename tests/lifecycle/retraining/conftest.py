"""A CRM with a champion of spring in service and a challenger of summer, made once."""

import shutil
from types import SimpleNamespace

import pyarrow.csv
import pytest

from leadlift.config import read_config
from leadlift.data.datasets import make_leads
from leadlift.lifecycle.modelling import make_model
from leadlift.lifecycle.registry import Registry
from leadlift.lifecycle.retraining import retrain as retraining
from retrained_crm import SPRING, SUMMER, TOML, as_known


@pytest.fixture(scope="session")
def leads():
    table = make_leads(4000, 11, with_events=False).leads
    keep = ("lead_id", "created_at", "closed_at", "outcome", "gender", "industry", "seniority", "contact_me")
    later = ("sales_stage", "loss_reason", "loss_note", "deal_amount", "last_activity")
    return table.select([*keep, "visits_before_form", "pricing_views_before_form", "employees", *later])


@pytest.fixture(scope="session")
def spring(tmp_path_factory, leads):
    """A CRM with the champion of spring in service and the leads of summer in the file."""
    folder = tmp_path_factory.mktemp("crm")
    (folder / "leadlift.toml").write_text(TOML)
    pyarrow.csv.write_csv(as_known(leads, SPRING), folder / "leads.csv")
    config = read_config(folder / "leadlift.toml")
    made = make_model(config, name="of-spring")
    Registry(config.models).promote(
        Registry(config.models).register(made.bundle, by="test", at=SPRING), by="test", at=SPRING
    )
    pyarrow.csv.write_csv(as_known(leads, SUMMER), folder / "leads.csv")
    return SimpleNamespace(folder=folder, config=config, champion=made.bundle, problem=made.problem)


@pytest.fixture(scope="session")
def summer(spring, tmp_path_factory):
    """The challenger of summer, before anybody judged it."""
    elsewhere = spring.config.model_copy(update={"models": str(tmp_path_factory.mktemp("summer"))})
    return make_model(elsewhere, name="challenger", leave_out_suspects=True)


@pytest.fixture
def crm(spring, tmp_path):
    """A copy of it that may be changed."""
    folder = tmp_path / "crm"
    shutil.copytree(spring.folder, folder, symlinks=True)
    config = read_config(folder / "leadlift.toml")
    registry = Registry(config.models)
    return SimpleNamespace(folder=folder, config=config, toml=folder / "leadlift.toml", registry=registry)


@pytest.fixture
def learnt(summer, monkeypatch):
    """Every challenger is that of summer, so that nothing is learnt again."""
    monkeypatch.setattr(retraining, "make_model", lambda *_, **__: summer)
