"""Settings: where they come from, what they may be, and what never shows."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import platformdirs
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import suppress
from suppress.config import (
    FILE,
    MASK,
    TEMPLATE,
    Settings,
    is_secret,
    load,
    redacted,
    shown,
)
from suppress.errors import ConfigWrong
from tests.conftest import Command

FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def loaded(
    folder: Path,
    toml: str | bytes | None = None,
    *,
    env: Mapping[str, str] | None = None,
    user: str | None = None,
    **flags: Any,
) -> Settings:
    """The settings in `folder` with nothing from this machine."""
    if toml is not None:
        (folder / FILE).write_bytes(toml if isinstance(toml, bytes) else toml.encode())
    home = folder / "home"
    if user is not None:
        (home / "suppress").mkdir(parents=True, exist_ok=True)
        (home / "suppress" / FILE).write_text(user, encoding="utf-8")
    alone = {"XDG_CONFIG_HOME": str(home), "XDG_STATE_HOME": str(home)}
    return load(environ={**alone, **(env or {})}, cwd=folder, **flags)


def refused(folder: Path, toml: str | bytes | None = None, **given: Any) -> str:
    """The one line that says what is wrong."""
    with pytest.raises(ConfigWrong) as wrong:
        loaded(folder, toml, **given)
    assert "\n" not in wrong.value.message
    assert wrong.value.remedy is not None
    return wrong.value.message


# --- Where values come from --------------------------------------------------------------------------------


def test_without_any_settings_everything_has_a_default(tmp_path: Path) -> None:
    """A newcomer needs no file."""
    found = loaded(tmp_path)

    assert f"sqlite:///{tmp_path}/suppress.db" == found.ledger
    assert (tmp_path / "suppress.keys", tmp_path / "home" / "suppress") == (found.keys, found.state)
    assert (None, "UTC", ("us.can-spam",)) == (found.organisation, found.timezone, found.policies)
    assert ({}, {}, None) == (found.sources, found.destinations, found.file)


def test_a_file_sets_everything(tmp_path: Path) -> None:
    """Every key that the manual names is read."""
    found = loaded(
        tmp_path,
        """
        ledger = "sqlite:///data/acme.db"
        keys = "secret/keys"
        state = "/var/tmp/state"
        organisation = "Acme Outdoor"
        timezone = "America/New_York"
        policies = ["us.can-spam", "mbp.google-yahoo"]
        [sources.main]
        platform = "constant-contact"
        sender = "Acme"
        client_id = "abc"
        api_url = "https://proxy.example/v3/"
        access_token_file = "token"
        [destinations.crm]
        platform = "csv"
        sender = "Acme"
        path = "out/list.csv"
        daily = 4
        tags = ["a", "b"]
        map = { email = "Email", deep = { yes = true } }
        """,
    )

    source, destination = found.sources["main"], found.destinations["crm"]
    assert f"sqlite:///{tmp_path}/data/acme.db" == found.ledger
    assert (tmp_path / "secret/keys", Path("/var/tmp/state")) == (found.keys, found.state)
    assert "Acme Outdoor" == found.organisation
    assert "America/New_York" == found.timezone
    assert ("us.can-spam", "mbp.google-yahoo") == found.policies
    assert ("constant-contact", "Acme", None) == (source.platform, source.sender, source.access_token)
    assert tmp_path / "token" == source.access_token_file
    assert {"client_id": "abc", "api_url": "https://proxy.example/v3"} == source.options
    assert ("csv", "Acme") == (destination.platform, destination.sender)
    assert {
        "path": str(tmp_path / "out/list.csv"),
        "daily": 4,
        "tags": ("a", "b"),
        "map": {"email": "Email", "deep": {"yes": True}},
    } == destination.options
    assert tmp_path / FILE == found.file


def test_a_system_names_who_answers_for_it(tmp_path: Path) -> None:
    """A source as well as a destination; it shows in the configuration like any other value."""
    found = loaded(
        tmp_path,
        '[sources.main]\nowner = "Marketing"\n[destinations.crm]\nplatform = "csv"\nowner = "Sales"\n',
    )

    assert ("Marketing", "Sales") == (found.sources["main"].owner, found.destinations["crm"].owner)
    assert {"sources.main.owner": "Marketing", "destinations.crm.owner": "Sales"} == {
        each.key: each.value for each in shown(found) if each.key.endswith("owner")
    }
    assert "owner must be text" in refused(tmp_path, "[sources.main]\nowner = 3\n")


KEYS = {
    "ledger": ("ledger", "SUPPRESS_LEDGER"),
    "organisation": ("organisation", "SUPPRESS_ORGANISATION"),
    "sender": ("sources.main.sender", "SUPPRESS_SOURCES__MAIN__SENDER"),
    "client_id": ("sources.main.client_id", "SUPPRESS_SOURCES__MAIN__CLIENT_ID"),
    "audience": ("destinations.crm.audience", "SUPPRESS_DESTINATIONS__CRM__AUDIENCE"),
}
LAYERS = ("user", "project", "environment", "flag")
NAME = st.text("abcdefgh", min_size=1, max_size=5)
GIVEN = st.dictionaries(st.sampled_from(sorted(KEYS)), st.dictionaries(st.sampled_from(LAYERS), NAME))


def _toml(values: Mapping[str, str]) -> str:
    lines = [f"{KEYS[key][0]} = {json.dumps(value)}" for key, value in values.items()]
    return "\n".join([*lines, 'destinations.crm.platform = "csv"'])


@FEW
@given(GIVEN)
@example({"ledger": dict.fromkeys(LAYERS, "x")})
def test_the_closer_layer_wins_key_by_key(tmp_path_factory: pytest.TempPathFactory, given_: Any) -> None:
    """Flags > environment > project's file > user's file, for each key on its own."""
    folder = tmp_path_factory.mktemp("layers")
    layer = {name: {key: each[name] for key, each in given_.items() if name in each} for name in LAYERS}
    found = loaded(
        folder,
        _toml(layer["project"]),
        user=_toml(layer["user"]),
        env={KEYS[key][1]: value for key, value in layer["environment"].items()},
        ledger=layer["flag"].get("ledger"),
    )

    actual = {
        "ledger": Path(found.ledger).name,
        "organisation": found.organisation,
        "sender": found.sources["main"].sender if "main" in found.sources else None,
        "client_id": found.sources["main"].options.get("client_id") if "main" in found.sources else None,
        "audience": found.destinations["crm"].options.get("audience"),
    }
    for key in KEYS:
        usable = LAYERS if key == "ledger" else LAYERS[:3]
        ranked = [given_.get(key, {})[name] for name in reversed(usable) if name in given_.get(key, {})]
        default = "suppress.db" if key == "ledger" else None
        assert (ranked[0] if ranked else default) == actual[key], key


def test_every_value_remembers_where_it_came_from(tmp_path: Path) -> None:
    """Down to the line of the file, also inside tables, lists over many lines and inline tables."""
    found = loaded(
        tmp_path,
        'organisation = "Acme"\n'
        "policies = [\n"
        '  "us.can-spam",\n'
        "]\n"
        "# a comment\n"
        'sources.second = { platform = "constant-contact", client_id = "x" }\n'
        "\n"
        "[sources.main]\n"
        'sender = """\n'
        'Acme"""\n'
        'client_id = "abc"\n',
        user='timezone = "Europe/Berlin"',
        env={"SUPPRESS_SOURCES__MAIN__ACCESS_TOKEN": "t0ken"},
        ledger="other.db",
    )

    assert {
        "ledger": "--ledger",
        "keys": "default, beside the ledger",
        "state": "default, one for all ledgers of this user",
        "organisation": "suppress.toml, line 1",
        "policies": "suppress.toml, line 2",
        "timezone": f"{tmp_path}/home/suppress/suppress.toml, line 1",
        "sources.second.platform": "suppress.toml, line 6",
        "sources.second.client_id": "suppress.toml, line 6",
        "sources.main.platform": "default",
        "sources.main.sender": "suppress.toml, line 9",
        "sources.main.client_id": "suppress.toml, line 11",
        "sources.main.access_token": "variable SUPPRESS_SOURCES__MAIN__ACCESS_TOKEN",
    } == found.origins


