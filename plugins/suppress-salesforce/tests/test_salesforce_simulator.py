"""The simulated org behaves as the platform is documented to, also towards clients that behave badly."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from suppress_salesforce.simulator import Org, Simulator, Switches, launch
from suppress_salesforce.simulator.org import with_checksum
from suppress_salesforce.simulator.sign_in import CLIENT_ID

from suppress.errors import BadFile

PAT = "pat@example.com"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


class Client:
    """Bare HTTP, so that nothing of the exporter hides a fault."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.org = simulator.org
        self.http = httpx2.Client(
            base_url=f"{simulator.url}/services/data/v66.0",
            headers={"Authorization": f"Bearer {simulator.sessions.opened()}"},
            trust_env=False,
        )

    def asked(self, method: str, path: str, **more: Any) -> tuple[int, Any]:
        """Status and body."""
        answer = self.http.request(method, path, **more)
        is_json = answer.content and answer.headers["content-type"] == "application/json"
        return answer.status_code, answer.json() if is_json else answer.text


@pytest.fixture
def client() -> Iterator[Client]:
    """An org with one contact."""
    org = Org(Switches(person_accounts=True))
    org.add("Contact", Email=PAT)
    with Simulator(org) as simulator:
        client = Client(simulator)
        with client.http:
            yield client


def test_a_checkbox_can_be_cleared_by_anybody(client: Client) -> None:
    """As on the platform: that is why destinations are patrolled."""
    (row,) = client.org.rows["Contact"].values()
    for value in (True, False):
        record = {"attributes": {"type": "Contact"}, "Id": row.ident, "HasOptedOutOfEmail": value}
        status, body = client.asked("PATCH", "/composite/sobjects", json={"records": [record]})

        assert (200, True) == (status, body[0]["success"])
        assert client.org.would_mail(PAT) is not value


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("PATCH", "/composite/sobjects", {"records": []}, 400, "JSON_PARSER_ERROR"),
        ("PATCH", "/composite/sobjects", {"records": [{}] * 201}, 400, "EXCEEDED_ID_LIMIT"),
        ("POST", "/jobs/ingest", {"object": "Contact", "operation": "delete"}, 400, "INVALIDJOB"),
        ("POST", "/jobs/query", {"operation": "query", "query": "SELECT"}, 400, "MALFORMED_QUERY"),
        ("GET", "/query?q=SELECT+Id+FROM+User", None, 400, "INVALID_TYPE"),
        ("GET", "/query?q=SELECT+Nothing+FROM+Contact", None, 400, "INVALID_FIELD"),
        ("GET", "/query/01gnone-5", None, 400, "INVALID_QUERY_LOCATOR"),
        ("GET", "/sobjects/User/describe", None, 404, "NOT_FOUND"),
        ("GET", "/jobs/ingest/7505g0000000009AAA", None, 404, "NOT_FOUND"),
        ("DELETE", "/sobjects/Contact/1", None, 404, "NOT_FOUND"),
        ("GET", f"/query?q={'x' * 16_400}", None, 414, "URI_TOO_LONG"),
    ],
)
def test_what_is_wrong_is_refused_by_its_code(
    client: Client, method: str, path: str, body: object, status: int, code: str
) -> None:
    """In the platform's shape: a list of errors."""
    found, said = client.asked(method, path, json=body) if body is not None else client.asked(method, path)

    assert (status, code) == (found, said[0]["errorCode"])


@pytest.mark.parametrize(
    ("record", "code"),
    [
        ({}, "INVALID_TYPE"),
        ({"attributes": {"type": "Contact"}, "id": "0035g9"}, "ENTITY_IS_DELETED"),
        ({"attributes": {"type": "Contact"}, "id": "TWIN"}, "INVALID_FIELD_FOR_INSERT_UPDATE"),
        ({"attributes": {"type": "Contact"}, "id": "PAT", "Nothing": 1}, "INVALID_FIELD_FOR_INSERT_UPDATE"),
    ],
)
def test_a_record_that_cannot_be_written_says_why(client: Client, record: Any, code: str) -> None:
    """In its place of the answer, whose status is 200."""
    twin = client.org.person("robin@example.com").twin
    assert twin is not None
    names = {"TWIN": twin.ident, "PAT": next(iter(client.org.rows["Contact"].values())).ident}
    sent = {**record, "id": names.get(record.get("id"), record.get("id", ""))}
    status, body = client.asked("PATCH", "/composite/sobjects", json={"records": [sent]})

    assert (200, False, code) == (status, body[0]["success"], body[0]["errors"][0]["statusCode"])


