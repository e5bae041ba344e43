"""The contract of an exporter that is told over HTTP, with the traps of that as tests.

Each of them ends with a run that nothing disturbs, after which nobody may be mailed: whatever happened on the
way, nobody is lost.
"""

from __future__ import annotations

from contextlib import closing
from functools import partial
from pathlib import Path

from suppress.core.suppression import Scope
from suppress.errors import SignInNeeded
from suppress.plugin.contract import (
    Delivery,
    Detail,
    Intent,
    Reach,
    Remote,
    Severity,
    Unit,
)
from suppress.plugin.kit import disturbing
from suppress.plugin.kit.attempting import (
    Answers,
    attempted,
    believed,
)
from suppress.plugin.kit.entries import POSITION, people
from suppress.plugin.kit.exporting import in_order, swept
from suppress.plugin.kit.on_the_line import OnTheLine, S

_SOON = 2
"""Seconds of `Retry-After`: really waited for by an exporter that is not given the kit's clock."""


class HttpExporterContract(OnTheLine[S]):
    """Everything the engine relies on in an exporter that is told over HTTP, as tests."""

    # What is sent.

    def test_only_declared_calls_are_sent_and_none_raises_reach(self, tmp_path: Path) -> None:
        """Every byte of a whole run: check, plan, push, poll, read back, sweep, and all of it again."""
        entries = people(self.addresses)
        self.known(tmp_path, self.addresses)
        for _ in range(2):
            self._whole_run(tmp_path, entries)

        self._assert_harmless(tmp_path)

    def test_people_it_does_not_know_are_not_made_mailable(self, tmp_path: Path) -> None:
        """A contact that is created as subscribed, to be unsubscribed next, is mailed in between."""
        entries = self._few()
        with closing(self.exporter(tmp_path)) as exporter:
            attempt = attempted(exporter, in_order(exporter, entries), POSITION)
            believed(exporter, attempt)

        assert attempt.failure is None, f"an unknown address is no failure: {attempt.failure!r}"
        assert not self._lies(tmp_path, attempt.taken), "somebody was taken who is mailed"
        self._assert_harmless(tmp_path)

    def test_archived_people_are_not_brought_back(self, tmp_path: Path) -> None:
        """Whoever comes back from an archive is mailed again."""
        entries = self._few()
        if not self.archived(tmp_path, [each.address for each in entries]):
            return
        self._attempt(tmp_path, entries)

        assert not self._lies(tmp_path, [each.address for each in entries]), "archived people are mailed"
        self._assert_harmless(tmp_path)

    def test_a_request_about_one_list_is_not_widened_unsaid(self, tmp_path: Path) -> None:
        """A person who left one list is still mailed by the others, unless `capabilities.reach` says it."""
        entries = [each for each in people(self.addresses) if each.scope == Scope("Acme", "News")]
        self._pushed(tmp_path, entries)
        with closing(self.exporter(tmp_path)) as exporter:
            said = exporter.capabilities.reach
        wider = self.widened(tmp_path, [each.address for each in entries])

        assert said is not None, "declare capabilities.reach: one target, or the whole account"
        assert said is Reach.ACCOUNT or not wider, f"{len(wider)} requests were widened beyond the target"

    def test_a_target_that_is_gone_is_an_error_and_widens_nothing(self, tmp_path: Path) -> None:
        """A deleted group must not turn into the whole account, nor into nobody without a word."""
        entries = self._few()
        self.known(tmp_path, [each.address for each in entries])
        if not self.remove_target(tmp_path):
            return
        attempt = self._attempt(tmp_path, entries)

        assert not self.widened(tmp_path, [each.address for each in entries]), "requests were widened"
        assert attempt.failure is not None or not attempt.taken, "nobody can be taken by a list that is gone"

    # What goes wrong on the way.

    def test_a_platform_that_fails_loses_nobody(self, tmp_path: Path) -> None:
        """Down from any request on; and failing once, before and after it did what it was asked."""
        failing = disturbing.answered(self.says_failed)
        self._survives(tmp_path / "down", failing, lasting=True)
        self._survives(tmp_path / "once", failing)
        self._survives(tmp_path / "after", disturbing.failed_after)

    def test_a_partial_failure_is_told_from_a_success(self, tmp_path: Path) -> None:
        """Every other write fails for good: who was in those is not taken."""
        self._disturbed(tmp_path, disturbing.Alternating(self.says_failed))

    def test_a_page_for_people_is_no_answer(self, tmp_path: Path) -> None:
        """A sign-in wall says 200 to everything; a gateway's error page is no JSON."""
        self._survives(tmp_path / "wall", disturbing.answered(disturbing.SIGN_IN_WALL), lasting=True)
        self._survives(tmp_path / "gateway", disturbing.answered(disturbing.BAD_GATEWAY), lasting=True)

    def test_a_broken_connection_loses_nobody(self, tmp_path: Path) -> None:
        """Reset before the platform saw the request, once and from then on."""
        self._survives(tmp_path / "once", disturbing.reset)
        self._survives(tmp_path / "lasting", disturbing.reset, lasting=True)

    def test_a_write_whose_answer_is_lost_may_be_sent_again(self, tmp_path: Path) -> None:
        """It took effect, and the answer timed out or broke off in the middle."""
        self._survives(tmp_path / "lost", disturbing.reset_after)
        self._survives(tmp_path / "cut", disturbing.cut)
        self._survives(tmp_path / "lasting", disturbing.cut, lasting=True)

    def test_throttling_is_obeyed(self, tmp_path: Path) -> None:
        """After `Retry-After: 2` nothing is sent for two seconds, and then everyone is told."""
        throttled = self.says_throttled.with_headers(("Retry-After", str(_SOON)))
        for number, at in self._places(tmp_path):
            self._disturbed(at, disturbing.only_number(number, disturbing.answered(throttled)))
            first, *later = self.line(at).sent[number : self.line(at).lifted]
            again = [each for each in later if (each.target, each.body) == (first.target, first.body)]

            assert not again or again[0].at - first.at >= _SOON, "asked to wait, it tried again at once"

    def test_endless_throttling_ends_the_run(self, tmp_path: Path) -> None:
        """Refused again and again, or for the rest of the day, it stops and says so."""
        for name, headers in (("plain", ()), ("day", (("Retry-After", "86400"),))):
            throttled = disturbing.answered(self.says_throttled.with_headers(*headers))
            self._survives(tmp_path / name, throttled, lasting=True)

    def test_expired_credentials_are_said(self, tmp_path: Path) -> None:
        """From any request on; it is the person who must do something, so the error says that."""
        expired = disturbing.answered(self.says_expired)
        first, *later = self._survives(tmp_path, expired, lasting=True)

        assert isinstance(first, SignInNeeded), f"raise AuthFailed, not {type(first).__name__}"
        assert all(each is None or isinstance(each, SignInNeeded) for each in later), "raise AuthFailed"

    # What is believed too easily.

    def test_accepted_is_not_suppressed(self, tmp_path: Path) -> None:
        """Everything is accepted and nothing is applied: reading back shows it."""
        with closing(self.exporter(tmp_path)) as exporter:
            if not (exporter.capabilities.can_read_one or exporter.capabilities.can_read_many):
                return
        self._disturbed(tmp_path, disturbing.astray, alone=False)

    def test_a_silent_success_is_no_success(self, tmp_path: Path) -> None:
        """A 2xx whose lists are empty accounts for nobody."""
        silenced = disturbing.Silenced()
        with closing(self.exporter(tmp_path)) as exporter:
            can = exporter.capabilities
        if can.detail is not Detail.PER_RECORD and not (can.can_read_one or can.can_read_many):
            return
        counted = can.detail is Detail.PER_RECORD and can.unit is Unit.BATCH and can.delivery is Delivery.SYNC
        attempt = self._disturbed(tmp_path, silenced, alone=False)

        if silenced.emptied and counted:
            assert not attempt.claimed, f"{len(attempt.claimed)} people were claimed that no answer named"

    def test_people_of_a_lost_job_are_told_again(self, tmp_path: Path) -> None:
        """The job was accepted, and the platform knows nothing of it when it is asked."""
        with closing(self.exporter(tmp_path)) as exporter:
            if exporter.capabilities.delivery is not Delivery.JOB:
                return
        self._disturbed(tmp_path, disturbing.astray, until_polled=True)

    # What is read in bad weather.

    def test_a_disturbed_reading_shows_nobody_as_suppressed(self, tmp_path: Path) -> None:
        """What cannot be read is an error or `unreadable`, never `suppressed` and never `unknown`."""
        entries = self._few()
        addresses = [each.address for each in entries]
        for place in self._weathers(tmp_path):
            self.known(place, addresses)
            with self._in_bad_weather(place) as exporter:
                if not (exporter.capabilities.can_read_one or exporter.capabilities.can_read_many):
                    return
                seen, planned = Answers(), Answers()
                states = {each.state for each in seen.of(partial(exporter.read_back, addresses))}
                intents = {each.intent for each in planned.of(partial(exporter.plan, entries))}

            assert states <= {Remote.MAILABLE, Remote.UNREADABLE}, f"{place.name}: read back as {states}"
            assert not intents & {Intent.ALREADY, Intent.UNKNOWN_SKIP}, f"{place.name}: planned {intents}"
            self._assert_proper(place, entries, seen.failure)
            self._assert_proper(place, entries, planned.failure)

    def test_a_disturbed_sweep_is_no_short_one(self, tmp_path: Path) -> None:
        """A list that ends early looks like people who were let go: it must be an error."""
        entries = self._few()
        for place in self._weathers(tmp_path):
            self._pushed(place, entries)
            with self._in_bad_weather(place) as exporter:
                if not exporter.capabilities.can_list_all:
                    return
                answers = Answers()
                found = list(answers.of(partial(swept, exporter)))

            assert answers.failure is not None, f"{place.name}: {len(found)} were listed as if it were all"
            self._assert_proper(place, entries, answers.failure)

    def test_a_disturbed_check_does_not_pass(self, tmp_path: Path) -> None:
        """`suppress doctor` is run when something is wrong."""
        for place in self._weathers(tmp_path):
            with self._in_bad_weather(place) as exporter:
                answers = Answers()
                severities = {each.severity for each in answers.of(exporter.check)}

            assert answers.failure is not None or severities - {Severity.PASS}, f"{place.name}: all was well"
            self._assert_proper(place, (), answers.failure)
