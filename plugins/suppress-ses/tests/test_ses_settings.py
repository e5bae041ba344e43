"""What `[destinations.NAME]` may say, what is said when it cannot be, and where credentials come from."""

from __future__ import annotations

from pathlib import Path

import pytest
from ses_opening import REGION, account, settings_for, told
from suppress_ses.exporter import Ses
from suppress_ses.settings import Options

from suppress.config import DestinationSettings
from suppress.core.suppression import Json
from suppress.errors import ConfigWrong
from suppress.plugin.contract import Reach, Unit
from suppress.plugin.errors import AuthFailed
from suppress.plugin.registry import Registry
from tests.plugin.virtual import from_now

PAT = "pat@example.com"


def destination(**options: Json) -> DestinationSettings:
    """A `[destinations.mail]` table."""
    return DestinationSettings("mail", "ses", options=options)


@pytest.fixture
def nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine without AWS credentials; its configuration file."""
    config = tmp_path / "config"
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return config


def test_a_region_is_enough() -> None:
    """Credentials are found as AWS's own tools find them."""
    options = Options.of(destination(region=REGION))

    assert (options.per_second, options.connections, options.page_size) == (1, 2, 100)
    assert options.capabilities.unit is Unit.RECORD
    assert options.capabilities.reach is Reach.ACCOUNT
    assert options.capabilities.blocks_transactional
    assert "90 days" in str(options.capabilities.entries_expire)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "region is missing"),
        ({"region": "Ireland"}, "region must be such as eu-west-1"),
        ({"region": "eu-west-1.evil.example"}, "region must be such as eu-west-1"),
        ({"region": REGION, "profile": "a\nb"}, "profile must be the name of a profile"),
        ({"region": REGION, "profile": "a", "access_key_id": "b"}, "leave out one of them"),
        ({"region": REGION, "access_key_id": "a/b"}, "access_key_id must be an AWS access key"),
        ({"region": REGION, "tenant": "a b"}, "tenant must be a tenant's name"),
        ({"region": REGION, "per_second": 0}, "per_second must be a whole number"),
        ({"region": REGION, "connections": 65}, "connections must be a whole number, 1 to 64"),
        ({"region": REGION, "page_size": 1_001}, "page_size must be a whole number, 1 to 1,000"),
        ({"region": REGION, "api_url": "http://ses.example"}, "api_url must begin with https"),
    ],
)
def test_what_cannot_be_is_said_by_its_key(options: dict[str, Json], words: str) -> None:
    """Before anything is sent."""
    with pytest.raises(ConfigWrong, match=words):
        Options.of(destination(**options))


def test_the_registry_opens_it_with_checked_options() -> None:
    """As `suppress export` does."""
    registry = Registry.load()
    registry.exporter(destination(region=REGION, access_key_id="AKIA", secret_access_key="x")).close()
    with pytest.raises(ConfigWrong, match="lacks 'region'"):
        registry.exporter(destination(access_key_id="AKIA"))
    with pytest.raises(ConfigWrong, match="unknown key 'regions'"):
        registry.exporter(destination(region=REGION, regions=[REGION]))

    assert "secret_access_key" in registry.secrets()


def test_an_access_key_needs_its_secret() -> None:
    """From a variable or a file; the message says which."""
    with pytest.raises(AuthFailed, match="has no secret access key") as lacking:
        Ses(destination(region=REGION, access_key_id="AKIA"))

    assert "SUPPRESS_DESTINATIONS__MAIL__SECRET_ACCESS_KEY" in str(lacking.value.remedy)


def test_a_profile_that_is_not_there_is_said(nothing: Path) -> None:
    """By its key, not by its name."""
    nothing.write_text("")
    with pytest.raises(ConfigWrong, match="profile names no profile of the AWS files"):
        Ses(destination(region=REGION, profile="marketing"))


def test_a_machine_without_credentials_is_said(nothing: Path) -> None:
    """Nothing is sent."""
    nothing.write_text("")
    with account() as (platform, _):
        exporter = Ses(destination(region=REGION, api_url=platform.url), clock=from_now().clock)
        with pytest.raises(AuthFailed, match="no usable AWS credentials"):
            told(exporter, PAT)
        exporter.close()

        assert platform.exchanges == ()


def test_half_of_a_pair_of_keys_is_said(nothing: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A forgotten variable."""
    nothing.write_text("")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIASIMULATED")
    with pytest.raises(AuthFailed, match="AWS"):
        exporter = Ses(destination(region=REGION, api_url="http://127.0.0.1:9"), clock=from_now().clock)
        told(exporter, PAT)


def test_a_profile_of_the_aws_files_is_used(nothing: Path) -> None:
    """As `aws --profile` does."""
    nothing.write_text("[profile marketing]\naws_access_key_id = AKIASIMULATED\naws_secret_access_key = x\n")
    with account() as (platform, _):
        exporter = Ses(
            destination(region=REGION, profile="marketing", api_url=platform.url, per_second=1_000),
            clock=from_now().clock,
        )
        told(exporter, PAT)
        exporter.close()

        assert not platform.account.would_mail(PAT)


def test_a_broken_aws_file_is_said_without_its_words(nothing: Path) -> None:
    """It may hold keys."""
    nothing.write_text("[profile\nAKIASECRET")
    with pytest.raises(ConfigWrong, match="cannot be set up for AWS") as broken:
        Ses(settings_for("http://127.0.0.1:9"))

    assert "AKIASECRET" not in str(broken.value)
