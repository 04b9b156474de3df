"""What every section of leadlift.toml shares."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(min_length=1)]


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
