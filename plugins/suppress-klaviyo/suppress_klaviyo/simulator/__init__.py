"""A Klaviyo account on this machine: profiles, suppression jobs that take their time, limits, and traps.

It answers as the vendor's public contract says (revision 2026-07-15), and was written from that, not from the
exporter. `scenario` holds the switches, `account` what the account knows, `server` what it answers.
"""

from suppress_klaviyo.simulator.account import Account
from suppress_klaviyo.simulator.launch import launch
from suppress_klaviyo.simulator.scenario import Scenario
from suppress_klaviyo.simulator.server import Simulator

__all__ = ["Account", "Scenario", "Simulator", "launch"]
