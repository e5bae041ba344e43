"""Exports of other systems, as data: `core/data/profiles.toml` says what is in them, here it is read.

Rules kept here:

* Headings are matched by name, in any order and case; unknown columns are ignored.
* A status is known or it is not. `inactive` is not `active`, and a word that nobody has written down is not
  taken for either: its rows are listed, and the exit code says so. Only what plainly begins like an opt-out
  (`Unsubscribed by link`) counts as one without being listed.
* A file that other systems write in the same way, or that a list of customers may look like, is taken for an
  export only when the user names its profile.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from suppress.core.address import Address
from suppress.core.hashed import Form
from suppress.core.suppression import Channel, Reason
from suppress.core.tables import table
from suppress.files.columns import folded
from suppress.intake.cells import addresses_of
from suppress.intake.layouts import NO_ADDRESS, Claim, cell_of, named_cells, reason_in

_PLAINLY_OUT = re.compile(r"(?:unsub|opt(?:ed)?[\s_-]?out|do[\s_]not[\s_](?:e-?)?mail|suppress(?:ed|ion)\b)")
_YES = frozenset({"1", "true", "yes", "y", "t", "x", "on", "wahr", "ja", "oui", "si", "verdadero", "vrai"})
_NO = frozenset({"", "0", "false", "no", "n", "f", "off", "falsch", "nein", "non", "falso", "faux"})
_NO_DATE = frozenset(
    {"", "-", "n/a", "na", "none", "null", "nan", "\\n", "0000-00-00", "0000-00-00 00:00:00"}
)
_SEVERAL = re.compile(r"[,;|]")

Places = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Profile:
    """One kind of file that one system exports; a row of the table."""

    name: str
    title: str
    source: str
    facts: str
    address: tuple[str, ...]
    needs: tuple[str, ...]
    without: tuple[str, ...] = ()
    exact: bool = False
    found: bool = True
    every: Reason | None = None
    dated: bool = False
    status: tuple[str, ...] = ()
    words: Mapping[str, Reason | None] = field(default_factory=dict)
    flags: Mapping[str, Reason] = field(default_factory=dict)
    partial: tuple[str, ...] = ()
    reason: tuple[str, ...] = ()
    reasons: Mapping[str, Reason] = field(default_factory=dict)
    loose: bool = False
    told: tuple[str, ...] = ()
    """Further words that tell one request from another."""
    date: tuple[str, ...] = ()
    zone: str | None = None
    order: str | None = None
    channel: tuple[str, ...] = ()
    hashed: Form | None = None
    refused: str | None = None
    footers: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def fits(self, names: Sequence[str]) -> bool:
        """Whether a header is one of these."""
        plain = [folded(name) for name in names]
        if not all(_places(plain, (each,)) for each in self.needs) or _places(plain, self.without):
            return False
        return not self.exact or len(_places(plain, self.needs)) == len([name for name in plain if name])

    @property
    def needed(self) -> str:
        """What makes a header one of these, in words for people."""
        return ", ".join(f"“{_readable(each)}”" for each in self.needs) or "a list of addresses"

    @property
    def opt_outs(self) -> str:
        """Which rows are opt-outs, in words for people."""
        parts = []
        if self.refused is not None:
            return "none: the file is refused"
        if self.every is not None:
            parts.append(f"every row ({self.every})")
        if self.dated:
            parts.append("an opt-out date")
        means: dict[Reason, list[str]] = {}
        for word, reason in self.words.items():
            if reason is not None:
                means.setdefault(reason, []).append(word)
        parts += [f"{', '.join(words)} ({reason})" for reason, words in means.items()]
        parts += [f"“{_readable(heading)}” is yes ({reason})" for heading, reason in self.flags.items()]
        return "; ".join(parts)

    @property
    def others(self) -> str:
        """Which words are known not to be opt-outs."""
        return ", ".join(word for word, reason in self.words.items() if reason is None)


@cache
def profiles() -> tuple[Profile, ...]:
    """Every profile of the table, in its order."""
    return tuple(map(_profile, table("profiles")["profile"]))


@cache
def profile_names() -> tuple[str, ...]:
    """The names that `--profile` takes."""
    return tuple(dict.fromkeys(each.name for each in profiles()))


def _profile(row: Mapping[str, object]) -> Profile:
    values: dict[str, object] = {}
    for name, value in row.items():
        match name, value:
            case "every", str():
                values[name] = Reason(value)
            case "hashed", str():
                values[name] = Form(value)
            case "words", Mapping():
                values[name] = {
                    each: None if said == "none" else Reason(said) for each, said in value.items()
                }
            case "flags" | "reasons", Mapping():
                values[name] = {each: Reason(said) for each, said in value.items()}
            case _:
                values[name] = tuple(value) if isinstance(value, list) else value
    return Profile(**values)  # type: ignore[arg-type]  # a test holds the table to these kinds


# --- A file of a profile ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Profiled:
    """How to read the rows of a file that a profile describes."""

    kind: Profile
    names: tuple[str, ...]
    columns: Mapping[str, Places]
    flags: Mapping[int, Reason]
    footers: tuple[re.Pattern[str], ...]
    nothing: str = NO_ADDRESS

    @classmethod
    def of(cls, kind: Profile, names: Sequence[str], addresses: Places = ()) -> Profiled:
        """The layout of a file with this header; `addresses` where it has no heading that says so."""
        plain = [folded(name) for name in names]
        wanted = ("address", "status", "partial", "reason", "told", "date", "channel")
        columns = {each: _places(plain, getattr(kind, each)) for each in wanted}
        columns["address"] = columns["address"] or addresses
        flags = {index: reason for each, reason in kind.flags.items() for index in _places(plain, (each,))}
        return cls(kind, tuple(names), columns, flags, tuple(map(re.compile, kind.footers)))

    @property
    def profile(self) -> str:
        """Its name."""
        return self.kind.name

    @property
    def source(self) -> str:
        """What the ledger calls requests from such a file."""
        return self.kind.source

    @property
    def identity(self) -> str:
        """A header is read in one way only."""
        return ""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What such a file cannot show."""
        return self.kind.warnings

    def claim(self, row: Sequence[str]) -> Claim:
        """What a row says."""
        date = next((text for text in self._texts("date", row) if text.casefold() not in _NO_DATE), "")
        found, unknown = self._said(row)
        if self.kind.every is not None:
            found.append(self.kind.every)
        if date and self.kind.dated:
            found.append(Reason.UNKNOWN)
        channel, odd = self._channel(row)
        why = " ".join(self._texts("reason", row))
        told = " ".join(self._texts("told", row))
        return Claim(
            cells=tuple(cell_of(row, index) for index in self.columns["address"]),
            opted_out=bool(found) and not odd and not self._footer(row),
            reason=self._reason(max(found, key=lambda each: each.strength, default=Reason.UNKNOWN), why),
            date=date,
            # These systems are ours: they had the request when the person made it.
            received=date,
            texts=(why, told),
            unknown=odd or ("" if found or self._footer(row) else unknown),
            channel=channel,
            footer=self._footer(row),
        )

    def addresses(self, cells: Sequence[str]) -> list[Address]:
        """All addresses of a row."""
        return addresses_of(cells)

    def evidence(self, row: Sequence[str]) -> Mapping[str, str]:
        """The cells that decide, not the person's name and street."""
        places = [index for each in self.columns.values() for index in each]
        return named_cells(self.names, [*places, *self.flags], row)

    def _said(self, row: Sequence[str]) -> tuple[list[Reason], str]:
        """The reasons that the status and the flags of a row name, and the first word that nobody knows."""
        found: list[Reason] = []
        unknown = ""
        for text in self._texts("status", row):
            for word in _words(text, self.kind.words):
                if word in self.kind.words:
                    means = self.kind.words[word]
                    found += [] if means is None else [means]
                elif _PLAINLY_OUT.match(word):
                    found.append(Reason.UNKNOWN)
                else:
                    unknown = unknown or word
        for index, reason in self.flags.items():
            word = folded(cell_of(row, index))
            if word in _YES:
                found.append(reason)
            elif word not in _NO:
                unknown = unknown or word
        for index in self.columns["partial"]:
            if folded(cell_of(row, index)) not in _NO:
                unknown = unknown or f"only {folded(self.names[index])}"
        return found, unknown

    def _reason(self, found: Reason, why: str) -> Reason:
        exact = self.kind.reasons.get(folded(why))
        if exact is not None:
            return exact
        return reason_in(why) if self.kind.loose and why and found is Reason.UNKNOWN else found

    def _channel(self, row: Sequence[str]) -> tuple[Channel, str]:
        """The channel of a row, and its word where it is none that we keep."""
        word = next((folded(text) for text in self._texts("channel", row)), Channel.EMAIL.value)
        word = {"e-mail": "email", "text": "sms"}.get(word, word)
        known = word in {each.value for each in Channel}
        return (Channel(word), "") if known else (Channel.EMAIL, word)

    def _footer(self, row: Sequence[str]) -> bool:
        if not self.footers:
            return False
        first = next((folded(cell) for cell in row if cell.strip()), "")
        return "@" not in first and any(each.fullmatch(first) for each in self.footers)

    def _texts(self, kind: str, row: Sequence[str]) -> Iterator[str]:
        for index in self.columns[kind]:
            if text := cell_of(row, index).strip():
                yield text


def _words(text: str, known: Mapping[str, object]) -> Iterator[str]:
    """The words of a status cell; of `["UNSUBSCRIBE", "HARD_BOUNCE"]` each."""
    whole = folded(text)
    if whole in known:
        yield whole
        return
    for part in _SEVERAL.split(whole):
        if word := part.strip(" []{}()'\""):
            yield word


def _places(plain: Sequence[str], patterns: Sequence[str]) -> Places:
    return tuple(
        index for index, name in enumerate(plain) if any(re.fullmatch(each, name) for each in patterns)
    )


def _readable(pattern: str) -> str:
    """The plainest heading that a pattern takes."""
    first = re.sub(r"\(\?:[^()]*(?:\([^()]*\)[^()]*)*\)\?", "", pattern)
    first = re.sub(r"\(\?:([^()|]*)[^()]*\)", r"\1", first).split("|")[0]
    return re.sub(r"-\?|[a-z]\?$|\.[*+]|\\d\+|[\[\]\\]", "", first).strip()