def test_a_value_over_very_many_lines_costs_its_line_number_only(tmp_path: Path) -> None:
    """Finding lines must not become slow; without them the file is still named."""
    many = "\n".join(f'  "us.can-spam", # {number}' for number in range(300))
    found = loaded(tmp_path, f'organisation = "Acme"\npolicies = [\n{many}\n]\ntimezone = "UTC"\n')

    assert ("us.can-spam",) == found.policies
    assert "suppress.toml, line 1" == found.origins["organisation"]
    assert "suppress.toml" == found.origins["timezone"]


def test_a_named_file_takes_the_place_of_the_projects(tmp_path: Path) -> None:
    """By flag or variable; paths in it belong to its own folder, also the default ledger."""
    (tmp_path / "else").mkdir()
    (tmp_path / "else" / "acme.toml").write_text('state = "s"', encoding="utf-8")
    by_flag = loaded(tmp_path, "organisation = 'here'", config=Path("else/acme.toml"))
    by_variable = loaded(tmp_path, env={"SUPPRESS_CONFIG": "else/acme.toml"})

    assert None is by_flag.organisation
    assert f"sqlite:///{tmp_path}/else/suppress.db" == by_flag.ledger
    assert tmp_path / "else/s" == by_flag.state
    assert by_flag == by_variable


