"""A SendGrid account on this machine: its suppression lists, groups, subusers, limits, and traps.

It answers as the vendor's public contract says, and was written from that, not from the exporter. `scenario`
holds the switches, `account` what the account knows, `server` what it answers.
"""

from suppress_sendgrid.simulator.account import Account
from suppress_sendgrid.simulator.launch import launch
from suppress_sendgrid.simulator.scenario import Fault, Scenario, Trap
from suppress_sendgrid.simulator.server import Simulator

__all__ = ["Account", "Fault", "Scenario", "Simulator", "Trap", "launch"]
