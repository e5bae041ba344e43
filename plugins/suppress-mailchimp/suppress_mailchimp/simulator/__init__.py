"""A Mailchimp account that runs on loopback: for tests, and to try things out.

Start with `scenario` (audiences, switches, faults), then `server.Simulator` (run one), then `account` (what
writes do to members) and `routes` (what is served); `launch` is for `suppress simulate mailchimp`.
"""

from __future__ import annotations

from suppress_mailchimp.simulator.launch import launch
from suppress_mailchimp.simulator.scenario import Fault, People, Scenario, Switches
from suppress_mailchimp.simulator.server import Simulator

__all__ = ["Fault", "People", "Scenario", "Simulator", "Switches", "launch"]