def test_relative_paths_belong_to_where_they_were_written(tmp_path: Path) -> None:
    """A cron job in another folder reads the same ledger."""
    user = 'ledger = "mine.db"\n[sources.main]\naccess_token_file = "../token"'
    from_user = loaded(tmp_path, user=user)
    from_variable = loaded(tmp_path, user=user, env={"SUPPRESS_LEDGER": "here.db"})

    assert f"sqlite:///{tmp_path}/home/suppress/mine.db" == from_user.ledger
    assert tmp_path / "home/suppress/mine.keys" == from_user.keys
    assert tmp_path / "home/suppress/../token" == from_user.sources["main"].access_token_file
    assert f"sqlite:///{tmp_path}/here.db" == from_variable.ledger


def test_a_users_file_does_not_move_the_default_ledger(tmp_path: Path) -> None:
    """Without a project's file the ledger is in the working directory, whatever else the user prefers."""
    found = loaded(tmp_path, user='organisation = "Acme"')

    assert f"sqlite:///{tmp_path}/suppress.db" == found.ledger
    assert tmp_path / "home/suppress/suppress.toml" == found.file


def test_the_user_folder_follows_xdg_then_home_then_the_system(tmp_path: Path) -> None:
    """XDG_CONFIG_HOME counts on every system; a relative one is void, as its specification says."""
    import platformdirs

    from suppress.config.layers import _user_folder

    assert Path("/x/suppress") == _user_folder({"XDG_CONFIG_HOME": "/x", "HOME": "/h"})
    assert platformdirs.user_config_path("suppress", appauthor=False) == _user_folder({})
    if sys.platform == "linux":
        assert Path("/h/.config/suppress") == _user_folder({"XDG_CONFIG_HOME": "x", "HOME": "/h"})


def test_in_the_user_folder_itself_the_file_is_read_once(tmp_path: Path) -> None:
    """Working in ~/.config/suppress is no trap."""
    (tmp_path / "suppress").mkdir()
    (tmp_path / "suppress" / FILE).write_text('organisation = "Acme"', encoding="utf-8")
    found = load(environ={"XDG_CONFIG_HOME": str(tmp_path)}, cwd=tmp_path / "suppress")

    assert "Acme" == found.organisation
    assert f"sqlite:///{tmp_path}/suppress/suppress.db" == found.ledger


# --- The environment ---------------------------------------------------------------------------------------


def test_a_source_may_be_configured_by_environment_alone(tmp_path: Path) -> None:
    """For containers and CI; the platform has a default."""
    found = loaded(
        tmp_path,
        env={
            "SUPPRESS_SOURCES__MAIN__ACCESS_TOKEN": " t0ken\n",
            "SUPPRESS_SOURCES__MAIN__API_URL": "http://127.0.0.1:8080/v3",
            "SUPPRESS_DESTINATIONS__OUT__PLATFORM": "csv",
            "SUPPRESS_DESTINATIONS__OUT__PATH": "list.csv",
            "SUPPRESS_POLICIES": "us.can-spam, mbp.google-yahoo",
        },
    )

    assert ("constant-contact", "t0ken") == (
        found.sources["main"].platform,
        found.sources["main"].access_token,
    )
    assert {"api_url": "http://127.0.0.1:8080/v3"} == found.sources["main"].options
    assert {"path": str(tmp_path / "list.csv")} == found.destinations["out"].options
    assert ("us.can-spam", "mbp.google-yahoo") == found.policies


def test_a_variable_finds_the_account_whose_name_it_cannot_spell(tmp_path: Path) -> None:
    """MAIN_BRAND is [sources.Main-Brand]: variables have no '-' and, by custom, no lower case."""
    found = loaded(
        tmp_path,
        '[sources.Main-Brand]\nsender = "Acme"',
        env={"SUPPRESS_SOURCES__MAIN_BRAND__ACCESS_TOKEN": "t0ken"},
    )

    assert ["Main-Brand"] == list(found.sources)
    assert ("Acme", "t0ken") == (found.sources["Main-Brand"].sender, found.sources["Main-Brand"].access_token)


