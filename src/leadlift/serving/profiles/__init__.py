"""Files as the CRMs import them: one profile each, resolved by name."""

from __future__ import annotations

from importlib import import_module

from leadlift.exceptions import ConfigError, shorten
from leadlift.serving.profiles.base import Profile

# Name -> "module:profile"; a new one is its own file, one line here and one test class.
PROFILES = {
    "dynamics": "leadlift.serving.profiles.dynamics:DYNAMICS",
    "generic": "leadlift.serving.profiles.generic:GENERIC",
    "hubspot": "leadlift.serving.profiles.hubspot:HUBSPOT",
    "marketo": "leadlift.serving.profiles.marketo:MARKETO",
    "odoo": "leadlift.serving.profiles.odoo:ODOO",
    "salesforce": "leadlift.serving.profiles.salesforce:SALESFORCE",
}


def get_profile(name: str) -> Profile:
    """Return a profile by its name.

    Parameters
    ----------
    name : str
        A key of :data:`PROFILES`.

    Returns
    -------
    Profile

    Raises
    ------
    ConfigError
        There is no such profile.

    Examples
    --------
    >>> get_profile("salesforce").schema.names[:3]
    ['Id', 'Leadlift_Score__c', 'Leadlift_Grade__c']
    """
    if name not in PROFILES:
        msg = f"profile: expected one of {', '.join(PROFILES)}, got {shorten([name])}"
        raise ConfigError(msg)
    module, attribute = PROFILES[name].split(":")
    return getattr(import_module(module), attribute)
