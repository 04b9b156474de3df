"""Where runs and registered models are kept, when not beside the bundles."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator

from leadlift.exceptions import ConfigError


def server_address(address: str) -> str:
    """Return the address of an MLflow server, without a slash at its end.

    Parameters
    ----------
    address : str
        ``http://…`` or ``https://…``; empty for none.

    Returns
    -------
    str

    Raises
    ------
    ConfigError
        It is something else, or holds a password.

    Examples
    --------
    >>> server_address("https://mlflow.example.com:5000/")
    'https://mlflow.example.com:5000'
    """
    parts = urlsplit(address)
    if address and (parts.scheme not in {"http", "https"} or not parts.hostname):
        msg = f"tracking_uri is the address of an MLflow server, http:// or https://, got {address!r}"
        raise ConfigError(msg)
    if parts.password or parts.username:
        msg = (
            "tracking_uri holds a user or password, which files would show; leave them out and set "
            "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"
        )
        raise ConfigError(msg)
    return address.rstrip("/")


TrackingUri = Annotated[str, AfterValidator(server_address)]