@pytest.mark.parametrize(
    ("variable", "meant"),
    [
        ("SUPPRESS_LEGDER", "SUPPRESS_LEDGER"),
        ("SUPPRESS_ORGANIZATION", "SUPPRESS_ORGANISATION"),
        ("SUPPRESS_SOURCE__MAIN__ACCESS_TOKEN", "SUPPRESS_SOURCES__MAIN__ACCESS_TOKEN"),
        ("SUPPRESS_DESTINATION__CRM__PATH", "SUPPRESS_DESTINATIONS__CRM__PATH"),
        ("SUPPRESS_SOURCES__MAIN", "SUPPRESS_SOURCES__MAIN__PLATFORM"),
        ("SUPPRESS_SOURCES", "SUPPRESS_SOURCES__MAIN__PLATFORM"),
        ("SUPPRESS_SOURCES__MAIN__", "SUPPRESS_SOURCES__MAIN__PLATFORM"),
        ("SUPPRESS_SOURCES__MAIN__OPTIONS__CLIENT_ID", "SUPPRESS_SOURCES__MAIN__PLATFORM"),
    ],
)
def test_a_slip_in_a_variable_is_refused_with_what_was_meant(
    tmp_path: Path, variable: str, meant: str
) -> None:
    """Passing over a misspelt SUPPRESS_LEDGER would write into another ledger."""
    message = refused(tmp_path, env={variable: "x"})

    assert message.startswith(f"variable {variable}: ")
    assert meant in message


def test_other_programs_variables_are_left_alone_and_listed(tmp_path: Path) -> None:
    """`SUPPRESS_` is a common word; doctor shows what was not understood."""
    found = loaded(tmp_path, env={"SUPPRESS_WARNINGS": "1", "SUPPRESS__X": "", "SUPPRESS_LOAD_PLUGINS": ""})

    assert ("SUPPRESS_WARNINGS", "SUPPRESS__X") == found.unknown


def test_a_secret_of_a_destination_of_another_folder_stops_nothing(tmp_path: Path) -> None:
    """A shell exports it for all folders; where no table says what it is for, nobody is told there."""
    env = {"SUPPRESS_DESTINATIONS__CRM__API_KEY": "s3cr3t"}
    found = loaded(tmp_path, "[destinations.partner]\nplatform = 'csv'", env=env)

    assert ["partner"] == list(found.destinations)
    assert found.nameless == {"crm": "variable SUPPRESS_DESTINATIONS__CRM__API_KEY"}
    assert "s3cr3t" not in found.lacks("crm")


def test_a_destination_may_be_made_of_variables_alone(tmp_path: Path) -> None:
    """Once one of them names the platform."""
    env = {"SUPPRESS_DESTINATIONS__CRM__API_KEY": "k", "SUPPRESS_DESTINATIONS__CRM__PLATFORM": "acme"}
    found = loaded(tmp_path, env=env)

    assert ("acme", {}) == (found.destinations["crm"].platform, found.nameless)


def test_a_token_from_closer_by_replaces_a_token_file_and_the_reverse(tmp_path: Path) -> None:
    """Only two at the same place are a contradiction."""
    file, token = "[sources.main]\naccess_token_file = 'f'", "[sources.main]\naccess_token = 't'"
    over_file = loaded(tmp_path, file, env={"SUPPRESS_SOURCES__MAIN__ACCESS_TOKEN": "closer"})
    over_token = loaded(tmp_path, token, env={"SUPPRESS_SOURCES__MAIN__ACCESS_TOKEN_FILE": "g"})
    both = refused(tmp_path, token + "\naccess_token_file = 'f'")

    assert ("closer", None) == (
        over_file.sources["main"].access_token,
        over_file.sources["main"].access_token_file,
    )
    assert (None, tmp_path / "g") == (
        over_token.sources["main"].access_token,
        over_token.sources["main"].access_token_file,
    )
    assert (
        "suppress.toml, line 2: sources.main.access_token and access_token_file are both given; keep one"
        == both
    )


# --- What is refused ---------------------------------------------------------------------------------------