def test_a_job_takes_one_file_and_ends_once(client: Client) -> None:
    """A second upload and a second end are refused; an empty cell leaves a field alone."""
    (row,) = client.org.rows["Contact"].values()
    new = {"object": "Contact", "operation": "update", "contentType": "CSV", "lineEnding": "LF"}
    _, job = client.asked("POST", "/jobs/ingest", json=new)
    path = f"/jobs/ingest/{job['id']}"
    file = f"Id,HasOptedOutOfEmail,Email\n{row.ident},true,\n".encode()
    uploads = [client.asked("PUT", f"{path}/batches", content=file)[0] for _ in range(2)]
    ends = [client.asked("PATCH", path, json={"state": "UploadComplete"})[0] for _ in range(2)]
    _, after = client.asked("GET", path)

    assert ([201, 400], [200, 400]) == (uploads, ends)
    assert ("JobComplete", 1, 0) == (
        after["state"],
        after["numberRecordsProcessed"],
        after["numberRecordsFailed"],
    )
    assert (True, PAT) == (row.values["HasOptedOutOfEmail"], row.values["Email"])
    assert 404 == client.asked("GET", f"{path}/other")[0]
    assert 405 == client.asked("PUT", path)[0]


def test_ids_have_the_check_sum_of_their_capitals() -> None:
    """As the platform makes 18 characters of 15."""
    assert "0015000000Gv7qJAAR" == with_checksum("0015000000Gv7qJ")
    assert "003000000000001AAA" == with_checksum("003000000000001")


def test_a_scenario_is_read_from_a_file(tmp_path: Path) -> None:
    """TOML or JSON, with people, records and switches."""
    file = tmp_path / "org.toml"
    file.write_text(
        'people = 5\n[switches]\nrow_locks = 3\n[[contacts]]\nEmail = "o\'brien@example.com"\n'
        '[[accounts]]\nEmail = "pat@example.com"\n'
    )
    other = tmp_path / "org.json"
    other.write_text(json.dumps({"leads": [{"Email": PAT, "HasOptedOutOfEmail": True}]}))
    for scenario, holds in ((str(file), (6, 1, 1)), (str(other), (0, 1, 0)), (None, (6, 3, 1))):
        running = launch(0, scenario)
        running.close()

        assert holds == (running.holds["contacts"], running.holds["leads"], running.holds["accounts"])
        assert running.url in running.settings
        assert "Salesforce" == running.label
        assert ["SUPPRESS_DESTINATIONS__CRM__CLIENT_SECRET"] == list(running.environment)
        assert running.token


@pytest.mark.parametrize(
    "text", ["{", "[1]", '{"nothing": 1}', '{"switches": {"x": 1}}', '{"switches": 1}', '{"leads": [{}]}']
)
def test_a_scenario_that_means_nothing_is_refused(tmp_path: Path, text: str) -> None:
    """With the file's name."""
    file = tmp_path / "org.json"
    file.write_text(text)
    with pytest.raises(BadFile, match=r"org\.json"):
        launch(0, str(file))
    with pytest.raises(BadFile):
        launch(0, str(tmp_path / "missing.toml"))


def test_a_large_org_is_one_word() -> None:
    """For trying a long run out."""
    running = launch(0, "large")
    running.close()

    assert 20_000 == sum(running.holds.values())


def _jwt(key: rsa.RSAPrivateKey, **claims: object) -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    whole = {"iss": CLIENT_ID, "sub": "robot", "aud": "https://login.salesforce.com", "exp": 10_100, **claims}
    signed = f"{part({'alg': 'RS256'})}.{part(whole if claims.get('exp') != 'none' else [])}"
    signature = key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{signed}.{base64.urlsafe_b64encode(signature).decode()}"


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        ({}, 200),
        ({"iss": "other"}, 400),
        ({"sub": ""}, 400),
        ({"aud": "https://example.com"}, 400),
        ({"exp": 9_999}, 400),
        ({"exp": 10_181}, 400),
        ({"exp": "none"}, 400),
    ],
)
def test_a_jwt_is_believed_for_three_minutes_of_its_own_app(claims: dict[str, object], status: int) -> None:
    """Issuer, user, audience and end are looked at, and the signature first."""
    key, other = (rsa.generate_private_key(65_537, 2_048) for _ in range(2))
    with Simulator(clock=lambda: 10_000.0) as simulator:

        def signed_in(assertion: str) -> int:
            form = {"grant_type": GRANT, "assertion": assertion}
            url = f"{simulator.url}/services/oauth2/token"
            return httpx2.post(url, data=form, trust_env=False).status_code

        assert 400 == signed_in(_jwt(key, **claims))
        simulator.sessions.public_key = key.public_key()
        assert status == signed_in(_jwt(key, **claims))
        assert 400 == signed_in(_jwt(other, **claims))
        assert 400 == signed_in("nothing")


def test_other_versions_and_grants_are_refused(client: Client) -> None:
    """As of an org that has no such thing."""
    url = client.simulator.url
    form = {"grant_type": "password"}

    assert 400 == httpx2.post(f"{url}/services/oauth2/token", data=form, trust_env=False).status_code
    assert 404 == client.http.get(f"{url}/services/data/v1.0/limits").status_code
    assert (400, "JSON_PARSER_ERROR") == _first(client.asked("PATCH", "/composite/sobjects", content=b"{"))


def _first(said: tuple[int, Any]) -> tuple[int, str]:
    return said[0], said[1][0]["errorCode"]
