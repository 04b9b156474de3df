"""Profile: what a lead is, as far as was known at as_of.

Columns of the leads keep their names. A field of the change log has the value of the day, by the rules of
:mod:`leadlift.features.replay`, whether it is a column of the leads or not; beside it stand for how long it
has had that value and how often it changed. What may not be an input must not come back through the log:
fields named in ``refused``, protected attributes by their names, house columns, and columns of the leads that
are no inputs are left out, unless the user names them in ``fields``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any, ClassVar, Self

import numpy as np
import pyarrow as pa

from leadlift.data.naming import guess_family, protected_attribute
from leadlift.data.tables import HOUSE_COLUMNS
from leadlift.exceptions import ConfigError, shorten
from leadlift.features import FeatureGroup, Settings
from leadlift.features.activity import days_or_null
from leadlift.features.bant import UNKNOWN, bant_columns
from leadlift.features.facts import Facts, Survey
from leadlift.features.lead_columns import as_feature
from leadlift.features.specs import NEVER_MISSING, Specs
from leadlift.terms import Family, FeatureSpec, Kind

NOT_LOGGED = "no change logged yet, or the field was emptied"


class Profile(FeatureGroup):
    """Columns of the leads known at creation, and fields of the change log as they were at as_of.

    Parameters
    ----------
    inputs : sequence of FeatureSpec
        Columns of the leads that are passed through.
    fields : sequence of str or None
        Fields of the change log that are replayed; None takes all that are not refused. Inputs that are
        fields of the log have the value of the day in any case.
    refused : sequence of str
        Fields of the change log that must be no inputs.

    Attributes
    ----------
    inputs_ : tuple of FeatureSpec
        Columns that are passed through.
    logged_ : tuple of FeatureSpec
        Fields of the log that are no column of the leads.
    changing_ : tuple of FeatureSpec
        Those of both whose changes are counted and dated.
    """

    name: ClassVar[str] = "profile"

    def __init__(
        self,
        inputs: Sequence[FeatureSpec] = (),
        fields: Sequence[str] | None = None,
        refused: Sequence[str] = (),
    ) -> None:
        self.inputs = tuple(inputs)
        self.fields = None if fields is None else tuple(fields)
        self.refused = tuple(refused)

    @classmethod
    def configured(cls, settings: Settings) -> Self:
        """Make the group; see :meth:`FeatureGroup.configured`."""
        inputs = [spec for spec in settings.columns if spec.name not in settings.text]
        return cls(inputs, settings.fields, (*settings.refused, *settings.text))

    def fit(self, survey: Survey) -> Self:
        """Learn which fields of the change log there are; see :meth:`FeatureGroup.fit`.

        A field of which no change was known at any fitted observation makes no columns.

        Raises
        ------
        ConfigError
            The change log has no field of a name in `fields`.
        """
        self._require_fields(survey)
        fields = [name for name in sorted(survey.fields) if self._is_wanted(name, survey)]
        names = {spec.name for spec in self.inputs}
        inputs = [_as_input(spec, survey) for spec in self.inputs]
        logged = [_of_field(name, survey) for name in fields if name not in names]
        self.inputs_, self.logged_ = _never_missing(inputs), _never_missing(logged)
        self.changing_ = tuple(
            spec for name in fields for spec in (*self.inputs_, *self.logged_) if spec.name == name
        )
        return self

    def specs(self) -> tuple[FeatureSpec, ...]:
        """Return what each column means; see :meth:`FeatureGroup.specs`."""
        changes = [spec for field in self.changing_ for spec in _of_changes(field)]
        return (*self.inputs_, *self.logged_, *changes)

    def columns(self, facts: Facts) -> list[pa.Array]:
        """Make the columns; see :meth:`FeatureGroup.columns`."""
        inputs = [as_feature(facts.leads[spec.name], spec.kind) for spec in self.inputs_]
        logged = [facts.states.values(spec.name, spec.kind) for spec in self.logged_]
        specs = (*self.inputs_, *self.logged_)
        unknown = bant_columns(spec.name for spec in specs if spec.kind is Kind.CATEGORICAL)
        values = [
            column.fill_null(UNKNOWN) if spec.name in unknown else column
            for spec, column in zip(specs, [*inputs, *logged], strict=True)
        ]
        return [*values, *[column for spec in self.changing_ for column in _changes(facts, spec.name)]]

    def to_dict(self) -> dict[str, Any]:
        """Return what was learnt; see :meth:`FeatureGroup.to_dict`."""
        return {
            "inputs": [asdict(spec) for spec in self.inputs_],
            "logged": [asdict(spec) for spec in self.logged_],
            "changing": [spec.name for spec in self.changing_],
        }

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """Make the fitted group anew; see :meth:`FeatureGroup.from_dict`."""
        group = cls()
        group.inputs_ = tuple(map(_spec_from, state["inputs"]))
        group.logged_ = tuple(map(_spec_from, state["logged"]))
        by_name = {spec.name: spec for spec in (*group.inputs_, *group.logged_)}
        group.changing_ = tuple(by_name[name] for name in state["changing"])
        return group

    def _require_fields(self, survey: Survey) -> None:
        absent = sorted(set(self.fields or ()) - set(survey.replay.fields))
        if absent and survey.replay.fields:
            msg = (
                f"the change log of these leads has no field {shorten(absent)}; it has "
                f"{shorten(survey.replay.fields)}. Mend fields in [features]"
            )
            raise ConfigError(msg)

    def _is_wanted(self, field: str, survey: Survey) -> bool:
        if self.fields is not None:
            return field in self.fields
        if field in self.refused:
            return False
        if any(field == spec.name for spec in self.inputs):
            return True
        is_no_input = field in survey.leads.column_names or field in HOUSE_COLUMNS
        return not is_no_input and protected_attribute(field) is None


def _as_input(spec: FeatureSpec, survey: Survey) -> FeatureSpec:
    dtype = "float64" if spec.kind is Kind.NUMERIC else "string"
    spec = replace(spec, group=Profile.name, dtype=dtype)
    is_replayed = spec.name in survey.replay.fields and not survey.replay.has_old_values
    return replace(spec, missing_means=NOT_LOGGED) if is_replayed else spec


def _of_field(name: str, survey: Survey) -> FeatureSpec:
    return FeatureSpec(
        name=name,
        kind=Kind.NUMERIC if name in survey.numeric_fields else Kind.CATEGORICAL,
        family=guess_family(name),
        group=Profile.name,
        missing_means=NOT_LOGGED,
        description=f"value of {name!r} in the change log at as_of",
    )


def _never_missing(specs: Sequence[FeatureSpec]) -> tuple[FeatureSpec, ...]:
    """The same, but that a categorical column of BANT is never missing."""
    unknown = bant_columns(spec.name for spec in specs if spec.kind is Kind.CATEGORICAL)
    return tuple(
        replace(spec, missing_means=NEVER_MISSING) if spec.name in unknown else spec for spec in specs
    )


def _of_changes(field: FeatureSpec) -> tuple[FeatureSpec, FeatureSpec]:
    specs = Specs(Profile.name, field.family)
    days_in = specs.number(
        f"days_in_{field.name}",
        f"days from the last change of {field.name!r} to as_of",
        unit="days",
        missing_means="no change logged yet",
        wording="field.since_change",
        about=(field.name,),
    )
    changes = f"logged changes of {field.name!r} before as_of"
    return days_in, specs.number(
        f"n_changes_{field.name}", changes, unit="changes", wording="field.changes", about=(field.name,)
    )


def _changes(facts: Facts, field: str) -> tuple[pa.Array, pa.Array]:
    n_changes = np.maximum(facts.states.spread(field, "n_changes"), 0).astype(np.int32)
    return days_or_null(facts.states.spread(field, "age_us")), pa.array(n_changes)


def _spec_from(state: dict[str, Any]) -> FeatureSpec:
    return FeatureSpec(**state | {"kind": Kind(state["kind"]), "family": Family(state["family"])})
