"""Suppression-list manager: every opt-out kept, told to every system, checked, and proved."""

__version__ = "0.1.0"
