"""Training without MLflow, which takes seconds to make a store; the registry has its own tests."""

from leadlift.lifecycle import training
from leadlift.lifecycle.tracking import TrackedRun

RUN = TrackedRun("run", 1, "models:/x", "sqlite:///x")


def untrack(patch):
    """Let trainings log nothing and put the champion's link in place without telling a registry."""
    patch.setattr(training, "log_run", lambda **_: RUN)
    patch.setattr(training.Registry, "promote", put_in_service)


def put_in_service(registry, version, **_):
    """Point the champion's link to a version."""
    registry.champion.unlink(missing_ok=True)
    registry.champion.symlink_to(f"versions/{version}")
