"""Mailchimp (Marketing API 3.0) as a destination of `suppress`.

`settings` says what may be configured, `calls` what may be sent at all; `exporter` tells and reads back. The
simulated platform is in `simulator`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from suppress.plugin.hookspec import ExporterDescription, hookimpl
from suppress_mailchimp.settings import CAPABILITIES

if TYPE_CHECKING:
    from suppress.config import DestinationSettings
    from suppress.plugin.contract import Exporter


@hookimpl
def suppress_exporters() -> Iterable[ExporterDescription]:
    """One platform: `mailchimp`."""
    yield ExporterDescription(name="mailchimp", label="Mailchimp", capabilities=CAPABILITIES, factory=_opened)


def _opened(settings: DestinationSettings) -> Exporter:
    from suppress_mailchimp.exporter import Mailchimp

    return Mailchimp(settings)
