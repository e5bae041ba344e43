"""Which layout a file has: as the user mapped it, as they named it, or as its header shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from suppress.errors import BadFile, BadUsage
from suppress.files.columns import listed
from suppress.files.contacts import ContactFile
from suppress.intake.layouts import Layout, Mapped
from suppress.intake.profiles import Profile, Profiled, profile_names, profiles

MAP = "if every row is an opt-out: --map email=COLUMN,date=COLUMN,reason=COLUMN"


def layout_of(contacts: ContactFile, *, profile: str | None, mapping: Sequence[str]) -> Layout:
    """The layout of a file.

    Raises:
        BadUsage: Mapping and profile together, an unknown one, or columns that are not there.
        BadFile: The file is of no known layout, lacks what its profile needs, or holds no opt-outs.
    """
    if mapping and profile is not None:
        raise BadUsage("--map and --profile each say what the columns mean: give one of them")
    if mapping:
        return Mapped.of(contacts, mapping)
    if profile is None:
        kind = _fullest(each for each in profiles() if each.found and each.fits(contacts.columns.names))
        if kind is None:
            raise _unrecognised(contacts)
    else:
        kind = _named(contacts, profile)
    if kind.refused is not None:
        raise BadFile(
            f"{contacts.name} holds no opt-outs: {kind.refused}", remedy="import the file named there"
        )
    return Profiled.of(kind, contacts.columns.names, contacts.columns.addresses)


def recognised_by(layout: Layout) -> str:
    """What a file was recognised as, and by what."""
    if isinstance(layout, Profiled):
        return f"{layout.profile} ({layout.kind.title}) by its headings {layout.kind.needed}"
    return layout.profile


def _named(contacts: ContactFile, name: str) -> Profile:
    wanted = [each for each in profiles() if each.name == name]
    if not wanted:
        raise BadUsage(
            f"there is no profile {name!r}; there is {', '.join(profile_names())}", remedy="use --map"
        )
    kind = _fullest(each for each in wanted if each.fits(contacts.columns.names))
    if kind is None:
        needed = "; or ".join(each.needed for each in wanted)
        raise BadFile(
            f"{contacts.name} is no export of {name}: it needs the columns {needed}; "
            f"there is {listed(contacts.columns.names, contacts.width)}",
            remedy=MAP,
        )
    return kind


def _fullest(fitting: Iterable[Profile]) -> Profile | None:
    """The one that fits by the most headings; of several the first."""
    return max(fitting, key=lambda each: len(each.needs), default=None)


def _unrecognised(contacts: ContactFile) -> BadFile:
    names = contacts.columns.names
    alike = [each for each in profiles() if not each.found and each.needs and each.fits(names)]
    perhaps = ""
    if alike:
        shown = ", or ".join(f"{each.title}: --profile {each.name}" for each in alike)
        perhaps = f"; if it is an export, of {shown}"
    return BadFile(
        f"{contacts.name}: nothing says which of its rows are opt-outs; "
        f"there is {listed(names, contacts.width)}",
        remedy=MAP + perhaps,
    )
