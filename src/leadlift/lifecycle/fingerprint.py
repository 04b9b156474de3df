"""Which leads a model was made from, as one hash."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from leadlift.data.file_sources import find_files
from leadlift.data.sources import FILE_READERS, source_kind

if TYPE_CHECKING:
    import pyarrow as pa


def fingerprint(leads: str, inputs: pa.Table) -> str:
    """Hash the files of the leads; of a database, which has none, the inputs made from it.

    Parameters
    ----------
    leads : str
        Source of the leads.
    inputs : pyarrow.Table
        Inputs of the model.

    Returns
    -------
    str
        sha256, hexadecimal.
    """
    digest = hashlib.sha256()
    if source_kind(leads) in FILE_READERS:
        for path in find_files(leads) if Path(leads).is_dir() or "*" in leads else [Path(leads)]:
            digest.update(path.read_bytes())
    else:
        for batch in inputs.combine_chunks().to_batches():
            digest.update(batch.serialize())
    return digest.hexdigest()
