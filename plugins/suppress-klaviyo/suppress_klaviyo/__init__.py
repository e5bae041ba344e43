"""Klaviyo as a destination of `suppress`: profiles that are suppressed from marketing e-mail, in bulk jobs.

What may be sent is in `calls`; how the calls are answered in `client` and `wire`; what the engine drives is
`exporter.Klaviyo`. `simulator` is a Klaviyo account on this machine, for `suppress simulate klaviyo`.
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
    """Klaviyo."""
    from suppress_klaviyo.settings import CAPABILITIES

    yield ExporterDescription(name="klaviyo", label="Klaviyo", capabilities=CAPABILITIES, factory=_opened)


def _opened(settings: DestinationSettings) -> Exporter:
    from suppress_klaviyo.exporter import Klaviyo

    return Klaviyo(settings)
