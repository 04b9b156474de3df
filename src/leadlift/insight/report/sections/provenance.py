"""The model card: where the model comes from, what it is for, and what it must not be used for.

The headings are those of Mitchell et al. 2019, "Model Cards for Model Reporting",
doi:10.1145/3287560.3287596, as far as other sections do not hold what belongs under them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from leadlift.insight.report.blocks import Block, Column, FactsBlock, Format, Section, TableBlock

if TYPE_CHECKING:
    from leadlift.learning.leak_report import Suspect
    from leadlift.terms import FeatureSpec

_BUNDLE = "ll.ModelBundle.load(folder)"
INTENDED_USE = (
    "To rank leads of the business whose history it learnt from, so that marketing and sales work the "
    "likeliest first, and to agree on the score from which a lead is handed over. A score is the chance "
    "that a lead is won, judged from what was known when it was scored."
)
NOT_INTENDED = (
    "Leads of another business, market or period than those of the data; prices, credit, employment or "
    "any other decision about a person; proof of what makes leads buy. Reasons and drivers say what goes "
    "along with winning, not what causes it."
)
CAVEATS = (
    "Promises and intervals hold for leads like those of the data. When campaigns, products, prices or "
    "the way the CRM is filled change, check the promise and train again. A lead of which little is known "
    "gets a score near the average; that is no judgement on it."
)


def provenance_section(
    provenance: Mapping[str, Any],
    *,
    version: str,
    inputs: Sequence[FeatureSpec],
    left_out: Sequence[Suspect] = (),
) -> Section:
    """Write the model card.

    Parameters
    ----------
    provenance : mapping of str to JSON values
        ``bundle.provenance``; what it lacks is said to be not recorded.
    version : str
        ``bundle.version``.
    inputs : sequence of FeatureSpec
        ``bundle.specs``.
    left_out : sequence of Suspect
        Columns that look written after the outcome and were left out.

    Returns
    -------
    Section
    """
    return Section(
        key="provenance",
        label="Model card",
        title=f"Model {version or 'not yet saved'}: where it comes from and what it is for",
        summary=(
            "What is needed to make the model again: its data, settings, seed and software. "
            f"{_left_out(len(left_out))}"
        ).strip(),
        blocks=(
            _details(provenance, version),
            _use(provenance),
            _inputs_block(inputs),
            *_left_out_blocks(left_out),
            _settings_block(provenance),
        ),
    )


def _left_out(n_columns: int) -> str:
    if n_columns <= 1:
        return "1 column looks written after the outcome and was left out." if n_columns else ""
    return f"{n_columns} columns look written after the outcome and were left out."


def _details(provenance: Mapping[str, Any], version: str) -> FactsBlock:
    software = provenance.get("versions") or {}
    moments = provenance.get("as_of_range")
    facts = (
        ("Version", version or "not yet saved"),
        ("Kind", "gradient-boosted trees and logistic regression, calibrated; probability of being won"),
        ("Training data", f"{_count(provenance, 'n_leads')} leads, {_count(provenance, 'n_rows')} rows"),
        ("Dates of the data", "not known" if moments is None else " to ".join(m[:10] for m in moments)),
        ("Test data", f"{_count(provenance, 'n_test')} rows, {provenance.get('test', 'not recorded')}"),
        ("Fingerprint of the data (SHA-256)", _told(provenance.get("data_sha256"))),
        ("Seed", _told(provenance.get("random_state"))),
        ("Software", ", ".join(f"{name} {number}" for name, number in software.items()) or "not recorded"),
        ("Licence of the software", "MIT"),
    )
    return FactsBlock("Model details", facts, made_by=f"{_BUNDLE}.provenance")


def _count(provenance: Mapping[str, Any], name: str) -> str:
    value = provenance.get(name)
    return "an unrecorded number of" if value is None else f"{value:,}"


def _told(value: object) -> str:
    return "not recorded" if value is None else str(value)


def _inputs_block(inputs: Sequence[FeatureSpec]) -> TableBlock:
    return TableBlock(
        caption=f"Factors: the {len(inputs)} inputs of the model",
        table=pa.table(
            {
                "name": pa.array([spec.name for spec in inputs], pa.string()),
                "family": pa.array([spec.family.value for spec in inputs], pa.string()),
                "kind": pa.array([spec.kind.value for spec in inputs], pa.string()),
                "description": pa.array([spec.description or None for spec in inputs], pa.string()),
                "missing_means": pa.array([spec.missing_means for spec in inputs], pa.string()),
            }
        ),
        columns=(
            Column("name", "Input"),
            Column("family", "Kind of knowledge"),
            Column("kind", "Read as"),
            Column("description", "What it says"),
            Column("missing_means", "Missing means"),
        ),
        made_by=f"{_BUNDLE}.specs",
        most_rows=200,
    )


def _left_out_blocks(left_out: Sequence[Suspect]) -> tuple[Block, ...]:
    if not left_out:
        return ()
    rows = [
        {
            "column": suspect.column,
            "evidence": "; ".join(suspect.evidence),
            "auc_with": suspect.auc_with,
            "auc_without": suspect.auc_without,
        }
        for suspect in left_out
    ]
    block = TableBlock(
        caption="Left out, because they look written after the outcome",
        table=pa.Table.from_pylist(rows),
        columns=(
            Column("column", "Column"),
            Column("evidence", "Evidence"),
            Column("auc_with", "AUC with it", Format.NUMBER),
            Column("auc_without", "AUC without", Format.NUMBER),
        ),
        made_by="ll.prepare(config, leave_out_suspects=True).left_out",
        note="What is known only after a lead was won or lost makes a model look good and score wrongly.",
    )
    return (block,)


def _use(provenance: Mapping[str, Any]) -> FactsBlock:
    facts = (
        ("Intended use", INTENDED_USE),
        ("Not intended", NOT_INTENDED),
        ("Protected attributes", _protected(provenance)),
        ("Caveats", CAVEATS),
    )
    return FactsBlock("Use and limits", facts, made_by="")


def _protected(provenance: Mapping[str, Any]) -> str:
    roles = (provenance.get("config") or {}).get("schema") or {}
    allowed = roles.get("allow_protected") or []
    used = "No column known as a protected attribute, such as gender, age or religion, is an input."
    if allowed:
        used = f"Inputs because the user named them: {', '.join(allowed)}."
    return (
        f"{used} Other inputs may still stand in for one; where attributes were named for it, the section on "
        "fairness says how groups fare and what gives an attribute away."
    )


def _settings_block(provenance: Mapping[str, Any]) -> TableBlock:
    settings = dict(sorted(_flat(provenance.get("config") or {})))
    return TableBlock(
        caption="Settings it was trained with",
        table=pa.table(
            {
                "setting": pa.array(list(settings), pa.string()),
                "value": pa.array(list(settings.values()), pa.string()),
            }
        ),
        columns=(Column("setting", "Setting"), Column("value", "Value")),
        made_by=f'{_BUNDLE}.provenance["config"]',
        most_rows=200,
    )


def _flat(settings: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    """Settings that are set, by their path: ``("model.folds", "8")``."""
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{path}{name}.")
        elif value not in (None, [], ()):
            yield f"{path}{name}", ", ".join(map(str, value)) if isinstance(value, list) else str(value)
