"""Addresses of databases: variables put in, passwords kept out of every message."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import parse_qsl, quote, unquote

from leadlift.exceptions import ConfigError, InputError, shorten

_VARIABLE = re.compile(r"\$\{(\w+)\}")
_PARTS = re.compile(r"(?P<scheme>[^:]*)://(?P<authority>[^/?#]*)(?P<path>[^?#]*)(?P<rest>.*)", re.DOTALL)
_SECRET_OPTION = re.compile(r"pass|pwd|secret|token|credential|connect$", re.IGNORECASE)
_HIDDEN = "***"


def is_address(source: str) -> bool:
    """Return whether a source is the address of a database rather than a path.

    Examples
    --------
    >>> is_address("postgresql://crm.example/sales"), is_address("data/leads.csv")
    (True, False)
    """
    return "://" in source


def source_name(source: str) -> str:
    """Return how messages and records call a source: an address without user, password and options.

    Parameters
    ----------
    source : str
        A path, or the address of a database.

    Returns
    -------
    str
        A path as it is. Of an address that can be read in two ways, the scheme alone.

    Examples
    --------
    >>> source_name("postgresql://ann:secret@crm.example:5432/sales?sslpassword=other")
    'postgresql://crm.example:5432/sales'
    >>> source_name("postgresql://ann:what?@crm.example/sales")
    'postgresql://...'
    """
    if not is_address(source):
        return source
    parts = _parts(source)
    if "@" in parts["rest"]:
        return f"{parts['scheme']}://..."
    return f"{parts['scheme']}://{(parts['authority'] + parts['path']).rpartition('@')[2]}"


def expand_variables(address: str, environment: Mapping[str, str] = os.environ) -> str:
    """Put the values of environment variables in place of ``${NAME}``.

    Parameters
    ----------
    address : str
        The address of a database.
    environment : mapping of str to str
        Values by name. One that stands for a user or a password holds it as it is, not percent-encoded.

    Returns
    -------
    str

    Raises
    ------
    ConfigError
        A variable is not set, or the address can be read in two ways.

    Examples
    --------
    >>> expand_variables("postgresql://ann:${CRM_PASSWORD}@crm.example/sales", {"CRM_PASSWORD": "a/b"})
    'postgresql://ann:a%2Fb@crm.example/sales'
    """
    unset = [name for name in _VARIABLE.findall(address) if name not in environment]
    if unset:
        msg = (
            f"{source_name(address)}: {len(unset)} environment variable(s) of this address are not set: "
            f"{shorten(unset)}. Set them before the job starts"
        )
        raise ConfigError(msg)
    end_of_user = address.rfind("@")

    def value(match: re.Match[str]) -> str:
        text = environment[match[1]]
        return quote(text, safe="") if match.end() <= end_of_user else text

    expanded = _VARIABLE.sub(value, address)
    _refuse_unclear(expanded)
    return expanded


def without_secrets(message: str, address: str) -> str:
    """Return the message of a driver without the password and the options of an address.

    Parameters
    ----------
    message : str
        What the driver says.
    address : str
        The expanded address.

    Returns
    -------
    str
        Secrets are replaced by ``***``.

    Examples
    --------
    >>> without_secrets("cannot use 'secret'", "postgresql://ann:secret@crm.example/sales")
    "cannot use '***'"
    """
    parts = _parts(address)
    password = parts["authority"].rpartition("@")[0].partition(":")[2]
    options = parts["rest"].lstrip("?")
    hidden = {text for name, text in parse_qsl(options) if _SECRET_OPTION.search(name)}
    secrets = {address, password, unquote(password), options} | hidden
    for secret in sorted(secrets - {""}, key=len, reverse=True):
        message = message.replace(secret, _HIDDEN)
    return message


@contextmanager
def driver_errors(name: str, address: str, kinds: tuple[type[Exception], ...]) -> Iterator[None]:
    """Make the errors of a driver InputErrors that name the database and never its password.

    Parameters
    ----------
    name : str
        What messages call the database.
    address : str
        The expanded address.
    kinds : tuple of exception types
        What the driver raises.

    Raises
    ------
    InputError
        In place of an error of these kinds.
    """
    try:
        yield
    except kinds as error:
        said = " ".join(str(getattr(error, "orig", None) or error).split())
        reason = without_secrets(said, address).rstrip(".")
        msg = (
            f"{name}: the database cannot be read: {reason}. Check the address, the user's rights and the "
            f"query, and that the server is up"
        )
        raise InputError(msg) from None  # the driver's own error may quote the address


def _parts(address: str) -> dict[str, str]:
    match = _PARTS.fullmatch(address)
    return match.groupdict() if match else {"scheme": "", "authority": "", "path": "", "rest": address}


def _refuse_unclear(address: str) -> None:
    """Where a password bears a mark of the address itself, drivers would quote parts of it in messages."""
    parts = _parts(address)
    user, _, hosts = parts["authority"].rpartition("@")
    ports = [host.rpartition(":")[2] for host in hosts.split(",") if ":" in host and not host.endswith("]")]
    is_unclear = (
        "@" in user
        or user.count(":") > 1
        or (parts["authority"] and "@" in parts["path"])
        or any(port and not port.isdigit() for port in ports)
    )
    if is_unclear:
        msg = (
            f"{parts['scheme']}://...: the address can be read in two ways; write special characters of user "
            f"and password percent-encoded (@ as %40, : as %3A, / as %2F), or take the password from an "
            f"environment variable: ${{NAME}}"
        )
        raise ConfigError(msg)