NUMBER = "sources.main.x"
WRONG: dict[str, tuple[str, str]] = {
    "unknown key": ("ledgr = 'x'", "line 1: unknown key 'ledgr'; did you mean 'ledger'?"),
    "unknown key like no other": ("\nzzzzzz = 1", "line 2: unknown key 'zzzzzz'"),
    "american spelling": ("organization = 'x'", "did you mean 'organisation'?"),
    "section in the singular": ("[source.main]\n", "line 1: unknown key 'source'; did you mean 'sources'?"),
    "section is a value": ("sources = 3", "line 1: 'sources' must be tables, such as [sources.main]"),
    "account is a value": ("[sources]\nmain = 'x'", "line 2: 'sources.main' must be a table: [sources.main]"),
    "account is a list": ("[[sources.main]]\n", "'sources.main' must be a table"),
    "bad account name": ("[sources.'a b']\n", "line 1: 'a b' is no name for sources"),
    "account name with __": ("[sources.a__b]\n", "is no name for sources"),
    "names that variables cannot tell apart": (
        "[sources.a-b]\n[sources.A_B]\n", "differ only in '-', '_' or case; rename one"
    ),
    "ledger is a number": ("ledger = 5", "line 1: ledger must be text, found a whole number"),
    "organisation is true": ("organisation = true", "must be text, found true or false"),
    "organisation is a float": ("organisation = 1.5", "must be text, found a number with a point"),
    "organisation is a date": ("organisation = 2026-01-01", "must be text, found a date or time"),
    "organisation is a list": ("organisation = []", "must be text, found a list"),
    "organisation is a table": ("[organisation]\n", "must be text, found a table"),
    "organisation is empty": ("organisation = '  '", "organisation is empty"),
    "organisation with a control character": ('organisation = "a\\u0007b"', "holds control characters"),
    "keys are empty": ("keys = ''", "keys is empty"),
    "policies is a number": ("policies = 1", "policies must be a list of texts, found a whole number"),
    "policies has a number": ("policies = ['us.can-spam', 1]", "policies must be a list of texts"),
    "policies is empty": ("policies = []", "policies is empty"),
    "unknown policy": (
        "policies = ['us.canspam']", "unknown policy 'us.canspam'; did you mean 'us.can-spam'?"
    ),
    "policy like no other": ("policies = ['qqq']", "unknown policy 'qqq'; known: "),
    "unknown time zone": ("timezone = 'Europe/Berln'", "did you mean 'Europe/Berlin'?"),
    "time zone is a folder": ("timezone = 'America'", "unknown time zone 'America'"),
    "time zone climbs out": ("timezone = '../../etc/passwd'", "unknown time zone"),
    "sender with a slash": ("[sources.main]\nsender = 'A/B'", "line 2: sources.main.sender may not hold '/'"),
    "destination without platform": (
        "[destinations.crm]\npath = 'x'", "line 1: destination 'crm' names no platform"
    ),
    "option is empty": ("[sources.main]\nx = ''", f"{NUMBER} is empty"),
    "option is a float": ("[sources.main]\nx = 1.5", f"{NUMBER} must be text, a whole number"),
    "option is a time": ("[sources.main]\nx = 12:00:00", f"{NUMBER} must be text, a whole number"),
    "option holds NUL": ('[sources.main]\nx = "a\\u0000b"', f"{NUMBER} holds control characters"),
    "a float deep in an option": ("[sources.main]\nx = {y = [1.5]}", f"{NUMBER}.y must be text"),
    "token with 'Bearer'": ("[sources.main]\naccess_token = 'Bearer abc'", "without 'Bearer'"),
    "token over two lines": (
        '[sources.main]\naccess_token = "abc\\ndef"', "access_token holds control characters"
    ),
    "URL without https": ("[sources.main]\napi_url = 'http://api.example'", "must begin with https://"),
    "URL of a file": ("[sources.main]\napi_url = 'file://localhost/x'", "must begin with https://"),
    "URL without host": ("[sources.main]\nauth_url = 'https:///x'", "auth_url is no URL; write https://host/path"),
    "URL is words": ("[sources.main]\nurl = 'the usual'", "url is no URL"),
    "URL with a space": ("[sources.main]\napi_url = 'https://a.example/ b'", "is no URL"),
    "URL with a bad port": ("[sources.main]\napi_url = 'https://a.example:x'", "is no URL"),
    "URL with a bad host": ("[sources.main]\napi_url = 'https://[::1'", "is no URL"),
    "URL with a password": (
        "[sources.main]\napi_url = 'https://u:p@a.example'", "may not hold a user name or password"
    ),
    "ledger of a stranger": ("ledger = 'mysql://x/y'", "'mysql' is no kind of ledger"),
    "ledger in memory": ("ledger = 'sqlite://'", "write sqlite:///FILE, with three slashes"),
    "ledger in memory too": ("ledger = 'sqlite:///:memory:'", "a ledger in memory would be lost"),
    "ledger without a file": ("ledger = 'sqlite:///'", "a ledger in memory would be lost"),
    "ledger with parameters": ("ledger = 'a.db?mode=ro'", "may not hold '?'"),
    "ledger is the root": ("ledger = '/'", "ledger names no file"),
    "not TOML": ("ledger = 'x'\nthis is not TOML", "is not TOML: "),
    "a key twice": ("keys = 'x'\nkeys = 'y'", "is not TOML: "),
    "a string that never ends": ("\n\nkeys = 'x", "is not TOML: "),
    "nested too deep": ("policies = " + "[" * 3000, "nested too deep"),
    "a number of 5000 digits": ("x = " + "9" * 5000, "is not TOML"),
}  # fmt: skip


@pytest.mark.parametrize("case", sorted(WRONG))
def test_what_cannot_be_meant_is_refused_in_one_line(tmp_path: Path, case: str) -> None:
    """The message names the file, the line where there is one, and what to write instead."""
    toml, expected = WRONG[case]
    message = refused(tmp_path, toml)

    assert message.startswith("suppress.toml")
    assert expected in message


