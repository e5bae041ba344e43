"""The built-in platforms, brought through the same hooks as any plugin's.

Importing this room stays cheap: what a platform needs is imported when an account is opened.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from suppress.config import DestinationSettings, SourceSettings
from suppress.core.suppression import Json
from suppress.plugin.contract import Capabilities, Delivery, Detail, Unit, Unknowns
from suppress.plugin.hookspec import ExporterDescription, SourceDescription, hookimpl

if TYPE_CHECKING:
    from suppress.plugin.contract import Exporter, Source

CONSTANT_CONTACT: Mapping[str, Json] = {
    "properties": {
        "client_id": {"type": "string", "description": "the API key of your application"},
        "client_secret": {"type": "string", "description": "its secret, if it has one"},
        "api_url": {"type": "string", "description": "another host than the vendor's: simulator, proxy"},
        "auth_url": {"type": "string", "description": "another sign-in host than the vendor's"},
    },
}
CSV = Capabilities(
    unit=Unit.SNAPSHOT,
    delivery=Delivery.SYNC,
    detail=Detail.NONE,
    creates_unknown=Unknowns.NEVER,
    target="file",
    can_read_one=True,
    can_read_many=True,
    can_list_all=True,
    config={
        "properties": {
            "path": {"type": "string", "description": "name the file to write with -o FILE or path = …"},
            "preset": {
                "type": "string",
                "description": "which importer the columns are for",
                "enum": ["plain", "hubspot", "mailchimp", "klaviyo", "sendgrid", "ses", "spreadsheet"],
                "default": "plain",
            },
        },
        "required": ["path"],
    },
)


@hookimpl
def suppress_sources() -> Iterator[SourceDescription]:
    """Constant Contact."""
    yield SourceDescription(
        name="constant-contact",
        label="Constant Contact",
        factory=_constant_contact,
        config=CONSTANT_CONTACT,
        secrets=("client_secret",),
    )


@hookimpl
def suppress_exporters() -> Iterator[ExporterDescription]:
    """CSV files."""
    yield ExporterDescription(name="csv", label="CSV file", capabilities=CSV, factory=_csv)


def _constant_contact(settings: SourceSettings, state: Path) -> Source:
    from suppress.platforms.constant_contact import ConstantContact

    return ConstantContact(settings, state)


def _csv(settings: DestinationSettings) -> Exporter:
    from suppress.platforms.csv_file import CsvFile

    return CsvFile(settings)
