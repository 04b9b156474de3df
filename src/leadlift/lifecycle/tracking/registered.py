"""The registered model in MLflow: which of its versions hold which bundle, and which bear which alias."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from leadlift.exceptions import RegistryError
from leadlift.lifecycle.tracking.lineage import BUNDLE_VERSION
from leadlift.lifecycle.tracking.runs import MODEL_NAME
from leadlift.lifecycle.tracking.store import TrackingStore, quiet_mlflow, store_errors

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

# Stands in a version that was registered without naming its bundle.
UNNAMED = "unnamed"


class RegisteredModel:
    """The registered model ``leadlift`` of a store.

    Parameters
    ----------
    store : TrackingStore
    """

    def __init__(self, store: TrackingStore) -> None:
        self._store = store

    def number_of(self, bundle_version: str) -> int | None:
        """Return MLflow's number of the newest version that holds a bundle; None where none does.

        Parameters
        ----------
        bundle_version : str

        Raises
        ------
        RegistryError
            MLflow does not answer.
        """
        with self._answering() as client:
            found = _versions_of(client, bundle_version)
            return max((int(version.version) for version in found), default=None)

    def bundle_versions(self) -> frozenset[str]:
        """Return the bundles that are registered.

        Raises
        ------
        RegistryError
            MLflow does not answer.
        """
        with self._answering() as client:
            tags = [version.tags for version in _pages(client, f"name = '{MODEL_NAME}'")]
            return frozenset(each[BUNDLE_VERSION] for each in tags if BUNDLE_VERSION in each)

    def aliases(self) -> dict[str, str]:
        """Return the bundle version that each alias points to; ``"unnamed"`` where the entry names none.

        Raises
        ------
        RegistryError
            MLflow does not answer.
        """
        with self._answering() as client:
            return {
                alias: client.get_model_version(MODEL_NAME, str(number)).tags.get(BUNDLE_VERSION, UNNAMED)
                for alias, number in _aliases(client).items()
            }

    def set_aliases(self, wanted: Mapping[str, str | None]) -> None:
        """Let aliases point to bundles.

        Parameters
        ----------
        wanted : mapping of str to str or None
            Alias to bundle version; None, or a bundle that is not registered, takes the alias away.

        Raises
        ------
        RegistryError
            MLflow does not answer; some aliases may have moved.
        """
        with self._answering() as client:
            now = _aliases(client)
            for alias, bundle_version in wanted.items():
                found = _versions_of(client, bundle_version) if bundle_version else []
                number = max((int(version.version) for version in found), default=None)
                if number is not None:
                    client.set_registered_model_alias(MODEL_NAME, alias, str(number))
                elif alias in now:
                    client.delete_registered_model_alias(MODEL_NAME, alias)

    def tag(self, bundle_version: str, key: str, value: str) -> None:
        """Write a tag on the newest version that holds a bundle.

        Parameters
        ----------
        bundle_version : str
            Of a bundle that is registered.
        key, value : str

        Raises
        ------
        RegistryError
            MLflow does not answer or cannot write.
        """
        with self._answering() as client:
            newest = max(_versions_of(client, bundle_version), key=lambda version: int(version.version))
            client.set_model_version_tag(MODEL_NAME, newest.version, key, value)

    @contextmanager
    def _answering(self) -> Iterator[MlflowClient]:
        """Give the client; what MLflow raises becomes one error of ours."""
        with quiet_mlflow():
            try:
                yield self._store.client()
            except store_errors() as error:
                reason = str(error).partition("\n")[0].rstrip(".")
                msg = (
                    f"the registry of models in {self._store.name} does not answer: {reason}. The champion "
                    "serves as before from its folder; try again when the registry can be read and written"
                )
                raise RegistryError(msg) from error


def _versions_of(client: MlflowClient, bundle_version: str) -> list[ModelVersion]:
    return list(_pages(client, f"name = '{MODEL_NAME}' and tags.{BUNDLE_VERSION} = '{bundle_version}'"))


def _pages(client: MlflowClient, condition: str) -> Iterator[ModelVersion]:
    """Yield what a search finds, page by page."""
    token = None
    while True:
        page = client.search_model_versions(condition, page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def _aliases(client: MlflowClient) -> dict[str, str]:
    """Return MLflow's number by alias; empty where the model is not registered yet."""
    found = client.search_registered_models(f"name = '{MODEL_NAME}'")
    return dict(found[0].aliases) if found else {}