@pytest.mark.parametrize("name", sorted(key for key, _ in KEYS.values()))
def test_an_empty_variable_is_refused(tmp_path: Path, name: str) -> None:
    """CI systems set missing secrets to nothing; that must not read as a setting."""
    variable = "SUPPRESS_" + name.upper().replace(".", "__")
    message = refused(tmp_path, env={variable: "", "SUPPRESS_DESTINATIONS__CRM__PLATFORM": "csv"})

    assert f"variable {variable}: {name} is empty; give it a value or leave it out" == message


def test_an_empty_name_of_a_file_is_refused(tmp_path: Path) -> None:
    """It would otherwise name the folder."""
    assert "SUPPRESS_CONFIG: is empty; name a file or unset it" == refused(
        tmp_path, env={"SUPPRESS_CONFIG": " "}
    )


def test_an_account_name_in_a_variable_is_held_to_the_same_rule(tmp_path: Path) -> None:
    """A name is written into the ledger and into file names."""
    assert "is no name for sources" in refused(tmp_path, env={"SUPPRESS_SOURCES__A.B__SENDER": "x"})


def test_files_that_cannot_be_read_are_refused_by_name(tmp_path: Path) -> None:
    """Missing, a folder, a link to nowhere, a name that cannot be: never taken for 'no settings'."""
    (tmp_path / "link.toml").symlink_to("nowhere")
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / FILE).symlink_to("nowhere")

    assert "gone.toml: there is no such file" == refused(tmp_path, config=Path("gone.toml"))
    assert f"{tmp_path}: cannot be read: Is a directory" == refused(tmp_path, config=tmp_path)
    assert "link.toml: there is no such file" == refused(tmp_path, config=Path("link.toml"))
    assert "suppress.toml: there is no such file" == refused(tmp_path / "project")
    assert "'a\\x00b': is no file's name" == refused(tmp_path, config=Path("a\0b"))


def test_text_that_is_not_utf8_is_refused_with_its_line(tmp_path: Path) -> None:
    """Editors that save cp1252 or UTF-16 are told to save UTF-8; a byte-order mark is no trouble."""
    assert "suppress.toml, line 2: is not UTF-8 text; save the file as UTF-8" == refused(
        tmp_path, "# fine\norganisation = 'Müller'".encode("cp1252")
    )
    assert "save the file as UTF-8" in refused(tmp_path, "organisation = 'x'".encode("utf-16"))
    assert "Müller" == loaded(tmp_path, "organisation = 'Müller'".encode("utf-8-sig")).organisation
    assert "x" == loaded(tmp_path, b"[sources.main]\r\nsender = 'x'\r\n").sources["main"].sender


def test_a_file_too_large_to_be_settings_is_refused(tmp_path: Path) -> None:
    """Pointing --config at an export must not fill the memory."""
    message = refused(tmp_path, b"#" * 1_048_577)

    assert "suppress.toml: is larger than 1,048,576 bytes, so it is no settings file" == message


def test_a_home_that_is_not_there_is_said(tmp_path: Path) -> None:
    """`~nobody` cannot be expanded."""
    message = refused(tmp_path, "keys = '~no-such-user-here/keys'")

    assert "suppress.toml, line 1: keys: there is no home folder for '~'" == message


@FEW
@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)))
@example(b"\xef\xbb\xbf")
@example(b'"" = 1')
@example(b"[sources]\n'' = {}")
@example(b"[sources.main]\n'' = 1")
def test_no_file_breaks_the_loader(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    """Whatever the bytes, there are settings or one line that says why not."""
    folder = tmp_path_factory.mktemp("hostile")
    try:
        found = loaded(folder, content)
    except ConfigWrong as wrong:
        assert wrong.message.startswith("suppress.toml")
    else:
        assert list(shown(found))


@FEW
@given(st.dictionaries(st.text("ABLEDGRSOUC_", max_size=24).map("SUPPRESS_".__add__), st.text(max_size=8)))
def test_no_variable_breaks_the_loader(tmp_path_factory: pytest.TempPathFactory, env: dict[str, str]) -> None:
    """Whatever the environment, there are settings or one line that names the variable."""
    try:
        loaded(tmp_path_factory.mktemp("hostile"), env=env)
    except ConfigWrong as wrong:
        assert wrong.message.startswith(("variable SUPPRESS_", "SUPPRESS_CONFIG"))


# --- What is accepted --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example/v3",
        "http://127.0.0.1:8080/v3",
        "http://127.8.9.1",
        "http://localhost:1",
        "http://[::1]:8080",
    ],
)
def test_https_anywhere_and_http_on_this_machine_are_accepted(tmp_path: Path, url: str) -> None:
    """Simulators and proxies run on loopback; a token never travels in the clear."""
    found = loaded(tmp_path, f"[sources.main]\napi_url = '{url}/'")

    assert url == found.sources["main"].options["api_url"]


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        ("acme.db", "sqlite:///{here}/acme.db"),
        ("/data/acme.db", "sqlite:////data/acme.db"),
        ("sqlite:///acme.db", "sqlite:///{here}/acme.db"),
        ("sqlite:////data/acme.db", "sqlite:////data/acme.db"),
        ("sqlite+pysqlite:///acme.db", "sqlite:///{here}/acme.db"),
        ("postgresql+psycopg://u:p@db/x", "postgresql+psycopg://u:p@db/x"),
        ("postgres://u@db/x", "postgresql+psycopg://u@db/x"),
    ],
)
def test_a_ledger_is_a_path_or_a_url(tmp_path: Path, given_: str, expected: str) -> None:
    """A bare path is enough, from any layer."""
    wanted = expected.format(here=tmp_path)

    assert wanted == loaded(tmp_path, ledger=given_).ledger
    assert wanted == loaded(tmp_path, env={"SUPPRESS_LEDGER": given_}).ledger


