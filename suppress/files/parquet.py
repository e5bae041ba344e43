"""Parquet: read a few thousand rows at a time, written with the same schema, metadata and compression.

Rules kept here:

* Only the cells that are looked at become Python values; kept rows are cut out of their columns as they are.
* A result's columns are compressed as the file's are, and have a dictionary where these have one.
* A column is a name, or a path of names with dots between them; elements of a list stand under its path.
* The next rows are read, and a row group of a result is written, while the rows between them are looked at.
* A cell's text is its value as Python writes it; bytes are read as UTF-8.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
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

_BATCH, _MOST, _BYTES = 4_096, 1 << 15, 8 << 20
"""Rows read at a time: of those that become values of Python; of others, unless they are as large as that."""
_GROUP_ROWS, _GROUP_BYTES = 1 << 17, 64 << 20
"""How much is gathered for a row group of a result."""

_CODECS = {"SNAPPY": "snappy", "GZIP": "gzip", "BROTLI": "brotli", "ZSTD": "zstd", "LZ4": "lz4"}

_UNREADABLE = "\ufffd"
"""Stands for bytes that are not UTF-8."""

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
        for rows in self._read(_BATCH):
            yield rows.records(range(len(rows)))

    def tables(self) -> Iterator[Rows]:
        """All rows, as they lie in the file: in columns."""
        groups = self._file.metadata
        size = sum(groups.row_group(each).total_byte_size for each in range(groups.num_row_groups))
        return self._read(max(_BATCH, min(_MOST, _BYTES * self.rows // (size + 1))))

    def _read(self, many: int) -> Iterator[Rows]:
        self._passed = 0
        with _readable(self.name), ThreadPoolExecutor(1) as reader:
            batches = self._file.iter_batches(many)
            ahead = reader.submit(next, batches, None)
            while (batch := ahead.result()) is not None:
                ahead = reader.submit(next, batches, None)
                before = self._passed
                self._passed += batch.num_rows
                yield Rows(batch, self.paths, before)
        if self._passed != self.rows:
            raise BadFile(f"{self.name} says that it has {self.rows} rows, and has {self._passed}")

    def copy(self, output: Output, more: Sequence[str] = ()) -> Copy:
        """Parquet with this file's schema, and columns of text after its own."""
        refuse_other_ending(output.target, self.endings)
        first = self._file.metadata.row_group(0)
        columns = [first.column(index) for index in range(first.num_columns)]
        codec = _CODECS.get(min(each.compression for each in columns), "none")
        listed = [each.path_in_schema for each in columns if each.has_dictionary_page]
        return ParquetCopy(output, self.schema, more, codec, [*listed, *more])

    def misshapen(self, row: Record) -> str | None:
        """Why an address may be somebody else's than it seems: the table's schema keeps all else in shape."""
        if any(_UNREADABLE in cell for cell in self.addresses(row)):
            return "an address holds a character that cannot be read"
        return None

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


