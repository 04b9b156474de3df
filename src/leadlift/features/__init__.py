"""What was known at as_of: groups of features, one registry, one function that builds them.

A group says which columns it makes and what each means (:class:`~leadlift.terms.FeatureSpec`), learns its
vocabulary from a :class:`~leadlift.features.facts.Survey` of the fitted observations, and makes its columns
from the :class:`~leadlift.features.facts.Facts` of any. Training and scoring go through the same two methods.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, Self

from leadlift.exceptions import ConfigError

if TYPE_CHECKING:
    import pyarrow as pa

    from leadlift.features.facts import Facts, Survey
    from leadlift.terms import FeatureSpec

GROUPS = {
    "profile": "leadlift.features.profile:Profile",
    "activity": "leadlift.features.activity:Activity",
    "journey": "leadlift.features.journey:Journey",
    "qualification": "leadlift.features.qualification:Qualification",
    "voice": "leadlift.features.voice:Voice",
    "source": "leadlift.features.source:Source",
}
"""Groups by name, as ``module:class``, in the order of their columns; resolved when asked for."""


@dataclass(frozen=True)
class Settings:
    """What a user may set about the features; each group takes what concerns it.

    Parameters
    ----------
    columns : tuple of FeatureSpec
        Columns of the leads known at creation.
    windows_days : tuple of float
        Look-back windows of counts.
    text : tuple of str
        Those of the columns that hold free text.
    fields : tuple of str or None
        Fields of the change log that are replayed; None takes all that are not refused.
    refused : tuple of str
        Fields of the change log that must be no inputs, unless named in `fields`.
    """

    columns: tuple[FeatureSpec, ...] = ()
    windows_days: tuple[float, ...] = (1.0, 7.0, 30.0, 90.0)
    text: tuple[str, ...] = ()
    fields: tuple[str, ...] | None = None
    refused: tuple[str, ...] = ()


class FeatureGroup(ABC):
    """Some features that belong together.

    A subclass takes its settings as keyword arguments, stores them, and sets attributes that end in ``_`` at
    fit. What it learnt is JSON, so that a bundle can hold it.
    """

    name: ClassVar[str]
    act_columns: ClassVar[tuple[str, ...]] = ()
    """Columns of the acts that the group reads; see :func:`leadlift.features.statements.acts`."""

    @classmethod
    @abstractmethod
    def configured(cls, settings: Settings) -> Self:
        """Make the group with the settings that concern it.

        Parameters
        ----------
        settings : Settings
        """

    @abstractmethod
    def fit(self, survey: Survey) -> Self:
        """Learn the vocabulary.

        Parameters
        ----------
        survey : Survey

        Returns
        -------
        self
        """

    @abstractmethod
    def specs(self) -> tuple[FeatureSpec, ...]:
        """Return what each column means, in the order of the columns; none where there are no data for it."""

    @abstractmethod
    def columns(self, facts: Facts) -> list[pa.Array]:
        """Make the columns, in the order of the specs: int32 counts, float64 numbers or strings.

        Parameters
        ----------
        facts : Facts

        Returns
        -------
        list of pyarrow.Array
            Each of length ``facts.n_rows``; null is missing.
        """

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Return settings and what was learnt as JSON values."""

    @classmethod
    @abstractmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """Make the fitted group anew.

        Parameters
        ----------
        state : dict
            From :meth:`to_dict`.
        """


def group_class(name: str) -> type[FeatureGroup]:
    """Return the class of a group.

    Raises
    ------
    ConfigError
        There is no group of that name.

    Examples
    --------
    >>> group_class("activity").__name__
    'Activity'
    """
    if name not in GROUPS:
        msg = f"there is no feature group {name!r}; expected some of {', '.join(GROUPS)}"
        raise ConfigError(msg)
    module, _, cls = GROUPS[name].partition(":")
    return getattr(import_module(module), cls)