def test_keys_lie_beside_the_ledger(tmp_path: Path) -> None:
    """X.db has X.keys; a database server has none beside it, so they lie beside the settings."""
    file, server = loaded(tmp_path, ledger="/data/acme.db"), loaded(tmp_path, ledger="postgresql://db/x")

    assert (Path("/data/acme.keys"), tmp_path / "suppress.keys") == (file.keys, server.keys)


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({"XDG_STATE_HOME": "/x/state", "HOME": "/home/pat"}, "/x/state/suppress"),
        ({"XDG_STATE_HOME": "relative", "HOME": "/home/pat"}, "/home/pat/.local/state/suppress"),
        ({"XDG_STATE_HOME": "/x/state", "SUPPRESS_STATE": "/y/mine"}, "/y/mine"),
        ({"XDG_STATE_HOME": ""}, str(platformdirs.user_state_path("suppress", appauthor=False))),
    ],
    ids=["xdg", "home", "named", "nothing set"],
)
def test_state_is_one_folder_for_all_ledgers_of_a_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, env: dict[str, str], expected: str
) -> None:
    """A platform counts the requests of an API key, whatever ledger they are for."""
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    one, other = (loaded(tmp_path, ledger=ledger, env=env) for ledger in ("a/one.db", "b/other.db"))

    assert Path(expected) == one.state == other.state


def test_every_variable_that_the_program_reads_is_known(tmp_path: Path) -> None:
    """Doctor must not call the variable that holds a signing key a mistake."""
    named = {
        constant.value
        for path in Path(suppress.__file__).parent.rglob("*.py")
        for constant in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(constant, ast.Constant)
        and isinstance(constant.value, str)
        and re.fullmatch(r"SUPPRESS(_[A-Z]+)+", constant.value)
    }
    known = {"SUPPRESS_SIGNING_KEY", "SUPPRESS_NEXT_SIGNING_KEY", "SUPPRESS_INDEX_KEY"}

    assert named >= known
    assert () == loaded(tmp_path, env=dict.fromkeys(named - {"SUPPRESS_CONFIG"}, "x")).unknown


PRINTABLE = st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="'\\")


# --- What never shows --------------------------------------------------------------------------------------


@FEW
@given(st.text(PRINTABLE, min_size=4).map("S3cr3t~".__add__))
def test_no_secret_is_ever_printed(tmp_path_factory: pytest.TempPathFactory, secret: str) -> None:
    """Neither by repr, nor by `suppress config`, nor by the message about a value that is wrong."""
    folder = tmp_path_factory.mktemp("secret")
    toml = f"""
        ledger = 'postgresql+psycopg://u:{secret}@db/x'
        [sources.main]
        access_token = '{secret}'
        client_secret = '{secret}'
        other = {{ api_key = '{secret}', list = [ {{ password = '{secret}' }} ] }}
        [destinations.crm]
        platform = 'csv'
        declared = '{secret}'
    """
    try:
        found = loaded(folder, toml)
        printed = repr(found) + repr(list(shown(found, secrets=["declared"])))
    except ConfigWrong as wrong:
        printed = wrong.message + repr(wrong.remedy)
    printed += refused(folder, f"[sources.main]\naccess_token = ['{secret}']")
    printed += refused(folder, f"[sources.main]\naccess_token = '{secret} x'")
    printed += refused(folder, f"[sources.main]\napi_url = 'https://u:{secret}@h.example'")

    assert secret not in printed.replace(str(folder), "")


