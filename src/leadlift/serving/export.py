"""What is written of the scored rows: all of them as they are, or what a CRM is to be told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from leadlift.serving.changes import changed, require_comparable
from leadlift.serving.profiles import get_profile
from leadlift.serving.scored_columns import CODED_SCHEMA
from leadlift.terms import LEAD_ID

if TYPE_CHECKING:
    from leadlift.serving.previous import PreviousStages


class Export:
    """The rows and columns that are written of a scored table.

    Parameters
    ----------
    previous : PreviousStages or None
        The scoring before.
    profile : str or None
        Columns of a CRM (:func:`leadlift.serving.profiles.get_profile`); None writes them as they are.
    changed_only : str or None
        ``"stage"`` or ``"grade"``: only leads that are new or differ in it from the scoring before.

    Raises
    ------
    ConfigError
        There is no such profile, or nothing to compare with.
    """

    def __init__(
        self, previous: PreviousStages | None, profile: str | None = None, changed_only: str | None = None
    ) -> None:
        if changed_only is not None:
            require_comparable(changed_only, previous)
        self._previous, self._changed_only = previous, changed_only
        self._profile = None if profile is None else get_profile(profile)

    @property
    def schema(self) -> pa.Schema:
        """Columns of what is written."""
        return CODED_SCHEMA if self._profile is None else self._profile.schema

    def rows(self, scored: pa.Table) -> pa.Table:
        """Return what is written of some scored rows.

        Parameters
        ----------
        scored : pyarrow.Table
            Columns ``CODED_SCHEMA``.

        Returns
        -------
        pyarrow.Table
            Columns `schema`, in the order of the rows.
        """
        if self._changed_only is not None:
            standing = self._previous.of(scored[LEAD_ID])
            scored = scored.filter(pa.array(changed(scored, standing, self._changed_only)))
        return scored if self._profile is None else self._profile.table(scored)
