"""Salesforce as a destination of `suppress`: contacts, leads and person accounts are opted out of e-mail.

Start with `exporter` (what is done in which order), then `records` (what Salesforce's records say about an
address), `calls` (what may be sent at all), `client` (what each answer means) and `jobs` (Bulk API 2.0).
`simulator` is an org on this machine, for tests and for trying things out.

Importing this package is cheap: the exporter is loaded when a destination is opened.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from suppress.config import DestinationSettings
from suppress.plugin.hookspec import ExporterDescription, hookimpl
from suppress_salesforce.settings import capabilities

if TYPE_CHECKING:
    from suppress.plugin.contract import Exporter


@hookimpl
def suppress_exporters() -> Iterator[ExporterDescription]:
    """Salesforce."""
    yield ExporterDescription(
        name="salesforce", label="Salesforce", capabilities=capabilities(), factory=_salesforce
    )


def _salesforce(settings: DestinationSettings) -> Exporter:
    from suppress_salesforce.exporter import Salesforce

    return Salesforce(settings)
