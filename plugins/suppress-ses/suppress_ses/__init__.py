"""Amazon SES as a destination of `suppress`: the suppression list of one account in one region.

What may be sent is in `calls`, and `gateway` holds AWS's own client to it; what the engine drives is
`exporter.Ses`. `simulator` is an SES account on this machine, for `suppress simulate ses`.
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
    """Amazon SES."""
    from suppress_ses.settings import CAPABILITIES

    yield ExporterDescription(name="ses", label="Amazon SES", capabilities=CAPABILITIES, factory=_opened)


def _opened(settings: DestinationSettings) -> Exporter:
    from suppress_ses.exporter import Ses

    return Ses(settings)
