"""An SES account on this machine: a suppression list in each region, reasons, configuration sets, and traps.

It answers as AWS's reference and its published service model say, and was written from them, not from the
exporter. `scenario` holds the switches, `account` what the account knows, `server` what it answers.
"""

from suppress_ses.simulator.account import Account
from suppress_ses.simulator.launch import launch
from suppress_ses.simulator.scenario import Fault, Scenario, Trap
from suppress_ses.simulator.server import Simulator

__all__ = ["Account", "Fault", "Scenario", "Simulator", "Trap", "launch"]
