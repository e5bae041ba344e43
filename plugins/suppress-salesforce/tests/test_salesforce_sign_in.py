"""Signing in by each means, against token endpoints that verify."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from salesforce_org import Watched, destination, opened, org_of, outcomes
from suppress_salesforce.exporter import Salesforce
from suppress_salesforce.simulator import Switches
from suppress_salesforce.simulator.sign_in import CLIENT_ID

from suppress.core.suppression import Json
from suppress.errors import ConfigWrong
from suppress.plugin.contract import Outcome, Severity
from suppress.plugin.errors import AuthFailed
from suppress.plugin.pace import Clock

PAT = "pat@example.com"
_KEY = rsa.generate_private_key(65_537, 2_048)


def _key_file(folder: Path, key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey = _KEY) -> Path:
    file = folder / "key.pem"
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    file.chmod(0o600)
    return file


def _by_jwt(file: Path, **more: Json) -> dict[str, Json]:
    return {"client_secret": "", "username": "robot@acme.example", "private_key_file": str(file), **more}


def _org(**switches: int) -> Watched:
    simulator = org_of(PAT, switches=Switches(clock_skew=switches.get("clock_skew", 0)))
    simulator.sessions.public_key = _KEY.public_key()
    return simulator


def test_a_jwt_that_we_sign_is_believed(tmp_path: Path) -> None:
    """RS256, with audience, issuer, user, and an end within three minutes."""
    with _org() as simulator:
        found = outcomes(opened(simulator, **_by_jwt(_key_file(tmp_path))), [PAT])

    assert {PAT: Outcome.SUPPRESSED} == found


@pytest.mark.parametrize("skew", [-3_600, 3_600])
def test_a_jwt_of_a_wrong_clock_is_refused(tmp_path: Path, skew: int) -> None:
    """It is over already, or good for too long."""
    with _org(clock_skew=skew) as simulator, pytest.raises(AuthFailed, match="invalid_grant"):
        outcomes(opened(simulator, **_by_jwt(_key_file(tmp_path))), [PAT])


def test_a_wrong_clock_of_this_machine_is_named(tmp_path: Path) -> None:
    """The org's answer says what time it is there."""
    late = Clock(epoch=lambda: time.time() - 3_600)
    with _org() as simulator:
        exporter = Salesforce(destination(simulator.url, **_by_jwt(_key_file(tmp_path))), clock=late)
        simulator.exporters.append(exporter)
        with pytest.raises(AuthFailed, match="clock of this machine"):
            outcomes(exporter, [PAT])


@pytest.mark.parametrize("skew", [-20, 20])
def test_a_clock_that_is_a_little_off_does_no_harm(tmp_path: Path, skew: int) -> None:
    """A JWT is good for half a minute less than it may be."""
    with _org(clock_skew=skew) as simulator:
        found = outcomes(opened(simulator, **_by_jwt(_key_file(tmp_path))), [PAT])

    assert {PAT: Outcome.SUPPRESSED} == found


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    """It signs in as the whole integration."""
    file = _key_file(tmp_path)
    file.chmod(0o644)
    with _org() as simulator, pytest.raises(ConfigWrong, match="read by others"):
        outcomes(opened(simulator, **_by_jwt(file)), [PAT])


def test_a_key_that_is_none_is_refused(tmp_path: Path) -> None:
    """Missing, no PEM, or of another kind."""
    curve = _key_file(tmp_path, ec.generate_private_key(ec.SECP256R1()))
    text = tmp_path / "text.pem"
    text.write_text("nothing")
    text.chmod(0o600)
    with _org() as simulator:
        for file, why in ((curve, "RSA"), (text, "RSA"), (tmp_path / "missing", "cannot be read")):
            with pytest.raises(ConfigWrong, match=why):
                outcomes(opened(simulator, **_by_jwt(file)), [PAT])


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"client_secret": ""}, "nothing to sign in with"),
        ({"client_secret": "", "username": "robot@acme.example"}, "nothing to sign in with"),
    ],
)
def test_a_refused_sign_in_says_why_and_never_the_secret(given: dict[str, Json], why: str) -> None:
    """With what to set next."""
    with org_of(PAT) as simulator, pytest.raises(AuthFailed, match=why) as refused:
        outcomes(opened(simulator, **given), [PAT])

    assert "SUPPRESS_DESTINATIONS__CRM__CLIENT_SECRET" in str(refused.value.remedy)
    assert CLIENT_ID not in refused.value.message


def test_a_check_says_that_the_sign_in_failed() -> None:
    """And looks at nothing else."""
    with org_of(PAT) as simulator:
        findings = list(opened(simulator, client_secret="wrong").check())

    assert [Severity.FAIL] == [each.severity for each in findings]


def test_a_session_from_outside_is_used_as_it_is() -> None:
    """No sign-in is asked for."""
    with org_of(PAT) as simulator:
        token = simulator.sessions.opened()
        found = outcomes(opened(simulator, access_token=token), [PAT])

        assert {PAT: Outcome.SUPPRESSED} == found
        assert not [each for each in simulator.exchanges if each.request.path.endswith("/token")]


def test_the_instance_that_an_answer_names_is_not_followed() -> None:
    """Calls go where the configuration says; a session must not go elsewhere."""
    with org_of(PAT) as simulator, org_of() as other:
        exporter = opened(simulator, login_url=other.url)
        with pytest.raises(AuthFailed):
            outcomes(exporter, [PAT])

        assert {"/services/oauth2/token"} == {each.request.path for each in other.exchanges}
        assert not any(each.request.path.endswith("/token") for each in simulator.exchanges)
