"""A HubSpot account on this machine: opt-outs by address, contacts that mirror them, limits, and traps.

It answers as the vendor's public reference says, and was written from that, not from the exporter. `scenario`
holds the switches, `account` what the account knows, `server` what it answers.
"""

from suppress_hubspot.simulator.account import Account
from suppress_hubspot.simulator.launch import launch
from suppress_hubspot.simulator.scenario import Fault, Scenario, Trap
from suppress_hubspot.simulator.server import Simulator

__all__ = ["Account", "Fault", "Scenario", "Simulator", "Trap", "launch"]