def test_passwords_in_ledger_urls_are_masked() -> None:
    """Also as a parameter, which libpq reads as well."""
    masked = f"postgresql+psycopg://u:{MASK}@db/x"

    assert masked == redacted("postgresql+psycopg://u:p/a@ss@db/x")
    assert f"postgresql://db/x?sslmode=require&password={MASK}" == redacted(
        "postgresql://db/x?sslmode=require&password=hunter2"
    )
    assert "sqlite:////a:b@c/x.db" == redacted("sqlite:////a:b@c/x.db")


def test_names_tell_secrets_from_the_files_that_hold_them() -> None:
    """A path to a secret is no secret, and is what one needs to see."""
    assert [True] * 5 == [
        is_secret(key) for key in ("access_token", "api_key", "PASSWORD", "client_secret", "x_apikey")
    ]
    assert [False] * 4 == [
        is_secret(key) for key in ("access_token_file", "token_url", "client_id", "audience")
    ]


# --- The template, the command, the cost -------------------------------------------------------------------


def uncommented() -> str:
    """The template with every setting switched on."""
    lines = (
        line[1:] if line[:1] == "#" and line[1:2] not in (" ", "") else line for line in TEMPLATE.split("\n")
    )
    return "\n".join(lines)


def test_the_template_loads_as_it_is_and_with_everything_switched_on(tmp_path: Path) -> None:
    """`suppress init` writes it; a newcomer removes comment signs."""
    as_written, switched_on = loaded(tmp_path, TEMPLATE), loaded(tmp_path, uncommented())

    assert ({}, {}) == (as_written.sources, as_written.destinations)
    assert "Acme Outdoor" == switched_on.organisation
    assert "Acme" == switched_on.sources["main"].sender
    assert "hubspot" == switched_on.destinations["crm"].options["preset"]


def test_the_template_is_accepted_by_the_platforms_too(tmp_path: Path) -> None:
    """Its keys are keys that the built-in platforms know."""
    from suppress.plugin.registry import Registry

    found, registry = loaded(tmp_path, uncommented()), Registry.load(environ={"SUPPRESS_LOAD_PLUGINS": ""})
    registry.exporter(found.destinations["crm"]).close()
    registry.source(found.sources["main"], found.state).close()

    assert {"main"} == found.sources.keys()


def test_loading_settings_imports_nothing_heavy(tmp_path: Path) -> None:
    """Every command loads them, `suppress check` in a loop among them."""
    (tmp_path / FILE).write_text("organisation = 'x'\n[sources.main]\nsender = 'A'\n", encoding="utf-8")
    script = "import sys; from suppress.config import load; load(); print(*sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env={"HOME": str(tmp_path)},
        capture_output=True,
        check=True,
    )
    heavy = {
        "pydantic",
        "platformdirs",
        "zoneinfo",
        "difflib",
        "pluggy",
        "importlib.metadata",
    }

    assert set() == heavy & set(done.stdout.decode().split())


def test_config_shows_every_value_and_its_origin(command: Command) -> None:
    """With secrets masked, as one JSON object or as a table."""
    (command.folder / FILE).write_text(
        "[sources.main]\naccess_token = 't0ken-t0ken'\n[destinations.crm]\nplatform = 'csv'\nflag = true\n"
        "tags = ['a', 'b']\n",
        encoding="utf-8",
    )
    env = {"SUPPRESS_TIMEZONE": "Europe/Berlin", "SUPPRESS_WARNINGS": "1"}
    machine, person = command("config", "--json", env=env), command("config", env=env)
    values = {each["key"]: (each["value"], each["origin"]) for each in machine.json()["settings"]}

    assert "suppress/config@1" == machine.json()["schema"]
    assert ["SUPPRESS_WARNINGS"] == machine.json()["unknown_variables"]
    assert ("Europe/Berlin", "variable SUPPRESS_TIMEZONE") == values["timezone"]
    assert (MASK, "suppress.toml, line 2") == values["sources.main.access_token"]
    assert (["a", "b"], "suppress.toml, line 6") == values["destinations.crm.tags"]
    assert (0, 0) == (machine.exit_code, person.exit_code)
    assert "Not understood: SUPPRESS_WARNINGS" in person.out
    assert "a, b" in person.out
    assert "t0ken" not in machine.out + person.out


def test_wrong_settings_end_every_command_with_2_and_one_line(command: Command) -> None:
    """No traceback, nothing on stdout, nothing written."""
    (command.folder / FILE).write_text("ledgr = 'x'", encoding="utf-8")
    done = command("config")

    assert (2, "") == (done.exit_code, done.out)
    assert done.err.startswith(
        "suppress: suppress.toml, line 1: unknown key 'ledgr'; did you mean 'ledger'?\n"
    )
    assert [FILE] == [each.name for each in command.folder.iterdir()]
