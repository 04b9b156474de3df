"""The registry of models: which bundle is in service, which one challenges it, and who decided so.

The folder is the truth, for it is what serves: bundles stand in ``versions/`` and never change, and
``champion`` is a link to one of them. MLflow's aliases and ``registry.json`` say the same, and
:meth:`Registry.verify` finds where they do not.
"""

from __future__ import annotations

from leadlift.lifecycle.registry.audit import AuditRecord
from leadlift.lifecycle.registry.registry import Registry
from leadlift.lifecycle.registry.state import RegistryState

__all__ = ["AuditRecord", "Registry", "RegistryState"]
