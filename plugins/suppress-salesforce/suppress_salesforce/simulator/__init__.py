"""A Salesforce org on this machine: `org` (records and their rules), `statements` (its query language),
`bulk` (jobs), `sign_in` (tokens), `api` (what each request does), `switches` (what can go wrong), and
`launch` for `suppress simulate salesforce`.

It was written from the vendor's documented behaviour, knows nothing of the exporter, and obeys writes that
the exporter never sends too: whoever clears a checkbox here sees it cleared.
"""

from suppress_salesforce.simulator.api import Simulator
from suppress_salesforce.simulator.launch import launch
from suppress_salesforce.simulator.org import Org, Row
from suppress_salesforce.simulator.switches import Switches

__all__ = ["Org", "Row", "Simulator", "Switches", "launch"]
