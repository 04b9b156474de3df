"""A models folder with a registry, made once a session; tests copy it."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

AT = datetime(2030, 1, 1, tzinfo=UTC)
WHO = {"by": "ann", "at": AT}


@pytest.fixture(scope="session")
def small_bundle():
    """A bundle that is not saved."""
    from small_bundles import fitted_bundle, made_up_leads

    return fitted_bundle(made_up_leads())


@pytest.fixture(scope="session")
def registry_template(small_bundle, tmp_path_factory):
    """A models folder with a champion, a challenger and a previous champion, all registered."""
    from leadlift.lifecycle.registry import Registry
    from small_bundles import versions_of

    models = tmp_path_factory.mktemp("registry") / "models"
    registry = Registry(models)
    first, second, third = versions_of(small_bundle, ["data 1", "data 2", "data 3"])
    registry.promote(registry.keep(first).version, **WHO, why="the first")
    registry.promote(registry.keep(second).version, **WHO, why="better")
    registry.register(third, **WHO)
    return models


@pytest.fixture
def registry(registry_template, tmp_path):
    """A registry of its own for a test, with a champion, a challenger and a previous champion."""
    from leadlift.lifecycle.registry import Registry

    return Registry(Path(shutil.copytree(registry_template, tmp_path / "models", symlinks=True)))
