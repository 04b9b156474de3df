"""What every section of leadlift.toml shares."""

from __future__ import annotations

from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

Name = Annotated[str, Field(min_length=1)]

UNKNOWN_ZONE = "time_zone {!r} is not known here; expected an IANA name such as 'Europe/Berlin'"
"""What is said of a name that is no time zone."""


def known_zone(name: str) -> str:
    """Return the name of a time zone.

    Parameters
    ----------
    name : str
        An IANA name such as ``"Europe/Berlin"``.

    Returns
    -------
    str
        The same name.

    Raises
    ------
    ValueError
        No such zone is known on this machine.

    Examples
    --------
    >>> known_zone("Europe/Berlin")
    'Europe/Berlin'
    """
    try:
        ZoneInfo(name)
    # An odd name ends in a file that cannot be opened.
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(UNKNOWN_ZONE.format(name)) from error
    return name


ZoneName = Annotated[str, AfterValidator(known_zone)]


class Section(BaseModel):
    """A section whose keys are known and whose values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def no_overlap(what: str, *groups: tuple[str, ...]) -> None:
    """Raise ValueError where a name stands in two groups, or twice in one.

    Parameters
    ----------
    what : str
        What the message calls the groups.
    *groups : tuple of str
    """
    seen: set[str] = set()
    for group in groups:
        both = seen.intersection(group)
        if both:
            msg = f"{sorted(both)[0]!r} stands twice in {what}; each may stand once"
            raise ValueError(msg)
        seen.update(group)
