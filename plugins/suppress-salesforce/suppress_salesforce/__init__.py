"""Salesforce as a destination of `suppress`."""
