"""Parts without rows, as tasks of Spark and Hadoop leave them: no byte, packed or not, or a schema alone.

Alone such a file is refused, since an export that ended early looks the same. In a folder it is a part
without rows, and so are its results.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from suppress.files.packing import Packing, Unpacked
from suppress.files.source import Source

_PARQUET = b"PAR1"


@dataclass(frozen=True, slots=True)
class Rowless:
    """A part without rows."""

    path: str
    digest: str
    schema: pa.Schema | None
    """Of Parquet: what columns there would be."""

    @classmethod
    def at(cls, path: str) -> Rowless | None:
        """The part, if it holds no rows; None if it may hold some.

        Raises:
            BadFile: It cannot be read, or is not whole.
        """
        with contextlib.closing(Source.open(path)) as source:
            head = source.read(4)
            source.seek(0)
            if head == _PARQUET:
                schema = _schema_alone(path)
                return None if schema is None else cls(path, source.finished(), schema)
            packing = Packing.of(head)
            stream = source if packing is None else Unpacked(source, packing, source.name)
            return None if stream.read(1) else cls(path, source.finished(), None)

    def copy(self, place: Path, more: Sequence[str]) -> None:
        """Write a result of it, which would have the columns `more` after its own."""
        if self.schema is None or not more:
            shutil.copyfile(self.path, place)
            return
        schema = self.schema
        for name in more:
            schema = schema.append(pa.field(name, pa.string()))
        pq.write_table(schema.empty_table(), place)


def _schema_alone(path: str) -> pa.Schema | None:
    """The schema of a Parquet file that has no rows; what is broken is told by whoever reads it whole."""
    try:
        with pq.ParquetFile(path) as file:
            return None if file.metadata.num_rows else file.schema_arrow
    except (pa.ArrowException, OSError):
        return None
