"""One version of a dataset: Parquet files, what is known about them, and how to read them."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ibis.expr.types as ir
import pandas as pd

from workbench.data.connection import connect, literal, query, quoted
from workbench.errors import WorkspaceError

DATA_FILE = "data.parquet"
PLAIN = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "FLOAT", "DOUBLE", "BOOLEAN")  # their text never holds a |


@dataclass(frozen=True)
class DatasetVersion:
    """A stored dataset that never changes again.

    columns: column name to DuckDB type, in stored order.
    hash: of the column names, types, values and their order; equal data have equal hashes.
    path: the folder of the Parquet files.
    created: ISO time in UTC.
    origin: where the data came from and how they were prepared, as the writer told it.
    """

    group: str
    kind: str
    version: int
    rows: int
    hash: str
    path: Path
    created: str
    columns: dict[str, str] = field(default_factory=dict)
    origin: dict[str, Any] = field(default_factory=dict)

    def table(self) -> ir.Table:
        """The data as an Ibis table, in stored order: by time, ties in source order."""
        return connect().read_parquet(str(self._file()))

    def frame(self) -> pd.DataFrame:
        """The data as a pandas frame, in stored order."""
        return self.table().to_pandas()

    def verify(self) -> None:
        """Read every value and compare with the hash.

        Raises:
            WorkspaceError: files are missing, damaged or edited since they were stored.
        """
        try:
            found = content_hash(self._file())
        except Exception as error:
            raise WorkspaceError(f"{self} cannot be read: {error}. Restore its folder {self.path}.") from error
        if found != self.hash:
            raise WorkspaceError(
                f"{self} was changed after it was stored: its hash is {found}, the catalogue says {self.hash}. "
                f"Restore its folder {self.path}, or write the data as a new version."
            )

    def __str__(self) -> str:
        return f"{self.group}/{self.kind} version {self.version}"

    def _file(self) -> Path:
        file = self.path / DATA_FILE
        if not file.exists():
            raise WorkspaceError(f"{self} has lost its file {file}. Restore it, or write the data as a new version.")
        return file


def dataset_version(root: Path, row: Mapping[str, Any]) -> DatasetVersion:
    """A catalogue row as a dataset version of the workspace in `root`."""
    return DatasetVersion(
        group=row["group"],
        kind=row["name"],
        version=row["version"],
        path=root / row["path"],
        created=row["created"],
        origin=row["config"],
        **row["facts"],
    )


def content_hash(file: Path) -> str:
    """A hash of column names, types, values and row order that does not depend on how Parquet packs them.

    Each row's number and values as text, text with its length, give 64 bits of MD5; their sum and the
    header go through SHA-256. A guard against accidents and mix-ups, not against a determined forger.
    """
    source = f"read_parquet({literal(str(file))}, file_row_number = true)"
    described = query(f"DESCRIBE FROM read_parquet({literal(str(file))})")
    header = [(name, kind) for name, kind, *_ in described]
    values = ", ".join(_value_text(name, kind) for name, kind in header)
    [(total, rows)] = query(
        f"SELECT sum(md5_number_lower(concat_ws('|', file_row_number, {values}))), count(*) FROM {source}"
    )
    return hashlib.sha256(json.dumps([header, rows, str(total)]).encode()).hexdigest()[:32]


def _value_text(name: str, kind: str) -> str:
    """SQL for a value such that no two rows of different values read alike: text has its length, null is empty."""
    column = quoted(name)
    if kind in PLAIN:
        return f"coalesce(CAST({column} AS VARCHAR), '')"
    return f"coalesce(concat(strlen(CAST({column} AS VARCHAR)), ':', {column}), '')"
