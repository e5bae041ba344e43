"""A contact file is opened: unpacked if need be, and given to the reader of its format."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from suppress.errors import BadFile, BadUsage
from suppress.files.contacts import ContactFile, Reading
from suppress.files.kinds import Kind, kind_of
from suppress.files.packing import Packing, Unpacked
from suppress.files.source import BLOCK, Bytes, Source

if TYPE_CHECKING:
    from suppress.files.forerunner import Forerunner


def opened(
    path: str, reading: Reading, *, need_addresses: bool, twice: bool, forerunner: Forerunner | None
) -> ContactFile:
    """See `ContactFile.open`."""
    with ExitStack() as stack:
        source = Source.open(path)
        stack.callback(source.close)
        if forerunner is not None and forerunner.suits(source, reading.encoding):
            source.forerunner = forerunner
        if twice:
            source.whole()
        head = source.read(BLOCK)
        packing = Packing.of(head)
        stream: Bytes = source
        if packing is not None:
            stream = Unpacked(source, packing, source.name)
            head = stream.read(BLOCK)
            if Packing.of(head) is not None:
                raise BadFile(f"{source.name} was compressed twice", remedy="unpack it once")
        kind = kind_of(head, source.name)
        _refuse_foreign_options(kind, reading)
        contacts = _read(kind, source, stream, packing, reading, need_addresses)
        stack.pop_all()
    return contacts


def _read(
    kind: Kind, source: Source, stream: Bytes, packing: Packing | None, reading: Reading, need: bool
) -> ContactFile:
    """The file in the hands of its reader; libraries are imported only for the format that needs them."""
    if kind is Kind.DELIMITED:
        from suppress.files.delimited import DelimitedFile

        return DelimitedFile(source, stream, packing, reading, need_addresses=need)
    if kind is Kind.JSON_LINES:
        from suppress.files.jsonlines import JsonLinesFile

        return JsonLinesFile(source, stream, packing, reading, need_addresses=need)
    if packing is not None:
        raise BadFile(
            f"{source.name} is a {kind.value} file inside {packing.title}, which saves nothing",
            remedy="unpack it first",
        )
    if kind is Kind.WORKBOOK:
        from suppress.files.workbook import WorkbookFile

        return WorkbookFile(source, reading, need_addresses=need)
    from suppress.files.parquet import ParquetFile

    return ParquetFile(source, reading, need_addresses=need)


_OPTIONS = {
    "delimiter": (Kind.DELIMITED,),
    "encoding": (Kind.DELIMITED, Kind.JSON_LINES),
    "header": (Kind.DELIMITED, Kind.WORKBOOK),
    "sheet": (Kind.WORKBOOK,),
}


def _refuse_foreign_options(kind: Kind, reading: Reading) -> None:
    """An option that cannot do anything is a mistake, and ignoring it may look like success."""
    for name, kinds in _OPTIONS.items():
        if getattr(reading, name) is not None and kind not in kinds:
            raise BadUsage(f"--{name} says nothing about a {kind.value} file")
