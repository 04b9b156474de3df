"""Services that a machine may lack: their tests are skipped there, and required where CI says so."""

import os

import pytest


def require(condition: object, reason: str) -> None:
    """Skip the test for this reason unless the condition holds; fail where LEADLIFT_REQUIRE_SERVICES is 1."""
    if condition:
        return
    if os.environ.get("LEADLIFT_REQUIRE_SERVICES") == "1":
        pytest.fail(f"required here: {reason}")
    pytest.skip(reason)
