"""Parquet: read a few thousand rows at a time, written with the same schema, metadata and compression.

Rules kept here:

* Only the cells that are looked at become Python values; kept rows are cut out of their columns as they are.
* A column is a name, or a path of names with dots between them; elements of a list stand under its path.
* A cell's text is its value as Python writes it; bytes are read as UTF-8.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from suppress.errors import BadFile, ExtraMissing
from suppress.files.contacts import SAMPLE, ContactFile, Copy, Reading
from suppress.files.kinds import OF_PARQUET, Kind, refuse_other_ending
from suppress.files.output import Output
from suppress.files.records import Record
from suppress.files.source import Source

if TYPE_CHECKING:
    import pyarrow as pa

_BATCH = 4_096
"""Rows read at a time."""
_GROUP_ROWS, _GROUP_BYTES = 1 << 17, 64 << 20
"""How much is gathered for a row group of a result."""

_CODECS = {"SNAPPY": "snappy", "GZIP": "gzip", "BROTLI": "brotli", "ZSTD": "zstd", "LZ4": "lz4"}

Path = tuple[str, ...]


class ParquetFile(ContactFile):
    """One Parquet file, open."""

    kind = Kind.PARQUET
    endings = OF_PARQUET

    def __init__(self, source: Source, reading: Reading, *, need_addresses: bool) -> None:
        super().__init__(source)
        try:
            import pyarrow.parquet as pq
        except ImportError as missing:
            raise ExtraMissing(
                "Parquet files need the extra “parquet”", remedy="pip install 'suppress-ledger[parquet]'"
            ) from missing
        with _readable(self.name):
            self._file = pq.ParquetFile(source.whole(), pre_buffer=False, buffer_size=1 << 20)
            self.schema: pa.Schema = self._file.schema_arrow
        self._passed = 0
        self.paths = tuple(itertools.chain.from_iterable(map(_paths, self.schema)))
        self.width = len(self.paths)
        if not self.rows or not self.width:
            raise BadFile(f"{self.name} holds no rows", remedy="check that the export finished")
        sample = [list(row.cells) for row in next(self.batches())[:SAMPLE]]
        names = [".".join(path) for path in self.paths]
        self.columns = self._columns(names, sample, reading, need_addresses)

    @property
    def rows(self) -> int:
        """How many rows the file says that it has."""
        return int(self._file.metadata.num_rows)

    def batches(self) -> Iterator[list[Record]]:
        """All rows, in lists of some thousands. Rows are counted from 1."""
        self._passed = 0
        with _readable(self.name):
            for each in self._file.iter_batches(_BATCH):
                part = _Part(each, self.paths)
                start = self._passed
                self._passed += each.num_rows
                yield [
                    Record(start + index + 1, "", _Cells(part, index), held=(part, index))
                    for index in range(each.num_rows)
                ]
        if self._passed != self.rows:
            raise BadFile(f"{self.name} says that it has {self.rows} rows, and has {self._passed}")

    def copy(self, output: Output, more: Sequence[str] = ()) -> Copy:
        """Parquet with this file's schema, and columns of text after its own."""
        refuse_other_ending(output.target, self.endings)
        groups = self._file.metadata
        codecs = {groups.row_group(0).column(index).compression for index in range(groups.num_columns)}
        return ParquetCopy(output, self.schema, more, _CODECS.get(min(codecs), "none"))

    def misshapen(self, row: Record) -> None:
        """A row of a table with a schema is never out of shape."""

    def done(self) -> float:
        """Which part of the rows lies behind the reader."""
        return self._passed / self.rows

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
        super().close()

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What was assumed about the file, one sentence each."""
        return (*self._about_columns(), "Parquet")


class _Part:
    """Some rows as they were read, and the texts of those columns that were asked for."""

    def __init__(self, batch: pa.RecordBatch, paths: Sequence[Path]) -> None:
        self.batch = batch
        self.paths = paths
        self._texts: dict[int, list[str]] = {}

    def text(self, column: int, row: int) -> str:
        """The text of one cell."""
        if column not in self._texts:
            top, *below = self.paths[column]
            place = self.batch.schema.names.index(top)
            self._texts[column] = [", ".join(each) for each in _texts(self.batch.column(place), below)]
        return self._texts[column][row]


class _Cells(Sequence[str]):
    """The cells of a row; each becomes a text when it is asked for."""

    def __init__(self, part: _Part, row: int) -> None:
        self._part, self._row = part, row

    def __len__(self) -> int:
        return len(self._part.paths)

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return [self[each] for each in range(*place.indices(len(self)))]
        if not -len(self) <= place < len(self):
            raise IndexError(place)
        return self._part.text(place % len(self), self._row)


class ParquetCopy(Copy):
    """Rows of a Parquet file, written as Parquet."""

    def __init__(self, output: Output, schema: pa.Schema, more: Sequence[str], codec: str) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self._output = output
        self._own = schema
        self._schema = schema
        for name in more:
            self._schema = self._schema.append(pa.field(name, pa.string()))
        self._added: list[Sequence[str]] = []
        self._pieces: list[pa.RecordBatch] = []
        self._rows = self._bytes = 0
        self._sink = _Sink(output)
        self._writer = pq.ParquetWriter(self._sink, self._schema, compression=codec)

    def keep(self, rows: Sequence[Record]) -> None:
        """Write rows as they are: runs of neighbours are cut out together."""
        run: tuple[_Part, int, int] | None = None
        for row in rows:
            part, index = _place(row)
            if run is not None and run[0] is part and run[2] == index:
                run = (part, run[1], index + 1)
                continue
            self._cut(run)
            run = (part, index, index + 1)
        self._cut(run)

    def add(self, row: Record, more: Sequence[str]) -> None:
        """Write one row with cells after its own."""
        part, index = _place(row)
        self._added.append(more)
        self._cut((part, index, index + 1))

    def finish(self) -> None:
        """Bring all of it to the disk."""
        self._flush()
        self._writer.close()
        self._output.finish()

    def abandon(self) -> None:
        """Let go of the file: its writer would end it when it is thrown away."""
        self._sink.abandoned = True
        self._writer.close()

    def _cut(self, run: tuple[_Part, int, int] | None) -> None:
        if run is None:
            return
        part, start, stop = run
        piece = part.batch.slice(start, stop - start)
        self._pieces.append(piece)
        self._rows += stop - start
        self._bytes += piece.nbytes
        if self._rows >= _GROUP_ROWS or self._bytes >= _GROUP_BYTES:
            self._flush()

    def _flush(self) -> None:
        """Write what was gathered as a row group."""
        import pyarrow as pa

        if not self._pieces:
            return
        table = pa.Table.from_batches(self._pieces, self._own)
        for column, field in enumerate(list(self._schema)[len(self._own) :]):
            texts = pa.array([more[column] for more in self._added], pa.string())
            table = table.append_column(field, texts)
        self._writer.write_table(table)
        self._pieces, self._added = [], []
        self._rows = self._bytes = 0


class _Sink:
    """Where the library writes to."""

    closed = False

    def __init__(self, output: Output) -> None:
        self._output = output
        self.abandoned = False

    def write(self, content: bytes) -> int:
        """Add bytes, unless nobody wants them any more."""
        if not self.abandoned:
            self._output.write(content)
        return len(content)

    def flush(self) -> None:
        """The output is flushed at its end."""

    def close(self) -> None:
        """The output is closed by whoever began it."""


def _place(row: Record) -> tuple[_Part, int]:
    assert isinstance(row.held, tuple)
    part, index = row.held
    return part, index


def _paths(field: pa.Field) -> Iterator[Path]:
    """The paths of what a column holds: one, or several if it is made of fields."""
    import pyarrow as pa

    kind = field.type
    while any(is_list(kind) for is_list in (pa.types.is_list, pa.types.is_large_list)):
        kind = kind.value_type
    if pa.types.is_struct(kind) and kind.num_fields:
        for below in itertools.chain.from_iterable(map(_paths, kind)):
            yield (field.name, *below)
    else:
        yield (field.name,)


def _texts(array: pa.Array, path: Sequence[str]) -> list[list[str]]:
    """The texts that stand under a path, for each row. What stands beside it is not touched."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = array.type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        found: list[list[str]] = [[] for _ in range(len(array))]
        below = _texts(pc.list_flatten(array), path)
        for row, texts in zip(pc.list_parent_indices(array).to_pylist(), below, strict=True):
            found[row] += texts
        return found
    if pa.types.is_struct(kind) and path:
        return _texts(pc.struct_field(array, [path[0]]), path[1:])
    if pa.types.is_temporal(kind):
        # Python's moments end at microseconds.
        array = array.cast(pa.string())
    return [list(_leaves(value)) for value in array.to_pylist()]


def _leaves(value: object) -> Iterator[str]:
    """The texts of one value, which may be a map."""
    match value:
        case None:
            return
        case list() | tuple():
            for each in value:
                yield from _leaves(each)
        case bytes():
            yield value.decode(errors="replace")
        case _:
            yield str(value)


@contextmanager
def _readable(name: str) -> Iterator[None]:
    """What the library says about a broken file, in words of ours."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError, ValueError) as broken:
        raise BadFile(
            f"{name} is damaged, or uses what the library for Parquet does not read",
            remedy="it may not have been copied whole; fetch it again, or export it as CSV",
        ) from broken
