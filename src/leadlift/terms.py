"""The nouns of lead scoring: what every other module speaks in.

Each term is defined once, here: the column names of the tables that leave the package, and the
frozen records in which results travel between modules.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

# House columns of the rows of the learning problem.
LEAD_ID = "lead_id"
AS_OF = "as_of"
CONVERTED = "converted"
LABEL_KNOWN_AT = "label_known_at"
WEIGHT = "weight"
ACCOUNT = "account"

# House columns of a scored table, in the order in which they are written.
SCORE = "score"
SCORE_0_100 = "score_0_100"
UNCERTAINTY = "uncertainty"
BASE = "base"
SCORE_SQL = "score_sql"
PREVIOUS_SCORE = "previous_score"
GRADE = "grade"
STAGE = "stage"
STAGE_SINCE = "stage_since"
STAGE_REASON = "stage_reason"
MODEL_STAGE = "model_stage"
CONTACT_PROBABILITY = "contact_probability"
STATUS = "status"
STATUS_DETAIL = "status_detail"
MODEL_VERSION = "model_version"
REASONS = ("reason_1", "reason_2", "reason_3")

# Beside `score` and `base`, a column of explained leads.
RESIDUAL = "residual"


class Family(StrEnum):
    """What kind of knowledge a column is; contributions of a family add up to its sub-score."""

    FIT = "fit"
    ENGAGEMENT = "engagement"
    INTENT = "intent"
    SOURCE = "source"
    OTHER = "other"


SCORED_COLUMNS = (
    LEAD_ID,
    AS_OF,
    SCORE,
    SCORE_0_100,
    UNCERTAINTY,
    SCORE_SQL,
    PREVIOUS_SCORE,
    GRADE,
    STAGE,
    STAGE_SINCE,
    STAGE_REASON,
    MODEL_STAGE,
    CONTACT_PROBABILITY,
    BASE,
    *[family.value for family in Family],
    *REASONS,
    STATUS,
    STATUS_DETAIL,
    MODEL_VERSION,
)


class Outcome(StrEnum):
    """How a lead ended, as far as is known."""

    WON = "won"
    LOST = "lost"
    OPEN = "open"


class Stage(StrEnum):
    """How far a score qualifies a lead."""

    NONE = "none"
    MQL = "MQL"
    SQL = "SQL"


class Status(StrEnum):
    """What became of an input row of a scoring job; every row gets exactly one."""

    SCORED = "scored"
    MISSING_ID = "missing_id"
    DUPLICATE_ID = "duplicate_id"
    INVALID_VALUE = "invalid_value"
    MISSING_REQUIRED = "missing_required"
    TOO_EARLY = "too_early"


class Severity(StrEnum):
    """How much a finding matters: a fatal one stops training."""

    FATAL = "fatal"
    WARNING = "warning"
    INFO = "info"


class Kind(StrEnum):
    """How a feature column is read: as a number or as one of a set of levels."""

    NUMERIC = "numeric"
    CATEGORICAL = "categorical"


@dataclass(frozen=True)
class Interval:
    """An estimate with its confidence interval.

    Parameters
    ----------
    estimate, low, high : float
        The point estimate and the ends of the interval, in the estimate's own unit.
    confidence : float
        Coverage in (0, 1). A one-sided bound has the other end at the end of the scale.

    Examples
    --------
    >>> print(Interval(0.31, 0.28, 0.34, 0.95))
    0.310 [0.280, 0.340]
    """

    estimate: float
    low: float
    high: float
    confidence: float

    def __str__(self) -> str:
        return f"{self.estimate:.3f} [{self.low:.3f}, {self.high:.3f}]"


@dataclass(frozen=True)
class LeadValue:
    """What a lead is worth by one of its columns: it qualifies from ``contact_cost / value`` on.

    Parameters
    ----------
    column : str
        Input column: the value of a win itself, or a category that `values` gives a value.
    contact_cost : float
        Cost of contacting a lead, >= 0, in the currency of the values.
    default : float
        Value of a win where the column is missing or its level has no value.
    values : dict of str to float or None
        Value of a win by level of the column; None where the column holds the value.
    """

    column: str
    contact_cost: float
    default: float
    values: dict[str, float] | None = None


@dataclass(frozen=True)
class Cutoff:
    """The decision where a lead qualifies, with its evidence.

    A lead passes when ``score >= threshold`` (see :func:`leadlift.learning.cutoff.passes`).

    Parameters
    ----------
    threshold : float
        Calibrated probability in [0, 1] from which a lead qualifies.
    policy : str
        The policy that set it, with its parameters, as a person would read it.
    promise : str
        The sentence that marketing and sales are told, confidence and evidence size included.
    precision, recall : Interval
        Share of the qualified that are won, and share of the won that qualify, in the evidence.
    share : float
        Share of the evidence's leads that qualify, in [0, 1].
    per_week : Interval or None
        Qualified leads a week in the evidence; None where the evidence has no dates.
    n_evidence : int
        Leads in the evidence.
    n_evidence_won : int
        Won leads in the evidence.
    confidence : float
        Confidence of the promise, in (0, 1).
    evidence : str
        Where the evidence comes from: ``"decide slice"``, ``"out-of-fold"`` or ``"given"``.
    tie_break : float or None
        Smallest uncalibrated log-odds that still passes among scores equal to the threshold;
        None where ties were not broken.
    n_tied : int
        Leads in the evidence whose calibrated score equals the threshold.
    promised_precision, promised_recall : float or None
        Least share that is guaranteed with `confidence`; None where none is.
    wins_per_week : Interval or None
        Qualified leads a week that are won; None where the evidence has no dates.
    binding : str
        Of several policies that one which draws the line; empty where there is one.
    per_lead : LeadValue or None
        Where leads differ in what they are worth: what the threshold of each is made of. `threshold` is
        then that of a lead whose value is not known.
    """

    threshold: float
    policy: str
    promise: str
    precision: Interval
    recall: Interval
    share: float
    per_week: Interval | None
    n_evidence: int
    n_evidence_won: int
    confidence: float
    evidence: str
    tie_break: float | None = None
    n_tied: int = 0
    promised_precision: float | None = None
    promised_recall: float | None = None
    wins_per_week: Interval | None = None
    binding: str = ""
    per_lead: LeadValue | None = None


@dataclass(frozen=True)
class FeatureSpec:
    """What one feature column means.

    Parameters
    ----------
    name : str
        Column name, as in the user's table.
    kind : Kind
        Numeric or categorical.
    family : Family
        Fit, engagement, intent, source or other.
    unit : str
        Unit of a numeric column, empty where none is known.
    window_days : float or None
        Look-back window the column summarises; None for a state or for all time.
    missing_means : str
        What a missing value says, in words.
    description : str
        One sentence on what the column holds.
    group : str
        Feature group that makes the column; empty for a column of the leads' file.
    dtype : str
        Arrow type of the column: ``"float64"``, ``"int32"`` or ``"string"``; empty means float64 for numbers
        and string for categories.
    wording : str
        Key of the texts that put the column into words, ``"theme.measure"``; empty for a column of the leads'
        file. Columns of one theme that are about the same are one reason.
    about : tuple of str
        What the column is about: an event type, a channel, a field.
    """

    name: str
    kind: Kind
    family: Family = Family.OTHER
    unit: str = ""
    window_days: float | None = None
    missing_means: str = "not recorded"
    description: str = ""
    group: str = ""
    dtype: str = ""
    wording: str = ""
    about: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "about", tuple(self.about))
        if not self.dtype:
            object.__setattr__(self, "dtype", "float64" if self.kind is Kind.NUMERIC else "string")


@dataclass(frozen=True)
class Finding:
    """One thing a check found, with what to do about it.

    Parameters
    ----------
    code : str
        Stable code such as ``"LL101"``; the catalogue is in ``docs/findings.md``.
    severity : Severity
        Fatal findings stop training.
    title : str
        A few words that are the same for every finding of the code.
    message : str
        What was expected and what came.
    remedy : str
        What to do.
    column : str or None
        The column concerned, if one is.
    count : int
        Rows (or columns) concerned.
    examples : tuple of str
        Up to five ids, row numbers or levels. Never free text of a lead.
    """

    code: str
    severity: Severity
    title: str
    message: str
    remedy: str = ""
    column: str | None = None
    count: int = 0
    examples: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """What was found and what to do, as sentences."""
        return " ".join(_sentence(part) for part in (self.message, self.remedy) if part)


def _sentence(text: str) -> str:
    """Begin with a capital and end with a stop."""
    text = text.strip()
    return text[0].upper() + text[1:] + ("" if text[-1] in ".?!" else ".")
