"""A Constant Contact account that runs on loopback: for tests, the demo, and trying things out.

Start with `scenario` (people, switches, faults), then `server.Simulator` (run one), then `model` (what
writes do to contacts) and `routes` (what is served).
"""

from __future__ import annotations

from suppress.platforms.constant_contact.simulator.clock import Clock
from suppress.platforms.constant_contact.simulator.model import Permission
from suppress.platforms.constant_contact.simulator.scenario import (
    ExportDates,
    Fault,
    FaultKind,
    LastPage,
    Limits,
    Order,
    Paging,
    People,
    Refresh,
    Scenario,
    SignIn,
    Switches,
    Timestamps,
    WithoutStatus,
    demo_scenario,
    large_scenario,
)
from suppress.platforms.constant_contact.simulator.server import Exchange, Simulator

__all__ = [
    "Clock",
    "Exchange",
    "ExportDates",
    "Fault",
    "FaultKind",
    "LastPage",
    "Limits",
    "Order",
    "Paging",
    "People",
    "Permission",
    "Refresh",
    "Scenario",
    "SignIn",
    "Simulator",
    "Switches",
    "Timestamps",
    "WithoutStatus",
    "demo_scenario",
    "large_scenario",
]
