"""All tables of a configuration at once, for notebooks and scripts."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from leadlift.config import LeadliftConfig, read_config
from leadlift.data.events import Events, read_events
from leadlift.data.history import History, read_history
from leadlift.data.reading import Leads, read_leads


class Tables(NamedTuple):
    """What a configuration names.

    Parameters
    ----------
    leads : Leads
        Read.
    events : Events or None
        Opened; their rows are read when they are asked for.
    history : History or None
        Opened likewise.
    """

    leads: Leads
    events: Events | None
    history: History | None


def read_tables(config: LeadliftConfig | str | Path) -> Tables:
    """Read the leads and open the events and the change log of a configuration.

    Parameters
    ----------
    config : LeadliftConfig or path
        A configuration, or the path of a leadlift.toml.

    Returns
    -------
    Tables
        ``leads, events, history``; the latter two are None where the configuration names none.

    Raises
    ------
    InputError, SchemaError, ConfigError
        A file cannot be read, or does not hold what the configuration says.

    Examples
    --------
    >>> import tempfile
    >>> from leadlift.data.datasets import make_leads
    >>> from leadlift.data.discovery import discover
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     make_leads(200, seed=0).save(folder)
    ...     toml = Path(folder) / "leadlift.toml"
    ...     written = toml.write_text(discover(Path(folder) / "leads.csv").to_toml(folder=folder))
    ...     leads, events, history = read_tables(toml)
    >>> leads.table.num_rows > 150, events, history
    (True, None, None)
    """
    if not isinstance(config, LeadliftConfig):
        config = read_config(config)
    return Tables(
        leads=read_leads(config),
        events=None if config.data.events is None else read_events(config),
        history=None if config.data.history is None else read_history(config),
    )
