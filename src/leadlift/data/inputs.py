"""Which columns of the leads are inputs of the model, and what each means."""

from __future__ import annotations

from leadlift.config import FamiliesConfig, SchemaConfig
from leadlift.data.column_facts import ColumnFacts, column_facts
from leadlift.data.naming import guess_family
from leadlift.data.reading import Leads
from leadlift.terms import Family, FeatureSpec, Kind


def input_columns(
    leads: Leads, roles: SchemaConfig, families: FamiliesConfig | None = None
) -> tuple[FeatureSpec, ...]:
    """Return the columns that are inputs.

    Left out are columns with a role, ignored ones, dates, protected attributes that nobody allowed, columns
    without any value, with one value in every row, and text of which nearly every value is distinct.
    :func:`leadlift.data.checks.check_leads` says which were left out and why.

    Parameters
    ----------
    leads : Leads
        The leads to learn from.
    roles : SchemaConfig
        Roles, ignored and allowed columns, and declared kinds.
    families : FamiliesConfig or None
        Families that the user has set; a column that it does not name is guessed from its name.

    Returns
    -------
    tuple of FeatureSpec
        In the order of the table.
    """
    declared = _declared_families(families or FamiliesConfig())
    return tuple(_spec(facts, declared) for facts in column_facts(leads, roles) if facts.is_input)


def _declared_families(families: FamiliesConfig) -> dict[str, Family]:
    return {name: family for family in Family for name in getattr(families, family.value)}


def _spec(facts: ColumnFacts, declared: dict[str, Family]) -> FeatureSpec:
    values = "number" if facts.kind is Kind.NUMERIC else f"one of {facts.n_distinct:,} levels"
    return FeatureSpec(
        name=facts.name,
        kind=facts.kind,
        family=declared.get(facts.name) or guess_family(facts.name),
        description=f"column {facts.name!r}: {values}, {facts.n_missing / facts.n_rows:.0%} missing",
    )
