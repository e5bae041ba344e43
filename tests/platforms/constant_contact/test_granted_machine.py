"""The vendor's rotation against ours: whatever happens in whatever order, nobody has to come without reason.

The model knows one thing: whether the vendor would take what is on our disk. As long as it would, a start of
the program gets a token that the vendor accepts; once it would not, exit code 4 says so, and signing in mends
it. The vendor is the simulator; its tokens, not the model's, decide what is accepted.
"""

from __future__ import annotations

import contextlib
import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from suppress.errors import SignInNeeded, SourceFailed
from suppress.platforms.constant_contact.grant import LIFE, digest
from suppress.platforms.constant_contact.granted import Granted
from suppress.platforms.constant_contact.private_file import PrivateFile
from suppress.platforms.constant_contact.signing_in import access_token
from suppress.platforms.constant_contact.simulator import Fault, FaultKind, Refresh
from tests.platforms.constant_contact.signed import APPROVING, CALM, TOKEN_PATH, World, world


class Killed(BaseException):
    """The process ends here."""


DEATHS = ("before the vendor", "after the vendor", "before the names change", "after the names changed")


class Renewals(RuleBasedStateMachine):
    """Two programs of one user, one vendor, and everything that goes wrong between them."""

    @initialize(kind=st.sampled_from(list(Refresh)), grace=st.sampled_from([0, 0, 3_600]))
    def begin(self, kind: Refresh, grace: int) -> None:
        self._stack = contextlib.ExitStack()
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        sign_in = replace(APPROVING, refresh=kind, refresh_grace=grace)
        self.here: World = self._stack.enter_context(world(folder, sign_in))
        self.here.sign_in()
        self.programs = [self._program(), self._program()]

    def _program(self) -> Granted:
        token = access_token(self.here.settings, self.here.state, clock=self.here.clock, patience=CALM)
        assert isinstance(token, Granted)
        self._stack.callback(token.close)
        return token

    def teardown(self) -> None:
        if hasattr(self, "_stack"):
            self._stack.close()

    def permitted(self) -> bool:
        """Whether the vendor would renew what is on our disk: in place, or in a draft that follows it."""
        grants, now = self.here.vendor.backend.grants, self.here.vendor.clock.now()
        life = timedelta(seconds=grants.sign_in.refresh_life)
        on_disk = b"".join(each.read_bytes() for each in self.here.file.parent.glob("main-*.json*"))
        return any(
            text.encode() in on_disk and now < held.used_at + life and not grants._used_up(held, now)
            for text, held in grants.refreshes.items()
        )

    def fresh(self) -> bool:
        """Whether a token on our disk will do without renewing, by our clock and by the vendor's word."""
        kept = self.here.safe.read()
        known = self.here.vendor.backend.grants.tokens
        return kept is not None and kept.fresh(self.here.vendor.clock.now()) and kept.access_token in known

    # --- What happens ------------------------------------------------------------------------------------

    @rule(which=st.integers(0, 1))
    def a_program_needs_a_token(self, which: int) -> None:
        permitted = self.permitted() or self.fresh()
        try:
            header = self.programs[which].authorization()
            # As the client does: what another program kept, then what is renewed.
            for _ in range(2):
                if self.here.accepts(header) or not self.programs[which].renewed():
                    break
                header = self.programs[which].authorization()
        except SignInNeeded as needed:
            assert not permitted, needed
            assert needed.remedy == "suppress login main"
        else:
            assert self.here.accepts(header)

    @rule(which=st.integers(0, 1), death=st.sampled_from(DEATHS))
    def a_program_is_killed_while_it_renews(self, which: int, death: str) -> None:
        token = self.programs[which]
        with pytest.MonkeyPatch.context() as patch:
            self._arrange(patch, token, death)
            with contextlib.suppress(Killed, SignInNeeded):
                token.authorization()
        self.programs[which] = self._program()

    def _arrange(self, patch: pytest.MonkeyPatch, token: Granted, death: str) -> None:
        refreshed, adopt = token._host.refreshed, PrivateFile.adopt

        def dies(*_: object) -> None:
            raise Killed

        def answers_and_dies(grant: object) -> None:
            refreshed(grant)  # type: ignore[arg-type]  # it is what it was given
            raise Killed

        def changes_and_dies(file: PrivateFile) -> None:
            adopt(file)
            raise Killed

        match death:
            case "before the vendor":
                patch.setattr(token._host, "refreshed", dies)
            case "after the vendor":
                patch.setattr(token._host, "refreshed", answers_and_dies)
            case "before the names change":
                patch.setattr(PrivateFile, "adopt", dies)
            case _:
                patch.setattr(PrivateFile, "adopt", changes_and_dies)

    @rule(kind=st.sampled_from([FaultKind.ERROR, FaultKind.HTML, FaultKind.DROP]), which=st.integers(0, 1))
    def the_token_host_is_down(self, kind: FaultKind, which: int) -> None:
        faults = self.here.vendor.backend.faults
        faults.faults, faults._done = (Fault(kind, times=1_000, status=503, path=TOKEN_PATH),), {}
        with contextlib.suppress(SourceFailed, SignInNeeded):
            self.programs[which].authorization()
        faults.faults = ()

    @rule(hours=st.sampled_from([0, 1, 23, 24, 24 * 30, 24 * 179]))
    def time_goes_by(self, hours: int) -> None:
        self.here.vendor.advance(timedelta(hours=hours, minutes=1))

    @rule()
    def half_a_year_goes_by(self) -> None:
        self.here.vendor.advance(LIFE)

    @rule()
    def somebody_ends_it_at_the_vendor(self) -> None:
        grants = self.here.vendor.backend.grants
        grants.refreshes.clear()
        grants.tokens.clear()

    @rule()
    def somebody_restarts_a_program(self) -> None:
        self.programs[0] = self._program()

    @precondition(lambda self: not (self.permitted() or self.fresh()))
    @rule()
    def a_person_comes_when_one_is_needed(self) -> None:
        self.here.sign_in()
        self.here.use()

    # --- What always holds -------------------------------------------------------------------------------

    @invariant()
    def what_is_kept_is_private_and_whole(self) -> None:
        if not hasattr(self, "here"):
            return
        kept = self.here.safe.read()
        assert kept is not None and kept.refresh_token is not None
        assert self.here.file.stat().st_mode & 0o777 == 0o600

    @invariant()
    def nothing_but_the_newest_refresh_token_is_kept(self) -> None:
        if not hasattr(self, "here"):
            return
        kept = self.here.safe.read()
        assert kept is not None
        drafts = [each.read_text() for each in self.here.file.parent.glob("*.new")]
        assert len(drafts) <= 1
        for text in drafts:
            assert not text.strip() or digest(kept.refresh_token or "") in text


TestRenewals = Renewals.TestCase
TestRenewals.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
