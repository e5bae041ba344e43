"""What a contract over HTTP stands on: the simulator, the line to it, and runs that are disturbed."""

from __future__ import annotations

import base64
import binascii
import re
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import cached_property, partial
from itertools import islice
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from suppress.plugin.contract import (
    Delivery,
    Exporter,
    Suppressed,
)
from suppress.plugin.guard import Call
from suppress.plugin.kit import disturbing, reach
from suppress.plugin.kit.attempting import (
    Attempt,
    attempted,
    believed,
    improper,
    leaks,
    listening,
    words_of,
)
from suppress.plugin.kit.entries import POSITION, people
from suppress.plugin.kit.exporting import ExporterContract, in_order, swept
from suppress.plugin.kit.line import Disturbance, Hurry, Line
from suppress.plugin.loopback import Response, answer
from suppress.plugin.pace import Clock

_FEW = 5
"""People in a disturbed run: enough for a first, a middle and a last request."""
_PLAIN = re.compile(r"[a-z'+-]+@example\.com")
_CREDENTIALS = frozenset({"authorization", "api-key", "x-api-key", "api-token"})


class Served(Protocol):
    """A simulator that is running."""

    @property
    def url(self) -> str:
        """Where it listens."""

    def close(self) -> None:
        """Stop listening."""


S = TypeVar("S", bound=Served)


