"""One SES account in one region: asks, tells, tries again, says in words what went wrong.

| answer | done |
|---|---|
| 200 with JSON | the answer; anything else is asked for again, then refused |
| `NotFoundException` | None: the address is not on the list |
| `BadRequestException`, other 400 | `RecordRejected`: this address is refused for good |
| `TooManyRequestsException`, `ThrottlingException` | again, further and further apart; then `Throttled` |
| keys, tokens and signatures that are refused | `AuthFailed` |
| `AccessDeniedException` | `PermissionMissing`, with the permission that the call needs |
| 500 and above, no answer | again, a few times; then `Transient` |
| others | `DestinationFailed` with AWS's own words, without addresses |
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.parsers import ResponseParserError
from urllib3.exceptions import HTTPError

from suppress.config import DestinationSettings
from suppress.errors import DestinationFailed, SuppressError
from suppress.plugin.contract import Evidence
from suppress.plugin.errors import (
    AuthFailed,
    ContractBroken,
    PermissionMissing,
    RecordRejected,
    Throttled,
    Transient,
)
from suppress.plugin.pace import Clock
from suppress.plugin.transport import Patience
from suppress.plugin.words import vendor_words
from suppress_ses.calls import REASON
from suppress_ses.gateway import Gateway
from suppress_ses.pacing import Adaptive
from suppress_ses.settings import Options

_THROTTLED = frozenset(
    {"TooManyRequestsException", "ThrottlingException", "Throttling", "RequestLimitExceeded", "429"}
)
_UNTRUSTED = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
        "401",
    }
)
_ABSENT = "NotFoundException"


@dataclass(frozen=True, slots=True)
class Answer:
    """What SES answered, and what of it may be kept."""

    found: Mapping[str, Any]
    evidence: Evidence


class Client:
    """Asks and tells. Safe to use from several threads."""

    def __init__(
        self,
        settings: DestinationSettings,
        options: Options,
        *,
        clock: Clock | None = None,
        patience: Patience | None = None,
    ) -> None:
        self._name = settings.name
        self._options = options
        self._clock = clock or Clock()
        self._patience = patience or Patience()
        self._gateway = Gateway(settings, options)
        self._tenant = {} if options.tenant is None else {"TenantName": options.tenant}
        self.pace = Adaptive(
            at_once=options.connections, per_second=float(options.per_second), clock=self._clock
        )

    @property
    def place(self) -> str:
        """The region and host that are talked to, for messages."""
        return f"{self._options.region} ({self._gateway.host})"

    def close(self) -> None:
        """Give the connections back."""
        self._gateway.close()

    # --- The calls ---------------------------------------------------------------------------------------

    def suppress(self, address: str) -> Answer:
        """Put one address on the list."""
        return self._asked("PutSuppressedDestination", EmailAddress=address, Reason=REASON, **self._tenant)

    def held(self, address: str) -> Answer | None:
        """The entry of one address; None if it is not on the list."""
        return self._ask("GetSuppressedDestination", EmailAddress=address, **self._tenant)

    def page(self, token: str | None) -> Answer:
        """A page of the list."""
        going_on = {} if token is None else {"NextToken": token}
        size = self._options.page_size
        return self._asked("ListSuppressedDestinations", PageSize=size, **going_on, **self._tenant)

    def account(self) -> Answer:
        """Whether the account sends, and for which reasons it suppresses."""
        return self._asked("GetAccount")

    def configuration_sets(self) -> Iterator[Answer]:
        """Each configuration set, which may suppress for other reasons than the account."""
        token: dict[str, str] = {}
        while True:
            listed = self._asked("ListConfigurationSets", **token).found
            for name in listed.get("ConfigurationSets", ()):
                yield self._asked("GetConfigurationSet", ConfigurationSetName=name)
            if not listed.get("NextToken"):
                return
            token = {"NextToken": listed["NextToken"]}

    def _asked(self, operation: str, **given: Any) -> Answer:
        answer = self._ask(operation, **given)
        if answer is None:
            raise DestinationFailed(self._said(f"answered that there is nothing for {operation}"))
        return answer

    def _ask(self, operation: str, **given: Any) -> Answer | None:
        patience, failures, throttles = self._patience, 0, 0
        while True:
            outcome = self._attempt(operation, given, attempts=failures + throttles + 1)
            if not isinstance(outcome, _Again):
                return outcome
            if outcome.throttled:
                throttles += 1
                wait = patience.after_throttle(throttles)
            else:
                failures += 1
                wait = patience.after_failure(failures)
            over = failures >= patience.tries or throttles >= patience.throttles
            if over or outcome.asked > patience.obeyed:
                raise outcome.failure
            self._clock.wait(max(outcome.asked, wait))

    def _attempt(self, operation: str, given: dict[str, Any], *, attempts: int) -> Answer | _Again | None:
        refused: Mapping[str, Any] | None = None
        with self.pace.turn():
            try:
                found = getattr(self._gateway.client, xform_name(operation))(**given)
            except ClientError as failure:
                # AWS's words may hold the address, and may not travel along as the cause of our error.
                refused = failure.response
            except (HTTPClientError, ResponseParserError, HTTPError) as lost:
                return _Again(self._transient(f"cannot be reached: {type(lost).__name__} ({attempts} tries)"))
            except BotoCoreError as wrong:
                raise self._unsigned(wrong) from None
        if refused is not None:
            return self._refused(operation, refused, attempts)
        if not _is_object(self._gateway.body):
            # A sign-in wall says 200 to everything, and botocore makes an empty answer of its page.
            return _Again(self._transient(f"answered with something else than JSON ({attempts} tries)"))
        self.pace.faster()
        return Answer(found, self._evidence(operation, found.get("ResponseMetadata", {}), attempts))

    # --- What answers mean -------------------------------------------------------------------------------

    def broken(self, problem: str) -> ContractBroken:
        """An answer that is not as promised, as an error."""
        return ContractBroken(self._said(f"answered, but not as its contract says: {problem}"))

    def failed(self, problem: str, *, remedy: str | None = None) -> DestinationFailed:
        """Something else that ends the run."""
        return DestinationFailed(self._said(problem), remedy=remedy)

    def _transient(self, problem: str) -> Transient:
        return Transient(self._said(problem))

    def _said(self, problem: str) -> str:
        return f"destination {self._name!r}: SES in {self.place} {problem}"

    def _refused(self, operation: str, refused: Mapping[str, Any], attempts: int) -> _Again | None:
        """What to do about a refusal; None if it only says that there is no such entry.

        Raises what cannot be tried again.
        """
        error, meta = refused.get("Error", {}), refused.get("ResponseMetadata", {})
        if error.get("Code") == _ABSENT:
            self.pace.faster()
            return None
        code, status = str(error.get("Code", "")), int(meta.get("HTTPStatusCode", 0))
        told = vendor_words(str(error.get("Message", "")))
        words = f" ({vendor_words(code, longest=60)}){f'; it said: {told}' if told else ''}"
        asked = _seconds(meta.get("HTTPHeaders", {}).get("retry-after", ""))
        if code in _THROTTLED or status == 429:
            self.pace.slower()
            until = self._clock.utc() + timedelta(seconds=asked) if asked else None
            problem = self._said(f"answered 'too many requests' {attempts} times{words}")
            return _Again(Throttled(problem, retry_at=until), asked=asked, throttled=True)
        if status >= 500:
            return _Again(self._transient(f"failed with {status} ({attempts} tries){words}"), asked=asked)
        raise self._final(operation, code, status, words)

    def _final(self, operation: str, code: str, status: int, words: str) -> SuppressError:
        if code in _UNTRUSTED or status == 401:
            return AuthFailed(
                self._said(f"refused the credentials{words}"),
                remedy="renew the credentials; look at the region and at this machine's clock, too",
            )
        if code == "AccessDeniedException" or status == 403:
            needed = f"ses:{operation}"
            return PermissionMissing(
                self._said(f"forbids this call; the credentials lack {needed}{words}"),
                scope=needed,
                remedy=f"allow {needed} in the IAM policy",
            )
        if status == 400:
            return RecordRejected(self._said(f"refused it{words}"), code=code or "400")
        return DestinationFailed(self._said(f"answered {status}{words}"))

    def _unsigned(self, wrong: BotoCoreError) -> AuthFailed:
        """Nothing was sent: botocore has nothing to sign with. Its words may hold what it found."""
        return AuthFailed(
            f"destination {self._name!r}: no usable AWS credentials ({type(wrong).__name__})",
            remedy="set profile or access_key_id, or whatever `aws sts get-caller-identity` reads",
        )

    def _evidence(self, operation: str, meta: Mapping[str, Any], attempts: int) -> Evidence:
        body = self._gateway.body
        return Evidence(
            operation,
            meta.get("HTTPStatusCode"),
            meta.get("RequestId"),
            response_digest=hashlib.sha256(body).hexdigest(),
            attempts=attempts,
        )


@dataclass(frozen=True, slots=True)
class _Again:
    """Why an attempt is no answer yet, and how long the platform asks to wait."""

    failure: SuppressError
    asked: float = 0.0
    throttled: bool = False


def instant(value: object) -> datetime | None:
    """A time as botocore read it."""
    return value if isinstance(value, datetime) and value.tzinfo is not None else None


def _seconds(text: str) -> float:
    return float(text) if text.isdecimal() and len(text) < 9 else 0.0


def _is_object(body: bytes) -> bool:
    try:
        return isinstance(json.loads(body), dict)
    except (ValueError, RecursionError):
        return False
