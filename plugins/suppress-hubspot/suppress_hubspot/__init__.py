"""HubSpot as a destination of `suppress`: an opt-out from all e-mail, kept for the address itself.

What may be sent is in `calls`; how the calls are answered in `client` and `wire`; what the engine drives is
`exporter.HubSpot`. `simulator` is a HubSpot account on this machine, for `suppress simulate hubspot`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from suppress.config import DestinationSettings
from suppress.plugin.hookspec import ExporterDescription, hookimpl

if TYPE_CHECKING:
    from suppress.plugin.contract import Exporter


@hookimpl
def suppress_exporters() -> Iterator[ExporterDescription]:
    """HubSpot."""
    from suppress_hubspot.settings import CAPABILITIES

    yield ExporterDescription(name="hubspot", label="HubSpot", capabilities=CAPABILITIES, factory=_opened)


def _opened(settings: DestinationSettings) -> Exporter:
    from suppress_hubspot.exporter import HubSpot

    return HubSpot(settings)
