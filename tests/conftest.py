"""Fixtures that every test may use."""

from pathlib import Path

import pytest

REAL_DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of the public data sets."""
    if not REAL_DATA.is_dir():
        pytest.skip("the public data sets are not beside the repository (../shared/data)")
    return REAL_DATA
