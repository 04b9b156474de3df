"""One delimiter and one encoding for all CSV files that leadlift.toml names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from leadlift.config import DataConfig
from leadlift.data.dialect import Dialect, detect_dialect
from leadlift.data.file_sources import find_files
from leadlift.data.files import is_parquet, require_file
from leadlift.data.sources import source_kind
from leadlift.exceptions import InputError

_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class _Written:
    """A CSV file and how it is written."""

    path: Path
    dialect: Dialect


def share_dialect(data: DataConfig, notes: dict[str, str]) -> DataConfig:
    """Find the delimiter and the encoding with which leads, events and change log can all be read.

    A file of ASCII alone can be read in any encoding, so that the others choose it.

    Parameters
    ----------
    data : DataConfig
        Where they are, and how the leads are written.
    notes : dict of str to str
        Evidence by key; changed where the other files decide.

    Returns
    -------
    DataConfig

    Raises
    ------
    InputError
        Two files are written differently, or one cannot be read.
    """
    others = [path for source in (data.events, data.history) if source for path in _csv_files(source)]
    if not others:
        return data
    leads = [] if is_parquet(Path(data.leads)) else [Path(data.leads)]
    written = [_Written(path, detect_dialect(path)) for path in (*leads, *others)]
    _require_one_delimiter(written)
    decisive = _decisive_encoding(written)
    if not leads:
        notes["delimiter"] = written[0].dialect.delimiter_evidence
    if not leads or decisive.dialect.encoding != data.encoding:
        notes["encoding"] = f"{decisive.path.name}: {decisive.dialect.encoding_evidence}"
    return data.model_copy(
        update={"delimiter": written[0].dialect.delimiter, "encoding": decisive.dialect.encoding}
    )


def _csv_files(source: str) -> list[Path]:
    kind = source_kind(source)
    if kind not in {"file", "files"}:
        return []
    paths = [require_file(source)] if kind == "file" else find_files(source)
    return [require_file(path) for path in paths if not is_parquet(path)]


def _require_one_delimiter(written: Sequence[_Written]) -> None:
    first = written[0]
    for other in written[1:]:
        if other.dialect.delimiter != first.dialect.delimiter:
            msg = (
                f"{first.path} parts cells by {first.dialect.delimiter!r}, {other.path} by "
                f"{other.dialect.delimiter!r}; leadlift.toml has one delimiter for all CSV files. Write one "
                f"of them anew, or as Parquet"
            )
            raise InputError(msg)


def _decisive_encoding(written: Sequence[_Written]) -> _Written:
    """The first file whose encoding reads all of them; the first of all where several do."""
    first = written[0]
    if all(_is_alike(first, other) for other in written):
        return first
    decisive = [file for file in written if not _is_ascii(file.path)]
    for other in decisive:
        if not _is_alike(decisive[0], other):
            msg = (
                f"{decisive[0].path} is {decisive[0].dialect.encoding} text, {other.path} is "
                f"{other.dialect.encoding}; leadlift.toml has one encoding for all CSV files. Save them as "
                f"UTF-8"
            )
            raise InputError(msg)
    return decisive[0]


def _is_alike(one: _Written, other: _Written) -> bool:
    """UTF-8 is read with a byte-order mark or without one."""
    return one.dialect.encoding.removesuffix("-sig") == other.dialect.encoding.removesuffix("-sig")


def _is_ascii(path: Path) -> bool:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            if not chunk.isascii():
                return False
    return True