class OnTheLine(ExporterContract, Generic[S]):
    """What an author says about the platform, and how a run over a disturbed line is done."""

    calls: Sequence[Call] = ()
    """The plugin's own list of calls, as its transport has it. What is sent beside it fails the tests."""
    harmless: Sequence[str] = ()
    """Regular expressions of `METHOD /path`, for writes whose words only look as if they raised reach.

    Say in the plugin's manual why each of them does not.
    """
    secrets: Sequence[str] = ()
    """Secrets that the exporter was given; those in the usual headers are found without."""
    says_failed: Response = answer(503, {"message": "service unavailable"})
    """The platform's own words when it is broken."""
    says_throttled: Response = answer(429, {"message": "too many requests"})
    """The platform's own words when there were too many requests."""
    says_expired: Response = answer(401, {"message": "the access token is expired"})
    """The platform's own words when credentials are no longer good."""

    @abstractmethod
    def simulator(self, place: Path) -> S:
        """Start the platform that lives in `place`: called once for each place, and closed by the kit."""

    @abstractmethod
    def opened(self, place: Path, url: str) -> Exporter:
        """Open the exporter for the platform at `url`. Give it `self.clock`, or it really waits."""

    def writes(self, method: str, path: str) -> bool:
        """Whether a request changes something. Searches that are sent with POST do not: name them here."""
        return method != "GET" and not re.search(r"token|oauth", path)

    def archived(self, place: Path, addresses: Sequence[str]) -> bool:  # noqa: ARG002 (for authors to use)
        """Make these known and then archived, deleted or hidden, where the platform has such a thing."""
        return False

    def widened(self, place: Path, addresses: Sequence[str]) -> Sequence[str]:  # noqa: ARG002
        """Whom of these the platform stopped mailing beyond the configured target, in any other list."""
        return ()

    def remove_target(self, place: Path) -> bool:  # noqa: ARG002
        """Remove the list, group or audience that is configured, where the platform has such a thing."""
        return False

    # What the author's methods may use.

    @cached_property
    def clock(self) -> Clock:
        """A clock on which waiting takes no time."""
        return self._hurry.clock

    def at(self, place: Path) -> S:
        """The simulator of `place`, started if it is not running."""
        if place not in self._running:
            self._running[place] = self.simulator(place)
        return self._running[place]

    def line(self, place: Path) -> Line:
        """The line to that simulator."""
        if place not in self._lines:
            self._lines[place] = Line(
                self.at(place).url,
                shadow=partial(self._shadow, place),
                writes=self.writes,
                monotonic=self._hurry.monotonic,
            )
        return self._lines[place]

    def exporter(self, place: Path) -> Exporter:
        """The exporter at the end of the line."""
        return self.opened(place, self.line(place).url)

    def written(self, place: Path) -> object:
        """The writes that were sent so far: a plan or a check sends none."""
        return [each for each in self.line(place).sent if self.writes(each.method, each.path)]

    def undeclared(self, place: Path) -> list[str]:
        """What was sent beside the plugin's own list of calls, in words."""
        return sorted(set(reach.undeclared(self.calls, self.line(place).sent)))

    def raising(self, place: Path) -> list[str]:
        """What was sent that could make somebody mailable, in words."""
        writes = [
            each
            for each in self.line(place).sent
            if self.writes(each.method, each.path)
            and not any(re.fullmatch(harmless, f"{each.method} {each.path}") for harmless in self.harmless)
        ]
        return sorted(set(reach.raising(writes)))

    def known_secrets(self, place: Path) -> set[str]:
        """The secrets that no error and no log may hold: those that were sent, and those that you name."""
        found = set(self.secrets)
        for each in self.line(place).sent:
            for name in _CREDENTIALS & each.headers.keys():
                found |= _secret_parts(each.headers[name])
        return found

    def teardown_method(self) -> None:
        """Close what was opened; pytest calls it after each test."""
        for line in self._lines.values():
            line.close()
        for simulator in self._running.values():
            simulator.close()
        self._lines.clear()
        self._running.clear()

    # How.

    @cached_property
    def _hurry(self) -> Hurry:
        return Hurry()

    @cached_property
    def _running(self) -> dict[Path, S]:
        return {}

    @cached_property
    def _lines(self) -> dict[Path, Line]:
        return {}

    def _shadow(self, place: Path) -> str:
        """Another platform with the same people, to which writes can go astray."""
        shadow = place / "shadow"
        if shadow not in self._running:
            shadow.mkdir()
            self.known(shadow, [each.address for each in self._few()])
        return self.at(shadow).url

    def _few(self) -> list[Suppressed]:
        plain = [each for each in self.addresses if _PLAIN.fullmatch(each)]
        return people(islice(plain or self.addresses, _FEW))

    def _places(self, tmp_path: Path) -> Iterator[tuple[int, Path]]:
        """The first, a middle and the last request of an undisturbed run, each with a place of its own."""
        rehearsal = tmp_path / "rehearsal"
        rehearsal.mkdir(parents=True)
        self._attempt(rehearsal, self._few())
        last = len(self.line(rehearsal).sent) - 1
        assert last >= 0, (
            "the exporter sent nothing through the line: let it talk to the URL that it is given"
        )
        for number in sorted({0, last // 2, last}):
            place = tmp_path / f"from-{number}"
            place.mkdir()
            yield number, place

    def _weathers(self, tmp_path: Path) -> Iterator[Path]:
        for name in self._weather:
            place = tmp_path / name
            place.mkdir()
            yield place

    @cached_property
    def _weather(self) -> Mapping[str, Disturbance]:
        return {
            "failing": disturbing.answered(self.says_failed),
            "expired": disturbing.answered(self.says_expired),
            "wall": disturbing.answered(disturbing.SIGN_IN_WALL),
            "reset": disturbing.reset,
            "cut": disturbing.cut,
        }

    @contextmanager
    def _in_bad_weather(self, place: Path) -> Iterator[Exporter]:
        """The exporter, opened before the weather of this place comes up."""
        with closing(self.exporter(place)) as exporter:
            self.line(place).disturb(self._weather[place.name])
            yield exporter

    def _survives(
        self, place: Path, disturbance: Disturbance, *, lasting: bool = False
    ) -> list[BaseException | None]:
        """Disturb the first, a middle and the last request, or all from there on; how each run failed."""
        when = disturbing.from_number if lasting else disturbing.only_number
        return [self._disturbed(at, when(number, disturbance)).failure for number, at in self._places(place)]

    def _disturbed(
        self,
        place: Path,
        disturbance: Disturbance,
        *,
        alone: bool = True,
        until_polled: bool = False,
    ) -> Attempt:
        """A run in which things go wrong, all that must hold of it, and one that mends it.

        With `alone`, what `push` and `poll` say must be true without reading back.
        """
        entries = self._few()
        self.known(place, [each.address for each in entries])
        line = self.line(place)
        with closing(self.exporter(place)) as exporter:
            line.disturb(disturbance)
            attempt = attempted(
                exporter,
                in_order(exporter, entries),
                POSITION,
                before_polling=line.lift if until_polled else lambda: None,
            )
            line.lift()
            eventual = exporter.capabilities.delivery is Delivery.EVENTUAL
            told = attempt.claimed if alone and not eventual else []
            lies = self._lies(place, {*told, *believed(exporter, attempt)})

        assert line.gave_up, f"it sent {line.disturbed} requests in vain and would have gone on"
        assert not lies, f"{len(lies)} of {len(entries)} people are said to be suppressed and would be mailed"
        self._assert_proper(place, entries, attempt.failure, attempt.said)
        self._assert_mended(place, entries)
        self._assert_harmless(place)
        return attempt

    def _attempt(self, place: Path, entries: Sequence[Suppressed]) -> Attempt:
        self.known(place, [each.address for each in entries])
        with closing(self.exporter(place)) as exporter:
            return attempted(exporter, in_order(exporter, entries), POSITION)

    def _whole_run(self, place: Path, entries: Sequence[Suppressed]) -> None:
        with closing(self.exporter(place)) as exporter, listening() as said:
            list(exporter.check())
            list(exporter.plan(iter(entries)))
            attempt = attempted(exporter, in_order(exporter, entries), POSITION)
            believed(exporter, attempt)
            list(swept(exporter) if exporter.capabilities.can_list_all else ())
        self._assert_proper(place, entries, attempt.failure, said)
        assert attempt.failure is None, f"an undisturbed run failed: {type(attempt.failure).__name__}"

    def _lies(self, place: Path, addresses: Sequence[str] | set[str]) -> list[str]:
        return [each for each in addresses if self.mails(place, each)]

    def _assert_mended(self, place: Path, entries: Sequence[Suppressed]) -> None:
        tally = self._pushed(place, entries, known=False)
        lost = self._lies(place, [each.address for each in entries])

        assert not tally.missed(), f"the next run did not take {len(tally.missed())} people"
        assert not lost, f"after the next, undisturbed run {len(lost)} people would still be mailed"

    def _assert_harmless(self, place: Path) -> None:
        undeclared, raising = self.undeclared(place), self.raising(place)

        assert not undeclared, f"sent beside the plugin's own list of calls: {undeclared}"
        assert not raising, f"could make somebody mailable: {raising}"

    def _assert_proper(
        self,
        place: Path,
        entries: Sequence[Suppressed],
        failure: BaseException | None,
        said: Sequence[str] = (),
    ) -> None:
        """A failure is of the kinds that the engine knows, and neither it nor the log names anybody."""
        wrong = improper(failure)
        assert wrong is None, wrong
        found = leaks([*words_of(failure), *said], entries, self.known_secrets(place))
        assert not found, f"an error or the log holds {', '.join(sorted(set(found)))}"


def _secret_parts(header: str) -> set[str]:
    """The secrets in the value of a header that carries credentials."""
    scheme, _, rest = header.partition(" ")
    secret = rest or scheme
    if scheme.lower() != "basic":
        return {secret}
    try:
        name_and_password = base64.b64decode(secret, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return {secret}
    return {secret, name_and_password.partition(":")[2]}
