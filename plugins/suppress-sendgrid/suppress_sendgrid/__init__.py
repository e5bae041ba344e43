"""SendGrid as a destination of `suppress`: the list of global suppressions, or that of one unsubscribe group.

What may be sent is in `calls`; how the calls are answered in `client` and `wire`; what the engine drives is
`exporter.SendGrid`. `simulator` is a SendGrid account on this machine, for `suppress simulate sendgrid`.
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
    """SendGrid."""
    from suppress_sendgrid.settings import CAPABILITIES

    yield ExporterDescription(name="sendgrid", label="SendGrid", capabilities=CAPABILITIES, factory=_opened)


def _opened(settings: DestinationSettings) -> Exporter:
    from suppress_sendgrid.exporter import SendGrid

    return SendGrid(settings)