class Rows:
    """Some rows as they were read, and the texts of those columns that were asked for."""

    def __init__(self, batch: pa.RecordBatch, paths: Sequence[Path], before: int = 0) -> None:
        self.batch = batch
        self.paths = paths
        self._before = before
        """Rows ahead of them in the file."""
        self._texts: dict[int, list[str]] = {}

    def __len__(self) -> int:
        return int(self.batch.num_rows)

    def some(self, places: Sequence[int]) -> pa.RecordBatch:
        """The rows at these places, which rise, in their columns."""
        import pyarrow as pa

        if not places or places[-1] - places[0] + 1 == len(places):
            return self.batch.slice(places[0] if places else 0, len(places))
        try:
            return self.batch.take(pa.array(places, pa.int64()))
        except pa.ArrowNotImplementedError:
            # It cannot take from views (string_view and its like), but it can put slices of them together.
            jumps = [at for at in range(1, len(places)) if places[at] != places[at - 1] + 1]
            runs = itertools.pairwise([0, *jumps, len(places)])
            return pa.concat_batches([self.batch.slice(places[a], b - a) for a, b in runs])

    def records(self, places: Sequence[int]) -> list[Record]:
        """The rows at these places, which rise."""
        part = self if len(places) == len(self) else Rows(self.some(places), self.paths)
        return [
            Record(self._before + place + 1, "", _Cells(part, index), held=(part, index))
            for index, place in enumerate(places)
        ]

    def text(self, column: int, row: int) -> str:
        """The text of one cell."""
        return self.texts(column)[row]

    def texts(self, column: int) -> list[str]:
        """The texts of a column."""
        if column not in self._texts:
            array, below = self._column(column)
            self._texts[column] = [", ".join(each) for each in _texts(array, below)]
        return self._texts[column]

    def lines(self, column: int, *, odd: str, longest: int) -> bytes:
        """The texts of a column, each with a line feed behind it.

        Line feeds within a text are replaced by `odd`, and so is a text of more than `longest` bytes.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        array, below = self._column(column)
        kind = array.type.value_type if pa.types.is_dictionary(array.type) else array.type
        if below or not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
            array = pa.array(self.texts(column), pa.large_string())
        array = array.cast(pa.large_string())
        if (pc.max(pc.binary_length(array)).as_py() or 0) > longest:
            array = pc.if_else(pc.greater(pc.binary_length(array), longest), odd, array)
        content = _in_lines(array)
        return (
            content
            if content.count(b"\n") == len(self)
            else _in_lines(pc.replace_substring(array, "\n", odd))
        )

    def _column(self, column: int) -> tuple[pa.Array, Sequence[str]]:
        """What holds a column, and its path in there."""
        top, *below = self.paths[column]
        return self.batch.column(self.batch.schema.names.index(top)), below


class _Cells(Sequence[str]):
    """The cells of a row; each becomes a text when it is asked for."""

    def __init__(self, part: Rows, row: int) -> None:
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

    def __init__(
        self, output: Output, schema: pa.Schema, more: Sequence[str], codec: str, listed: Sequence[str]
    ) -> None:
        """`listed` are the columns that get a dictionary."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        self._output = output
        self._own = schema
        self._schema = schema
        for name in more:
            self._schema = self._schema.append(pa.field(name, pa.string()))
        self._added: list[Sequence[str]] = []
        self._part: Rows | None = None
        self._places: list[int] = []
        """Rows of a part that are cut out together."""
        self._pieces: list[pa.RecordBatch] = []
        self._rows = self._bytes = 0
        self._sink = _Sink(output)
        self._thread = ThreadPoolExecutor(1)
        self._writing: Future[None] | None = None
        """A row group on its way, while the next is gathered."""
        self._writer = pq.ParquetWriter(
            self._sink, self._schema, compression=codec, use_dictionary=list(listed)
        )

    def keep(self, rows: Sequence[Record]) -> None:
        """Write rows as they are."""
        for row in rows:
            self._take(row)

    def keep_but(self, rows: Rows, others: Sequence[int]) -> None:
        """Write these rows as they are, without those at some places."""
        import pyarrow as pa

        self._cut()
        kept = bytearray(b"\1" * len(rows))
        for place in others:
            kept[place] = 0
        mask = pa.Array.from_buffers(pa.uint8(), len(rows), [None, pa.py_buffer(kept)]).cast(pa.bool_())
        try:
            kept_rows = rows.batch.filter(mask) if others else rows.batch
        except pa.ArrowNotImplementedError:
            kept_rows = rows.some([place for place in range(len(rows)) if kept[place]])
        self._gather(kept_rows)

    def add(self, row: Record, more: Sequence[str]) -> None:
        """Write one row with cells after its own."""
        self._take(row)
        self._added.append(more)

    def add_some(self, rows: Rows, places: Sequence[int], more: Sequence[Sequence[str]]) -> None:
        """Write the rows at some places, which rise, with cells after their own."""
        self._cut()
        self._added += more
        self._gather(rows.some(places))

    def finish(self) -> None:
        """Bring all of it to the disk."""
        self._cut()
        self._flush()
        self._wait()
        self._thread.shutdown()
        self._writer.close()
        self._output.finish()

    def abandon(self) -> None:
        """Let go of the file: its writer would end it when it is thrown away."""
        self._sink.abandoned = True
        self._thread.shutdown()
        self._writer.close()

    def _take(self, row: Record) -> None:
        part, index = _place(row)
        if self._part is not part:
            self._cut()
            self._part = part
        self._places.append(index)

    def _cut(self) -> None:
        """Cut rows out of the part that they are in."""
        if self._part is not None:
            self._gather(self._part.some(self._places))
        self._part, self._places = None, []

    def _gather(self, piece: pa.RecordBatch) -> None:
        self._pieces.append(piece)
        self._rows += piece.num_rows
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
        self._wait()
        self._writing = self._thread.submit(self._writer.write_table, table)
        self._pieces, self._added = [], []
        self._rows = self._bytes = 0

    def _wait(self) -> None:
        """Let the row group before this one be written."""
        if self._writing is not None:
            self._writing.result()


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


def _place(row: Record) -> tuple[Rows, int]:
    assert isinstance(row.held, tuple)
    part, index = row.held
    return part, index


def _in_lines(texts: pa.Array) -> bytes:
    """Large strings, each with a line feed behind it."""
    import pyarrow as pa
    import pyarrow.compute as pc

    ends = [pa.scalar(each, pa.large_string()) for each in ("", "\n")]
    joined = pc.binary_join_element_wise(texts, *ends, null_handling="replace", null_replacement="")
    content = joined.buffers()[2]
    size = pc.sum(pc.binary_length(joined)).as_py() or 0
    return bytes(memoryview(content)[:size]) if size else b""


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
    try:
        values = array.to_pylist()
    except UnicodeDecodeError:
        # The library writes, and reads, texts that are not UTF-8.
        values = array.cast(pa.binary()).to_pylist()
    return [list(_leaves(value)) for value in values]


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
